//! Behaviour of `Semaphore`, poll by poll, and under several tasks with cancellations.
#![cfg(not(loom))]

mod common;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Poll, RawWaker, RawWakerVTable, Waker};

use common::{
    Random, Task, assert_not_impl, is_send, is_sync, now, on_drop, on_wake, panic_message, poll_once,
};
use sync::futures::{Acquire, AcquireOwned};
use sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError};

#[test]
fn types_are_send_and_sync_as_tokios_are() {
    is_send::<Semaphore>();
    is_sync::<Semaphore>();
    is_send::<SemaphorePermit<'static>>();
    is_sync::<SemaphorePermit<'static>>();
    is_send::<OwnedSemaphorePermit>();
    is_sync::<OwnedSemaphorePermit>();
    is_send::<Acquire<'static>>();
    is_send::<AcquireOwned>();
}
assert_not_impl!(Acquire<'static>: Unpin);
assert_not_impl!(AcquireOwned: Unpin);

#[test]
fn permits_are_granted_in_the_order_of_first_polls() {
    let semaphore = Semaphore::new(0);
    let mut tasks: Vec<_> = (0..5).map(|_| Task::waiting(semaphore.acquire())).collect();
    let mut permits = Vec::new();
    for i in 0..tasks.len() {
        semaphore.add_permits(1);
        for later in &mut tasks[i + 1..] {
            later.assert_waits();
        }
        permits.push(tasks[i].woken().unwrap());
    }
    assert_eq!(semaphore.available_permits(), 0);
    drop(permits);
    assert_eq!(semaphore.available_permits(), 5);
}

#[test]
fn one_release_serves_as_many_as_it_suffices_for() {
    let semaphore = Semaphore::new(0);
    let mut tasks: Vec<_> = [2, 1, 3, 1].map(|n| Task::waiting(semaphore.acquire_many(n))).into();
    semaphore.add_permits(5);
    let first = tasks[0].woken().unwrap();
    let second = tasks[1].woken().unwrap();
    tasks[2].assert_waits();
    tasks[3].assert_waits();
    assert_eq!(semaphore.available_permits(), 2);
    drop(second);
    drop(tasks[2].woken());
    drop(tasks[3].woken());
    drop(first);
    assert_eq!(semaphore.available_permits(), 5);
}

#[test]
fn more_waiters_than_a_batch_are_all_served_by_one_release() {
    let semaphore = Semaphore::new(0);
    let mut tasks: Vec<_> = (0..100).map(|_| Task::waiting(semaphore.acquire())).collect();
    semaphore.add_permits(99);
    for task in &mut tasks[..99] {
        task.woken().unwrap().forget();
    }
    tasks[99].assert_waits();
    assert_eq!(semaphore.available_permits(), 0);
}

#[test]
fn large_request_at_the_head_holds_smaller_ones_up() {
    let semaphore = Semaphore::new(2);
    let mut large = Task::waiting(semaphore.acquire_many(3));
    let mut small = Task::waiting(semaphore.acquire());
    assert_eq!(semaphore.available_permits(), 2);
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    small.assert_waits();
    semaphore.add_permits(1);
    drop(large.woken());
    drop(small.woken());
    assert_eq!(semaphore.available_permits(), 3);
}

#[test]
fn cancelled_large_request_lets_smaller_ones_through() {
    let semaphore = Semaphore::new(2);
    let large = Task::waiting(semaphore.acquire_many(3));
    let mut small: Vec<_> = (0..3).map(|_| Task::waiting(semaphore.acquire())).collect();
    drop(large);
    let first = small[0].woken().unwrap();
    drop(small[1].woken());
    drop(small[2].woken());
    drop(first);
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn dropped_waiter_leaves_the_queue_wherever_it_stands() {
    for gone in 0..3 {
        let semaphore = Semaphore::new(0);
        let mut tasks: Vec<_> = (0..3).map(|_| Task::waiting(semaphore.acquire())).collect();
        drop(tasks.remove(gone));
        assert_eq!(semaphore.statistics().waiting, 2);
        semaphore.add_permits(1);
        drop(tasks[0].woken());
        drop(tasks[1].woken());
        assert_eq!(semaphore.statistics().waiting, 0);
        assert_eq!(semaphore.available_permits(), 1);
    }
}

#[test]
fn dropped_waiter_passes_its_permits_on() {
    let semaphore = Semaphore::new(0);
    let granted = Task::waiting(semaphore.acquire_many(2));
    let mut others: Vec<_> = (0..2).map(|_| Task::waiting(semaphore.acquire())).collect();
    semaphore.add_permits(2);
    assert_eq!(granted.wakes(), 1);
    drop(granted);
    let permits: Vec<_> = others.iter_mut().map(|task| task.woken().unwrap()).collect();
    assert_eq!(semaphore.available_permits(), 0);
    drop(permits);
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn nobody_overtakes_between_a_release_and_the_poll_of_the_next() {
    let semaphore = Semaphore::new(1);
    let permit = semaphore.try_acquire().unwrap();
    let mut next = Task::waiting(semaphore.acquire());
    drop(permit);
    assert_eq!(semaphore.available_permits(), 0);
    assert!(semaphore.try_acquire().is_err());
    drop(next.woken());
    assert!(semaphore.try_acquire().is_ok());
}

#[test]
fn zero_permits_are_ready_at_once_whoever_waits() {
    let semaphore = Arc::new(Semaphore::new(0));
    let _waiter = Task::waiting(semaphore.acquire());
    assert_eq!(now(semaphore.acquire_many(0)).unwrap().num_permits(), 0);
    assert_eq!(now(Arc::clone(&semaphore).acquire_many_owned(0)).unwrap().num_permits(), 0);
    assert_eq!(semaphore.try_acquire_many(0).unwrap().num_permits(), 0);
    semaphore.close();
    assert!(now(semaphore.acquire_many(0)).is_err());
}

#[test]
fn close_ends_every_wait_and_keeps_a_grant_on_its_way() {
    let semaphore = Semaphore::new(0);
    let mut granted = Task::waiting(semaphore.acquire());
    let mut waiting: Vec<_> = (0..70).map(|_| Task::waiting(semaphore.acquire())).collect();
    semaphore.add_permits(1);
    semaphore.close();
    assert!(semaphore.is_closed());
    for task in &mut waiting {
        assert_eq!(task.woken().unwrap_err().to_string(), "the semaphore is closed");
    }
    let permit = granted.woken().unwrap();
    assert!(now(semaphore.acquire()).is_err());
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
    drop(permit);
    let statistics = semaphore.statistics();
    assert_eq!((statistics.available, statistics.waiting, statistics.closed), (1, 0, true));
    semaphore.close();
}

#[test]
fn dropped_grant_and_dropped_refusal_of_a_closed_semaphore_keep_the_count() {
    let semaphore = Semaphore::new(0);
    let granted = Task::waiting(semaphore.acquire());
    let refused = Task::waiting(semaphore.acquire());
    semaphore.add_permits(1);
    semaphore.close();
    drop(refused);
    drop(granted);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn permits_that_come_in_while_it_closes_go_to_nobody() {
    let semaphore = Arc::new(Semaphore::new(0));
    let mut first = Task::new(semaphore.acquire());
    let waker = {
        let semaphore = Arc::clone(&semaphore);
        on_wake(move || {
            assert!(semaphore.is_closed());
            semaphore.add_permits(100);
        })
    };
    assert!(first.poll_with(&waker).is_pending());
    let mut others: Vec<_> = (0..100).map(|_| Task::waiting(semaphore.acquire())).collect();
    semaphore.close();
    assert!(first.ready().is_err());
    for task in &mut others {
        assert!(task.woken().is_err());
    }
    assert_eq!(semaphore.available_permits(), 100);
}

#[test]
fn as_many_permits_as_fit_and_no_more() {
    let semaphore = Semaphore::new(Semaphore::MAX_PERMITS);
    assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS);
    let message = panic_message(|| semaphore.add_permits(1));
    assert!(message.contains("Semaphore::add_permits(1)"), "{message}");
    assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS);
    let most = u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX);
    let permit = now(semaphore.acquire_many(most)).unwrap();
    assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS - most as usize);
    let message = panic_message(|| semaphore.add_permits(usize::MAX));
    assert!(message.contains("Semaphore::add_permits"), "{message}");
    drop(permit);
    assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS);
    let message = panic_message(|| _ = Semaphore::new(Semaphore::MAX_PERMITS + 1));
    assert!(message.contains("Semaphore::new"), "{message}");
}

