//! Where `Mutex` and `Semaphore` do something else than tokio's on purpose, with both sides. Users read of each in
//! `docs/differences.md`.

use std::sync::Arc;

use crate::common::{Task, panic_message};

#[test]
fn grant_on_its_way_is_kept_when_the_semaphore_closes() {
    let ours = sync::Semaphore::new(0);
    let mut waiter = Task::waiting(ours.acquire());
    ours.add_permits(1);
    ours.close();
    assert!(waiter.woken().is_ok());

    let theirs = tokio::sync::Semaphore::new(0);
    let mut waiter = Task::waiting(theirs.acquire());
    theirs.add_permits(1);
    theirs.close();
    assert!(waiter.woken().is_err());
}

#[test]
fn permits_kept_for_a_large_request_are_counted_and_can_be_forgotten() {
    let ours = sync::Semaphore::new(2);
    let large = Task::waiting(ours.acquire_many(3));
    assert_eq!(ours.available_permits(), 2);
    assert!(ours.try_acquire().is_err());
    assert_eq!(ours.forget_permits(1), 1);
    drop(large);
    assert_eq!(ours.available_permits(), 1);

    let theirs = tokio::sync::Semaphore::new(2);
    let large = Task::waiting(theirs.acquire_many(3));
    assert_eq!(theirs.available_permits(), 0);
    assert_eq!(theirs.forget_permits(1), 0);
    drop(large);
    assert_eq!(theirs.available_permits(), 2);
}

#[test]
fn permit_dropped_into_a_full_semaphore_does_not_panic() {
    const MAX: usize = sync::Semaphore::MAX_PERMITS;
    let ours = Arc::new(sync::Semaphore::new(MAX));
    let permit = ours.try_acquire().unwrap();
    ours.add_permits(1);
    drop(permit);
    assert_eq!(ours.available_permits(), MAX);

    let theirs = Arc::new(tokio::sync::Semaphore::new(MAX));
    let permit = theirs.try_acquire().unwrap();
    theirs.add_permits(1);
    panic_message(|| drop(permit));
}

/// tokio's budget is spent by its own primitives; a task that never waits for anything else is made to yield by them. With
/// the feature `tokio` also by ours.
#[tokio::test(flavor = "current_thread")]
async fn free_lock_is_taken_however_often_without_a_yield_unless_the_feature_tokio_is_on() {
    async fn all_at_once(mut lock: impl AsyncFnMut()) -> bool {
        let mut task = Task::new(async {
            for _ in 0..1_000 {
                lock().await;
            }
        });
        task.poll().is_ready()
    }
    let (ours, theirs) = (sync::Mutex::new(()), tokio::sync::Mutex::new(()));
    assert_eq!(all_at_once(async || drop(ours.lock().await)).await, !cfg!(feature = "tokio"));
    // What the first half used up comes back.
    tokio::task::yield_now().await;
    assert!(!all_at_once(async || drop(theirs.lock().await)).await);
}
