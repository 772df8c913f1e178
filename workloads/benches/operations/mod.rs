//! Every operation that the benches measure, defined once, for whatever looks at it: criterion, the table of
//! targets, or a count of instructions.
//!
//! | what | where |
//! |---|---|
//! | the operations, generic over a backend | `mutex` `semaphore` `hand_off` `event` `condition` |
//! | who takes part in which | the lists in this file |
//! | what a rival must do beyond the backends' traits | `arms` |
//! | what nobody can beat | `limits` |
//! | which part of a block counts | `stopwatch` |
//! | polling | `by_hand` (one future), `executor` (many tasks) |
//!
//! An operation checks its own result outside the measured stretches: each measurement is a test.
#![allow(dead_code, reason = "each bench uses a part of it")]

mod arms;
mod by_hand;
mod condition;
mod event;
mod executor;
mod hand_off;
mod limits;
mod mutex;
mod semaphore;
mod stopwatch;

pub use stopwatch::Stopwatch;

/// Does at least so many operations and measures them.
pub type Block = Box<dyn FnMut(u64, &mut Stopwatch)>;

/// One operation of one library.
#[derive(Clone, Copy)]
pub struct Operation {
    /// What is done: `mutex/free`, `event/set/1000`.
    pub group: &'static str,
    /// Whose: a backend's name, or a limit's.
    pub arm: &'static str,
    /// How many tasks or waiters; 0 where there is no such number.
    size: usize,
    start: fn(usize) -> Block,
}

impl Operation {
    /// Its objects, made anew.
    pub fn start(&self) -> Block {
        (self.start)(self.size)
    }
}

/// An object that lives until the program ends, so that futures on it may be kept beside it.
fn forever<T>(object: T) -> &'static T {
    Box::leak(Box::new(object))
}

/// Operations of a group, one for each backend named: `of!("mutex/free", 0, mutex::free: sync tokio)`.
macro_rules! of {
    ($group:literal, $size:expr, $room:ident::$operation:ident: $($backend:ident)*; $($limit:literal $bound:expr),*) => {
        &[
            $(Operation {
                group: $group,
                arm: workloads::backends::$backend::BACKEND.name,
                size: $size,
                start: $room::$operation::<workloads::backends::$backend::Primitives>,
            },)*
            $(Operation { group: $group, arm: $limit, size: $size, start: $bound },)*
        ]
    };
}

/// All operations, group by group.
pub static OPERATIONS: &[&[Operation]] = &[
    of!("mutex/free", 0, mutex::free: sync tokio;
        "two CAS" limits::two_compare_and_swaps, "parking_lot" limits::parking_lot_pair,
        "std" limits::std_pair),
    of!("mutex/free_polled_once", 0, mutex::free_polled_once: sync tokio;
        "two CAS" limits::two_compare_and_swaps),
    of!("mutex/try_lock", 0, mutex::try_lock: sync tokio; "two CAS" limits::two_compare_and_swaps),
    of!("mutex/owned", 0, mutex::owned: sync tokio; "two CAS" limits::two_compare_and_swaps),
    of!("semaphore/free", 0, semaphore::free: sync tokio; "two CAS" limits::two_compare_and_swaps),
    of!("semaphore/free_polled_once", 0, semaphore::free_polled_once: sync tokio;
        "two CAS" limits::two_compare_and_swaps),
    of!("semaphore/many", 0, semaphore::many: sync tokio; "two CAS" limits::two_compare_and_swaps),
    of!("semaphore/try_acquire", 0, semaphore::try_acquire: sync tokio;
        "two CAS" limits::two_compare_and_swaps),
    of!("hand_off/2", 2, hand_off::hand_off: sync tokio; "turns alone" hand_off::turns_alone),
    of!("hand_off/8", 8, hand_off::hand_off: sync tokio; "turns alone" hand_off::turns_alone),
    of!("hand_off/64", 64, hand_off::hand_off: sync tokio; "turns alone" hand_off::turns_alone),
    of!("hand_off/1000", 1_000, hand_off::hand_off: sync tokio; "turns alone" hand_off::turns_alone),
    of!("event/wait_set", 0, event::wait_set: sync tokio; "one load" limits::one_load),
    of!("event/set_clear", 0, event::set_clear: sync tokio; "two CAS" limits::two_compare_and_swaps),
    of!("event/arm/1", 1, event::arm: sync tokio;),
    of!("event/arm/100", 100, event::arm: sync tokio;),
    of!("event/arm/1000", 1_000, event::arm: sync tokio;),
    of!("event/arm/10000", 10_000, event::arm: sync tokio;),
    of!("event/set/1", 1, event::set: sync tokio;),
    of!("event/set/100", 100, event::set: sync tokio;),
    of!("event/set/1000", 1_000, event::set: sync tokio;),
    of!("event/set/10000", 10_000, event::set: sync tokio;),
    of!("event/resume/1", 1, event::resume: sync tokio;),
    of!("event/resume/100", 100, event::resume: sync tokio;),
    of!("event/resume/1000", 1_000, event::resume: sync tokio;),
    of!("event/resume/10000", 10_000, event::resume: sync tokio;),
    of!("condition/free", 0, condition::free: sync tokio; "two CAS" limits::two_compare_and_swaps),
    of!("condition/notify_one/1", 1, condition::notify_one: sync tokio;),
    of!("condition/notify_one/100", 100, condition::notify_one: sync tokio;),
    of!("condition/notify_one/1000", 1_000, condition::notify_one: sync tokio;),
    of!("condition/notify_all/1", 1, condition::notify_all: sync tokio;),
    of!("condition/notify_all/100", 100, condition::notify_all: sync tokio;),
    of!("condition/notify_all/1000", 1_000, condition::notify_all: sync tokio;),
];
