//! Async synchronisation primitives: asyncio's family for any Rust executor, strictly FIFO, and watchable
//! through [`tracing`](https://docs.rs/tracing).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use sync::{Event, Mutex};
//!
//! static TOTAL: Mutex<u64> = Mutex::const_new(0).with_name("total");
//! static READY: Event = Event::new().with_name("ready");
//!
//! let adder = tokio::spawn(async {
//!     READY.wait().await;
//!     *TOTAL.lock().await += 1;
//! });
//! READY.set();
//! adder.await.unwrap();
//! assert_eq!(*TOTAL.lock().await, 1);
//! # }
//! ```
//!
//! # Which one do I want?
//!
//! | you want | take |
//! |---|---|
//! | one task at a time to use a value, with awaits while it does | [`Mutex`] |
//! | to wait until a value behind a lock has changed, or changed enough | [`Condition`], with [`wait_for`](ConditionGuard::wait_for) |
//! | at most so many tasks at a time to do something | [`Semaphore`] |
//! | the same, where a permit given back twice must be an error | [`BoundedSemaphore`] |
//! | to tell any number of tasks that something has happened, or is so for now | [`Event`] |
//! | a fixed number of tasks to go on together, again and again | [`Barrier`] |
//!
//! And when to take something else:
//!
//! | you want | take |
//! |---|---|
//! | a value behind a lock, and no await while it is locked | `std::sync::Mutex`: cheaper, and its guard cannot be held across an await by mistake where futures must be `Send` |
//! | a counter or a flag that nobody waits for | an atomic |
//! | many readers at a time, few writers | `tokio::sync::RwLock`, `async_lock::RwLock` |
//! | to hand values from task to task | a channel, such as `tokio::sync::mpsc` or `oneshot` |
//! | to see the latest value of something, missing some is fine | `tokio::sync::watch` |
//! | one wake-up that is kept for a single task until it comes | `tokio::sync::Notify`, or a [`Semaphore`] of no permits and [`add_permits`](Semaphore::add_permits) |
//! | to make a value once, when it is first needed | `std::sync::OnceLock`, `tokio::sync::OnceCell` where making it awaits |
//! | a lock that favours throughput over order | `async_lock::Mutex`, which lets newcomers barge in; see [`guide::fairness`] |
//!
//! # The names elsewhere
//!
//! | asyncio | here | `tokio::sync` |
//! |---|---|---|
//! | `Lock` | [`Mutex`] | `Mutex`: the same methods |
//! | `Condition` | [`Condition`] | – |
//! | `Semaphore` | [`Semaphore`] | `Semaphore`: the same methods |
//! | `BoundedSemaphore` | [`BoundedSemaphore`] | – |
//! | `Event` | [`Event`] | – (`Notify` has no flag to set and clear) |
//! | `Barrier` | [`Barrier`] | `Barrier`, without `abort` and `reset` |
//!
//! [`guide::differences`] lists method by method what is called how, and what differs.
//!
//! # What all of them have in common
//!
//! - **They need no runtime.** Any executor will do, several at a time, and threads without one: see below.
//! - **Order.** Who waits longest is served first, and nobody overtakes: [`guide::fairness`].
//! - **Cancel safety.** Every wait is a named future of [`futures`] that allocates nothing and may be dropped at any point.
//!   What it had been granted goes to the next: [`guide::cancel_safety`].
//! - **Memory ordering.** What was done before letting go is seen by who is let in: [`guide::memory_ordering`].
//! - **Constants.** `new` is `const` but for [`Condition`] and [`Barrier`], so that a `static` needs no lazy cell.
//! - **Names.** `with_name` gives an object the name that its spans carry.
//! - **Misuse** that the types cannot stop panics with the name of the call: a barrier of no parties, more permits than
//!   `MAX_PERMITS`, a merge of permits of two semaphores, polling a future after it was ready. Everything else is a `Result`.
//!
//! Import names, not `sync::*`: the module [`futures`] would hide the crate of that name.
//!
//! # Blocking calls
//!
//! A thread that runs no tasks waits beside those that do, in the same queue: [`Mutex::blocking_lock`],
//! [`Semaphore::blocking_acquire`] and its kin, [`Event::blocking_wait`], [`Condition::blocking_lock`] with
//! [`ConditionGuard::blocking_wait`], and [`Barrier::blocking_wait`]. They park their thread, wherever that is. On a thread
//! of an executor they keep its tasks from running, and wait for ever if one of those would have served them.
//!
//! # Statistics
//!
//! `statistics` of each primitive gives plain data, with no collector and no feature: whether it is locked, set, closed or
//! broken, and how many wait.
//!
//! ```
//! let semaphore = sync::Semaphore::new(3);
//! let _permit = semaphore.try_acquire().unwrap();
//! assert_eq!(semaphore.statistics().available, 2);
//! assert_eq!(semaphore.statistics().waiting, 0);
//! ```
//!
//! # Features
//!
//! | feature | by default | what it does |
//! |---|---|---|
//! | `tracing` | on | each acquire, wait and release is a span; their names are in [`schema`]. While nobody listens this costs one relaxed load a call; without the feature nothing of it is compiled |
//! | `console` | off | each operation is told in the words of tokio's own primitives as well, so that `tokio-console` shows it: name, permits, waiters, the line that asks |
//! | `tokio` | off | waits take part in tokio's cooperative budget as tokio's own do, so that a loop over a lock that is always free lets other tasks run; see [`guide::fairness`] |
#![warn(missing_docs)]

mod barrier;
mod blocking;
mod condition;
mod coop;
mod error;
mod event;
pub mod guide;
mod loom;
mod mutex;
mod permits;
pub mod probe;
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
///
/// None of them allocates, and each may be dropped at any point. A wait counts, and takes its place in the queue, from
/// its first poll. All are `#[must_use]`, and `!Unpin`: others link to them while they wait.
///
/// # Panics
///
/// A future that is polled after it was ready panics. One whose own poll panicked may only be dropped.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::sync::Arc;
/// use sync::futures::EventWaitOwned;
/// use sync::Event;
///
/// /// A task's order to stop, which it may await at any time.
/// struct Stop(std::pin::Pin<Box<EventWaitOwned>>);
///
/// let stop = Arc::new(Event::new());
/// let mut order = Stop(Box::pin(Arc::clone(&stop).wait_owned()));
/// stop.set();
/// order.0.as_mut().await;
/// # }
/// ```
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