#[test]
fn too_many_added_permits_are_refused_while_somebody_waits() {
    let semaphore = Semaphore::new(3);
    let mut waiter = Task::waiting(semaphore.acquire_many(5));
    let message = panic_message(|| semaphore.add_permits(Semaphore::MAX_PERMITS - 2));
    assert!(message.contains("Semaphore::add_permits"), "{message}");
    assert_eq!(semaphore.available_permits(), 3);
    waiter.assert_waits();
    semaphore.add_permits(2);
    drop(waiter.woken());
}

#[test]
fn permits_kept_for_a_large_request_can_be_forgotten() {
    let semaphore = Semaphore::new(3);
    let mut large = Task::waiting(semaphore.acquire_many(5));
    assert_eq!(semaphore.forget_permits(2), 2);
    assert_eq!(semaphore.available_permits(), 1);
    semaphore.add_permits(2);
    large.assert_waits();
    semaphore.add_permits(2);
    drop(large.woken());
    assert_eq!(semaphore.forget_permits(usize::MAX), 5);
    assert_eq!(semaphore.forget_permits(1), 0);
}

#[test]
fn permits_can_be_forgotten_merged_and_split() {
    let semaphore = Arc::new(Semaphore::new(10));
    let mut permit = now(semaphore.acquire_many(5)).unwrap();
    let three = permit.split(3).unwrap();
    assert!(permit.split(3).is_none());
    assert_eq!((permit.num_permits(), three.num_permits()), (2, 3));
    permit.merge(three);
    assert_eq!(permit.num_permits(), 5);
    assert!(std::ptr::eq(permit.semaphore(), &*semaphore));
    permit.split(1).unwrap().forget();
    drop(permit);
    assert_eq!(semaphore.available_permits(), 9);

    let mut owned = now(Arc::clone(&semaphore).acquire_many_owned(4)).unwrap();
    let two = owned.split(2).unwrap();
    assert!(owned.split(3).is_none());
    owned.merge(two);
    assert!(Arc::ptr_eq(owned.semaphore(), &semaphore));
    owned.split(1).unwrap().forget();
    drop(owned);
    assert_eq!(semaphore.available_permits(), 8);
}

