//! `saa`: primitives of one word each, for tasks and threads alike.
//!
//! A poll that finds nothing free spins for a while before it queues, so a newcomer may overtake, and where holder and
//! waiter share a thread the spinning is in vain. Permits and parties are counted in six bits: 63 at most. There is no
//! condition. Its `Gate` cannot be shut again (see [`CountAndGate`]), so the event is composed.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use saa::{Barrier, Gate, Mutex, MutexGuard, Pager, Semaphore, lock_async};

use crate::backend::{
    BarrierBackend, EventBackend, Library, MutexBackend, PostBackend, SemaphoreBackend, WeightedSemaphoreBackend,
};
use crate::{Backend, Limits};

/// saa.
pub static BACKEND: Backend = Backend {
    name: "saa",
    version: super::version!("SAA"),
    summary: "primitives of one word: spins first, a newcomer may overtake; its event is composed of Gate",
    fair: false,
    traced: false,
};

/// saa's primitives.
#[derive(Debug)]
pub struct Primitives;

impl Library for Primitives {}

impl MutexBackend for Primitives {
    type Mutex = Mutex<u64>;
    type Guard<'a> = MutexGuard<'a, u64>;

    fn new(value: u64) -> Self::Mutex {
        Mutex::new(value)
    }

    #[inline]
    fn lock(mutex: &Self::Mutex) -> impl Future<Output = Self::Guard<'_>> + Send {
        lock_async(mutex)
    }

    #[inline]
    fn try_lock(mutex: &Self::Mutex) -> Option<Self::Guard<'_>> {
        mutex.try_lock()
    }
}

/// Permits of a semaphore, which saa leaves to its users to give back.
#[derive(Debug)]
pub struct Permits<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
}

impl Drop for Permits<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.release_many(self.permits);
    }
}

/// One permit of a semaphore.
#[derive(Debug)]
pub struct Permit<'a>(&'a Semaphore);

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.release();
    }
}

impl SemaphoreBackend for Primitives {
    const LIMITS: Limits = Limits { permits: Semaphore::MAX_PERMITS, ..Limits::NONE };
    type Semaphore = Semaphore;
    type Permit<'a> = Permit<'a>;

    fn new(permits: usize) -> Self::Semaphore {
        Semaphore::with_permits(permits)
    }

    #[inline]
    async fn acquire(semaphore: &Self::Semaphore) -> Self::Permit<'_> {
        semaphore.acquire_async().await;
        Permit(semaphore)
    }

    #[inline]
    fn try_acquire(semaphore: &Self::Semaphore) -> Option<Self::Permit<'_>> {
        semaphore.try_acquire().then(|| Permit(semaphore))
    }

    fn available(semaphore: &Self::Semaphore) -> usize {
        // Ordering: Acquire pairs with the Release of the permits that were given back.
        semaphore.available_permits(Ordering::Acquire)
    }
}

impl WeightedSemaphoreBackend for Primitives {
    type Permits<'a> = Permits<'a>;

    #[inline]
    async fn acquire_many(semaphore: &Self::Semaphore, permits: u32) -> Self::Permits<'_> {
        let permits = permits as usize;
        let granted = semaphore.acquire_many_async(permits).await;
        assert!(granted, "{permits} permits asked of a semaphore that has {}", Semaphore::MAX_PERMITS);
        Permits { semaphore, permits }
    }

    #[inline]
    fn try_acquire_many(semaphore: &Self::Semaphore, permits: u32) -> Option<Self::Permits<'_>> {
        let permits = permits as usize;
        semaphore.try_acquire_many(permits).then(|| Permits { semaphore, permits })
    }
}

impl PostBackend for Primitives {
    #[inline]
    fn post(semaphore: &Self::Semaphore) {
        let posted = semaphore.release();
        assert!(posted, "more than {} permits posted", Semaphore::MAX_PERMITS);
    }

    #[inline]
    fn consume(permit: Self::Permit<'_>) {
        std::mem::forget(permit);
    }
}

/// How often the event was set, whether it is set now, and whom to let in when it is.
///
/// A gate that was opened stays open: `Gate::reset` of saa 5.6.2 puts the state back that it found. So the gate stays
/// controlled, which is how a gate begins, and `permit` lets those in who wait. A waiter that is cancelled makes the
/// gate send all others away; these look whether the event was set since they came, and queue again if not.
#[derive(Debug)]
pub struct CountAndGate {
    /// Bit 0: set now. The rest: how often it was set.
    state: AtomicUsize,
    gate: Gate,
}

const SET: usize = 1;
const ONE_TIME: usize = 2;

impl EventBackend for Primitives {
    const COMPOSED: Option<&'static str> = Some("AtomicUsize + Gate");
    type Event = CountAndGate;

    fn new() -> Self::Event {
        CountAndGate { state: AtomicUsize::new(0), gate: Gate::new() }
    }

    #[inline]
    fn set(event: &Self::Event) {
        // Ordering: AcqRel pairs with the Acquire in `wait`; who sees the count sees what was written before. Count and
        // flag change at once: a waiter that the count let go may clear the flag at once, which must not come between.
        let set = |state: usize| Some(state.wrapping_add(ONE_TIME) | SET);
        let _always_some = event.state.fetch_update(Ordering::AcqRel, Ordering::Relaxed, set);
        // Never an error: the gate is neither opened nor sealed.
        let _permitted = event.gate.permit();
    }

    #[inline]
    fn clear(event: &Self::Event) {
        // Ordering: Relaxed, clearing publishes nothing.
        event.state.fetch_and(!SET, Ordering::Relaxed);
    }

    /// Looks again once it is queued, so a `set` in between is not missed; whoever `permit` let in does not look, so
    /// a `clear` that followed the `set` does not send it back to wait.
    #[inline]
    async fn wait(event: &Self::Event) {
        // Ordering: Acquire here and below, see `set`.
        let before = event.state.load(Ordering::Acquire);
        if before & SET != 0 {
            return;
        }
        loop {
            let mut pager = pin!(Pager::default());
            event.gate.register_pager(&mut pager, false);
            if event.state.load(Ordering::Acquire) / ONE_TIME != before / ONE_TIME {
                return;
            }
            if pager.poll_async().await.is_ok() {
                return;
            }
        }
    }
}

impl BarrierBackend for Primitives {
    const MOST_PARTIES: usize = Barrier::MAX_TASKS;
    const RETRACTS: bool = false;
    type Barrier = Barrier;

    fn new(parties: usize) -> Self::Barrier {
        Barrier::with_count(parties)
    }

    #[inline]
    fn wait(barrier: &Self::Barrier) -> impl Future<Output = bool> + Send {
        barrier.wait_async()
    }
}

#[cfg(test)]
mod tests {
    use saa::Gate;
    use saa::gate::State;

    /// If this fails, saa was mended, and its event can be a `Gate` that is opened and reset.
    #[test]
    fn gate_that_was_opened_cannot_be_shut_again() {
        let gate = Gate::new();
        gate.open();
        gate.reset();
        assert_eq!(gate.state(std::sync::atomic::Ordering::Relaxed), State::Open);
    }
}
