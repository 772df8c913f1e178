//! Every operation that the benches measure, defined once, for whatever looks at it: criterion, the table of
//! targets, or a count of instructions.
//!
//! | what | where |
//! |---|---|
//! | the operations, generic over a backend | `mutex` `semaphore` `hand_off` `event` `condition` `barrier` `cancel` |
//! | what nobody can beat | `limits` |
//! | what a rival must do beyond the backends' traits | `arms` |
//! | who takes part in which | `list` |
//! | how large things are | `sizes` |
//! | which part of a block counts | `stopwatch` |
//! | polling | `by_hand` (one future), `executor` (many tasks), `wakers` |
//! | as criterion's benchmarks | `criterion` |
//!
//! An operation checks its own result outside the measured stretches: each measurement is a test.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "a room of many programs, each of which uses a part"
)]

mod arms;
mod barrier;
mod by_hand;
mod cancel;
mod condition;
pub mod criterion;
mod event;
mod executor;
mod hand_off;
mod limits;
mod list;
mod mutex;
mod semaphore;
pub mod sizes;
mod stopwatch;
mod wakers;

pub use list::{BACKENDS, SIZES, operations};
pub use stopwatch::Stopwatch;

/// Does at least so many operations and measures them.
pub type Block = Box<dyn FnMut(u64, &mut Stopwatch)>;

/// One operation of one library.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// What is done: `mutex/free`, `event/set/1000`.
    pub group: &'static str,
    /// Whose: a backend's name, or a limit's.
    pub arm: &'static str,
    /// Whether it is a bound and no rival.
    pub is_limit: bool,
    /// How the primitive was put together, where the library lacks it.
    pub composed: Option<&'static str>,
    /// How many tasks or waiters; 0 where there is no such number.
    size: usize,
    start: fn(usize) -> Block,
}

impl Operation {
    /// The first word of the group.
    pub fn family(&self) -> &'static str {
        self.group.split('/').next().unwrap_or_default()
    }

    /// Its objects, made anew.
    pub fn start(&self) -> Block {
        (self.start)(self.size)
    }
}

/// An object that lives until the program ends, so that futures on it may be kept beside it.
fn forever<T>(object: T) -> &'static T {
    Box::leak(Box::new(object))
}
