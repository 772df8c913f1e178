//! What looks like a fault and is none: no alert, whatever the threshold.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use dashboard::Collector;
use sync::{Barrier, Condition, Event, Mutex, Semaphore};
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{Task, every, only, watched};

#[track_caller]
fn assert_silent(collector: &Collector) {
    // Twice: some are raised by what was seen before.
    for _ in 0..2 {
        let snapshot = collector.snapshot();
        assert_eq!(snapshot.alerts, [], "{:#?}", snapshot.waits_for);
    }
}

/// Of those that cannot end by themselves.
fn critical() -> dashboard::Thresholds {
    only(|thresholds| {
        thresholds.deadlock = Duration::ZERO;
        thresholds.futurelock = Duration::ZERO;
        thresholds.lost_wake_up = Duration::ZERO;
    })
}

#[test]
fn who_waits_for_a_signal_may_wait_for_ever() {
    watched(every(Duration::ZERO), |collector| {
        let task = Task::new();
        let (event, barrier, jobs) = (Event::new(), Barrier::new(2), Semaphore::new(0));
        let condition = Condition::new(());
        let (mut set, mut phase, mut job) = (pin!(event.wait()), pin!(barrier.wait()), pin!(jobs.acquire()));
        let mut notified = pin!(Task::new().ready(condition.lock()).wait());
        task.waits(set.as_mut());
        task.waits(phase.as_mut());
        task.waits(job.as_mut());
        task.waits(notified.as_mut());
        assert_silent(collector);
    });
}

#[test]
fn a_limiter_whose_permits_go_along_with_the_work_is_no_deadlock() {
    watched(critical(), |collector| {
        let acceptor = Task::new();
        let limit = Arc::new(Semaphore::new(2));
        // The permits go to tasks that were spawned; the acceptor waits for the next one.
        let given: Vec<_> =
            (0..2).map(|_| acceptor.ready(Arc::clone(&limit).acquire_owned()).unwrap()).collect();
        let mut next = pin!(Arc::clone(&limit).acquire_owned());
        acceptor.waits(next.as_mut());
        assert_silent(collector);
        drop(given);
        drop(acceptor.finish(next));
    });
}

#[test]
fn spans_do_not_tell_an_owned_permit_and_it_is_no_deadlock_either() {
    let collector = Collector::new();
    collector.set_thresholds(critical());
    let subscriber = tracing_subscriber::registry().with(collector.layer());
    tracing::subscriber::with_default(subscriber, || {
        let acceptor = Task::new();
        let limit = Arc::new(Semaphore::new(1));
        let given = acceptor.ready(Arc::clone(&limit).acquire_owned()).unwrap();
        let mut next = pin!(Arc::clone(&limit).acquire_owned());
        acceptor.waits(next.as_mut());
        assert_eq!(collector.snapshot().waits.len(), 1);
        assert_silent(&collector);
        drop(given);
        drop(acceptor.finish(next));
    });
}

#[test]
fn a_guard_that_is_seen_to_leave_its_task_is_not_taken_for_that_tasks_any_more() {
    watched(critical(), |collector| {
        let acceptor = Task::new();
        let limit: &'static Semaphore = Box::leak(Box::new(Semaphore::new(1)));
        for round in 0..3 {
            let given = acceptor.ready(limit.acquire()).unwrap();
            let mut next = pin!(limit.acquire());
            acceptor.waits(next.as_mut());
            if round > 0 {
                assert_silent(collector);
            }
            // Dropped while the acceptor waits: by another, then.
            drop(given);
            drop(acceptor.finish(next));
        }
    });
}

#[test]
fn a_queue_in_front_of_a_slow_holder_is_neither_a_deadlock_nor_a_lost_wake_up() {
    watched(critical(), |collector| {
        let holder = Task::new();
        let waiters: Vec<Task> = (0..50).map(|_| Task::new()).collect();
        let lock = Mutex::new(());
        let guard = holder.ready(lock.lock());
        let mut waiting: Vec<_> = waiters.iter().map(|_| Box::pin(lock.lock())).collect();
        for (task, wait) in waiters.iter().zip(&mut waiting) {
            task.waits(wait.as_mut());
        }
        assert_silent(collector);
        drop(guard);
        for (task, mut wait) in waiters.iter().zip(waiting) {
            drop(task.finish(wait.as_mut()));
            // The next one was granted it, and may come any moment: here it comes before anybody looks.
        }
        assert_silent(collector);
    });
}

#[test]
fn a_lock_held_by_one_who_came_before_the_collector_is_not_lost() {
    watched(critical(), |collector| {
        let (holder, waiter) = (Task::new(), Task::new());
        let lock = Mutex::new(());
        collector.set_enabled(false);
        let guard = holder.ready(lock.lock());
        collector.set_enabled(true);
        let mut waiting = pin!(lock.lock());
        waiter.waits(waiting.as_mut());
        assert_silent(collector);
        drop(guard);
        drop(waiter.finish(waiting));
    });
}

#[test]
fn the_default_thresholds_are_silent_where_everything_is_short() {
    watched(dashboard::Thresholds::default(), |collector| {
        let (one, two) = (Task::new(), Task::new());
        let (left, right) = (Mutex::new(()), Mutex::new(()));
        let held = (one.ready(left.lock()), two.ready(right.lock()));
        let mut first = Box::pin(right.lock());
        let mut second = Box::pin(left.lock());
        one.waits(first.as_mut());
        two.waits(second.as_mut());
        // A timeout is about to end it.
        assert_silent(collector);
        drop((first, second, held));
    });
}
