//! `tokio::sync`: the primitives that most async programs use, and the baseline of every comparison.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{AcquireError, Barrier, Mutex, MutexGuard, Notify, Semaphore, SemaphorePermit};

use crate::Backend;
use crate::backend::{
    BarrierBackend, ConditionBackend, EventBackend, Library, MutexBackend, PostBackend, SemaphoreBackend, Side,
    WeightedSemaphoreBackend,
};
use crate::buffer::Buffer;

/// tokio.
pub static BACKEND: Backend = Backend {
    name: "tokio",
    version: super::version!("TOKIO"),
    summary: "tokio::sync, fair; its condition and resettable event are composed of Notify",
    fair: true,
    traced: false,
};

/// tokio's primitives, used by tasks inside its cooperative budget or outside of it.
#[derive(Debug)]
pub struct Primitives<const UNCONSTRAINED: bool = false>;

impl<const UNCONSTRAINED: bool> Library for Primitives<UNCONSTRAINED> {
    const UNCONSTRAINED: bool = UNCONSTRAINED;
}

impl<const UNCONSTRAINED: bool> MutexBackend for Primitives<UNCONSTRAINED> {
    type Mutex = Mutex<u64>;
    type Guard<'a> = MutexGuard<'a, u64>;

    fn new(value: u64) -> Self::Mutex {
        Mutex::new(value)
    }

    #[inline]
    fn lock(mutex: &Self::Mutex) -> impl Future<Output = Self::Guard<'_>> + Send {
        mutex.lock()
    }

    #[inline]
    fn try_lock(mutex: &Self::Mutex) -> Option<Self::Guard<'_>> {
        mutex.try_lock().ok()
    }
}

impl<const UNCONSTRAINED: bool> SemaphoreBackend for Primitives<UNCONSTRAINED> {
    type Semaphore = Semaphore;
    type Permit<'a> = Result<SemaphorePermit<'a>, AcquireError>;

    fn new(permits: usize) -> Self::Semaphore {
        Semaphore::new(permits)
    }

    #[inline]
    fn acquire(semaphore: &Self::Semaphore) -> impl Future<Output = Self::Permit<'_>> + Send {
        semaphore.acquire()
    }

    #[inline]
    fn try_acquire(semaphore: &Self::Semaphore) -> Option<Self::Permit<'_>> {
        semaphore.try_acquire().ok().map(Ok)
    }

    fn available(semaphore: &Self::Semaphore) -> usize {
        semaphore.available_permits()
    }
}

impl<const UNCONSTRAINED: bool> WeightedSemaphoreBackend for Primitives<UNCONSTRAINED> {
    type Permits<'a> = Result<SemaphorePermit<'a>, AcquireError>;

    #[inline]
    fn acquire_many(
        semaphore: &Self::Semaphore,
        permits: u32,
    ) -> impl Future<Output = Self::Permits<'_>> + Send {
        semaphore.acquire_many(permits)
    }

    #[inline]
    fn try_acquire_many(semaphore: &Self::Semaphore, permits: u32) -> Option<Self::Permits<'_>> {
        semaphore.try_acquire_many(permits).ok().map(Ok)
    }
}

impl<const UNCONSTRAINED: bool> PostBackend for Primitives<UNCONSTRAINED> {
    #[inline]
    fn post(semaphore: &Self::Semaphore) {
        semaphore.add_permits(1);
    }

    #[inline]
    fn consume(permit: Self::Permit<'_>) {
        // Never an error: nobody closes the semaphore.
        if let Ok(permit) = permit {
            permit.forget();
        }
    }
}

/// A flag, and whom to wake when it is set.
///
/// `Notify` is what tokio's documentation points to for a broadcast without a value. A `watch` channel would
/// do as well, but takes a lock to read and shows a waiter the latest value only, so that a `set` followed at
/// once by `clear` is lost on it.
#[derive(Debug)]
pub struct FlagAndNotify {
    set: AtomicBool,
    notify: Notify,
}

impl<const UNCONSTRAINED: bool> EventBackend for Primitives<UNCONSTRAINED> {
    const COMPOSED: Option<&'static str> = Some("AtomicBool + Notify");
    type Event = FlagAndNotify;

    fn new() -> Self::Event {
        FlagAndNotify { set: AtomicBool::new(false), notify: Notify::new() }
    }

