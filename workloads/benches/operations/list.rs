//! Which operations there are, and who takes part in which.
//!
//! A backend takes part where it implements the trait that the operation is generic over, so a new one is a word in
//! `each_backend!` and nothing else.

use workloads::backend::{
    BarrierBackend, ConditionBackend, EventBackend, MutexBackend, SemaphoreBackend, WeightedSemaphoreBackend,
};
use workloads::{Backend, backends};

use super::arms::LockOwned;
use super::limits::{one_load, parking_lot_pair, std_pair, two_compare_and_swaps};
use super::sizes::Sizes;
use super::{Block, Operation, barrier, cancel, condition, event, hand_off, mutex, semaphore, sizes};

/// Hands the modules of all backends that differ in their code to another macro, ours first.
macro_rules! each_backend {
    ($macro:ident $argument:tt) => { $macro!($argument sync tokio async_lock asyncband saa futures_intrusive maitake_sync futures) };
}

macro_rules! names {
    (() $($backend:ident)+) => { &[$(&backends::$backend::BACKEND),+] };
}

/// The backends, ours first.
pub const BACKENDS: &[&Backend] = each_backend!(names());

/// `parts!((SomeTrait Part: room::operation) …)`: the operation of each backend that implements the trait.
///
/// Whether a type implements a trait is asked of name resolution: a constant of the type itself, there under a bound
/// only, goes before that of a trait which every type implements.
macro_rules! parts {
    (($family:ident $part:ty: $room:ident::$operation:ident) $($backend:ident)+) => {{
        struct On<B>(std::marker::PhantomData<B>);
        trait Lacks {
            const PART: Option<Part<$part>> = None;
        }
        impl<B> Lacks for On<B> {}
        impl<B: $family> On<B> {
            const PART: Option<Part<$part>> = Some(Part { of: $room::$operation::<B>, composed: B::COMPOSED, most: B::LIMITS.tasks });
        }
        &[$((backends::$backend::BACKEND.name, On::<backends::$backend::Primitives>::PART)),+]
    }};
}

/// `group!("name", size, SomeTrait, room::operation, limits…)`.
macro_rules! group {
    ($name:literal, $size:literal, $family:ident, $room:ident::$operation:ident $(, $limit:expr)*) => {
        Group {
            name: $name,
            size: $size,
            parts: each_backend!(parts ($family Start: $room::$operation)),
            limits: &[$($limit),*],
        }
    };
}

type Start = fn(usize) -> Block;
/// Each backend's name with its part, where it has one.
type Parts<P> = &'static [(&'static str, Option<Part<P>>)];

#[derive(Clone, Copy)]
pub struct Part<P> {
    pub of: P,
    /// How the primitive was put together, where the library lacks it.
    composed: Option<&'static str>,
    /// Tasks or waiters that the backend takes at most.
    most: usize,
}

struct Group {
    name: &'static str,
    size: usize,
    parts: Parts<Start>,
    limits: &'static [(&'static str, Start)],
}

const TWO_CAS: (&str, Start) = ("two CAS", two_compare_and_swaps);
const PARKING_LOT: (&str, Start) = ("parking_lot", parking_lot_pair);
const STD: (&str, Start) = ("std", std_pair);
const ONE_LOAD: (&str, Start) = ("one load", one_load);
const TURNS: (&str, Start) = ("turns alone", hand_off::turns_alone);
const TURN: (&str, Start) = ("turn alone", hand_off::turn_alone);

