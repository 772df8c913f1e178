//! Async synchronisation primitives: asyncio's family for any Rust executor, strictly FIFO, and watchable
//! through [`tracing`](https://docs.rs/tracing).
//!
//! | primitive | asyncio | tokio::sync | for |
//! |---|---|---|---|
//! | [`Mutex`] | `Lock` | `Mutex` | a value that one task at a time may use, across awaits |
//! | [`Condition`] | `Condition` | – | waiting until a value behind a lock has changed |
//! | [`Semaphore`] | `Semaphore` | `Semaphore` | at most so many at a time |
//! | [`BoundedSemaphore`] | `BoundedSemaphore` | – | the same, and never more permits than it was made with |
//! | [`Event`] | `Event` | – | telling any number of tasks that something has happened |
//! | [`Barrier`] | `Barrier` | `Barrier` | tasks that go on together once all of them are there |
//!
//! They need no runtime. Every wait is a named future of [`futures`] that allocates nothing and may be dropped at
//! any point. With the feature `tracing` (on by default) each acquire, wait and release is a span; their names
//! are in [`schema`]. While nobody listens this costs one relaxed load a call. With the feature `tokio` they take part
//! in its cooperative budget, as tokio's own do.
#![warn(missing_docs)]

mod barrier;
mod blocking;
mod condition;
mod coop;
mod error;
mod event;
mod loom;
mod mutex;
mod permits;
pub mod schema;
mod semaphore;
mod statistics;
mod trace;
mod wait;
mod wait_queue;
mod wake;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condition::{Condition, ConditionGuard};
pub use error::{AcquireError, BarrierError, ReleaseError, TryAcquireError, TryLockError};
pub use event::Event;
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use semaphore::{
    BoundedPermit, BoundedSemaphore, OwnedBoundedPermit, OwnedSemaphorePermit, Semaphore, SemaphorePermit,
};
pub use statistics::{
    BarrierStatistics, BoundedSemaphoreStatistics, ConditionStatistics, EventStatistics, MutexStatistics,
    SemaphoreStatistics,
};

/// The futures, by name, for those who store them.
pub mod futures {
    pub use crate::barrier::{BarrierWait, BarrierWaitOwned};
    pub use crate::condition::{ConditionLock, ConditionWait, ConditionWaitFor};
    pub use crate::event::{EventWait, EventWaitOwned};
    pub use crate::mutex::{Lock, LockOwned};
    pub use crate::semaphore::{Acquire, AcquireOwned, BoundedAcquire, BoundedAcquireOwned};
}

// The README's code is compiled and run with the documentation's.
#[cfg(all(doctest, feature = "tracing", not(loom)))]
#[doc = include_str!("../README.md")]
struct Readme;