#[test]
fn merge_of_two_semaphores_panics_and_loses_no_permit() {
    let (left, right) = (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(1)));
    let mut permit = left.try_acquire().unwrap();
    let message = panic_message(|| permit.merge(right.try_acquire().unwrap()));
    assert!(message.contains("SemaphorePermit::merge"), "{message}");
    drop(permit);
    let mut permit = Arc::clone(&left).try_acquire_owned().unwrap();
    let message = panic_message(|| permit.merge(Arc::clone(&right).try_acquire_owned().unwrap()));
    assert!(message.contains("OwnedSemaphorePermit::merge"), "{message}");
    drop(permit);
    assert_eq!((left.available_permits(), right.available_permits()), (1, 1));
}

#[test]
fn owned_permits_keep_their_semaphore_alive() {
    let semaphore = Arc::new(Semaphore::new(2));
    let permits = Arc::clone(&semaphore).try_acquire_many_owned(2).unwrap();
    assert!(Arc::clone(&semaphore).try_acquire_owned().is_err());
    let mut waiter = Task::waiting(Arc::clone(&semaphore).acquire_owned());
    drop(semaphore);
    drop(permits);
    let permit = waiter.woken().unwrap();
    drop(waiter);
    assert_eq!(permit.semaphore().available_permits(), 1);
}

#[test]
fn semaphores_made_in_statics_work() {
    static PLAIN: Semaphore = Semaphore::new(1);
    static NAMED: Semaphore = Semaphore::const_new(2).with_name("named");
    let _permit = PLAIN.try_acquire().unwrap();
    assert_eq!((PLAIN.available_permits(), NAMED.available_permits()), (0, 2));
}

