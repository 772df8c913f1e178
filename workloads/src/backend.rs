//! What a backend must be able to do, one small trait for each family of primitives.
//!
//! A slot function is generic over these traits, so that each pair of workload and backend is compiled into
//! a loop of its own and no call in it is indirect. A backend implements them on one marker type; where its
//! library lacks a primitive it either leaves the trait out, or composes the primitive the way users of the
//! library do and says so in `COMPOSED`.
//!
//! Where it can, an implementation hands out the library's own future: an `async fn` around it copies the future
//! once more, and a copy costs a good part of what a free lock does.
//!
//! Every future here must be cancel safe: dropped at any point, it gives what was on its way to it (a
//! permit, a notification) to the next waiter. The `cancel_percent` knob drops waits, and a lost permit or
//! notification would leave the others waiting for ever. (Barriers differ in this, see
//! [`RETRACTS`](BarrierBackend::RETRACTS).)

use std::future::Future;
use std::ops::DerefMut;

use crate::Limits;
use crate::buffer::Buffer;

/// What is common to everything that a backend brings: how the tasks that use it are run.
pub trait Library: 'static {
    /// Whether the tasks run outside tokio's cooperative budget (`tokio::task::unconstrained`).
    const UNCONSTRAINED: bool = false;
}

/// A lock around a counter.
pub trait MutexBackend: Library {
    /// How it was put together, where the library has no such primitive.
    const COMPOSED: Option<&'static str> = None;
    /// What it cannot be asked for.
    const LIMITS: Limits = Limits::NONE;
    /// The lock.
    type Mutex: Send + Sync + 'static;
    /// Holds the lock until it is dropped.
    type Guard<'a>: DerefMut<Target = u64> + Send;

    /// A free lock.
    fn new(value: u64) -> Self::Mutex;

    /// Waits for the lock.
    fn lock(mutex: &Self::Mutex) -> impl Future<Output = Self::Guard<'_>> + Send;

    /// Takes the lock if it is free and nobody has to be waited for.
    fn try_lock(mutex: &Self::Mutex) -> Option<Self::Guard<'_>>;
}

/// A counting semaphore.
pub trait SemaphoreBackend: Library {
    /// How it was put together, where the library has no such primitive.
    const COMPOSED: Option<&'static str> = None;
    /// What it cannot be asked for.
    const LIMITS: Limits = Limits::NONE;
    /// The semaphore.
    type Semaphore: Send + Sync + 'static;
    /// Gives its permit back when it is dropped. May be a `Result`, since a slot never closes its semaphore: the
    /// library's own future can then be handed out as it is.
    type Permit<'a>: Send;

    /// A semaphore with all its permits free.
    fn new(permits: usize) -> Self::Semaphore;

    /// Waits for one permit. The semaphore is never closed.
    fn acquire(semaphore: &Self::Semaphore) -> impl Future<Output = Self::Permit<'_>> + Send;

    /// Takes one permit if one is free.
    fn try_acquire(semaphore: &Self::Semaphore) -> Option<Self::Permit<'_>>;

    /// Permits that are free now; asked when no task runs any more.
    fn available(semaphore: &Self::Semaphore) -> usize;
}

/// A semaphore of which several permits can be taken in one request.
pub trait WeightedSemaphoreBackend: SemaphoreBackend {
    /// Gives all its permits back when it is dropped.
    type Permits<'a>: Send;

    /// Waits for so many permits at once.
    fn acquire_many(
        semaphore: &Self::Semaphore,
        permits: u32,
    ) -> impl Future<Output = Self::Permits<'_>> + Send;

    /// Takes so many permits if they are free.
    fn try_acquire_many(semaphore: &Self::Semaphore, permits: u32) -> Option<Self::Permits<'_>>;
}

/// A semaphore to which permits are added, and whose permits are used up.
pub trait PostBackend: SemaphoreBackend {
    /// Adds one permit.
    fn post(semaphore: &Self::Semaphore);

    /// Uses a permit up: it does not go back.
    fn consume(permit: Self::Permit<'_>);
}

/// A flag that tasks wait for and that can be cleared again.
pub trait EventBackend: Library {
    /// How it was put together, where the library has no such primitive.
    const COMPOSED: Option<&'static str> = None;
    /// What it cannot be asked for.
    const LIMITS: Limits = Limits::NONE;
    /// The event.
    type Event: Send + Sync + 'static;

    /// An event that is not set.
    fn new() -> Self::Event;

    /// Sets it and releases everyone who waits at this moment, even where [`clear`](Self::clear) follows at once.
    fn set(event: &Self::Event);

