//! `futures-intrusive`: waiters lie in their futures, all state under a lock of parking_lot.
//!
//! Mutex and semaphore can be made fair or unfair; they are fair here, as the others that promise an order are. It has
//! neither a condition nor a barrier.

use std::future::Future;

use futures_intrusive::sync::{
    ManualResetEvent, Mutex, MutexGuard, Semaphore, SemaphoreReleaser,
};

use crate::Backend;
use crate::backend::{
    EventBackend, Library, MutexBackend, PostBackend, SemaphoreBackend, WeightedSemaphoreBackend,
};

/// futures-intrusive.
pub static BACKEND: Backend = Backend {
    name: "futures-intrusive",
    version: super::version!("FUTURES_INTRUSIVE"),
    summary: "waiters in their futures under a lock of parking_lot; in its fair mode",
    fair: true,
    traced: false,
};

/// Both take it as an argument.
const FAIR: bool = true;

/// futures-intrusive's primitives.
#[derive(Debug)]
pub struct Primitives;

impl Library for Primitives {}

impl MutexBackend for Primitives {
    type Mutex = Mutex<u64>;
    type Guard<'a> = MutexGuard<'a, u64>;

    fn new(value: u64) -> Self::Mutex {
        Mutex::new(value, FAIR)
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
    type Permit<'a> = SemaphoreReleaser<'a>;

    fn new(permits: usize) -> Self::Semaphore {
        Semaphore::new(FAIR, permits)
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
        semaphore.permits()
    }
}

impl WeightedSemaphoreBackend for Primitives {
    type Permits<'a> = SemaphoreReleaser<'a>;

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
    fn consume(mut permit: Self::Permit<'_>) {
        permit.disarm();
    }
}

impl EventBackend for Primitives {
    type Event = ManualResetEvent;

    fn new() -> Self::Event {
        ManualResetEvent::new(false)
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
