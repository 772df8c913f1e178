//! `maitake-sync`: primitives of an operating system's kernel, with the feature that puts std's mutex inside.
//!
//! It has neither an event nor a condition nor a barrier; its users put the first two together from its `WaitQueue`.
//! Its semaphore guards its queue with a spinlock, as it does by default.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use maitake_sync::semaphore::Permit;
use maitake_sync::{Closed, Mutex, MutexGuard, Semaphore, WaitQueue};

use crate::Backend;
use crate::backend::{
    ConditionBackend, EventBackend, Library, MutexBackend, PostBackend, SemaphoreBackend, Side, WeightedSemaphoreBackend,
};
use crate::buffer::Buffer;

/// maitake-sync.
pub static BACKEND: Backend = Backend {
    name: "maitake-sync",
    version: super::version!("MAITAKE_SYNC"),
    summary: "made for kernels, here on std; event and condition are composed of WaitQueue",
    fair: true,
    traced: false,
};

/// maitake-sync's primitives.
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
    type Permit<'a> = Result<Permit<'a>, Closed>;

    fn new(permits: usize) -> Self::Semaphore {
        Semaphore::new(permits)
    }

    #[inline]
    fn acquire(semaphore: &Self::Semaphore) -> impl Future<Output = Self::Permit<'_>> + Send {
        semaphore.acquire(1)
    }

    #[inline]
    fn try_acquire(semaphore: &Self::Semaphore) -> Option<Self::Permit<'_>> {
        semaphore.try_acquire(1).ok().map(Ok)
    }

    fn available(semaphore: &Self::Semaphore) -> usize {
        semaphore.available_permits()
    }
}

impl WeightedSemaphoreBackend for Primitives {
    type Permits<'a> = Result<Permit<'a>, Closed>;

    #[inline]
    fn acquire_many(
        semaphore: &Self::Semaphore,
        permits: u32,
    ) -> impl Future<Output = Self::Permits<'_>> + Send {
        semaphore.acquire(permits as usize)
    }

    #[inline]
    fn try_acquire_many(semaphore: &Self::Semaphore, permits: u32) -> Option<Self::Permits<'_>> {
        semaphore.try_acquire(permits as usize).ok().map(Ok)
    }
}

impl PostBackend for Primitives {
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
#[derive(Debug)]
pub struct FlagAndQueue {
    set: AtomicBool,
    queue: WaitQueue,
}

impl EventBackend for Primitives {
    const COMPOSED: Option<&'static str> = Some("AtomicBool + WaitQueue");
    type Event = FlagAndQueue;

    fn new() -> Self::Event {
        FlagAndQueue { set: AtomicBool::new(false), queue: WaitQueue::new() }
    }

    #[inline]
    fn set(event: &Self::Event) {
        // Ordering: Release pairs with the Acquire in `wait`; who sees the flag sees what was written before.
        event.set.store(true, Ordering::Release);
        event.queue.wake_all();
    }

    #[inline]
    fn clear(event: &Self::Event) {
        // Ordering: Relaxed, clearing publishes nothing.
        event.set.store(false, Ordering::Relaxed);
    }

    /// A wait is over with the first `wake_all` after it was made, queued or not, so it is made before the flag is
    /// looked at; and a `clear` that followed the `set` does not send it back to wait.
    #[inline]
    async fn wait(event: &Self::Event) {
        let woken = event.queue.wait();
        // Ordering: Acquire, see `set`.
        if !event.set.load(Ordering::Acquire) {
            // Never an error: nobody closes the queue.
            let _woken = woken.await;
        }
    }
}

/// A lock, and a queue for each side that waits under it.
#[derive(Debug)]
pub struct MutexAndQueues {
    buffer: Mutex<Buffer>,
    has_room: WaitQueue,
    has_item: WaitQueue,
}

impl MutexAndQueues {
    fn awaited_by(&self, side: Side) -> &WaitQueue {
        match side {
            Side::Producer => &self.has_room,
            Side::Consumer => &self.has_item,
        }
    }
}

/// A notification that was taken but not yet acted on: it goes to the next waiter if the task is cancelled while it
/// takes the lock again.
struct Taken<'a>(&'a WaitQueue);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.wake();
    }
}

impl ConditionBackend for Primitives {
    const COMPOSED: Option<&'static str> = Some("WaitQueue + Mutex");
    type Pair = MutexAndQueues;
    type Guard<'a> = MutexGuard<'a, Buffer>;

    fn new(buffer: Buffer) -> Self::Pair {
        MutexAndQueues { buffer: Mutex::new(buffer), has_room: WaitQueue::new(), has_item: WaitQueue::new() }
    }

    /// Joins the queue while it still holds the lock, so nobody can notify in between. A queue that nobody waited in
    /// keeps one notification: it is used up here without a look, since nothing has changed under the lock.
    #[inline]
    async fn lock_when(
        pair: &Self::Pair,
        side: Side,
        mut ready: impl FnMut(&Buffer) -> bool + Send,
    ) -> Self::Guard<'_> {
        let queue = pair.awaited_by(side);
        let mut guard = pair.buffer.lock().await;
        while !ready(&guard) {
            let mut woken = pin!(queue.wait());
            while woken.as_mut().subscribe().is_ready() {
                woken.set(queue.wait());
            }
            drop(guard);
            // Never an error: nobody closes the queue.
            let _woken = woken.await;
            let taken = Taken(queue);
            guard = pair.buffer.lock().await;
            std::mem::forget(taken);
        }
        guard
    }

    #[inline]
    async fn notify_other<'a>(pair: &'a Self::Pair, side: Side, guard: Self::Guard<'a>) {
        pair.awaited_by(side.other()).wake();
        drop(guard);
    }

    #[inline]
    async fn notify_all_others<'a>(pair: &'a Self::Pair, side: Side, guard: Self::Guard<'a>) {
        pair.awaited_by(side.other()).wake_all();
        drop(guard);
    }

    #[inline]
    async fn notify_everyone<'a>(pair: &'a Self::Pair, _side: Side, guard: Self::Guard<'a>) {
        pair.has_room.wake_all();
        pair.has_item.wake_all();
        drop(guard);
    }
}
