//! `sync`: our own primitives, while nobody watches them.
//!
//! Each object has a name, under which the dashboard shows it when the collector is on.

use std::future::Future;
use std::sync::Arc;

use sync::{
    AcquireError, Barrier, Condition, ConditionGuard, Event, Mutex, MutexGuard, Semaphore, SemaphorePermit,
};

use crate::Backend;
use crate::backend::{
    BarrierBackend, ConditionBackend, EventBackend, Library, MutexBackend, PostBackend, SemaphoreBackend, Side,
    WeightedSemaphoreBackend,
};
use crate::buffer::Buffer;

/// Ours, collector off.
pub static BACKEND: Backend = Backend {
    name: "sync",
    version: super::version!("SYNC"),
    summary: "this workspace's primitives, collector off",
    fair: true,
    traced: false,
};

/// Our primitives.
#[derive(Debug)]
pub struct Primitives;

impl Library for Primitives {}

impl MutexBackend for Primitives {
    type Mutex = Mutex<u64>;
    type Guard<'a> = MutexGuard<'a, u64>;

    fn new(value: u64) -> Self::Mutex {
        Mutex::new(value).with_name("bench mutex")
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

impl SemaphoreBackend for Primitives {
    type Semaphore = Semaphore;
    type Permit<'a> = Result<SemaphorePermit<'a>, AcquireError>;

    fn new(permits: usize) -> Self::Semaphore {
        Semaphore::new(permits).with_name("bench pool")
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

impl WeightedSemaphoreBackend for Primitives {
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

impl EventBackend for Primitives {
    type Event = Event;

    fn new() -> Self::Event {
        Event::new().with_name("bench event")
    }

    #[inline]
    fn set(event: &Self::Event) {
        event.set();
    }

    #[inline]
    fn clear(event: &Self::Event) {
        event.clear();
    }

    #[inline]
    fn wait(event: &Self::Event) -> impl Future<Output = ()> + Send {
        event.wait()
    }
}

/// Two conditions on one lock.
#[derive(Debug)]
pub struct Pair {
    has_room: Condition<Buffer>,
    has_item: Condition<Buffer>,
}

impl Pair {
    fn awaited_by(&self, side: Side) -> &Condition<Buffer> {
        match side {
            Side::Producer => &self.has_room,
            Side::Consumer => &self.has_item,
        }
    }
}

impl ConditionBackend for Primitives {
    type Pair = Pair;
    type Guard<'a> = ConditionGuard<'a, Buffer>;

    fn new(buffer: Buffer) -> Self::Pair {
        let mutex = Arc::new(Mutex::new(buffer).with_name("bench buffer"));
        Pair {
            has_room: Condition::with_mutex(Arc::clone(&mutex)).with_name("bench buffer has room"),
            has_item: Condition::with_mutex(mutex).with_name("bench buffer has item"),
        }
    }

    #[inline]
    async fn lock_when(
        pair: &Self::Pair,
        side: Side,
        mut ready: impl FnMut(&Buffer) -> bool + Send,
    ) -> Self::Guard<'_> {
        pair.awaited_by(side).lock().await.wait_for(|buffer| ready(buffer)).await
    }

    #[inline]
    async fn notify_other<'a>(pair: &'a Self::Pair, side: Side, guard: Self::Guard<'a>) {
        guard.switch_to(pair.awaited_by(side.other())).notify_one();
    }

    #[inline]
    async fn notify_all_others<'a>(pair: &'a Self::Pair, side: Side, guard: Self::Guard<'a>) {
        guard.switch_to(pair.awaited_by(side.other())).notify_all();
    }

    #[inline]
    async fn notify_everyone<'a>(pair: &'a Self::Pair, side: Side, guard: Self::Guard<'a>) {
        guard.notify_all();
        guard.switch_to(pair.awaited_by(side.other())).notify_all();
    }
}

impl BarrierBackend for Primitives {
    const RETRACTS: bool = true;
    type Barrier = Barrier;

    fn new(parties: usize) -> Self::Barrier {
        Barrier::new(parties).with_name("bench barrier")
    }

    /// Never an error: a slot neither aborts nor resets its barrier.
    #[inline]
    async fn wait(barrier: &Self::Barrier) -> bool {
        barrier.wait().await.is_ok_and(|arrival| arrival.is_leader())
    }
}
