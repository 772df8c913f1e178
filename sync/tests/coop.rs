//! With the feature `tokio`: a loop that never has to wait yields, as one over tokio's own primitives does, and a wait that
//! begins without budget has its place all the same.
#![cfg(all(feature = "tokio", not(loom)))]

mod common;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use common::{Task, now, on_wake};
use sync::{Barrier, BoundedSemaphore, Condition, Event, Mutex, Semaphore};
use tokio::task::coop::{has_budget_remaining, unconstrained};
use tokio::task::yield_now;

/// Turns of a loop that is as good as endless: many times tokio's budget.
const TURNS: usize = 2_000;

/// Whether another task of the runtime ran while `busy` did.
async fn lets_others_run(busy: impl Future<Output = ()>) -> bool {
    let ran = Arc::new(AtomicBool::new(false));
    let other = tokio::spawn({
        let ran = Arc::clone(&ran);
        async move { ran.store(true, Ordering::SeqCst) }
    });
    busy.await;
    let ran = ran.load(Ordering::SeqCst);
    other.await.expect("it does not panic");
    ran
}

/// Uses up the budget of this turn.
fn spend_budget() {
    let free = Semaphore::new(1);
    while has_budget_remaining() {
        drop(now(free.acquire()));
    }
}

/// Polled once, without budget.
fn begun_without_budget<F: Future>(future: F) -> Task<F> {
    spend_budget();
    Task::waiting(future)
}

macro_rules! assert_yields {
    ($turn:expr) => {
        let busy = || async {
            for _ in 0..TURNS {
                let _turn = $turn;
            }
        };
        assert!(lets_others_run(busy()).await, "{}", stringify!($turn));
        assert!(!lets_others_run(unconstrained(busy())).await, "{}", stringify!($turn));
    };
}

#[tokio::test(flavor = "current_thread")]
async fn loop_over_what_is_free_yields_unless_it_is_unconstrained() {
    let mutex = Arc::new(Mutex::new(()));
    assert_yields!(mutex.lock().await);
    assert_yields!(Arc::clone(&mutex).lock_owned().await);
    let semaphore = Arc::new(Semaphore::new(2));
    assert_yields!(semaphore.acquire().await);
    assert_yields!(semaphore.acquire_many(2).await);
    assert_yields!(Arc::clone(&semaphore).acquire_owned().await);
    let bounded = Arc::new(BoundedSemaphore::new(2));
    assert_yields!(bounded.acquire().await);
    assert_yields!(Arc::clone(&bounded).acquire_many_owned(2).await);
    let condition = Condition::new(());
    assert_yields!(condition.lock().await);
    let barrier = Arc::new(Barrier::new(1));
    assert_yields!(barrier.wait().await);
    assert_yields!(Arc::clone(&barrier).wait_owned().await);
    let event = Arc::new(Event::new());
    event.set();
    assert_yields!(event.wait().await);
    assert_yields!(Arc::clone(&event).wait_owned().await);
}

#[tokio::test(flavor = "current_thread")]
async fn only_what_was_ready_is_charged() {
    let mutex = Mutex::new(());
    let guard = mutex.lock().await;
    let mut waiter = Task::waiting(mutex.lock());
    for _ in 0..TURNS {
        waiter.assert_waits();
    }
    assert!(has_budget_remaining());
    drop(guard);
    drop(waiter.woken());
    // The whole budget, and no more.
    yield_now().await;
    let mut turns = 0;
    while has_budget_remaining() {
        drop(now(mutex.lock()));
        turns += 1;
    }
    assert!(turns > 1 && turns < TURNS, "{turns}");
    assert!(Task::new(mutex.lock()).poll().is_pending());
    assert_eq!(mutex.statistics().waiting, 0);
    assert!(!mutex.is_locked());
}

