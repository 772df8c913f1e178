//! `async-lock`: the locks of smol.
//!
//! A newcomer may overtake those who wait (a mutex turns fair for a waiter of half a millisecond, a semaphore never
//! does). It has neither an event nor a condition; its users put both together from `event-listener`, its own queue
//! of waiters (with its `listener!`, which needs no heap). A semaphore gives one permit at a time.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_lock::{Barrier, Mutex, MutexGuard, Semaphore, SemaphoreGuard};
use event_listener::{Event, IntoNotification, listener};

use crate::Backend;
use crate::backend::{
    BarrierBackend, ConditionBackend, EventBackend, Library, MutexBackend, PostBackend, SemaphoreBackend, Side,
};
use crate::buffer::Buffer;

/// async-lock.
pub static BACKEND: Backend = Backend {
    name: "async-lock",
    version: super::version!("ASYNC_LOCK"),
    summary: "smol's locks: a newcomer may overtake; event and condition are composed of event-listener",
    fair: false,
    traced: false,
};

/// async-lock's primitives.
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
        mutex.lock()
    }

    #[inline]
    fn try_lock(mutex: &Self::Mutex) -> Option<Self::Guard<'_>> {
        mutex.try_lock()
    }
}

impl SemaphoreBackend for Primitives {
    type Semaphore = Semaphore;
    type Permit<'a> = SemaphoreGuard<'a>;

    fn new(permits: usize) -> Self::Semaphore {
        Semaphore::new(permits)
    }

    #[inline]
    fn acquire(semaphore: &Self::Semaphore) -> impl Future<Output = Self::Permit<'_>> + Send {
        semaphore.acquire()
    }

    #[inline]
    fn try_acquire(semaphore: &Self::Semaphore) -> Option<Self::Permit<'_>> {
        semaphore.try_acquire()
    }

    fn available(semaphore: &Self::Semaphore) -> usize {
        semaphore.available_permits()
    }
}

impl PostBackend for Primitives {
    #[inline]
    fn post(semaphore: &Self::Semaphore) {
        semaphore.add_permits(1);
    }

    #[inline]
    fn consume(permit: Self::Permit<'_>) {
        permit.forget();
    }
}

/// A flag, how often it was set, and whom to wake when it is.
///
/// A listener that was told of a `set` and is dropped before it ran tells another one in its place, who may have come
/// after the `clear`. The count shows that one that it was not meant.
#[derive(Debug)]
pub struct FlagAndListeners {
    set: AtomicBool,
    times: AtomicUsize,
    listeners: Event,
}

impl EventBackend for Primitives {
    const COMPOSED: Option<&'static str> = Some("AtomicBool + AtomicUsize + event-listener");
    type Event = FlagAndListeners;

    fn new() -> Self::Event {
        FlagAndListeners { set: AtomicBool::new(false), times: AtomicUsize::new(0), listeners: Event::new() }
    }

    #[inline]
    fn set(event: &Self::Event) {
        // Ordering: Release pairs with the Acquire in `wait`; who sees the flag or the count sees what was written
        // before. The flag first: who finds this `set` counted already finds the flag too, or comes after the `clear`.
        // `notify` has a fence of its own between these stores and its look at the listeners.
        event.set.store(true, Ordering::Release);
        event.times.fetch_add(1, Ordering::Release);
        event.listeners.notify(usize::MAX);
    }

    #[inline]
    fn clear(event: &Self::Event) {
        // Ordering: Relaxed, clearing publishes nothing.
        event.set.store(false, Ordering::Relaxed);
    }

    /// Listens before it looks at the count, so a `set` in between is not missed; does not look at the flag once it was
    /// woken, so a `clear` that followed the `set` does not send it back to wait.
    #[inline]
    async fn wait(event: &Self::Event) {
        // Ordering: Acquire here and below, see `set`; joining ends with a fence, which pairs with that in `notify`.
        let before = event.times.load(Ordering::Acquire);
        if event.set.load(Ordering::Acquire) {
            return;
        }
        while event.times.load(Ordering::Acquire) == before {
            listener!(event.listeners => listener);
            if event.times.load(Ordering::Acquire) != before {
                return;
            }
            listener.await;
        }
    }
}

/// A lock, and listeners for each side that waits under it.
#[derive(Debug)]
pub struct MutexAndListeners {
    buffer: Mutex<Buffer>,
    has_room: Event,
    has_item: Event,
}

impl MutexAndListeners {
    fn awaited_by(&self, side: Side) -> &Event {
        match side {
            Side::Producer => &self.has_room,
            Side::Consumer => &self.has_item,
        }
    }
}

/// A notification that was taken but not yet acted on: it goes to the next waiter if the task is cancelled while it
/// takes the lock again.
struct Taken<'a>(&'a Event);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.notify(1.additional());
    }
}

impl ConditionBackend for Primitives {
    const COMPOSED: Option<&'static str> = Some("event-listener + Mutex");
    type Pair = MutexAndListeners;
    type Guard<'a> = MutexGuard<'a, Buffer>;

    fn new(buffer: Buffer) -> Self::Pair {
        MutexAndListeners { buffer: Mutex::new(buffer), has_room: Event::new(), has_item: Event::new() }
    }

    /// Listens while it still holds the lock, so nobody can notify in between.
    #[inline]
    async fn lock_when(
        pair: &Self::Pair,
        side: Side,
        mut ready: impl FnMut(&Buffer) -> bool + Send,
    ) -> Self::Guard<'_> {
        let event = pair.awaited_by(side);
        let mut guard = pair.buffer.lock().await;
        while !ready(&guard) {
            listener!(event => listener);
            drop(guard);
            listener.await;
            let taken = Taken(event);
            guard = pair.buffer.lock().await;
            std::mem::forget(taken);
        }
        guard
    }

    /// `additional`: one more waiter is woken, where plain `notify(1)` is content with one that was woken before and
    /// has not run yet.
    #[inline]
    async fn notify_other<'a>(pair: &'a Self::Pair, side: Side, guard: Self::Guard<'a>) {
        pair.awaited_by(side.other()).notify(1.additional());
        drop(guard);
    }

    #[inline]
    async fn notify_all_others<'a>(pair: &'a Self::Pair, side: Side, guard: Self::Guard<'a>) {
        pair.awaited_by(side.other()).notify(usize::MAX);
        drop(guard);
    }

    #[inline]
    async fn notify_everyone<'a>(pair: &'a Self::Pair, _side: Side, guard: Self::Guard<'a>) {
        pair.has_room.notify(usize::MAX);
        pair.has_item.notify(usize::MAX);
        drop(guard);
    }
}

impl BarrierBackend for Primitives {
    /// A dropped wait leaves its arrival in the count.
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