static GROUPS: &[Group] = &[
    group!("mutex/free", 0, MutexBackend, mutex::free, TWO_CAS, PARKING_LOT, STD),
    group!("mutex/free_polled_once", 0, MutexBackend, mutex::free_polled_once, TWO_CAS, PARKING_LOT, STD),
    group!("mutex/try_lock", 0, MutexBackend, mutex::try_lock, TWO_CAS, PARKING_LOT, STD),
    group!("mutex/owned", 0, LockOwned, mutex::owned, TWO_CAS),
    group!("semaphore/free", 0, SemaphoreBackend, semaphore::free, TWO_CAS),
    group!("semaphore/free_polled_once", 0, SemaphoreBackend, semaphore::free_polled_once, TWO_CAS),
    group!("semaphore/many", 0, WeightedSemaphoreBackend, semaphore::many, TWO_CAS),
    group!("semaphore/try_acquire", 0, SemaphoreBackend, semaphore::try_acquire, TWO_CAS),
    group!("hand_off/2", 2, MutexBackend, hand_off::hand_off, TURNS),
    group!("hand_off/8", 8, MutexBackend, hand_off::hand_off, TURNS),
    group!("hand_off/64", 64, MutexBackend, hand_off::hand_off, TURNS),
    group!("hand_off/1000", 1_000, MutexBackend, hand_off::hand_off, TURNS),
    group!("event/wait_set", 0, EventBackend, event::wait_set, ONE_LOAD),
    group!("event/set_clear", 0, EventBackend, event::set_clear, TWO_CAS),
    group!("event/arm/1", 1, EventBackend, event::arm),
    group!("event/arm/100", 100, EventBackend, event::arm),
    group!("event/arm/1000", 1_000, EventBackend, event::arm),
    group!("event/arm/10000", 10_000, EventBackend, event::arm),
    group!("event/set/1", 1, EventBackend, event::set),
    group!("event/set/100", 100, EventBackend, event::set),
    group!("event/set/1000", 1_000, EventBackend, event::set),
    group!("event/set/10000", 10_000, EventBackend, event::set),
    group!("event/resume/1", 1, EventBackend, event::resume),
    group!("event/resume/100", 100, EventBackend, event::resume),
    group!("event/resume/1000", 1_000, EventBackend, event::resume),
    group!("event/resume/10000", 10_000, EventBackend, event::resume),
    group!("condition/free", 0, ConditionBackend, condition::free, TWO_CAS),
    group!("condition/notify_one/1", 1, ConditionBackend, condition::notify_one, TURN),
    group!("condition/notify_one/100", 100, ConditionBackend, condition::notify_one, TURN),
    group!("condition/notify_one/1000", 1_000, ConditionBackend, condition::notify_one, TURN),
    group!("condition/notify_all/1", 1, ConditionBackend, condition::notify_all, TURN),
    group!("condition/notify_all/100", 100, ConditionBackend, condition::notify_all, TURN),
    group!("condition/notify_all/1000", 1_000, ConditionBackend, condition::notify_all, TURN),
    group!("barrier/2", 2, BarrierBackend, barrier::phases, TURN),
    group!("barrier/8", 8, BarrierBackend, barrier::phases, TURN),
    group!("barrier/64", 64, BarrierBackend, barrier::phases, TURN),
    group!("barrier/1000", 1_000, BarrierBackend, barrier::phases, TURN),
    group!("cancel/head", 0, MutexBackend, cancel::head, TWO_CAS),
    group!("cancel/middle", 0, MutexBackend, cancel::middle, TWO_CAS),
    group!("cancel/tail", 0, MutexBackend, cancel::tail, TWO_CAS),
];

/// Sizes of one kind of primitive and of the future that waits for it.
pub struct SizesOf {
    pub what: &'static str,
    pub parts: Parts<fn() -> Sizes>,
    /// What ours must not be larger than.
    pub target: Option<Sizes>,
}

/// Sizes of everything.
pub const SIZES: &[SizesOf] = &[
    SizesOf {
        what: "Mutex, less its value",
        parts: each_backend!(parts (MutexBackend fn() -> Sizes: sizes::mutex)),
        target: Some([40, 96]),
    },
    SizesOf {
        what: "Semaphore",
        parts: each_backend!(parts (SemaphoreBackend fn() -> Sizes: sizes::semaphore)),
        target: None,
    },
    SizesOf {
        what: "Event",
        parts: each_backend!(parts (EventBackend fn() -> Sizes: sizes::event)),
        target: None,
    },
    SizesOf {
        what: "Barrier",
        parts: each_backend!(parts (BarrierBackend fn() -> Sizes: sizes::barrier)),
        target: None,
    },
];

/// All operations, group by group; in each the limits first, then ours, then the rivals.
pub fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    for &Group { name: group, size, parts, limits } in GROUPS {
        for &(arm, start) in limits {
            operations.push(Operation { group, arm, is_limit: true, composed: None, size, start });
        }
        for &(arm, part) in parts {
            let Some(Part { of: start, composed, most }) = part else { continue };
            if size <= most {
                operations.push(Operation { group, arm, is_limit: false, composed, size, start });
            }
        }
    }
    operations
}