#[tokio::test(flavor = "current_thread")]
async fn grant_that_meets_a_used_up_budget_is_kept() {
    let mutex = Mutex::new(());
    let guard = mutex.lock().await;
    let mut waiter = Task::waiting(mutex.lock());
    drop(guard);
    spend_budget();
    assert!(waiter.poll().is_pending());
    assert!(mutex.try_lock().is_err());
    yield_now().await;
    drop(waiter.ready());
    assert!(!mutex.is_locked());
}

#[test]
fn without_a_runtime_there_is_no_budget() {
    let mutex = Mutex::new(());
    for _ in 0..TURNS {
        drop(now(mutex.lock()));
    }
}

/// Yielding to the runtime would never end: it gets its thread back only after the wait.
#[tokio::test(flavor = "current_thread")]
async fn blocking_call_of_a_task_without_budget_does_not_hang() {
    let event = Event::new();
    spend_budget();
    thread::scope(|scope| {
        scope.spawn(|| {
            while event.statistics().waiting == 0 {
                thread::yield_now();
            }
            event.set();
        });
        event.blocking_wait();
    });
}

macro_rules! assert_fifo {
    ($wait:expr) => {
        let held = now($wait);
        let mut first = Task::waiting($wait);
        let mut middle = begun_without_budget($wait);
        yield_now().await;
        assert_eq!(middle.wakes(), 1, "{}: it is polled again in its next turn", stringify!($wait));
        let mut last = Task::waiting($wait);
        drop(held);
        drop(first.woken());
        assert_eq!((middle.wakes(), last.wakes()), (2, 0), "{}", stringify!($wait));
        last.assert_waits();
        drop(middle.ready());
        drop(last.woken());
    };
}

macro_rules! assert_keeps_what_was_free {
    ($wait:expr) => {
        let mut starved = begun_without_budget($wait);
        yield_now().await;
        assert_eq!(starved.wakes(), 1, "{}", stringify!($wait));
        let mut next = Task::waiting($wait);
        drop(starved.woken());
        drop(next.woken());

        let starved = begun_without_budget($wait);
        yield_now().await;
        let mut next = Task::waiting($wait);
        drop(starved);
        drop(next.woken());
    };
}

macro_rules! assert_place_is_kept {
    ($($wait:expr;)*) => {
        $(assert_fifo!($wait); assert_keeps_what_was_free!($wait);)*
    };
}

#[tokio::test(flavor = "current_thread")]
async fn wait_begun_without_budget_has_its_place_and_keeps_or_passes_on_what_was_free() {
    let mutex = Arc::new(Mutex::new(()));
    let condition = Condition::new(());
    let semaphore = Arc::new(Semaphore::new(3));
    let bounded = Arc::new(BoundedSemaphore::new(3));
    assert_place_is_kept! {
        mutex.lock();
        Arc::clone(&mutex).lock_owned();
        condition.lock();
        semaphore.acquire_many(2);
        Arc::clone(&semaphore).acquire_many_owned(2);
        bounded.acquire_many(2);
        Arc::clone(&bounded).acquire_many_owned(2);
    }
    assert!(mutex.try_lock().is_ok() && condition.try_lock().is_ok());
    assert_eq!((semaphore.available_permits(), bounded.available_permits()), (3, 3));
}

/// Whoever polls with another waker is called for the next poll, which puts it in the place of the first.
#[tokio::test(flavor = "current_thread")]
async fn queued_wait_polled_without_budget_by_another_task_is_not_lost() {
    let mutex = Mutex::new(());
    let guard = mutex.lock().await;
    let mut moved = Task::waiting(mutex.lock());
    let calls = Arc::new(AtomicUsize::new(0));
    let other = on_wake({
        let calls = Arc::clone(&calls);
        move || _ = calls.fetch_add(1, Ordering::SeqCst)
    });
    spend_budget();
    assert!(moved.poll_with(&other).is_pending());
    yield_now().await;
    assert_eq!((moved.wakes(), calls.load(Ordering::SeqCst)), (0, 1));
    assert!(moved.poll_with(&other).is_pending());
    drop(guard);
    assert_eq!((moved.wakes(), calls.load(Ordering::SeqCst)), (0, 2));
    drop(moved.ready());
}

