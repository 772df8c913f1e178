//! Permits added, forgotten, merged and split, the limits of the count, and closing.

use std::sync::Arc;
use std::sync::Mutex as StdMutex;

use sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use crate::common::{Task, now, on_drop, on_wake, panic_message};

#[test]
fn permits_can_be_added_open_and_closed() {
    for close in [false, true] {
        for (size, added) in [(0, 0), (0, 3), (3, 0), (2, 3)] {
            let semaphore = Semaphore::new(size);
            if close {
                semaphore.close();
            }
            semaphore.add_permits(added);
            assert_eq!(semaphore.available_permits(), size + added);
            assert_eq!(semaphore.is_closed(), close);
        }
    }
}

#[test]
fn forgotten_permits_do_not_come_back() {
    let semaphore = Arc::new(Semaphore::new(2));
    semaphore.try_acquire().unwrap().forget();
    assert_eq!(semaphore.available_permits(), 1);
    Arc::clone(&semaphore).try_acquire_owned().unwrap().forget();
    assert_eq!(semaphore.available_permits(), 0);
    assert!(semaphore.try_acquire().is_err());
}

#[test]
fn as_many_as_there_are_can_be_forgotten() {
    for close in [false, true] {
        for (size, asked) in [(0, 0), (0, 3), (3, 0), (3, 2), (3, 3), (3, 4)] {
            let semaphore = Semaphore::new(size);
            if close {
                semaphore.close();
            }
            let gone = size.min(asked);
            assert_eq!(semaphore.forget_permits(asked), gone);
            assert_eq!(semaphore.available_permits(), size - gone);
            assert_eq!(semaphore.is_closed(), close);
        }
    }
}

#[test]
fn merged_permits_come_back_together() {
    let semaphore = Arc::new(Semaphore::new(6));
    let mut borrowed = semaphore.try_acquire().unwrap();
    borrowed.merge(semaphore.try_acquire_many(2).unwrap());
    let mut owned = Arc::clone(&semaphore).try_acquire_owned().unwrap();
    owned.merge(Arc::clone(&semaphore).try_acquire_many_owned(2).unwrap());
    assert_eq!((borrowed.num_permits(), owned.num_permits()), (3, 3));
    assert_eq!(semaphore.available_permits(), 0);
    drop(borrowed);
    assert_eq!(semaphore.available_permits(), 3);
    drop(owned);
    assert_eq!(semaphore.available_permits(), 6);
}

/// The file in which `f` panics.
fn place_of_panic(f: impl FnOnce()) -> String {
    // The hook is the process's, and other tests may panic meanwhile; each thread notes its own.
    thread_local!(static PLACE: StdMutex<String> = const { StdMutex::new(String::new()) });
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let file = info.location().expect("always there").file().to_owned();
        PLACE.with(|place| *place.lock().unwrap() = file);
        before(info);
    }));
    panic_message(f);
    PLACE.with(|place| place.lock().unwrap().clone())
}

#[test]
fn merge_of_two_semaphores_panics_where_it_is_called() {
    let (left, right) = (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(1)));
    let mut permit = left.try_acquire().unwrap();
    assert_eq!(place_of_panic(|| permit.merge(right.try_acquire().unwrap())), file!());
    drop(permit);
    let mut permit = Arc::clone(&left).try_acquire_owned().unwrap();
    assert_eq!(place_of_panic(|| permit.merge(Arc::clone(&right).try_acquire_owned().unwrap())), file!());
    drop(permit);
    assert_eq!((left.available_permits(), right.available_permits()), (1, 1));
}

#[test]
fn permit_knows_its_semaphore() {
    let semaphore = Semaphore::new(1);
    let permit = semaphore.try_acquire().unwrap();
    assert!(std::ptr::eq(permit.semaphore(), &raw const semaphore));
}

#[test]
fn split_permits_come_back_one_by_one() {
    let semaphore = Arc::new(Semaphore::new(5));
    let mut three = semaphore.try_acquire_many(3).unwrap();
    let one = three.split(1).unwrap();
    let none = three.split(0).unwrap();
    assert!(three.split(3).is_none());
    assert_eq!((three.num_permits(), one.num_permits(), none.num_permits()), (2, 1, 0));
    assert_eq!(semaphore.available_permits(), 2);
    drop(none);
    drop(three);
    assert_eq!(semaphore.available_permits(), 4);
    drop(one);
    assert_eq!(semaphore.available_permits(), 5);

    let mut owned = Arc::clone(&semaphore).try_acquire_many_owned(5).unwrap();
    let all: OwnedSemaphorePermit = owned.split(5).unwrap();
    drop(owned);
    assert_eq!(semaphore.available_permits(), 0);
    drop(all);
    assert_eq!(semaphore.available_permits(), 5);
}

