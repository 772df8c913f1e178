//! Models of `Semaphore`.

use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use sync::{AcquireError, Semaphore};

use crate::{Boxed, Figure, block_on, check, expect_ready, queue_up};

/// A future that takes `n` permits and gives them back.
fn pass(semaphore: &Arc<Semaphore>, n: u32) -> Boxed<Result<(), AcquireError>> {
    let semaphore = Arc::clone(semaphore);
    Box::pin(async move { semaphore.acquire_many(n).await.map(drop) })
}

/// Three want two permits: never three at a time, and all get through.
#[test]
fn no_more_are_inside_than_there_are_permits() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(2));
        let inside = Arc::new(AtomicUsize::new(1));
        let first = semaphore.try_acquire().unwrap();
        let visit = |semaphore: &Semaphore, inside: &AtomicUsize| {
            let permit = block_on(semaphore.acquire()).unwrap();
            assert!(inside.fetch_add(1, Ordering::Relaxed) < 2);
            inside.fetch_sub(1, Ordering::Relaxed);
            drop(permit);
        };
        let other = {
            let (semaphore, inside) = (Arc::clone(&semaphore), Arc::clone(&inside));
            thread::spawn(move || visit(&semaphore, &inside))
        };
        visit(&semaphore, &inside);
        other.join().unwrap();
        drop(first);
        assert_eq!(semaphore.available_permits(), 2);
    });
}

/// What was done under a permit is visible to its next owner, however it came to it.
#[test]
fn one_permit_excludes_and_publishes() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let figure = Arc::new(Figure::default());
        let other = {
            let (semaphore, figure) = (Arc::clone(&semaphore), Arc::clone(&figure));
            thread::spawn(move || {
                let _permit = block_on(semaphore.acquire()).unwrap();
                figure.increase();
            })
        };
        {
            let _permit = block_on(semaphore.acquire()).unwrap();
            figure.increase();
        }
        other.join().unwrap();
        assert_eq!(figure.get(), 2);
    });
}

/// A request is fed by several releases, and sees what was done before each of them.
#[test]
fn large_request_gathers_permits_from_two_threads() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let figures = Arc::new([Figure::default(), Figure::default()]);
        let mut large = Box::pin(Arc::clone(&semaphore).acquire_many_owned(2));
        queue_up(large.as_mut());
        let releaser = {
            let (semaphore, figures) = (Arc::clone(&semaphore), Arc::clone(&figures));
            thread::spawn(move || {
                figures[0].increase();
                semaphore.add_permits(1);
            })
        };
        figures[1].increase();
        semaphore.add_permits(1);
        let permits = block_on(large).unwrap();
        assert_eq!(figures[0].get() + figures[1].get(), 2);
        drop(permits);
        releaser.join().unwrap();
        assert_eq!(semaphore.available_permits(), 2);
    });
}

/// A cancellation meets the release that would grant to it, before or after: the other waiter must be served.
#[test]
fn waiter_cancelled_during_a_release_strands_no_permit() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&semaphore).try_acquire_owned().unwrap();
        let (mut cancelled, mut served) = (pass(&semaphore, 1), pass(&semaphore, 1));
        queue_up(cancelled.as_mut());
        queue_up(served.as_mut());
        let releaser = thread::spawn(move || drop(permit));
        drop(cancelled);
        releaser.join().unwrap();
        expect_ready(served.as_mut()).unwrap();
        assert_eq!(semaphore.available_permits(), 1);
    });
}

/// A grant of two on its way is given up: it serves two who wait for one.
#[test]
fn waiter_cancelled_after_its_grant_passes_its_permits_on() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let (mut granted, mut next) = (pass(&semaphore, 2), pass(&semaphore, 1));
        queue_up(granted.as_mut());
        queue_up(next.as_mut());
        semaphore.add_permits(2);
        let canceller = thread::spawn(move || drop(granted));
        block_on(pass(&semaphore, 1)).unwrap();
        canceller.join().unwrap();
        expect_ready(next.as_mut()).unwrap();
        assert_eq!(semaphore.available_permits(), 2);
    });
}