#[tokio::test(flavor = "current_thread")]
async fn closed_semaphore_says_so_at_once_without_budget() {
    let semaphore = Arc::new(Semaphore::new(0));
    let mut queued = Task::waiting(semaphore.acquire());
    let mut begun = begun_without_budget(semaphore.acquire());
    semaphore.close();
    assert!(queued.woken().is_err());
    assert!(begun.ready().is_err());
    assert!(now(semaphore.acquire()).is_err());
    assert!(now(Arc::clone(&semaphore).acquire_owned()).is_err());
    assert!(!has_budget_remaining());
}

#[tokio::test(flavor = "current_thread")]
async fn event_set_at_a_first_poll_without_budget_ends_the_wait_though_it_is_cleared() {
    let event = Arc::new(Event::new());
    event.set();
    let mut waiter = begun_without_budget(event.wait());
    let mut owner = begun_without_budget(Arc::clone(&event).wait_owned());
    drop(begun_without_budget(event.wait()));
    event.clear();
    yield_now().await;
    waiter.woken();
    owner.woken();
    Task::waiting(event.wait()).assert_waits();
}

#[tokio::test(flavor = "current_thread")]
async fn event_wait_begun_without_budget_is_let_go_by_a_set_that_is_cleared() {
    let event = Event::new();
    let mut waiter = begun_without_budget(event.wait());
    assert_eq!(event.statistics().waiting, 1);
    event.set();
    event.clear();
    yield_now().await;
    waiter.ready();
}

#[tokio::test(flavor = "current_thread")]
async fn last_arrival_without_budget_lets_the_others_go_and_leads() {
    let barrier = Arc::new(Barrier::new(3));
    for _ in 0..2 {
        let mut first = Task::waiting(barrier.wait());
        let mut second = begun_without_budget(barrier.wait());
        let mut last = begun_without_budget(Arc::clone(&barrier).wait_owned());
        assert_eq!((first.wakes(), second.wakes()), (1, 1));
        // It counts for its own phase alone.
        let next = Task::waiting(barrier.wait());
        yield_now().await;
        let results =
            [first.woken(), second.ready(), last.woken()].map(|result| result.expect("it is whole"));
        assert_eq!(results.each_ref().map(|result| result.index()), [0, 1, 2]);
        assert_eq!(results.map(|result| result.is_leader()), [false, false, true]);
        drop(next);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn last_arrival_without_budget_stays_when_it_is_dropped_or_the_barrier_breaks() {
    let barrier = Barrier::new(2);
    let mut first = Task::waiting(barrier.wait());
    drop(begun_without_budget(barrier.wait()));
    yield_now().await;
    assert!(first.woken().is_ok());

    let mut first = Task::waiting(barrier.wait());
    let mut last = begun_without_budget(barrier.wait());
    barrier.abort();
    yield_now().await;
    assert!(first.woken().is_ok());
    assert!(last.woken().is_ok_and(|result| result.is_leader()));
    assert_eq!(barrier.statistics().waiting, 0);
}

#[tokio::test(flavor = "current_thread")]
async fn broken_barrier_says_so_at_once_and_charges_nothing() {
    let barrier = Barrier::new(2);
    let mut queued = Task::waiting(barrier.wait());
    barrier.abort();
    for _ in 0..TURNS {
        assert!(now(barrier.wait()).is_err());
    }
    assert!(has_budget_remaining());
    spend_budget();
    assert!(queued.woken().is_err());
    assert!(now(barrier.wait()).is_err());
}

#[tokio::test(flavor = "current_thread")]
async fn wait_for_a_condition_without_budget_releases_the_lock() {
    let condition = Condition::new(());
    let guard = condition.lock().await;
    let waiter = begun_without_budget(guard.wait());
    assert!(condition.try_lock().is_ok());
    assert_eq!(condition.statistics().waiting, 1);
    drop(waiter);
}
