//! Acquisitions that block their thread.

use std::sync::Arc;

use sync::Semaphore;

use crate::common::panic_message;

#[test]
fn blocking_acquisitions_take_and_give_back() {
    let semaphore = Arc::new(Semaphore::new(10));
    let one = semaphore.blocking_acquire().unwrap();
    let two = semaphore.blocking_acquire_many(2).unwrap();
    let owned = Arc::clone(&semaphore).blocking_acquire_owned().unwrap();
    let three = Arc::clone(&semaphore).blocking_acquire_many_owned(3).unwrap();
    assert_eq!(semaphore.available_permits(), 3);
    drop((one, two, owned, three));
    assert_eq!(semaphore.available_permits(), 10);
}

#[test]
fn blocking_acquisition_waits_on_its_thread() {
    let semaphore = Semaphore::new(0);
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| semaphore.blocking_acquire_many(2).map(|permit| permit.num_permits()));
        while semaphore.statistics().waiting == 0 {
            std::thread::yield_now();
        }
        semaphore.add_permits(1);
        assert!(!thread.is_finished());
        semaphore.add_permits(1);
        assert_eq!(thread.join().unwrap().unwrap(), 2);
    });
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn blocking_acquisitions_of_a_closed_semaphore_are_errors() {
    let semaphore = Arc::new(Semaphore::new(1));
    semaphore.close();
    assert!(semaphore.blocking_acquire().is_err());
    assert!(semaphore.blocking_acquire_many(2).is_err());
    assert!(Arc::clone(&semaphore).blocking_acquire_owned().is_err());
    assert!(Arc::clone(&semaphore).blocking_acquire_many_owned(2).is_err());
    assert_eq!(semaphore.available_permits(), 1);
}

/// tokio's panic there, for they know their runtime.
#[tokio::test(flavor = "current_thread")]
async fn blocking_acquisitions_work_within_a_runtime() {
    let semaphore = Arc::new(Semaphore::new(4));
    let permits = (semaphore.blocking_acquire().unwrap(), semaphore.blocking_acquire_many(1).unwrap());
    let owned = Arc::clone(&semaphore).blocking_acquire_owned().unwrap();
    let many_owned = Arc::clone(&semaphore).blocking_acquire_many_owned(1).unwrap();
    assert_eq!(semaphore.available_permits(), 0);
    let other = std::thread::spawn(move || drop((owned, many_owned)));
    drop(semaphore.blocking_acquire_many(2).unwrap());
    other.join().unwrap();
    drop(permits);
    assert_eq!(semaphore.available_permits(), 4);

    let theirs = tokio::sync::Semaphore::new(1);
    panic_message(|| drop(theirs.blocking_acquire()));
}