#[test]
fn debug_shows_counts() {
    let semaphore = Arc::new(Semaphore::new(3));
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 3, closed: false, .. }");
    let permit = semaphore.try_acquire_many(2).unwrap();
    assert_eq!(format!("{permit:?}"), "SemaphorePermit { permits: 2, .. }");
    let owned = Arc::clone(&semaphore).try_acquire_owned().unwrap();
    assert_eq!(format!("{owned:?}"), "OwnedSemaphorePermit { permits: 1, .. }");
    assert_eq!(format!("{:?}", semaphore.acquire_many(4)), "Acquire { permits: 4, .. }");
    let future = Arc::clone(&semaphore).acquire_owned();
    assert_eq!(format!("{future:?}"), "AcquireOwned { permits: 1, .. }");
    semaphore.close();
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 0, closed: true, .. }");
}

#[test]
fn poll_after_ready_panics_and_takes_nothing() {
    let semaphore = Arc::new(Semaphore::new(1));
    let mut borrowed = Task::new(semaphore.acquire());
    drop(borrowed.ready());
    assert!(panic_message(|| drop(borrowed.poll())).contains("polled after it was ready"));
    let mut owned = Task::new(Arc::clone(&semaphore).acquire_owned());
    drop(owned.ready());
    assert!(panic_message(|| drop(owned.poll())).contains("polled after it was ready"));
    semaphore.close();
    let mut refused = Task::new(Arc::clone(&semaphore).acquire_owned());
    assert!(refused.ready().is_err());
    assert!(panic_message(|| drop(refused.poll())).contains("polled after it was ready"));
    drop((borrowed, owned, refused));
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn wakers_that_panic_keep_nobody_from_being_woken() {
    let semaphore = Semaphore::new(0);
    let mut bad: Vec<_> = (0..3).map(|_| Task::new(semaphore.acquire())).collect();
    let mut good = Vec::new();
    for (i, task) in bad.iter_mut().enumerate() {
        assert!(task.poll_with(&on_wake(move || panic!("bad waker {i}"))).is_pending());
        good.extend((0..20).map(|_| Task::waiting(semaphore.acquire())));
    }
    assert_eq!(panic_message(|| semaphore.add_permits(63)), "bad waker 0");
    for task in &mut good {
        task.woken().unwrap().forget();
    }
    for task in &mut bad {
        task.ready().unwrap().forget();
    }
    assert_eq!(semaphore.available_permits(), 0);
}

#[test]
fn waker_may_release_and_acquire_when_it_is_woken() {
    let semaphore = Arc::new(Semaphore::new(0));
    let mut first = Task::new(semaphore.acquire());
    let waker = {
        let semaphore = Arc::clone(&semaphore);
        on_wake(move || {
            semaphore.add_permits(1);
            assert!(now(semaphore.acquire_many(0)).is_ok());
        })
    };
    assert!(first.poll_with(&waker).is_pending());
    let mut second = Task::waiting(semaphore.acquire());
    semaphore.add_permits(1);
    first.ready().unwrap().forget();
    second.woken().unwrap().forget();
}

#[test]
fn waker_whose_drop_panics_does_not_keep_a_permit() {
    let semaphore = Semaphore::new(1);
    let mut large = Task::new(semaphore.acquire_many(2));
    assert!(large.poll_with(&on_drop(|| panic!("bad drop"))).is_pending());
    let mut small = Task::waiting(semaphore.acquire());
    assert_eq!(panic_message(|| drop(large)), "bad drop");
    drop(small.woken());
    assert_eq!(semaphore.available_permits(), 1);
}

/// A permit comes in while the waker is cloned, between the look at the count and the queue; and the clone, which is
/// not needed then, panics when it is dropped.
#[test]
fn unneeded_waker_whose_drop_panics_does_not_keep_a_permit() {
    static SEMAPHORE: Semaphore = Semaphore::const_new(0);
    static CLONED: AtomicBool = AtomicBool::new(false);
    fn clone(_: *const ()) -> RawWaker {
        SEMAPHORE.add_permits(1);
        CLONED.store(true, Ordering::SeqCst);
        RawWaker::new(std::ptr::null(), &VTABLE)
    }
    fn drop_once(_: *const ()) {
        if CLONED.swap(false, Ordering::SeqCst) {
            panic!("bad drop");
        }
    }
    static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, |_| (), |_| (), drop_once);
    // SAFETY: the functions use nothing of the pointer, and may be called from any thread.
    let waker = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) };
    let mut task = Task::new(SEMAPHORE.acquire());
    assert_eq!(panic_message(|| drop(task.poll_with(&waker))), "bad drop");
    drop(task);
    assert_eq!(SEMAPHORE.available_permits(), 1);
}