    #[inline]
    fn set(event: &Self::Event) {
        // Ordering: Release pairs with the Acquire in `wait`; who sees the flag sees what was written before.
        event.set.store(true, Ordering::Release);
        event.notify.notify_waiters();
    }

    #[inline]
    fn clear(event: &Self::Event) {
        // Ordering: Relaxed, clearing publishes nothing.
        event.set.store(false, Ordering::Relaxed);
    }

    /// Looks at the flag only after joining the queue, so a `set` in between is not missed; and does not look
    /// again once woken, so a `clear` that followed the `set` does not send it back to wait. `notify_waiters`
    /// wakes those alone who had joined, which is just whom a `set` releases.
    #[inline]
    async fn wait(event: &Self::Event) {
        // Ordering: Acquire, see `set`.
        if event.set.load(Ordering::Acquire) {
            return;
        }
        let mut notified = pin!(event.notify.notified());
        notified.as_mut().enable();
        // Ordering: Acquire, see `set`. A `set` before `enable` is seen here (both sides pass through the lock
        // inside `Notify`), one after it wakes us.
        if event.set.load(Ordering::Acquire) {
            return;
        }
        notified.await;
    }
}

/// A lock, and a `Notify` for each side that waits under it: what users write while tokio has no condition.
#[derive(Debug)]
pub struct MutexAndNotify {
    buffer: Mutex<Buffer>,
    has_room: Notify,
    has_item: Notify,
}

impl MutexAndNotify {
    fn awaited_by(&self, side: Side) -> &Notify {
        match side {
            Side::Producer => &self.has_room,
            Side::Consumer => &self.has_item,
        }
    }
}

/// A notification that was taken but not yet acted on: it goes to the next waiter if the task is cancelled
/// while it takes the lock again. Without this a cancelled wait would swallow it.
struct Taken<'a>(&'a Notify);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl<const UNCONSTRAINED: bool> ConditionBackend for Primitives<UNCONSTRAINED> {
    const COMPOSED: Option<&'static str> = Some("Notify + Mutex");
    type Pair = MutexAndNotify;
    type Guard<'a> = MutexGuard<'a, Buffer>;

    fn new(buffer: Buffer) -> Self::Pair {
        MutexAndNotify { buffer: Mutex::new(buffer), has_room: Notify::new(), has_item: Notify::new() }
    }

    /// Joins the queue of the `Notify` while it still holds the lock, so nobody can notify in between.
    #[inline]
    async fn lock_when(
        pair: &Self::Pair,
        side: Side,
        mut ready: impl FnMut(&Buffer) -> bool + Send,
    ) -> Self::Guard<'_> {
        let notify = pair.awaited_by(side);
        let mut guard = pair.buffer.lock().await;
        while !ready(&guard) {
            let mut notified = pin!(notify.notified());
            notified.as_mut().enable();
            drop(guard);
            notified.await;
            let taken = Taken(notify);
            guard = pair.buffer.lock().await;
            std::mem::forget(taken);
        }
        guard
    }

    #[inline]
    async fn notify_other<'a>(pair: &'a Self::Pair, side: Side, guard: Self::Guard<'a>) {
        pair.awaited_by(side.other()).notify_one();
        drop(guard);
    }

    #[inline]
    async fn notify_all_others<'a>(pair: &'a Self::Pair, side: Side, guard: Self::Guard<'a>) {
        pair.awaited_by(side.other()).notify_waiters();
        drop(guard);
    }

    #[inline]
    async fn notify_everyone<'a>(pair: &'a Self::Pair, _side: Side, guard: Self::Guard<'a>) {
        pair.has_room.notify_waiters();
        pair.has_item.notify_waiters();
        drop(guard);
    }
}

impl<const UNCONSTRAINED: bool> BarrierBackend for Primitives<UNCONSTRAINED> {
    /// Its arrivals are a plain count; tokio's documentation says that `wait` is not cancel safe.
    const RETRACTS: bool = false;
    type Barrier = Barrier;

    fn new(parties: usize) -> Self::Barrier {
        Barrier::new(parties)
    }

    #[inline]
    async fn wait(barrier: &Self::Barrier) -> bool {
        barrier.wait().await.is_leader()
    }
}
