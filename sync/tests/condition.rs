//! Behaviour of `Condition`, poll by poll, and under several tasks with cancellations.
#![cfg(not(loom))]

mod common;

use std::cell::Cell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use common::{
    Random, Task, assert_not_impl, is_send, is_sync, now, on_drop, on_wake, panic_message, poll_once,
};
use sync::futures::{ConditionLock, ConditionWait, ConditionWaitFor};
use sync::{Condition, ConditionGuard, Mutex};

type Predicate = fn(&mut u32) -> bool;

#[test]
fn types_are_send_and_sync_as_a_mutexs_are() {
    is_send::<Condition<Cell<u8>>>();
    is_sync::<Condition<Cell<u8>>>();
    is_send::<ConditionGuard<'static, Cell<u8>>>();
    is_sync::<ConditionGuard<'static, u8>>();
    is_send::<ConditionLock<'static, Cell<u8>>>();
    is_send::<ConditionWait<'static, Cell<u8>>>();
    is_send::<ConditionWaitFor<'static, u32, Predicate>>();
}
assert_not_impl!(Condition<*const u8>: Send);
assert_not_impl!(Condition<*const u8>: Sync);
assert_not_impl!(ConditionGuard<'static, *const u8>: Send);
assert_not_impl!(ConditionGuard<'static, Cell<u8>>: Sync);
assert_not_impl!(ConditionLock<'static, u8>: Unpin);
assert_not_impl!(ConditionWait<'static, u8>: Unpin);
assert_not_impl!(ConditionWaitFor<'static, u32, Predicate>: Unpin);

/// A wait that has been polled once, so that it is parked and the lock is free.
fn parked<T>(condition: &Condition<T>) -> Task<ConditionWait<'_, T>> {
    let task = Task::waiting(condition.try_lock().expect("free").wait());
    assert!(!condition.mutex().is_locked());
    task
}

/// Parked, and queued for the lock: (waiting, mutex.waiting).
fn waiting<T>(condition: &Condition<T>) -> (usize, usize) {
    let statistics = condition.statistics();
    (statistics.waiting, statistics.mutex.waiting)
}

#[test]
fn wait_releases_the_lock_at_its_first_poll() {
    let condition = Condition::new(());
    let mut wait = Task::new(condition.try_lock().unwrap().wait());
    assert!(condition.try_lock().is_err());
    assert!(wait.poll().is_pending());
    assert_eq!(waiting(&condition), (1, 0));
    assert!(condition.try_lock().is_ok());
}

#[test]
fn wait_that_was_never_polled_releases_the_lock_when_it_is_dropped() {
    let condition = Condition::new(5);
    drop(condition.try_lock().unwrap().wait());
    assert!(!condition.mutex().is_locked());
    drop(condition.try_lock().unwrap().wait_for(|_| false));
    assert!(!condition.mutex().is_locked());
}

#[test]
fn notification_moves_without_waking_and_each_unlock_wakes_one() {
    let condition = Condition::new(());
    let mut tasks: Vec<_> = (0..200).map(|_| parked(&condition)).collect();
    let guard = condition.try_lock().unwrap();
    guard.notify_all();
    assert_eq!(waiting(&condition), (0, 200));
    assert!(tasks.iter().all(|task| task.wakes() == 0));
    let mut guard = Some(guard);
    for i in 0..tasks.len() {
        drop(guard.take());
        assert!(condition.try_lock().is_err(), "overtaken");
        assert!(tasks[i + 1..].iter().all(|task| task.wakes() == 0));
        guard = Some(tasks[i].woken());
    }
    drop(guard);
    assert!(!condition.mutex().is_locked());
}

#[test]
fn notify_takes_the_longest_waiters_and_any_number() {
    let condition = Condition::new(());
    let mut tasks: Vec<_> = (0..5).map(|_| parked(&condition)).collect();
    condition.try_lock().unwrap().notify(0);
    assert_eq!(waiting(&condition), (5, 0));
    condition.try_lock().unwrap().notify(2);
    drop(tasks[0].woken());
    drop(tasks[1].woken());
    for task in &mut tasks[2..] {
        task.assert_waits();
    }
    condition.try_lock().unwrap().notify_one();
    drop(tasks[2].woken());
    condition.try_lock().unwrap().notify(100);
    drop(tasks[3].woken());
    drop(tasks[4].woken());
    condition.try_lock().unwrap().notify_all();
    assert_eq!(waiting(&condition), (0, 0));
}

#[test]
fn notified_waiter_stands_behind_those_who_want_the_lock_already() {
    let condition = Condition::new(());
    let mut notified = parked(&condition);
    let guard = condition.try_lock().unwrap();
    let mut before = Task::waiting(condition.lock());
    guard.notify_one();
    let mut after = Task::waiting(condition.mutex().lock());
    drop(guard);
    drop(before.woken());
    drop(notified.woken());
    drop(after.woken());
}

#[test]
fn waiter_dropped_while_parked_takes_no_notification() {
    for gone in 0..3 {
        let condition = Condition::new(());
        let mut tasks: Vec<_> = (0..3).map(|_| parked(&condition)).collect();
        drop(tasks.remove(gone));
        assert_eq!(waiting(&condition), (2, 0));
        assert!(!condition.mutex().is_locked());
        condition.try_lock().unwrap().notify_one();
        drop(tasks[0].woken());
        tasks[1].assert_waits();
    }
}

#[test]
fn waiter_dropped_on_the_locks_queue_passes_its_notification_on() {
    let condition = Condition::new(());
    let notified = parked(&condition);
    let mut next = parked(&condition);
    let mut last = parked(&condition);
    let guard = condition.try_lock().unwrap();
    guard.notify_one();
    let mut locker = Task::waiting(condition.lock());
    drop(notified);
    assert_eq!(waiting(&condition), (1, 2));
    drop(guard);
    drop(locker.woken());
    drop(next.woken());
    last.assert_waits();
}

#[test]
fn waiter_dropped_after_its_grant_passes_lock_and_notification_on() {
    let condition = Condition::new(());
    let granted = parked(&condition);
    let mut next = parked(&condition);
    let mut last = parked(&condition);
    condition.try_lock().unwrap().notify_one();
    assert_eq!(granted.wakes(), 1);
    drop(granted);
    drop(next.woken());
    last.assert_waits();
    assert!(!condition.mutex().is_locked());
}

#[test]
fn notification_without_another_waiter_is_forgotten() {
    let condition = Condition::new(());
    let notified = parked(&condition);
    condition.try_lock().unwrap().notify_one();
    drop(notified);
    assert!(!condition.mutex().is_locked());
    parked(&condition).assert_waits();
}

#[test]
fn wait_for_looks_before_it_waits_and_after_each_wake() {
    let condition = Condition::new(0);
    let looks = AtomicUsize::new(0);
    let enough = |value: &mut i32| {
        looks.fetch_add(1, Ordering::SeqCst);
        *value >= 2
    };
    let mut task = Task::waiting(condition.try_lock().unwrap().wait_for(enough));
    for value in 1..=2 {
        let mut guard = condition.try_lock().unwrap();
        *guard = value;
        guard.notify_one();
        drop(guard);
        assert_eq!(task.wakes(), value as usize);
        if value == 1 {
            assert!(task.poll().is_pending());
            assert_eq!(waiting(&condition), (1, 0));
        }
    }
    assert_eq!(*task.ready(), 2);
    assert_eq!(looks.load(Ordering::SeqCst), 3);
    let mut guard = now(condition.try_lock().unwrap().wait_for(enough));
    *guard += 1;
    drop(guard);
    assert_eq!(*condition.try_lock().unwrap(), 3);
}

#[test]
fn predicate_may_change_the_value() {
    let condition = Condition::new(vec![1]);
    drop(now(condition.try_lock().unwrap().wait_for(|items| items.pop().is_some())));
    assert!(condition.try_lock().unwrap().is_empty());
}

#[test]
fn wait_for_that_is_dropped_passes_its_notification_on() {
    let condition = Condition::new(());
    let granted = Task::waiting(condition.try_lock().unwrap().wait_for(|()| false));
    let mut next = parked(&condition);
    condition.try_lock().unwrap().notify_one();
    assert_eq!(granted.wakes(), 1);
    drop(granted);
    drop(next.woken());
}

#[test]
fn predicate_that_panics_lets_the_lock_go_with_the_future() {
    let condition = Condition::new(());
    let mut at_first = Task::new(condition.try_lock().unwrap().wait_for(|()| panic!("bad predicate")));
    assert_eq!(panic_message(|| _ = at_first.poll()), "bad predicate");
    drop(at_first);
    assert!(!condition.mutex().is_locked());

    let bad = AtomicBool::new(false);
    let predicate = |(): &mut ()| {
        assert!(!bad.load(Ordering::SeqCst), "bad predicate");
        false
    };
    let mut later = Task::waiting(condition.try_lock().unwrap().wait_for(predicate));
    condition.try_lock().unwrap().notify_one();
    bad.store(true, Ordering::SeqCst);
    assert_eq!(panic_message(|| _ = later.poll()), "bad predicate");
    assert!(condition.mutex().is_locked());
    drop(later);
    assert_eq!(waiting(&condition), (0, 0));
    assert!(!condition.mutex().is_locked());
}

#[test]
fn future_polled_after_its_predicate_panicked_does_no_harm() {
    let condition = Condition::new(());
    let bad = AtomicBool::new(true);
    let predicate = |(): &mut ()| {
        assert!(!bad.load(Ordering::SeqCst), "bad predicate");
        false
    };
    let mut task = Task::new(condition.try_lock().unwrap().wait_for(predicate));
    assert_eq!(panic_message(|| _ = task.poll()), "bad predicate");
    bad.store(false, Ordering::SeqCst);
    assert!(task.poll().is_pending());
    assert_eq!(waiting(&condition), (1, 0));
    condition.try_lock().unwrap().notify_one();
    bad.store(true, Ordering::SeqCst);
    assert_eq!(panic_message(|| _ = task.poll()), "bad predicate");
    drop(task);
    assert!(condition.try_lock().is_ok());
}

#[test]
fn conditions_on_one_lock_keep_their_waiters_apart() {
    let mutex = Arc::new(Mutex::new(0));
    let not_empty = Condition::with_mutex(Arc::clone(&mutex)).with_name("not empty");
    let not_full = Condition::with_mutex(Arc::clone(&mutex)).with_name("not full");
    assert!(Arc::ptr_eq(not_empty.mutex(), not_full.mutex()));
    let mut consumer = parked(&not_empty);
    let mut producer = parked(&not_full);
    not_full.try_lock().unwrap().notify_all();
    consumer.assert_waits();
    *producer.woken() += 1;
    not_empty.try_lock().unwrap().notify_one();
    assert_eq!(*consumer.woken(), 1);
    // A notification is passed on within its own condition.
    let dropped = parked(&not_empty);
    let mut other = parked(&not_full);
    let mut same = parked(&not_empty);
    not_empty.try_lock().unwrap().notify_one();
    drop(dropped);
    other.assert_waits();
    drop(same.woken());
}

#[test]
fn hold_can_be_switched_to_another_condition_on_the_lock() {
    let left = Condition::new(());
    let right = Condition::with_mutex(Arc::clone(left.mutex()));
    let mut of_right = parked(&right);
    let guard = left.try_lock().unwrap().switch_to(&right);
    guard.notify_one();
    assert!(left.try_lock().is_err());
    drop(guard);
    let mut of_left = Task::waiting(of_right.woken().switch_to(&left).wait());
    assert_eq!((waiting(&left), waiting(&right)), ((1, 0), (0, 0)));
    left.try_lock().unwrap().notify_one();
    drop(of_left.woken());

    let stranger = Condition::new(());
    let guard = left.try_lock().unwrap();
    let message = panic_message(|| drop(guard.switch_to(&stranger)));
    assert!(message.contains("ConditionGuard::switch_to"), "{message}");
    assert!(!left.mutex().is_locked() && !stranger.mutex().is_locked());
}

#[test]
fn unsized_values_can_be_waited_for() {
    let mutex: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2, 3]));
    let condition = Condition::with_mutex(mutex);
    let guard = now(condition.try_lock().unwrap().wait_for(|bytes| bytes.len() == 3));
    assert_eq!(guard[..], [1, 2, 3]);
}

#[test]
fn last_waker_is_the_one_that_is_woken_in_every_phase() {
    for phase in 0..3 {
        let condition = Condition::new(());
        let mut task = parked(&condition);
        let woken = Arc::new(AtomicUsize::new(0));
        let waker = {
            let woken = Arc::clone(&woken);
            on_wake(move || _ = woken.fetch_add(1, Ordering::SeqCst))
        };
        if phase == 0 {
            assert!(task.poll_with(&waker).is_pending());
        }
        let guard = condition.try_lock().unwrap();
        guard.notify_one();
        if phase == 1 {
            assert!(task.poll_with(&waker).is_pending());
        }
        drop(guard);
        let replaced = usize::from(phase < 2);
        assert_eq!((task.wakes(), woken.load(Ordering::SeqCst)), (1 - replaced, replaced));
        drop(task.ready());
    }
}

#[test]
fn poll_after_ready_panics_and_takes_nothing() {
    let condition = Condition::new(());
    let mut wait = parked(&condition);
    condition.try_lock().unwrap().notify_one();
    drop(wait.woken());
    assert!(panic_message(|| drop(wait.poll())).contains("polled after it was ready"));
    let mut wait_for = Task::new(condition.try_lock().unwrap().wait_for(|()| true));
    drop(wait_for.ready());
    assert!(panic_message(|| drop(wait_for.poll())).contains("polled after it was ready"));
    let mut lock = Task::new(condition.lock());
    drop(lock.ready());
    assert!(panic_message(|| drop(lock.poll())).contains("polled after it was ready"));
    drop((wait, wait_for, lock));
    assert!(!condition.mutex().is_locked());
}

#[test]
fn waker_that_panics_surfaces_where_the_lock_is_let_go() {
    let condition = Condition::new(());
    let mut first = Task::new(condition.try_lock().unwrap().wait());
    assert!(first.poll_with(&on_wake(|| panic!("bad waker"))).is_pending());
    let mut second = parked(&condition);
    let guard = condition.try_lock().unwrap();
    guard.notify_all();
    assert_eq!(panic_message(|| drop(guard)), "bad waker");
    drop(first.ready());
    drop(second.woken());
}

#[test]
fn waker_that_panics_in_a_wait_leaves_the_wait_parked() {
    let condition = Condition::new(());
    let guard = condition.try_lock().unwrap();
    let mut locker = Task::new(condition.lock());
    assert!(locker.poll_with(&on_wake(|| panic!("bad waker"))).is_pending());
    let mut wait = Task::new(guard.wait());
    assert_eq!(panic_message(|| drop(wait.poll())), "bad waker");
    assert_eq!(waiting(&condition), (1, 0));
    drop(wait);
    assert_eq!(waiting(&condition), (0, 0));
    drop(locker.ready());
    assert!(!condition.mutex().is_locked());
}

#[test]
fn waker_whose_drop_panics_does_not_keep_a_notification() {
    let condition = Condition::new(());
    let mut notified = Task::new(condition.try_lock().unwrap().wait());
    assert!(notified.poll_with(&on_drop(|| panic!("bad drop"))).is_pending());
    let mut next = parked(&condition);
    let guard = condition.try_lock().unwrap();
    guard.notify_one();
    assert_eq!(panic_message(|| drop(notified)), "bad drop");
    assert_eq!(waiting(&condition), (0, 1));
    drop(guard);
    drop(next.woken());
}

#[test]
fn waker_may_use_the_condition_when_it_is_woken_or_dropped() {
    let condition = Arc::new(Condition::new(()));
    let calls = Arc::new(AtomicUsize::new(0));
    let call = || {
        let (condition, calls) = (Arc::clone(&condition), Arc::clone(&calls));
        move || {
            let _ = condition.statistics();
            if let Ok(guard) = condition.try_lock() {
                guard.notify_all();
            }
            calls.fetch_add(1, Ordering::SeqCst);
        }
    };
    let mut task = Task::new(condition.try_lock().unwrap().wait());
    assert!(task.poll_with(&on_drop(call())).is_pending());
    // The first waker, when it is dropped, notifies; that grants, and wakes the second one.
    assert!(task.poll_with(&on_wake(call())).is_pending());
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    drop(task.ready());
}

#[test]
fn debug_shows_the_value_only_of_a_free_condition() {
    let condition = Condition::new(7);
    assert_eq!(format!("{condition:?}"), "Condition { mutex: Mutex { data: 7 }, .. }");
    let guard = condition.try_lock().unwrap();
    assert_eq!(format!("{condition:?}"), "Condition { mutex: Mutex { data: <locked> }, .. }");
    assert_eq!(format!("{guard:?} {guard}"), "7 7");
    assert!(format!("{:?}", condition.lock()).starts_with("ConditionLock"));
    let wait = guard.wait();
    assert!(format!("{wait:?}").starts_with("ConditionWait"));
    drop(wait);
    let wait = condition.try_lock().unwrap().wait_for(|_| true);
    assert!(format!("{wait:?}").starts_with("ConditionWaitFor"));
    drop(wait);
    assert_eq!(*Condition::<u8>::default().try_lock().unwrap(), 0);
}

#[test]
fn hundred_thousand_waiters_leave_in_any_order() {
    let condition = Condition::new(());
    let mut waiters: Vec<Pin<Box<_>>> = Vec::new();
    for _ in 0..100_000 {
        let mut wait = Box::pin(condition.try_lock().unwrap().wait());
        assert!(poll_once(wait.as_mut()).is_pending());
        waiters.push(wait);
    }
    // Half of them leave one list, half the other; each of the latter passes its notification on while it can.
    let guard = condition.try_lock().unwrap();
    guard.notify(50_000);
    assert_eq!(waiting(&condition), (50_000, 50_000));
    Random(5).shuffle(&mut waiters);
    let rest = waiters.split_off(99_000);
    drop(waiters);
    let (parked, queued) = waiting(&condition);
    assert_eq!(parked + queued, 1_000);
    drop(guard);
    drop(rest);
    assert_eq!(waiting(&condition), (0, 0));
    assert!(!condition.mutex().is_locked());
}

#[test]
fn random_steps_agree_with_a_plain_model() {
    for seed in 0..20 {
        let condition = Condition::new(());
        let mut random = Random(seed);
        let mut list: VecDeque<Task<ConditionWait<'_, ()>>> = VecDeque::new();
        for _ in 0..1_000 {
            if list.len() < 50 && random.below(2) == 0 {
                list.push_back(parked(&condition));
                continue;
            }
            let n = random.below(4);
            let guard = condition.try_lock().unwrap();
            guard.notify(n);
            let mut queued: VecDeque<_> = list.drain(..n.min(list.len())).collect();
            for _ in 0..random.below(3) {
                if queued.is_empty() {
                    break;
                }
                // Its notification goes to the longest that is parked, which joins the end of the lock's queue.
                drop(queued.remove(random.below(queued.len())));
                queued.extend(list.pop_front());
            }
            if !list.is_empty() && random.below(3) == 0 {
                drop(list.remove(random.below(list.len())));
            }
            assert_eq!(waiting(&condition), (list.len(), queued.len()));
            drop(guard);
            while let Some(mut task) = queued.pop_front() {
                assert_eq!(task.wakes(), 1);
                if random.below(4) == 0 {
                    drop(task);
                    queued.extend(list.pop_front());
                } else {
                    drop(task.woken());
                }
            }
            assert!(list.iter().all(|task| task.wakes() == 0));
            assert!(!condition.mutex().is_locked());
        }
    }
}

/// A queue of at most four items between producers and consumers, some of whom give up their waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hammer_with_cancellations_loses_no_notification() {
    const ITEMS: usize = 4_000;
    const ENDS: usize = 3;
    let mutex = Arc::new(Mutex::new(Vec::new()));
    let not_empty = Arc::new(Condition::with_mutex(Arc::clone(&mutex)));
    let not_full = Arc::new(Condition::with_mutex(Arc::clone(&mutex)));
    let seen = Arc::new(StdMutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for end in 0..ENDS {
        let (empty, full) = (Arc::clone(&not_empty), Arc::clone(&not_full));
        tasks.push(tokio::spawn(async move {
            let mut random = Random(end as u64);
            for item in 0..ITEMS {
                give_up_now_and_then(&mut random, &full, |items| items.len() < 4).await;
                let mut items = full.lock().await.wait_for(|items| items.len() < 4).await;
                items.push(end * ITEMS + item);
                drop(items);
                empty.lock().await.notify_one();
            }
        }));
        let (empty, full, seen) = (Arc::clone(&not_empty), Arc::clone(&not_full), Arc::clone(&seen));
        tasks.push(tokio::spawn(async move {
            let mut random = Random(100 + end as u64);
            for _ in 0..ITEMS {
                give_up_now_and_then(&mut random, &empty, |items| !items.is_empty()).await;
                let mut items = empty.lock().await.wait_for(|items| !items.is_empty()).await;
                let item = items.pop().unwrap();
                drop(items);
                seen.lock().unwrap().push(item);
                full.lock().await.notify_one();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let mut seen = std::mem::take(&mut *seen.lock().unwrap());
    seen.sort_unstable();
    assert_eq!(seen, (0..ENDS * ITEMS).collect::<Vec<_>>());
    assert!(mutex.try_lock().unwrap().is_empty());
    assert_eq!((waiting(&not_empty), waiting(&not_full)), ((0, 0), (0, 0)));

    async fn give_up_now_and_then(
        random: &mut Random,
        condition: &Condition<Vec<usize>>,
        ready: fn(&mut Vec<usize>) -> bool,
    ) {
        if random.below(3) != 0 {
            return;
        }
        let mut wait = Box::pin(condition.lock().await.wait_for(ready));
        let given_up = match poll_once(wait.as_mut()) {
            Poll::Ready(guard) => Some(guard),
            Poll::Pending => {
                tokio::task::yield_now().await;
                None
            }
        };
        drop(given_up);
    }
}