#[test]
fn as_many_as_max_permits_fit_and_no_more() {
    const MAX: usize = Semaphore::MAX_PERMITS;
    assert_eq!(MAX, tokio::sync::Semaphore::MAX_PERMITS);
    assert_eq!(Semaphore::new(MAX).available_permits(), MAX);
    let semaphore = Semaphore::new(0);
    semaphore.add_permits(MAX);
    assert_eq!(semaphore.available_permits(), MAX);
    panic_message(|| _ = Semaphore::new(MAX + 1));
    panic_message(|| Semaphore::new(1).add_permits(MAX));
    let semaphore = Semaphore::new(MAX - 1);
    semaphore.add_permits(1);
    panic_message(|| semaphore.add_permits(1));
    assert_eq!(semaphore.available_permits(), MAX);
}

/// Where `usize` has 64 bits each `u32` is a request that some semaphore can meet.
#[test]
fn request_that_no_semaphore_can_meet_panics() {
    let semaphore = Arc::new(Semaphore::new(0));
    if Semaphore::MAX_PERMITS < u32::MAX as usize {
        let owner = || Arc::clone(&semaphore);
        for n in [Semaphore::MAX_PERMITS as u32 + 1, 1 << 31] {
            for (call, message) in [
                ("acquire_many", panic_message(|| drop(semaphore.acquire_many(n)))),
                ("acquire_many_owned", panic_message(|| drop(owner().acquire_many_owned(n)))),
                ("try_acquire_many", panic_message(|| drop(semaphore.try_acquire_many(n)))),
                ("try_acquire_many_owned", panic_message(|| drop(owner().try_acquire_many_owned(n)))),
                ("blocking_acquire_many", panic_message(|| drop(semaphore.blocking_acquire_many(n)))),
                (
                    "blocking_acquire_many_owned",
                    panic_message(|| drop(owner().blocking_acquire_many_owned(n))),
                ),
            ] {
                let call = format!("Semaphore::{call}({n}): ");
                assert!(message.starts_with(&call), "{message}");
            }
        }
    } else {
        Task::waiting(semaphore.acquire_many(u32::MAX)).assert_waits();
    }
}

#[cfg(target_pointer_width = "64")]
#[test]
fn more_permits_than_fit_into_u32_can_be_merged() {
    const HALF: u32 = 3_000_000_000;
    let semaphore = Arc::new(Semaphore::new(4 * HALF as usize));
    let mut borrowed = semaphore.try_acquire_many(HALF).unwrap();
    borrowed.merge(semaphore.try_acquire_many(HALF).unwrap());
    let mut owned = Arc::clone(&semaphore).try_acquire_many_owned(HALF).unwrap();
    owned.merge(Arc::clone(&semaphore).try_acquire_many_owned(HALF).unwrap());
    assert_eq!((borrowed.num_permits(), owned.num_permits()), (6_000_000_000, 6_000_000_000));
    assert_eq!(semaphore.available_permits(), 0);
    drop((borrowed, owned));
    assert_eq!(semaphore.available_permits(), 12_000_000_000);
}

#[test]
fn closed_semaphore_refuses_though_it_has_permits() {
    let semaphore = Semaphore::new(5);
    semaphore.close();
    assert!(now(semaphore.acquire()).is_err());
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
    assert_eq!(semaphore.available_permits(), 5);
}

#[test]
fn close_ends_each_wait_and_permits_still_come_back() {
    let semaphore = Semaphore::new(2);
    let permits = [(); 2].map(|()| now(semaphore.acquire()).unwrap());
    let mut waiters = [(); 2].map(|()| Task::waiting(semaphore.acquire()));
    semaphore.close();
    for waiter in &mut waiters {
        assert!(waiter.woken().is_err());
    }
    assert_eq!(semaphore.available_permits(), 0);
    for (i, permit) in permits.into_iter().enumerate() {
        drop(permit);
        assert_eq!(semaphore.available_permits(), i + 1);
        assert!(now(semaphore.acquire()).is_err());
    }
}

#[test]
fn close_takes_no_lock_into_foreign_code() {
    let semaphore = Arc::new(Semaphore::new(1));
    let permit = Arc::clone(&semaphore).try_acquire_owned().unwrap();
    let permit = StdMutex::new(Some(permit));
    let mut waiters = [(); 2].map(|()| Task::new(semaphore.acquire()));
    // One waker gives a permit back when it goes, the other adds one when it is woken.
    assert!(waiters[0].poll_with(&on_drop(move || drop(permit.lock().unwrap().take()))).is_pending());
    let adds = Arc::clone(&semaphore);
    assert!(waiters[1].poll_with(&on_wake(move || adds.add_permits(1))).is_pending());
    semaphore.close();
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn close_ends_the_waits_of_more_than_one_batch() {
    let semaphore = Semaphore::new(0);
    let mut waiters: Vec<_> = (0..100).map(|_| Task::waiting(semaphore.acquire())).collect();
    semaphore.close();
    for waiter in &mut waiters {
        assert!(waiter.woken().is_err());
    }
}
