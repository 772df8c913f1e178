//! With the feature `tokio`: a loop that never has to wait yields, as one over tokio's own primitives does.
#![cfg(all(feature = "tokio", not(loom)))]

mod common;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::{Task, now};
use sync::{Barrier, BoundedSemaphore, Condition, Event, Mutex, Semaphore};
use tokio::task::coop::{has_budget_remaining, unconstrained};

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
    tokio::task::yield_now().await;
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
    let free = Semaphore::new(1);
    while has_budget_remaining() {
        drop(now(free.acquire()));
    }
    assert!(waiter.poll().is_pending());
    assert!(mutex.try_lock().is_err());
    tokio::task::yield_now().await;
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
    let free = Semaphore::new(1);
    while has_budget_remaining() {
        drop(now(free.acquire()));
    }
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