/// A large request at the head holds up a smaller one; when it goes, nobody else comes by to grant.
#[test]
fn cancelled_large_request_lets_the_smaller_one_through() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let mut large = pass(&semaphore, 2);
        queue_up(large.as_mut());
        let small = pass(&semaphore, 1);
        let waiter = thread::spawn(|| block_on(small).unwrap());
        drop(large);
        waiter.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
    });
}

/// The same while a release comes in that might make the large request whole.
#[test]
fn large_request_cancelled_during_a_release_strands_no_permit() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(2));
        let permit = Arc::clone(&semaphore).try_acquire_owned().unwrap();
        let (mut large, mut small) = (pass(&semaphore, 2), pass(&semaphore, 1));
        queue_up(large.as_mut());
        queue_up(small.as_mut());
        let releaser = thread::spawn(move || drop(permit));
        drop(large);
        releaser.join().unwrap();
        expect_ready(small.as_mut()).unwrap();
        assert_eq!(semaphore.available_permits(), 2);
    });
}

/// A waiter joins or is turned away while the semaphore closes: it ends in every case.
#[test]
fn acquire_during_a_close_ends() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let work = pass(&semaphore, 1);
        let waiter = thread::spawn(|| block_on(work));
        semaphore.close();
        assert!(waiter.join().unwrap().is_err());
        assert_eq!(semaphore.statistics().waiting, 0);
    });
}

/// A grant and a close meet at a waiter: one of them decides, and the permit is in the count or in its hand.
#[test]
fn grant_that_meets_a_close_is_kept_or_stays_in_the_count() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let mut waiter = Box::pin(Arc::clone(&semaphore).acquire_owned());
        queue_up(waiter.as_mut());
        let closer = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || semaphore.close())
        };
        semaphore.add_permits(1);
        match block_on(waiter) {
            Ok(permit) => {
                assert_eq!(semaphore.available_permits(), 0);
                drop(permit);
            }
            Err(_) => assert!(semaphore.is_closed()),
        }
        closer.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
    });
}

/// A cancellation meets a close: the waiter leaves the list once.
#[test]
fn waiter_cancelled_during_a_close_leaves_once() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let mut waiters = [(); 2].map(|()| pass(&semaphore, 1));
        for waiter in &mut waiters {
            queue_up(waiter.as_mut());
        }
        let [cancelled, closed] = waiters;
        let canceller = thread::spawn(move || drop(cancelled));
        semaphore.close();
        assert!(block_on(closed).is_err());
        canceller.join().unwrap();
        assert_eq!(semaphore.statistics().waiting, 0);
    });
}

/// `try_acquire` takes the free path while a release may take that or the queue's.
#[test]
fn try_acquire_during_a_release_strands_nobody() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&semaphore).try_acquire_owned().unwrap();
        let work = pass(&semaphore, 1);
        let waiter = thread::spawn(|| block_on(work).unwrap());
        let releaser = thread::spawn(move || drop(permit));
        drop(semaphore.try_acquire());
        waiter.join().unwrap();
        releaser.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
    });
}

/// Permits are forgotten while others come in and a waiter takes some: none is counted twice.
#[test]
fn permits_forgotten_during_a_release_are_counted_once() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let mut waiter = pass(&semaphore, 1);
        queue_up(waiter.as_mut());
        let releaser = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || semaphore.add_permits(2))
        };
        let gone = semaphore.forget_permits(2);
        releaser.join().unwrap();
        assert!(gone <= 1, "one was granted in the step in which they came in");
        expect_ready(waiter.as_mut()).unwrap();
        assert_eq!(semaphore.available_permits() + gone, 2);
    });
}

/// The waker is replaced while the grant takes it: the new one must be called, or the poll must see the grant.
#[test]
fn waker_replaced_during_a_release_is_the_one_that_is_woken() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let mut waiter = pass(&semaphore, 1);
        queue_up(waiter.as_mut());
        let releaser = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || semaphore.add_permits(1))
        };
        loom::future::block_on(waiter).unwrap();
        releaser.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
    });
}
