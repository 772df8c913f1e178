//! What the benches ask of a rival beyond the traits of the backends, one small trait for each.
//!
//! A rival that lacks an operation leaves its trait out and does not appear in that group.

use std::future::Future;
use std::sync::Arc;

use workloads::backend::{MutexBackend, SemaphoreBackend};
use workloads::backends;

/// Takes a free lock without waiting.
pub trait TryLock: MutexBackend {
    /// Takes and releases it; whether it was free.
    fn try_pair(mutex: &Self::Mutex) -> bool;
}

/// Takes the lock for as long as a guard lives that may go anywhere.
pub trait LockOwned: MutexBackend {
    type OwnedGuard: 'static;

    fn lock_owned(mutex: Arc<Self::Mutex>) -> impl Future<Output = Self::OwnedGuard>;
}

/// Takes permits that are free without waiting.
pub trait TryAcquire: SemaphoreBackend {
    /// Takes one and gives it back; whether there was one.
    fn try_pair(semaphore: &Self::Semaphore) -> bool;
}

/// Takes several permits at once.
pub trait AcquireMany: SemaphoreBackend {
    type Permits<'a>;

    fn acquire_many(semaphore: &Self::Semaphore, n: u32) -> impl Future<Output = Self::Permits<'_>>;
}

impl TryLock for backends::sync::Primitives {
    #[inline]
    fn try_pair(mutex: &Self::Mutex) -> bool {
        mutex.try_lock().is_ok()
    }
}

impl LockOwned for backends::sync::Primitives {
    type OwnedGuard = sync::OwnedMutexGuard<u64>;

    #[inline]
    fn lock_owned(mutex: Arc<Self::Mutex>) -> impl Future<Output = Self::OwnedGuard> {
        mutex.lock_owned()
    }
}

impl TryAcquire for backends::sync::Primitives {
    #[inline]
    fn try_pair(semaphore: &Self::Semaphore) -> bool {
        semaphore.try_acquire().is_ok()
    }
}

impl AcquireMany for backends::sync::Primitives {
    type Permits<'a> = Result<sync::SemaphorePermit<'a>, sync::AcquireError>;

    #[inline]
    fn acquire_many(semaphore: &Self::Semaphore, n: u32) -> impl Future<Output = Self::Permits<'_>> {
        semaphore.acquire_many(n)
    }
}

impl TryLock for backends::tokio::Primitives {
    fn try_pair(mutex: &Self::Mutex) -> bool {
        mutex.try_lock().is_ok()
    }
}

impl LockOwned for backends::tokio::Primitives {
    type OwnedGuard = tokio::sync::OwnedMutexGuard<u64>;

    fn lock_owned(mutex: Arc<Self::Mutex>) -> impl Future<Output = Self::OwnedGuard> {
        mutex.lock_owned()
    }
}

impl TryAcquire for backends::tokio::Primitives {
    fn try_pair(semaphore: &Self::Semaphore) -> bool {
        semaphore.try_acquire().is_ok()
    }
}

impl AcquireMany for backends::tokio::Primitives {
    type Permits<'a> = Result<tokio::sync::SemaphorePermit<'a>, tokio::sync::AcquireError>;

    fn acquire_many(semaphore: &Self::Semaphore, n: u32) -> impl Future<Output = Self::Permits<'_>> {
        semaphore.acquire_many(n)
    }
}

/// A meeting point for a fixed number of tasks, phase after phase.
pub trait BarrierBackend {
    type Barrier: 'static;

    fn new(parties: usize) -> Self::Barrier;

    /// Waits until all have come; `true` for one of them.
    fn wait(barrier: &Self::Barrier) -> impl Future<Output = bool>;
}

impl BarrierBackend for backends::tokio::Primitives {
    type Barrier = tokio::sync::Barrier;

    fn new(parties: usize) -> Self::Barrier {
        tokio::sync::Barrier::new(parties)
    }

    async fn wait(barrier: &Self::Barrier) -> bool {
        barrier.wait().await.is_leader()
    }
}
