//! Poll by poll.

use std::sync::Arc;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sync::futures::{BarrierWait, BarrierWaitOwned};
use sync::{Barrier, BarrierError, BarrierWaitResult};

use crate::common::{Task, assert_not_impl, is_send, is_sync, now, on_wake, panic_message};
use crate::{arrive, assert_broken, assert_leads, assert_released, index};

#[test]
fn types_are_send_and_sync() {
    is_send::<Barrier>();
    is_sync::<Barrier>();
    is_send::<BarrierWait<'static>>();
    is_sync::<BarrierWait<'static>>();
    is_send::<BarrierWaitOwned>();
    is_sync::<BarrierWaitOwned>();
    is_send::<BarrierWaitResult>();
    is_sync::<BarrierWaitResult>();
    is_send::<BarrierError>();
    is_sync::<BarrierError>();
}
assert_not_impl!(BarrierWait<'static>: Unpin);
assert_not_impl!(BarrierWaitOwned: Unpin);

#[test]
fn barrier_of_one_never_waits() {
    let barrier = Arc::new(Barrier::new(1));
    for _ in 0..3 {
        assert_leads(&barrier);
        assert_eq!(index(now(Arc::clone(&barrier).wait_owned())), 0);
    }
}

#[test]
fn phases_of_any_size_follow_each_other() {
    for parties in [1, 2, 3, 32, 33, 34, 65, 1000] {
        let barrier = Barrier::new(parties);
        for _ in 0..3 {
            let mut tasks = arrive(&barrier, parties - 1);
            assert_eq!(barrier.waiting(), parties - 1);
            assert_leads(&barrier);
            assert_released(&mut tasks, 0);
        }
    }
}

#[test]
fn waiters_are_woken_in_the_order_of_their_first_polls() {
    const N: usize = 100;
    let barrier = Barrier::new(N + 1);
    let order = Arc::new(StdMutex::new(Vec::new()));
    let mut tasks: Vec<_> = (0..N).map(|_| Task::new(barrier.wait())).collect();
    for (i, task) in tasks.iter_mut().enumerate().rev() {
        let order = Arc::clone(&order);
        assert!(task.poll_with(&on_wake(move || order.lock().unwrap().push(i))).is_pending());
    }
    assert_leads(&barrier);
    assert_eq!(*order.lock().unwrap(), (0..N).rev().collect::<Vec<_>>());
    for (i, task) in tasks.iter_mut().enumerate() {
        assert_eq!(index(task.ready()), N - 1 - i);
    }
}

#[test]
fn wait_that_was_never_polled_does_not_count() {
    let barrier = Barrier::new(2);
    let unpolled = barrier.wait();
    assert_eq!(barrier.waiting(), 0);
    let mut task = Task::waiting(barrier.wait());
    drop(unpolled);
    task.assert_waits();
    assert_leads(&barrier);
    assert_eq!(index(task.woken()), 0);
}

#[test]
fn newcomers_after_a_release_belong_to_the_next_phase() {
    let barrier = Barrier::new(3);
    let mut released = arrive(&barrier, 2);
    assert_leads(&barrier);
    let mut newcomers = arrive(&barrier, 2);
    assert_eq!(barrier.waiting(), 2);
    assert_released(&mut released, 0);
    newcomers.iter_mut().for_each(Task::assert_waits);
    assert_leads(&barrier);
    assert_released(&mut newcomers, 0);
}

#[test]
fn dropped_wait_takes_its_arrival_back_wherever_it_stands() {
    for gone in 0..4 {
        let barrier = Barrier::new(5);
        let mut tasks = arrive(&barrier, 4);
        drop(tasks.remove(gone));
        assert_eq!(barrier.waiting(), 3);
        // It stands in for the one that left; without that the phase would be released a party short.
        tasks.push(Task::waiting(barrier.wait()));
        assert_leads(&barrier);
        assert_released(&mut tasks, 0);
    }
}

#[test]
fn everybody_may_leave_again() {
    let barrier = Barrier::new(100);
    drop(arrive(&barrier, 99));
    assert_eq!(barrier.waiting(), 0);
    let mut tasks = arrive(&barrier, 99);
    assert_leads(&barrier);
    assert_released(&mut tasks, 0);
}

#[test]
fn released_wait_can_be_dropped_unpolled() {
    let barrier = Barrier::new(3);
    let mut tasks = arrive(&barrier, 2);
    assert_leads(&barrier);
    let mut newcomer = Task::waiting(barrier.wait());
    drop(tasks.remove(0));
    assert_eq!(barrier.waiting(), 1, "it takes no arrival of the next phase back");
    assert_released(&mut tasks, 1);
    newcomer.assert_waits();
}

#[test]
fn released_wait_is_ok_whatever_follows() {
    let barrier = Barrier::new(3);
    let mut tasks = arrive(&barrier, 2);
    assert_leads(&barrier);
    barrier.abort();
    assert_eq!(index(tasks[1].woken()), 1);
    barrier.reset();
    let mut newcomers = arrive(&barrier, 2);
    assert_leads(&barrier);
    assert_eq!(index(tasks[0].woken()), 0);
    barrier.reset();
    assert_released(&mut newcomers, 0);
}

#[test]
fn abort_breaks_who_waits_and_who_comes_until_reset() {
    for parties in [2, 33, 34, 1000] {
        let barrier = Barrier::new(parties);
        let mut tasks = arrive(&barrier, parties - 1);
        barrier.abort();
        assert!(barrier.is_broken());
        assert_eq!(barrier.waiting(), 0);
        assert_broken(&mut tasks);
        barrier.abort();
        for _ in 0..parties {
            now(barrier.wait()).expect_err("it is broken");
        }
        assert_eq!(barrier.waiting(), 0);
        barrier.reset();
        assert!(!barrier.is_broken());
        let mut tasks = arrive(&barrier, parties - 1);
        assert_leads(&barrier);
        assert_released(&mut tasks, 0);
    }
}

#[test]
fn reset_breaks_who_waits_and_lets_others_come() {
    for parties in [2, 33, 34, 1000] {
        let barrier = Barrier::new(parties);
        let mut tasks = arrive(&barrier, parties - 1);
        barrier.reset();
        assert!(!barrier.is_broken());
        assert_eq!(barrier.waiting(), 0);
        let mut next = arrive(&barrier, parties - 1);
        assert_broken(&mut tasks);
        assert_leads(&barrier);
        assert_released(&mut next, 0);
        barrier.reset();
        assert_eq!(barrier.waiting(), 0);
    }
}

#[test]
fn broken_wait_can_be_dropped_unpolled() {
    let barrier = Barrier::new(3);
    let tasks = arrive(&barrier, 2);
    barrier.reset();
    let mut newcomer = Task::waiting(barrier.wait());
    drop(tasks);
    assert_eq!(barrier.waiting(), 1);
    newcomer.assert_waits();
}

#[test]
fn parties_without_end_overflow_nothing() {
    let barrier = Barrier::new(usize::MAX);
    let mut tasks = arrive(&barrier, 100);
    assert_eq!(barrier.parties(), usize::MAX);
    assert_eq!(barrier.waiting(), 100);
    drop(tasks.split_off(50));
    assert_eq!(barrier.waiting(), 50);
    barrier.reset();
    assert_broken(&mut tasks);
}

#[test]
fn zero_parties_panic() {
    assert!(panic_message(|| _ = Barrier::new(0)).starts_with("Barrier::new: 0 parties"));
}

#[test]
fn statistics_and_debug_say_how_it_stands() {
    let barrier = Arc::new(Barrier::new(3).with_name("named"));
    let tasks = arrive(&barrier, 2);
    let statistics = barrier.statistics();
    assert_eq!((statistics.parties, statistics.waiting, statistics.broken), (3, 2, false));
    assert_eq!(format!("{barrier:?}"), "Barrier { parties: 3, waiting: 2, broken: false, .. }");
    drop(tasks);
    barrier.abort();
    let statistics = barrier.statistics();
    assert_eq!((statistics.parties, statistics.waiting, statistics.broken), (3, 0, true));
    assert!(format!("{:?}", barrier.wait()).starts_with("BarrierWait"));
    assert!(format!("{:?}", Arc::clone(&barrier).wait_owned()).starts_with("BarrierWaitOwned"));
    let error = now(barrier.wait()).expect_err("it is broken");
    assert!(error.to_string().contains("call `reset`"), "it says what to do: {error}");
    barrier.reset();
    let result = now(Barrier::new(1).wait()).expect("it is whole");
    assert_eq!(format!("{:?}", result.clone()), "BarrierWaitResult { index: 0, is_leader: true }");
}

#[test]
fn owned_wait_keeps_its_barrier_alive() {
    let barrier = Arc::new(Barrier::new(2));
    let mut task = Task::waiting(Arc::clone(&barrier).wait_owned());
    let mut last = Task::new(Arc::clone(&barrier).wait_owned());
    drop(barrier);
    assert_eq!(index(last.ready()), 1);
    drop(last);
    assert_eq!(index(task.woken()), 0);
}

#[test]
fn poll_after_ready_panics() {
    let barrier = Barrier::new(2);
    let mut task = Task::waiting(barrier.wait());
    let mut last = Task::new(barrier.wait());
    last.ready().expect("it is whole");
    task.woken().expect("it was released");
    barrier.abort();
    let mut broken = Task::new(barrier.wait());
    broken.ready().expect_err("it is broken");
    for task in [&mut task, &mut last, &mut broken] {
        assert!(panic_message(|| _ = task.poll()).contains("polled after it was ready"));
    }
}

#[test]
fn last_waker_is_the_one_that_is_woken() {
    let barrier = Barrier::new(2);
    let mut task = Task::waiting(barrier.wait());
    let woken = Arc::new(AtomicUsize::new(0));
    let waker = {
        let woken = Arc::clone(&woken);
        on_wake(move || _ = woken.fetch_add(1, Ordering::SeqCst))
    };
    assert!(task.poll_with(&waker).is_pending());
    assert_leads(&barrier);
    assert_eq!((task.wakes(), woken.load(Ordering::SeqCst)), (0, 1));
    task.ready().expect("it was released");
}
