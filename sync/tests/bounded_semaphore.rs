//! Behaviour of `BoundedSemaphore`: what it has beyond `Semaphore`, and that the rest is the same.
#![cfg(not(loom))]

mod common;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use common::{
    Random, Task, assert_not_impl, is_send, is_sync, now, on_drop, on_wake, panic_message, poll_once,
};
use sync::futures::{BoundedAcquire, BoundedAcquireOwned};
use sync::{BoundedPermit, BoundedSemaphore, OwnedBoundedPermit, TryAcquireError};

#[test]
fn types_are_send_and_sync() {
    is_send::<BoundedSemaphore>();
    is_sync::<BoundedSemaphore>();
    is_send::<BoundedPermit<'static>>();
    is_sync::<BoundedPermit<'static>>();
    is_send::<OwnedBoundedPermit>();
    is_sync::<OwnedBoundedPermit>();
    is_send::<BoundedAcquire<'static>>();
    is_send::<BoundedAcquireOwned>();
}
assert_not_impl!(BoundedAcquire<'static>: Unpin);
assert_not_impl!(BoundedAcquireOwned: Unpin);

/// Asserts that a release past the bound is refused, and that nothing came of it.
#[track_caller]
fn assert_refuses(semaphore: &BoundedSemaphore, n: usize) {
    let before = semaphore.statistics();
    assert!(semaphore.release(n).is_err(), "{semaphore:?} took {n}");
    assert_eq!(semaphore.statistics(), before);
}

#[test]
fn nothing_is_released_past_the_bound_whoever_holds_the_permits() {
    let semaphore = BoundedSemaphore::new(2);
    assert_eq!(semaphore.bound(), 2);
    assert_refuses(&semaphore, 1);
    let one = semaphore.try_acquire().unwrap();
    assert_refuses(&semaphore, 1);
    let two = semaphore.try_acquire().unwrap();
    assert_refuses(&semaphore, 1);
    let mut waiter = Task::waiting(semaphore.acquire());
    assert_refuses(&semaphore, 1);
    waiter.assert_waits();
    drop(one);
    // On its way to the waiter a permit is held too.
    assert_refuses(&semaphore, 1);
    drop((two, waiter.woken()));
    assert_refuses(&semaphore, 1);
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn forgotten_permits_can_be_released_once() {
    let semaphore = Arc::new(BoundedSemaphore::new(10));
    now(semaphore.acquire_many(3)).unwrap().forget();
    now(Arc::clone(&semaphore).acquire_many_owned(2)).unwrap().forget();
    assert_eq!(semaphore.forget_permits(1), 1);
    let mut part = now(semaphore.acquire_many(4)).unwrap();
    part.split(1).unwrap().forget();
    assert_eq!(semaphore.available_permits(), 0);
    assert_eq!(semaphore.forget_permits(usize::MAX), 0);
    assert_refuses(&semaphore, 8);
    assert_eq!(semaphore.release(5), Ok(()));
    assert_refuses(&semaphore, 3);
    assert_eq!(semaphore.release(2), Ok(()));
    assert_refuses(&semaphore, 1);
    assert_eq!(semaphore.available_permits(), 7);
    drop(part);
    assert_eq!(semaphore.available_permits(), semaphore.bound());
    assert_refuses(&semaphore, 1);
}

#[test]
fn released_permits_go_to_those_who_wait_in_their_order() {
    let semaphore = BoundedSemaphore::new(3);
    now(semaphore.acquire_many(3)).unwrap().forget();
    let mut tasks: Vec<_> = [2, 1].map(|n| Task::waiting(semaphore.acquire_many(n))).into();
    semaphore.release(1).unwrap();
    tasks[0].assert_waits();
    tasks[1].assert_waits();
    semaphore.release(1).unwrap();
    let two = tasks[0].woken().unwrap();
    tasks[1].assert_waits();
    semaphore.release(1).unwrap();
    drop((two, tasks[1].woken()));
    assert_refuses(&semaphore, 1);
}

#[test]
fn permits_that_a_cancelled_wait_had_been_granted_are_not_forgotten() {
    let semaphore = BoundedSemaphore::new(2);
    let permits = semaphore.try_acquire_many(2).unwrap();
    let queued = Task::waiting(semaphore.acquire_many(2));
    let granted = Task::waiting(semaphore.acquire());
    drop(queued);
    drop(permits);
    assert_eq!(granted.wakes(), 1);
    drop(granted);
    assert_eq!(semaphore.available_permits(), 2);
    assert_refuses(&semaphore, 1);
}

#[test]
fn releasing_nothing_is_always_right() {
    let semaphore = BoundedSemaphore::new(0);
    assert_eq!(semaphore.release(0), Ok(()));
    assert_refuses(&semaphore, 1);
    assert_refuses(&semaphore, usize::MAX);
    semaphore.close();
    assert_eq!(semaphore.release(0), Ok(()));
}

#[test]
fn extremes_neither_overflow_nor_pass_the_bound() {
    let semaphore = BoundedSemaphore::new(BoundedSemaphore::MAX_PERMITS);
    assert_refuses(&semaphore, usize::MAX);
    let most = u32::try_from(BoundedSemaphore::MAX_PERMITS).unwrap_or(u32::MAX);
    now(semaphore.acquire_many(most)).unwrap().forget();
    assert_refuses(&semaphore, most as usize + 1);
    assert_refuses(&semaphore, usize::MAX);
    assert_eq!(semaphore.forget_permits(usize::MAX), BoundedSemaphore::MAX_PERMITS - most as usize);
    assert_eq!(semaphore.available_permits(), 0);
    assert_refuses(&semaphore, BoundedSemaphore::MAX_PERMITS + 1);
    semaphore.release(BoundedSemaphore::MAX_PERMITS).unwrap();
    assert_eq!(semaphore.available_permits(), BoundedSemaphore::MAX_PERMITS);
    let message = panic_message(|| _ = BoundedSemaphore::new(BoundedSemaphore::MAX_PERMITS + 1));
    assert!(message.contains("BoundedSemaphore::new"), "{message}");
}

#[test]
fn error_says_what_was_asked_and_what_there_was() {
    let semaphore = BoundedSemaphore::new(3);
    now(semaphore.acquire()).unwrap().forget();
    let message = semaphore.release(2).unwrap_err().to_string();
    assert!(message.contains("releasing 2") && message.contains("only 1"), "{message}");
}

#[test]
fn closing_ends_every_wait_and_permits_may_still_come_back() {
    let semaphore = Arc::new(BoundedSemaphore::new(1));
    let permit = semaphore.try_acquire().unwrap();
    let mut borrowed = Task::waiting(semaphore.acquire());
    let mut owned = Task::waiting(Arc::clone(&semaphore).acquire_owned());
    semaphore.close();
    assert!(semaphore.is_closed());
    assert!(borrowed.woken().is_err());
    assert!(owned.woken().is_err());
    assert!(now(semaphore.acquire_many(0)).is_err());
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
    assert_refuses(&semaphore, 1);
    permit.forget();
    semaphore.release(1).unwrap();
    let statistics = semaphore.statistics();
    assert_eq!(
        (statistics.available, statistics.waiting, statistics.closed, statistics.bound),
        (1, 0, true, 1)
    );
}

#[test]
fn every_way_to_acquire_works_and_merges_with_its_like() {
    let semaphore = Arc::new(BoundedSemaphore::const_new(8).with_name("bounded"));
    let mut permit = now(semaphore.acquire()).unwrap();
    permit.merge(now(semaphore.acquire_many(2)).unwrap());
    permit.merge(semaphore.try_acquire().unwrap());
    permit.merge(semaphore.try_acquire_many(3).unwrap());
    assert_eq!((permit.num_permits(), semaphore.available_permits()), (7, 1));
    assert!(permit.split(8).is_none());
    assert!(std::ptr::eq(permit.semaphore(), &*semaphore));
    assert_eq!(format!("{permit:?}"), "BoundedPermit { permits: 7, .. }");
    drop(permit);

    let owner = || Arc::clone(&semaphore);
    let mut owned = now(owner().acquire_owned()).unwrap();
    owned.merge(now(owner().acquire_many_owned(2)).unwrap());
    owned.merge(owner().try_acquire_owned().unwrap());
    owned.merge(owner().try_acquire_many_owned(3).unwrap());
    assert_eq!((owned.num_permits(), semaphore.available_permits()), (7, 1));
    assert!(Arc::ptr_eq(owned.semaphore(), &semaphore));
    assert_eq!(owned.split(7).unwrap().num_permits(), 7);
    assert_eq!(format!("{owned:?}"), "OwnedBoundedPermit { permits: 0, .. }");
    drop(owned);
    assert_eq!(Arc::strong_count(&semaphore), 1);
    assert_eq!(format!("{semaphore:?}"), "BoundedSemaphore { available: 8, bound: 8, closed: false, .. }");
    assert_eq!(format!("{:?}", semaphore.acquire_many(2)), "BoundedAcquire { permits: 2, .. }");
    assert_eq!(format!("{:?}", owner().acquire_owned()), "BoundedAcquireOwned { permits: 1, .. }");
}

#[test]
fn merge_of_two_semaphores_panics_and_loses_no_permit() {
    let (left, right) = (Arc::new(BoundedSemaphore::new(1)), Arc::new(BoundedSemaphore::new(1)));
    let mut permit = left.try_acquire().unwrap();
    let message = panic_message(|| permit.merge(right.try_acquire().unwrap()));
    assert!(message.contains("BoundedPermit::merge: the 1 permits"), "{message}");
    drop(permit);
    let mut permit = Arc::clone(&left).try_acquire_owned().unwrap();
    let message = panic_message(|| permit.merge(Arc::clone(&right).try_acquire_owned().unwrap()));
    assert!(message.contains("OwnedBoundedPermit::merge"), "{message}");
    drop(permit);
    assert_eq!((left.available_permits(), right.available_permits()), (1, 1));
}

#[test]
fn semaphores_made_in_statics_work() {
    static SEMAPHORE: BoundedSemaphore = BoundedSemaphore::new(1).with_name("static");
    SEMAPHORE.try_acquire().unwrap().forget();
    SEMAPHORE.release(1).unwrap();
    assert_refuses(&SEMAPHORE, 1);
}

#[test]
fn poll_after_ready_panics_and_takes_nothing() {
    let semaphore = Arc::new(BoundedSemaphore::new(1));
    let mut borrowed = Task::new(semaphore.acquire());
    drop(borrowed.ready());
    assert!(panic_message(|| drop(borrowed.poll())).contains("polled after it was ready"));
    let mut owned = Task::new(Arc::clone(&semaphore).acquire_owned());
    drop(owned.ready());
    assert!(panic_message(|| drop(owned.poll())).contains("polled after it was ready"));
    drop((borrowed, owned));
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn wakers_that_panic_or_release_keep_the_bound() {
    let semaphore = Arc::new(BoundedSemaphore::new(2));
    now(semaphore.acquire_many(2)).unwrap().forget();
    let mut bad = Task::new(semaphore.acquire());
    assert!(bad.poll_with(&on_wake(|| panic!("bad waker"))).is_pending());
    assert_eq!(panic_message(|| semaphore.release(1).unwrap()), "bad waker");
    assert_refuses(&semaphore, 2);
    let mut releasing = Task::new(semaphore.acquire());
    let waker = {
        let semaphore = Arc::clone(&semaphore);
        on_wake(move || assert!(semaphore.release(1).is_err(), "the last one is on its way"))
    };
    assert!(releasing.poll_with(&waker).is_pending());
    semaphore.release(1).unwrap();
    let mut dropped = Task::new(semaphore.acquire());
    assert!(dropped.poll_with(&on_drop(|| panic!("bad drop"))).is_pending());
    assert_eq!(panic_message(|| drop(dropped)), "bad drop");
    drop((bad.ready(), releasing.ready()));
    assert_eq!(semaphore.available_permits(), 2);
    assert_refuses(&semaphore, 1);
}

#[test]
fn random_steps_agree_with_a_plain_model() {
    for seed in 0..20 {
        const BOUND: usize = 4;
        let semaphore = BoundedSemaphore::new(BOUND);
        let mut random = Random(seed);
        let (mut count, mut forgotten) = (BOUND, 0);
        let mut held: Vec<BoundedPermit<'_>> = Vec::new();
        let mut queue: VecDeque<(u32, Task<BoundedAcquire<'_>>)> = VecDeque::new();
        for _ in 0..2_000 {
            match random.below(7) {
                0 | 1 => {
                    let n = random.below(BOUND) as u32 + 1;
                    let mut task = Task::new(semaphore.acquire_many(n));
                    match task.poll() {
                        Poll::Ready(permit) => {
                            assert!(queue.is_empty() && count >= n as usize);
                            count -= n as usize;
                            held.push(permit.unwrap());
                        }
                        Poll::Pending => queue.push_back((n, task)),
                    }
                }
                2 if !queue.is_empty() => drop(queue.remove(random.below(queue.len()))),
                3 if !held.is_empty() => {
                    let permit = held.swap_remove(random.below(held.len()));
                    count += permit.num_permits();
                    drop(permit);
                }
                4 if !held.is_empty() => {
                    let permit = held.swap_remove(random.below(held.len()));
                    forgotten += permit.num_permits();
                    permit.forget();
                }
                5 => {
                    let gone = semaphore.forget_permits(random.below(2));
                    count -= gone;
                    forgotten += gone;
                }
                _ => {
                    let n = random.below(BOUND);
                    assert_eq!(semaphore.release(n).is_ok(), n <= forgotten);
                    if n <= forgotten {
                        forgotten -= n;
                        count += n;
                    }
                }
            }
            while queue.front().is_some_and(|(n, _)| *n as usize <= count) {
                let (n, mut task) = queue.pop_front().unwrap();
                count -= n as usize;
                held.push(task.woken().unwrap());
            }
            let in_hands: usize = held.iter().map(BoundedPermit::num_permits).sum();
            assert_eq!(count + in_hands + forgotten, BOUND);
            assert_eq!(semaphore.available_permits(), count);
            assert_eq!(semaphore.statistics().waiting, queue.len());
        }
    }
}

/// Threads forget, and race to release what all of them forgot: nobody releases what is not there.
#[test]
fn hammer_with_forgetting_and_releasing_keeps_the_bound() {
    const BOUND: usize = 3;
    let semaphore = BoundedSemaphore::new(BOUND);
    let (forgotten, released) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let (semaphore, forgotten, released) = (&semaphore, &forgotten, &released);
            scope.spawn(move || {
                let mut random = Random(seed);
                for _ in 0..20_000 {
                    if let Poll::Ready(permit) = poll_once(std::pin::pin!(semaphore.acquire()))
                        && random.below(2) == 0
                    {
                        forgotten.fetch_add(1, Ordering::SeqCst);
                        permit.unwrap().forget();
                    }
                    let n = random.below(BOUND) + 1;
                    if semaphore.release(n).is_ok() {
                        let so_far = released.fetch_add(n, Ordering::SeqCst) + n;
                        assert!(so_far <= forgotten.load(Ordering::SeqCst));
                    }
                    assert!(semaphore.available_permits() <= BOUND);
                }
            });
        }
    });
    let left = forgotten.load(Ordering::SeqCst) - released.load(Ordering::SeqCst);
    assert_refuses(&semaphore, left + 1);
    semaphore.release(left).unwrap();
    assert_eq!(semaphore.available_permits(), BOUND);
}
