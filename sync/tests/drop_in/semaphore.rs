//! Every method and trait of tokio's `Semaphore` and its permits. `super` says whose they are.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use super::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError};
use crate::common::{Task, is_send, is_sync, now, panic_message};

fn is_unpin<T: Unpin>() {}
fn is_debug<T: Debug>() {}
fn is_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
fn is_error<E: Error + Debug + Display + Send + Sync + 'static>() {}

#[test]
fn types_have_the_traits_of_tokios() {
    is_send::<Semaphore>();
    is_sync::<Semaphore>();
    is_unpin::<Semaphore>();
    is_debug::<Semaphore>();
    is_unwind_safe::<Semaphore>();
    is_send::<SemaphorePermit<'static>>();
    is_sync::<SemaphorePermit<'static>>();
    is_unpin::<SemaphorePermit<'static>>();
    is_debug::<SemaphorePermit<'static>>();
    is_unwind_safe::<SemaphorePermit<'static>>();
    is_send::<OwnedSemaphorePermit>();
    is_sync::<OwnedSemaphorePermit>();
    is_unpin::<OwnedSemaphorePermit>();
    is_debug::<OwnedSemaphorePermit>();
    is_unwind_safe::<OwnedSemaphorePermit>();
    is_error::<AcquireError>();
    is_error::<TryAcquireError>();
}

/// The futures have no names that both have, so they are asked by value.
#[test]
fn futures_are_send_and_sync_as_tokios_are() {
    fn check<F: Future + Send + Sync>(_: F) {}
    let semaphore = Arc::new(Semaphore::new(1));
    check(semaphore.acquire());
    check(semaphore.acquire_many(1));
    check(Arc::clone(&semaphore).acquire_owned());
    check(semaphore.acquire_many_owned(1));
}

#[test]
fn semaphores_are_made_and_counted() {
    const MAX: usize = Semaphore::MAX_PERMITS;
    static CONST: Semaphore = Semaphore::const_new(MAX);
    let available: fn(&Semaphore) -> usize = Semaphore::available_permits;
    let add: fn(&Semaphore, usize) = Semaphore::add_permits;
    let forget: fn(&Semaphore, usize) -> usize = Semaphore::forget_permits;
    let new: fn(usize) -> Semaphore = Semaphore::new;
    assert_eq!(available(&CONST), MAX);
    let semaphore = new(1);
    add(&semaphore, 2);
    assert_eq!(forget(&semaphore, 5), 3);
    assert_eq!(available(&semaphore), 0);
    panic_message(|| _ = Semaphore::new(MAX + 1));
    panic_message(|| CONST.add_permits(1));
}

#[test]
fn permits_are_tried_and_refused() {
    fn one(semaphore: &Semaphore) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        semaphore.try_acquire()
    }
    fn many(semaphore: &Semaphore, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        semaphore.try_acquire_many(n)
    }
    let owned: fn(Arc<Semaphore>) -> Result<OwnedSemaphorePermit, TryAcquireError> =
        Semaphore::try_acquire_owned;
    let many_owned: fn(Arc<Semaphore>, u32) -> Result<OwnedSemaphorePermit, TryAcquireError> =
        Semaphore::try_acquire_many_owned;
    let semaphore = Arc::new(Semaphore::new(6));
    let permits = (one(&semaphore).unwrap(), many(&semaphore, 2).unwrap());
    let owned_permits =
        (owned(Arc::clone(&semaphore)).unwrap(), many_owned(Arc::clone(&semaphore), 2).unwrap());
    assert_eq!(semaphore.available_permits(), 0);
    assert_eq!(one(&semaphore).unwrap_err(), TryAcquireError::NoPermits);
    assert_eq!(many_owned(Arc::clone(&semaphore), 1).unwrap_err(), TryAcquireError::NoPermits);
    assert_eq!(many(&semaphore, 0).unwrap().num_permits(), 0);
    semaphore.close();
    assert_eq!(many(&semaphore, 0).unwrap_err(), TryAcquireError::Closed);
    assert_eq!(owned(Arc::clone(&semaphore)).unwrap_err(), TryAcquireError::Closed);
    drop((permits, owned_permits));
    assert_eq!(semaphore.available_permits(), 6);
}

