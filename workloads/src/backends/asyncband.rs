//! `asyncband`: Apache's runtime-agnostic primitives, formerly `mea`.
//!
//! It has the whole family but for one thing: its barrier keeps the arrival of a wait that was dropped, as its
//! documentation says.

use std::future::Future;

use asyncband::barrier::Barrier;
use asyncband::condvar::Condvar;
use asyncband::event::ManualResetEvent;
use asyncband::mutex::{Mutex, MutexGuard};
use asyncband::semaphore::{Semaphore, SemaphorePermit};

use crate::backend::{
    BarrierBackend, ConditionBackend, EventBackend, Library, MutexBackend, PostBackend, SemaphoreBackend, Side,
    WeightedSemaphoreBackend,
};
use crate::buffer::Buffer;
use crate::Backend;

/// asyncband.
pub static BACKEND: Backend = Backend {
    name: "asyncband",
    version: super::version!("ASYNCBAND"),
    summary: "Apache's runtime-agnostic primitives (was mea)",
    fair: true,
    traced: false,
};

/// asyncband's primitives.
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
    type Permit<'a> = SemaphorePermit<'a>;

    fn new(permits: usize) -> Self::Semaphore {
        Semaphore::new(permits)
    }

    #[inline]
    fn acquire(semaphore: &Self::Semaphore) -> impl Future<Output = Self::Permit<'_>> + Send {
        semaphore.acquire(1)
    }

    #[inline]
    fn try_acquire(semaphore: &Self::Semaphore) -> Option<Self::Permit<'_>> {
        semaphore.try_acquire(1)
    }

    fn available(semaphore: &Self::Semaphore) -> usize {
        semaphore.available_permits()
    }
}

impl WeightedSemaphoreBackend for Primitives {
    type Permits<'a> = SemaphorePermit<'a>;

    #[inline]
    fn acquire_many(
        semaphore: &Self::Semaphore,
        permits: u32,
    ) -> impl Future<Output = Self::Permits<'_>> + Send {
        semaphore.acquire(permits as usize)
    }

    #[inline]
    fn try_acquire_many(semaphore: &Self::Semaphore, permits: u32) -> Option<Self::Permits<'_>> {
        semaphore.try_acquire(permits as usize)
    }
}

impl PostBackend for Primitives {
    #[inline]
    fn post(semaphore: &Self::Semaphore) {
        semaphore.release(1);
    }

    #[inline]
    fn consume(permit: Self::Permit<'_>) {
        permit.forget();
    }
}

impl EventBackend for Primitives {
    type Event = ManualResetEvent;

    fn new() -> Self::Event {
        ManualResetEvent::new()
    }

    #[inline]
    fn set(event: &Self::Event) {
        event.set();
    }

    #[inline]
    fn clear(event: &Self::Event) {
        event.reset();
    }

    #[inline]
    fn wait(event: &Self::Event) -> impl Future<Output = ()> + Send {
        event.wait()
    }
}

/// Two conditions beside their lock.
#[derive(Debug)]
pub struct MutexAndCondvars {
    buffer: Mutex<Buffer>,
    has_room: Condvar,
    has_item: Condvar,
}

impl MutexAndCondvars {
    fn awaited_by(&self, side: Side) -> &Condvar {
        match side {
            Side::Producer => &self.has_room,
            Side::Consumer => &self.has_item,
        }
    }
}

impl ConditionBackend for Primitives {
    type Pair = MutexAndCondvars;
    type Guard<'a> = MutexGuard<'a, Buffer>;

    fn new(buffer: Buffer) -> Self::Pair {
        MutexAndCondvars { buffer: Mutex::new(buffer), has_room: Condvar::new(), has_item: Condvar::new() }
    }

    #[inline]
    async fn lock_when(
        pair: &Self::Pair,
        side: Side,
        mut ready: impl FnMut(&Buffer) -> bool + Send,
    ) -> Self::Guard<'_> {
        let guard = pair.buffer.lock().await;
        pair.awaited_by(side).wait_while(guard, |buffer| !ready(buffer)).await
    }

    #[inline]
    async fn notify_other<'a>(pair: &'a Self::Pair, side: Side, guard: Self::Guard<'a>) {
        pair.awaited_by(side.other()).notify_one();
        drop(guard);
    }

    #[inline]
    async fn notify_all_others<'a>(pair: &'a Self::Pair, side: Side, guard: Self::Guard<'a>) {
        pair.awaited_by(side.other()).notify_all();
        drop(guard);
    }

    #[inline]
    async fn notify_everyone<'a>(pair: &'a Self::Pair, _side: Side, guard: Self::Guard<'a>) {
        pair.has_room.notify_all();
        pair.has_item.notify_all();
        drop(guard);
    }
}

impl BarrierBackend for Primitives {
    const RETRACTS: bool = false;
    type Barrier = Barrier;

    fn new(parties: usize) -> Self::Barrier {
        // No case has more tasks than a million.
        Barrier::new(u32::try_from(parties).unwrap_or(u32::MAX))
    }

    #[inline]
    async fn wait(barrier: &Self::Barrier) -> bool {
        barrier.wait().await.is_leader()
    }
}
