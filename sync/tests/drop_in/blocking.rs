//! Every `blocking_*` of tokio's `Mutex` and `Semaphore`, on threads without a runtime. `super` says whose they are.

use std::sync::Arc;

use super::{
    AcquireError, Mutex, MutexGuard, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, SemaphorePermit,
};

#[test]
fn threads_without_a_runtime_can_block() {
    fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.blocking_lock()
    }
    let lock_owned: fn(Arc<Mutex<u8>>) -> OwnedMutexGuard<u8> = Mutex::blocking_lock_owned;
    let mutex = Arc::new(Mutex::new(0));
    let guard = lock_owned(Arc::clone(&mutex));
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| *lock(&mutex) += 1);
        drop(guard);
        thread.join().unwrap();
    });
    assert_eq!(*lock(&mutex), 1);
}

#[test]
fn threads_without_a_runtime_can_acquire() {
    fn one(semaphore: &Semaphore) -> Result<SemaphorePermit<'_>, AcquireError> {
        semaphore.blocking_acquire()
    }
    fn many(semaphore: &Semaphore, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        semaphore.blocking_acquire_many(n)
    }
    let owned: fn(Arc<Semaphore>) -> Result<OwnedSemaphorePermit, AcquireError> =
        Semaphore::blocking_acquire_owned;
    let many_owned: fn(Arc<Semaphore>, u32) -> Result<OwnedSemaphorePermit, AcquireError> =
        Semaphore::blocking_acquire_many_owned;
    let semaphore = Arc::new(Semaphore::new(3));
    let permits = (one(&semaphore).unwrap(), owned(Arc::clone(&semaphore)).unwrap());
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| drop(many(&semaphore, 3).unwrap()));
        drop(permits);
        thread.join().unwrap();
    });
    assert_eq!(many_owned(Arc::clone(&semaphore), 2).unwrap().num_permits(), 2);
    semaphore.close();
    assert!(one(&semaphore).is_err());
}
