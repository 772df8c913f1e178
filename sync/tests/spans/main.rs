//! The spans that the primitives make, captured by a real subscriber and held against the contract.
//!
//! Futures are polled by hand, so that each test decides who waits, who is granted and who resumes, and in which
//! order. Times are only compared with times that enclose them or lie within them.
#![cfg(all(feature = "tracing", not(loom)))]

mod barrier;
mod blocking;
mod bounded_semaphore;
mod budget;
mod capture;
mod condition;
mod event;
mod hostile;
mod mapped;
mod mutex;
mod places;
mod semaphore;
mod task;
mod timing;