#[test]
fn hundred_thousand_waiters_leave_in_any_order() {
    let semaphore = Semaphore::new(0);
    let mut waiters: Vec<Pin<Box<_>>> = (0..100_000).map(|_| Box::pin(semaphore.acquire())).collect();
    for waiter in &mut waiters {
        assert!(poll_once(waiter.as_mut()).is_pending());
    }
    Random(3).shuffle(&mut waiters);
    for (i, waiter) in waiters.into_iter().enumerate() {
        drop(waiter);
        if i % 9_999 == 0 {
            assert_eq!(semaphore.statistics().waiting, 99_999 - i);
        }
    }
    assert_eq!(semaphore.statistics().waiting, 0);
}

#[test]
fn random_steps_agree_with_a_plain_model() {
    for seed in 0..20 {
        let semaphore = Semaphore::new(3);
        let mut random = Random(seed);
        let mut count = 3;
        let mut held: Vec<SemaphorePermit<'_>> = Vec::new();
        let mut queue: VecDeque<(u32, Task<Acquire<'_>>)> = VecDeque::new();
        for _ in 0..2_000 {
            match random.below(6) {
                0 | 1 => {
                    let n = random.below(5) as u32 + 1;
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
                4 if count > 2 => {
                    assert_eq!(semaphore.forget_permits(1), 1);
                    count -= 1;
                }
                _ if random.below(8) == 0 => {
                    semaphore.add_permits(1);
                    count += 1;
                }
                _ => assert_eq!(semaphore.try_acquire_many(9).is_ok(), queue.is_empty() && count >= 9),
            }
            while queue.front().is_some_and(|(n, _)| *n as usize <= count) {
                let (n, mut task) = queue.pop_front().unwrap();
                count -= n as usize;
                held.push(task.woken().unwrap());
            }
            for (_, task) in &queue {
                assert_eq!(task.wakes(), 0);
            }
            assert_eq!(semaphore.available_permits(), count);
            assert_eq!(semaphore.statistics().waiting, queue.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hammer_with_cancellations_conserves_permits() {
    const PERMITS: usize = 5;
    let semaphore = Arc::new(Semaphore::new(PERMITS));
    let inside = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..8)
        .map(|seed| {
            let (semaphore, inside) = (Arc::clone(&semaphore), Arc::clone(&inside));
            tokio::spawn(async move {
                let mut random = Random(seed);
                for _ in 0..4_000 {
                    let n = random.below(PERMITS) + 1;
                    let permit = match random.below(5) {
                        0 => match poll_once(Box::pin(semaphore.acquire_many(n as u32)).as_mut()) {
                            Poll::Ready(permit) => permit.unwrap(),
                            Poll::Pending => continue,
                        },
                        1 => {
                            let mut future = Box::pin(semaphore.acquire_many(n as u32));
                            let early = poll_once(future.as_mut());
                            tokio::task::yield_now().await;
                            match early {
                                Poll::Ready(permit) => permit.unwrap(),
                                Poll::Pending => match poll_once(future.as_mut()) {
                                    Poll::Ready(permit) => permit.unwrap(),
                                    Poll::Pending => continue,
                                },
                            }
                        }
                        2 => match semaphore.try_acquire_many(n as u32) {
                            Ok(permit) => permit,
                            Err(_) => continue,
                        },
                        _ => semaphore.acquire_many(n as u32).await.unwrap(),
                    };
                    let before = inside.fetch_add(n, Ordering::SeqCst);
                    assert!(before + n <= PERMITS);
                    if random.below(4) == 0 {
                        tokio::task::yield_now().await;
                    }
                    inside.fetch_sub(n, Ordering::SeqCst);
                    drop(permit);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(semaphore.available_permits(), PERMITS);
    assert_eq!(semaphore.statistics().waiting, 0);
}

/// The future of a semaphore is of use in a trait object too.
#[test]
fn futures_can_be_boxed() {
    let semaphore = Arc::new(Semaphore::new(1));
    let future: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(Arc::clone(&semaphore).acquire_owned());
    assert!(now(future).is_ok());
}