    /// Makes those wait who come from now on.
    fn clear(event: &Self::Event);

    /// Waits until it is set; a wait has begun when its first poll was pending.
    fn wait(event: &Self::Event) -> impl Future<Output = ()> + Send;
}

/// Whose condition: producers wait for room, consumers for an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Waits until there is room, then tells a consumer that there is an item.
    Producer,
    /// Waits until there is an item, then tells a producer that there is room.
    Consumer,
}

impl Side {
    /// The side that this one notifies.
    pub const fn other(self) -> Self {
        match self {
            Self::Producer => Self::Consumer,
            Self::Consumer => Self::Producer,
        }
    }
}

/// Two conditions on one lock around a [`Buffer`].
pub trait ConditionBackend: Library {
    /// How it was put together, where the library has no such primitive.
    const COMPOSED: Option<&'static str> = None;
    /// What it cannot be asked for.
    const LIMITS: Limits = Limits::NONE;
    /// The lock and its two conditions.
    type Pair: Send + Sync + 'static;
    /// Holds the lock until it is dropped.
    type Guard<'a>: DerefMut<Target = Buffer> + Send;

    /// A free lock that nobody waits on.
    fn new(buffer: Buffer) -> Self::Pair;

    /// Takes the lock and waits on the condition of `side` until `ready` says so. `ready` looks once when the lock was
    /// taken, and once each time that the task was woken and has it again, so that it can count wake-ups in vain.
    fn lock_when(
        pair: &Self::Pair,
        side: Side,
        ready: impl FnMut(&Buffer) -> bool + Send,
    ) -> impl Future<Output = Self::Guard<'_>> + Send;

    /// Wakes one task that waits on the other side and releases the lock.
    fn notify_other<'a>(
        pair: &'a Self::Pair,
        side: Side,
        guard: Self::Guard<'a>,
    ) -> impl Future<Output = ()> + Send;

    /// Wakes every task that waits on the other side and releases the lock.
    fn notify_all_others<'a>(
        pair: &'a Self::Pair,
        side: Side,
        guard: Self::Guard<'a>,
    ) -> impl Future<Output = ()> + Send;

    /// Wakes every task of both sides and releases the lock.
    fn notify_everyone<'a>(
        pair: &'a Self::Pair,
        side: Side,
        guard: Self::Guard<'a>,
    ) -> impl Future<Output = ()> + Send;
}

/// A meeting point for a fixed number of tasks, phase after phase.
pub trait BarrierBackend: Library {
    /// How it was put together, where the library has no such primitive.
    const COMPOSED: Option<&'static str> = None;
    /// Most parties, which are the case's tasks.
    const MOST_PARTIES: usize = Limits::NONE.tasks;
    /// Whether a dropped wait takes its arrival back. Where it does not, a phase that follows a cancellation lets
    /// go with a party missing, so such a barrier is not for cases that cancel.
    const RETRACTS: bool;
    /// What it cannot be asked for. Follows from the two above and is not for an implementation to say: a case whose
    /// limits disagree with them does not compile.
    const LIMITS: Limits = Limits { tasks: Self::MOST_PARTIES, cancel: Self::RETRACTS, ..Limits::NONE };
    /// The barrier.
    type Barrier: Send + Sync + 'static;

    /// A barrier for so many parties, at least one, none of which has come.
    fn new(parties: usize) -> Self::Barrier;

    /// Waits until all parties have come; `true` for one of them in each phase.
    fn wait(barrier: &Self::Barrier) -> impl Future<Output = bool> + Send;
}

/// What a service needs for a request: an event as its gate, a semaphore as its pool, locks as its shards.
///
/// Nobody implements it: whoever has the three families has it.
pub trait ServiceBackend: Library {
    /// How those that the library lacks were put together.
    const COMPOSED: Option<&'static str>;
    /// What one of them cannot be asked for.
    const LIMITS: Limits;
    /// Where the three families are, so that their constants of the same names stay apart.
    type Families: EventBackend + SemaphoreBackend + MutexBackend;
}

impl<B: EventBackend + SemaphoreBackend + MutexBackend> ServiceBackend for B {
    /// Nobody composes a lock or a semaphore; who did would have to say both.
    const COMPOSED: Option<&'static str> = <B as EventBackend>::COMPOSED;
    const LIMITS: Limits =
        <B as EventBackend>::LIMITS.and(<B as SemaphoreBackend>::LIMITS).and(<B as MutexBackend>::LIMITS);
    type Families = B;
}
