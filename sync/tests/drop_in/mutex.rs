//! Every method and trait of tokio's `Mutex` and its guards. `super` says whose they are.

use std::cell::Cell;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::ops::DerefMut;
use std::panic::UnwindSafe;
use std::sync::Arc;

use super::{Mutex, MutexGuard, OwnedMutexGuard, TryLockError};
use crate::common::{Task, assert_not_impl, is_send, is_sync, now};

/// A value of no size that is known, for what must work through a pointer to a trait.
type Dyn = dyn Fn() -> u8 + Send + Sync;

fn is_unpin<T: Unpin + ?Sized>() {}
fn is_unwind_safe<T: UnwindSafe + ?Sized>() {}
fn is_guard<G: DerefMut<Target = T> + Debug + Display, T>() {}
fn is_error<E: Error + Debug + Display + Send + Sync + 'static>() {}

#[test]
fn types_have_the_traits_of_tokios() {
    is_send::<Mutex<Cell<u8>>>();
    is_sync::<Mutex<Cell<u8>>>();
    is_unpin::<Mutex<u8>>();
    is_unwind_safe::<Mutex<u8>>();
    is_unwind_safe::<Mutex<Cell<u8>>>();
    is_send::<MutexGuard<'static, Cell<u8>>>();
    is_sync::<MutexGuard<'static, u8>>();
    is_unpin::<MutexGuard<'static, Dyn>>();
    is_guard::<MutexGuard<'static, u8>, u8>();
    is_send::<OwnedMutexGuard<Cell<u8>>>();
    is_sync::<OwnedMutexGuard<u8>>();
    is_unpin::<OwnedMutexGuard<Dyn>>();
    is_guard::<OwnedMutexGuard<u8>, u8>();
    is_error::<TryLockError>();
}
assert_not_impl!(Mutex<*const u8>: Send);
assert_not_impl!(Mutex<*const u8>: Sync);
assert_not_impl!(MutexGuard<'static, *const u8>: Send);
assert_not_impl!(MutexGuard<'static, Cell<u8>>: Sync);
assert_not_impl!(OwnedMutexGuard<*const u8>: Send);
assert_not_impl!(OwnedMutexGuard<Cell<u8>>: Sync);

/// The futures have no names that both have, so they are asked by value.
#[test]
fn futures_are_send_and_sync_as_tokios_are() {
    fn check<F: Future + Send + Sync>(_: F) {}
    let mutex = Arc::new(Mutex::new(Cell::new(1)));
    check(mutex.lock());
    check(mutex.lock_owned());
}

#[test]
fn mutexes_are_made_and_taken_apart() {
    static CONST: Mutex<u8> = Mutex::const_new(1);
    assert_eq!(*CONST.try_lock().unwrap(), 1);
    assert_eq!(Mutex::new(2).into_inner(), 2);
    assert_eq!(Mutex::<u8>::default().into_inner(), 0);
    let mut mutex = Mutex::from(3);
    *mutex.get_mut() += 1;
    assert_eq!(format!("{mutex:?}"), "Mutex { data: 4 }");
    let guard = now(mutex.lock());
    assert_eq!(format!("{mutex:?} {guard:?} {guard}"), "Mutex { data: <locked> } 4 4");
}

#[test]
fn locks_are_waited_for_and_handed_over_in_order() {
    async fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().await
    }
    async fn lock_owned<T: ?Sized>(mutex: Arc<Mutex<T>>) -> OwnedMutexGuard<T> {
        mutex.lock_owned().await
    }
    let mutex = Arc::new(Mutex::new(0));
    let guard = now(lock(&mutex));
    let mut first = Task::waiting(lock(&mutex));
    let mut second = Task::waiting(lock_owned(Arc::clone(&mutex)));
    let cancelled = Task::waiting(lock(&mutex));
    drop(guard);
    let mut guard = first.woken();
    *guard += 1;
    second.assert_waits();
    assert!(std::ptr::eq(MutexGuard::mutex(&guard), &raw const *mutex));
    drop(guard);
    drop(cancelled);
    let mut guard = second.woken();
    *guard += 1;
    assert!(Arc::ptr_eq(OwnedMutexGuard::mutex(&guard), &mutex));
    drop(guard);
    assert_eq!(*now(mutex.lock()), 2);
}

#[test]
fn guard_gives_a_mutex_that_outlives_it() {
    let mutex = Mutex::new(1);
    let same: &Mutex<u8> = {
        let guard = mutex.try_lock().unwrap();
        MutexGuard::mutex(&guard)
    };
    assert!(same.try_lock().is_ok());
}

#[test]
fn lock_is_tried_and_refused() {
    fn try_lock<T: ?Sized>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, TryLockError> {
        mutex.try_lock()
    }
    fn try_lock_owned<T: ?Sized>(mutex: Arc<Mutex<T>>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        mutex.try_lock_owned()
    }
    let mutex = Arc::new(Mutex::new(1));
    let guard = try_lock(&mutex).unwrap();
    assert!(try_lock_owned(Arc::clone(&mutex)).is_err());
    let waiter = Task::waiting(mutex.lock());
    drop(guard);
    assert!(try_lock(&mutex).is_err(), "a waiter was overtaken");
    drop(waiter);
    let guard = try_lock_owned(Arc::clone(&mutex)).unwrap();
    assert!(try_lock(&mutex).is_err());
    drop(guard);
    assert!(try_lock(&mutex).is_ok());
}

#[test]
fn values_without_a_size_can_be_locked() {
    let mutex: Arc<Mutex<Dyn>> = Arc::new(Mutex::new(|| 7));
    assert_eq!(now(mutex.lock())(), 7);
    assert_eq!(now(Arc::clone(&mutex).lock_owned())(), 7);
    let mut boxed: Box<Mutex<[u8]>> = Box::new(Mutex::new([1, 2, 3]));
    boxed.get_mut()[0] = 9;
    assert_eq!(boxed.try_lock().unwrap()[..], [9, 2, 3]);
}

#[test]
fn guard_dropped_by_a_panic_unlocks() {
    let mutex = Arc::new(Mutex::new(1));
    let thread = std::thread::spawn({
        let mutex = Arc::clone(&mutex);
        move || {
            let _guard = mutex.try_lock();
            std::panic::resume_unwind(Box::new("no message"));
        }
    });
    assert!(thread.join().is_err());
    assert!(mutex.try_lock().is_ok());
}

#[tokio::test]
async fn guard_may_be_held_across_an_await_in_a_spawned_task() {
    let mutex = Arc::new(Mutex::new(Vec::new()));
    let tasks: Vec<_> = (0..10)
        .map(|number| {
            let mutex = Arc::clone(&mutex);
            tokio::spawn(async move {
                let mut guard = mutex.lock().await;
                tokio::task::yield_now().await;
                guard.push(number);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*mutex.lock().await, (0..10).collect::<Vec<_>>());
}
