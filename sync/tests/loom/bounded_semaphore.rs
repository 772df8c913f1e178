//! Models of `BoundedSemaphore`, of what it has beyond `Semaphore`: the count of what was forgotten.

use std::sync::Arc;

use loom::thread;
use sync::BoundedSemaphore;

use crate::{Figure, block_on, check};

/// A permit is forgotten by one thread while another tries to release it: at most once, and never past the bound.
#[test]
fn permit_forgotten_during_a_release_is_released_at_most_once() {
    check(|| {
        let semaphore = Arc::new(BoundedSemaphore::new(1));
        let permit = Arc::clone(&semaphore).try_acquire_owned().unwrap();
        let forgetter = thread::spawn(move || permit.forget());
        let early = semaphore.release(1).is_ok();
        assert!(semaphore.available_permits() <= 1);
        forgetter.join().unwrap();
        assert_eq!(semaphore.release(1).is_ok(), !early);
        assert!(semaphore.release(1).is_err());
        assert_eq!(semaphore.available_permits(), 1);
    });
}

/// Two release the one permit that was forgotten.
#[test]
fn two_releases_share_no_permit() {
    check(|| {
        let semaphore = Arc::new(BoundedSemaphore::new(2));
        semaphore.try_acquire().unwrap().forget();
        let other = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || semaphore.release(1).is_ok())
        };
        let mine = semaphore.release(1).is_ok();
        assert!(mine != other.join().unwrap());
        assert_eq!(semaphore.available_permits(), 2);
    });
}

/// What was done under a permit that was forgotten is seen by the one who gets it after its release.
#[test]
fn forgetting_publishes_through_the_release() {
    check(|| {
        let shared = Arc::new((BoundedSemaphore::new(1), Figure::default()));
        let forgetter = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let permit = shared.0.try_acquire().unwrap();
                shared.1.increase();
                permit.forget();
            })
        };
        let released = shared.0.release(1).is_ok();
        if released {
            let _permit = shared.0.try_acquire().unwrap();
            shared.1.increase();
        }
        forgetter.join().unwrap();
        assert_eq!(shared.1.get(), 1 + usize::from(released));
    });
}

/// A waiter is served by a release alone, whichever of them comes first.
#[test]
fn waiter_that_joins_during_a_release_is_not_forgotten() {
    check(|| {
        let semaphore = Arc::new(BoundedSemaphore::new(1));
        semaphore.try_acquire().unwrap().forget();
        let waiting = Arc::clone(&semaphore).acquire_owned();
        let waiter = thread::spawn(|| drop(block_on(waiting)));
        semaphore.release(1).unwrap();
        waiter.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
    });
}