#[test]
fn permits_are_waited_for_and_granted_in_order() {
    async fn one(semaphore: &Semaphore) -> Result<SemaphorePermit<'_>, AcquireError> {
        semaphore.acquire().await
    }
    async fn many(semaphore: &Semaphore, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        semaphore.acquire_many(n).await
    }
    async fn owned(semaphore: Arc<Semaphore>) -> Result<OwnedSemaphorePermit, AcquireError> {
        semaphore.acquire_owned().await
    }
    async fn many_owned(semaphore: Arc<Semaphore>, n: u32) -> Result<OwnedSemaphorePermit, AcquireError> {
        semaphore.acquire_many_owned(n).await
    }
    let semaphore = Arc::new(Semaphore::new(0));
    let mut first = Task::waiting(many(&semaphore, 2));
    let mut second = Task::waiting(owned(Arc::clone(&semaphore)));
    let cancelled = Task::waiting(one(&semaphore));
    let mut last = Task::waiting(many_owned(Arc::clone(&semaphore), 2));
    assert_eq!(now(many(&semaphore, 0)).unwrap().num_permits(), 0);
    semaphore.add_permits(1);
    first.assert_waits();
    semaphore.add_permits(1);
    first.woken().unwrap().forget();
    second.assert_waits();
    semaphore.add_permits(2);
    second.woken().unwrap().forget();
    assert_eq!(cancelled.wakes(), 1);
    drop(cancelled);
    last.assert_waits();
    assert!(semaphore.try_acquire().is_err(), "a waiter was overtaken");
    semaphore.add_permits(1);
    assert_eq!(last.woken().unwrap().num_permits(), 2);
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn close_ends_waits_and_keeps_the_count() {
    let semaphore = Arc::new(Semaphore::new(1));
    let permit = semaphore.try_acquire().unwrap();
    let mut waiter = Task::waiting(semaphore.acquire());
    let mut owned = Task::waiting(Arc::clone(&semaphore).acquire_many_owned(3));
    assert!(!semaphore.is_closed());
    semaphore.close();
    semaphore.close();
    assert!(semaphore.is_closed());
    assert!(waiter.woken().is_err() && owned.woken().is_err());
    assert!(now(semaphore.acquire_many(0)).is_err());
    drop(permit);
    semaphore.add_permits(1);
    assert_eq!(semaphore.forget_permits(1), 1);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn permits_are_split_merged_and_forgotten() {
    let semaphore = Arc::new(Semaphore::new(8));
    let other = Arc::new(Semaphore::new(2));

    let mut permit = semaphore.try_acquire_many(3).unwrap();
    let part: SemaphorePermit<'_> = permit.split(2).unwrap();
    assert!(permit.split(2).is_none());
    assert_eq!((permit.num_permits(), part.num_permits()), (1, 2));
    permit.merge(part);
    assert!(std::ptr::eq(permit.semaphore(), &raw const *semaphore));
    panic_message(|| permit.merge(other.try_acquire().unwrap()));
    permit.split(1).unwrap().forget();
    drop(permit);
    assert_eq!(semaphore.available_permits(), 7);

    let mut owned = Arc::clone(&semaphore).try_acquire_many_owned(3).unwrap();
    let part: OwnedSemaphorePermit = owned.split(2).unwrap();
    owned.merge(part);
    assert!(Arc::ptr_eq(owned.semaphore(), &semaphore));
    panic_message(|| owned.merge(Arc::clone(&other).try_acquire_owned().unwrap()));
    owned.split(3).unwrap().forget();
    assert_eq!(owned.num_permits(), 0);
    drop(owned);
    assert_eq!(semaphore.available_permits(), 4);
    assert_eq!(other.available_permits(), 2);
}

#[test]
fn unwinding_past_a_semaphore_needs_no_assertion() {
    let semaphore = Semaphore::new(0);
    std::panic::catch_unwind(|| semaphore.add_permits(1)).unwrap();
    assert_eq!(semaphore.available_permits(), 1);
}

#[tokio::test]
async fn permits_may_be_held_across_an_await_in_a_spawned_task() {
    let semaphore = Arc::new(Semaphore::new(2));
    let tasks: Vec<_> = (0..10)
        .map(|number| {
            let semaphore = Arc::clone(&semaphore);
            tokio::spawn(async move {
                let _permits = semaphore.acquire_many(number % 2 + 1).await.unwrap();
                tokio::task::yield_now().await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(semaphore.available_permits(), 2);
}
