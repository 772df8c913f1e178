//! The workloads, one file each: names, words, defaults, and the loop of a task, generic over the backend.

pub mod barrier;
pub mod condition;
pub mod event;
pub mod mix;
pub mod mutex;
pub mod semaphore;
