//! `BoundedSemaphore` beside asyncio's, which is its `Semaphore` but for the bound. tokio has none.
//!
//! Most of asyncio's tests are of the plain one; see `semaphore.rs`.
//!
//! | theirs | here |
//! |---|---|
//! | asyncio SemaphoreTests.test_release_not_acquired | `release_beyond_the_bound_is_an_error_and_changes_nothing` |

use std::sync::Arc;

use sync::{BoundedSemaphore, ReleaseError, TryAcquireError};

use crate::common::{Task, now};

/// asyncio counts a release as one more permit; here only what was forgotten can be released, for a permit that somebody
/// holds comes back by itself.
#[test]
fn release_beyond_the_bound_is_an_error_and_changes_nothing() {
    let semaphore = BoundedSemaphore::new(1);
    let error: ReleaseError = semaphore.release(1).unwrap_err();
    assert!(!error.to_string().is_empty());
    assert_eq!((semaphore.available_permits(), semaphore.bound()), (1, 1));

    let permit = now(semaphore.acquire()).unwrap();
    assert!(semaphore.release(1).is_err(), "the permit that is held will come back too");
    assert_eq!(semaphore.available_permits(), 0);
    drop(permit);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn forgotten_permits_can_be_released_up_to_the_bound() {
    let semaphore = BoundedSemaphore::new(3);
    now(semaphore.acquire_many(2)).unwrap().forget();
    assert_eq!(semaphore.forget_permits(1), 1);
    let mut waiter = Task::waiting(semaphore.acquire_many(2));
    assert!(semaphore.release(4).is_err());
    waiter.assert_waits();
    semaphore.release(2).unwrap();
    let permit = waiter.woken().unwrap();
    assert!(semaphore.release(2).is_err());
    semaphore.release(1).unwrap();
    drop(permit);
    assert_eq!(semaphore.available_permits(), semaphore.bound());
    semaphore.release(0).unwrap();
    assert!(semaphore.release(usize::MAX).is_err());
}

#[test]
fn grants_pass_a_cancelled_waiter_by_as_in_a_plain_semaphore() {
    let semaphore = Arc::new(BoundedSemaphore::new(1));
    let permit = Arc::clone(&semaphore).try_acquire_owned().unwrap();
    let cancelled = Task::waiting(semaphore.acquire());
    let mut next = Task::waiting(Arc::clone(&semaphore).acquire_owned());
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    drop(permit);
    drop(cancelled);
    drop(next.woken());
    assert_eq!(semaphore.available_permits(), 1);
}
