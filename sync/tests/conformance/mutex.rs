//! `Mutex` beside asyncio's `Lock` and tokio's `Mutex`.
//!
//! | theirs | here |
//! |---|---|
//! | asyncio LockTests.test_repr | `debug_shows_the_value_or_that_it_is_locked` |
//! | asyncio LockTests.test_lock | none: a `Mutex` is no future, so awaiting it does not compile |
//! | asyncio LockTests.test_lock_doesnt_accept_loop_parameter | none: there is no loop to bind to |
//! | asyncio LockTests.test_lock_by_with_statement | none: Python's syntax; a guard cannot exist without the lock |
//! | asyncio LockTests.test_acquire | `lock_passes_from_task_to_task_in_the_order_of_asking` |
//! | asyncio LockTests.test_acquire_cancel | `cancelled_waiter_leaves_nothing_behind` |
//! | asyncio LockTests.test_cancel_race | `unlock_passes_a_cancelled_waiter_by` |
//! | asyncio LockTests.test_cancel_release_race | `cancel_beside_an_unlock_lets_one_task_in` |
//! | asyncio LockTests.test_finished_waiter_cancelled | `waiter_cancelled_after_its_grant_wakes_the_next` |
//! | asyncio LockTests.test_release_not_acquired | none: only a guard unlocks, and there is none of a free lock |
//! | asyncio LockTests.test_release_no_waiters | `unlock_without_waiters_leaves_it_free` |
//! | asyncio LockTests.test_context_manager | `guard_holds_the_lock_for_its_scope` |
//! | tokio sync_mutex::straight_execution | `each_holder_sees_what_the_last_one_wrote` |
//! | tokio sync_mutex::readiness | `waiter_is_woken_by_the_unlock_and_not_before` |
//! | tokio sync_mutex::aborted_future_1 | `aborted_holder_unlocks` |
//! | tokio sync_mutex::aborted_future_2 | `aborted_waiter_does_not_lock` |
//! | tokio sync_mutex::try_lock | `try_lock_fails_while_somebody_holds_it` |
//! | tokio sync_mutex::debug_format | `guard_is_formatted_as_its_value` |
//! | tokio sync_mutex::mutex_debug | `debug_shows_the_value_or_that_it_is_locked` |
//! | tokio sync_mutex::mutex_fifo_with_coop_budget | `task_without_budget_has_its_place_in_the_queue` |
//! | tokio sync_mutex::mutex_coop_drop_after_take_permit | `task_without_budget_leaves_it_free_when_dropped` |
//! | tokio sync_mutex_owned::straight_execution | `each_holder_sees_what_the_last_one_wrote` |
//! | tokio sync_mutex_owned::readiness | `waiter_is_woken_by_the_unlock_and_not_before` |
//! | tokio sync_mutex_owned::aborted_future_1 | `aborted_holder_unlocks` |
//! | tokio sync_mutex_owned::aborted_future_2 | `aborted_waiter_does_not_lock` |
//! | tokio sync_mutex_owned::try_lock_owned | `try_lock_fails_while_somebody_holds_it` |
//! | tokio sync_mutex_owned::debug_format | `guard_is_formatted_as_its_value` |
//! | tokio sync_panic::mutex_blocking_lock_panic_caller | none: `blocking_lock` parks the thread anywhere and does not panic |
//!
//! What tokio's `async_send_sync` asserts of the types is in `tests/drop_in.rs`.

use std::sync::Arc;
use std::sync::Mutex as StdMutex;
use std::task::Poll;

use futures_util::FutureExt;
use sync::Mutex;
use tokio::task::yield_now;

use crate::common::{Task, now};

/// Whatever else can run does, until nothing can.
async fn let_others_run() {
    for _ in 0..8 {
        yield_now().await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn lock_passes_from_task_to_task_in_the_order_of_asking() {
    let mutex = Arc::new(Mutex::new(()));
    let entered = Arc::new(StdMutex::new(Vec::new()));
    let enter = |number| {
        let (mutex, entered) = (Arc::clone(&mutex), Arc::clone(&entered));
        tokio::spawn(async move {
            let guard = mutex.lock_owned().await;
            entered.lock().unwrap().push(number);
            guard
        })
    };
    let guard = Arc::clone(&mutex).lock_owned().await;
    let (first, second) = (enter(1), enter(2));
    let_others_run().await;
    assert!(entered.lock().unwrap().is_empty());

    drop(guard);
    let guard = first.await.unwrap();
    let_others_run().await;
    assert_eq!(*entered.lock().unwrap(), [1]);

    let third = enter(3);
    drop(guard);
    let guard = second.await.unwrap();
    let_others_run().await;
    assert_eq!(*entered.lock().unwrap(), [1, 2]);

    drop(guard);
    drop(third.await.unwrap());
    assert_eq!(*entered.lock().unwrap(), [1, 2, 3]);
}

#[test]
fn cancelled_waiter_leaves_nothing_behind() {
    let mutex = Mutex::new(());
    let guard = now(mutex.lock());
    drop(Task::waiting(mutex.lock()));
    assert_eq!(mutex.statistics().waiting, 0);
    drop(guard);
    assert!(!mutex.is_locked());
}

#[test]
fn unlock_passes_a_cancelled_waiter_by() {
    let mutex = Mutex::new(());
    let guard = now(mutex.lock());
    let cancelled = Task::waiting(mutex.lock());
    let mut next = Task::waiting(mutex.lock());
    assert_eq!(mutex.statistics().waiting, 2);
    drop(cancelled);
    drop(guard);
    drop(next.woken());
    assert!(!mutex.is_locked());
}

#[test]
fn cancel_beside_an_unlock_lets_one_task_in() {
    for cancel_first in [true, false] {
        let mutex = Mutex::new(());
        let guard = now(mutex.lock());
        let cancelled = Task::waiting(mutex.lock());
        let mut next = Task::waiting(mutex.lock());
        let mut last = Task::waiting(mutex.lock());
        if cancel_first {
            drop(cancelled);
            drop(guard);
        } else {
            drop(guard);
            drop(cancelled);
        }
        let _guard = next.woken();
        last.assert_waits();
    }
}

#[test]
fn waiter_cancelled_after_its_grant_wakes_the_next() {
    let mutex = Mutex::new(());
    let guard = now(mutex.lock());
    let granted = Task::waiting(mutex.lock());
    let mut next = Task::waiting(mutex.lock());
    drop(guard);
    assert_eq!((granted.wakes(), next.wakes()), (1, 0));
    drop(granted);
    assert!(mutex.is_locked());
    drop(next.woken());
}

#[test]
fn unlock_without_waiters_leaves_it_free() {
    let mutex = Mutex::new(());
    let guard = now(mutex.lock());
    assert!(mutex.is_locked());
    drop(guard);
    assert!(!mutex.is_locked());
}

#[tokio::test(flavor = "current_thread")]
async fn guard_holds_the_lock_for_its_scope() {
    let mutex = Mutex::new(());
    {
        let _guard = mutex.lock().await;
        yield_now().await;
        assert!(mutex.is_locked());
    }
    assert!(!mutex.is_locked());
}

#[test]
fn each_holder_sees_what_the_last_one_wrote() {
    let mutex = Arc::new(Mutex::new(String::new()));
    now(mutex.lock()).push('a');
    now(Arc::clone(&mutex).lock_owned()).push('b');
    assert_eq!(*now(mutex.lock()), "ab");
    assert_eq!(*now(Arc::clone(&mutex).lock_owned()), "ab");
}

#[test]
fn waiter_is_woken_by_the_unlock_and_not_before() {
    let mutex = Arc::new(Mutex::new(()));
    let guard = now(mutex.lock());
    let mut borrowed = Task::waiting(mutex.lock());
    let mut owned = Task::waiting(Arc::clone(&mutex).lock_owned());
    borrowed.assert_waits();
    drop(guard);
    let guard = borrowed.woken();
    owned.assert_waits();
    drop(guard);
    drop(owned.woken());
}

#[tokio::test(flavor = "current_thread")]
async fn aborted_holder_unlocks() {
    let mutex = Arc::new(Mutex::new(()));
    for owned in [false, true] {
        let task = tokio::spawn({
            let mutex = Arc::clone(&mutex);
            async move {
                if owned {
                    let _guard = mutex.lock_owned().await;
                    std::future::pending::<()>().await;
                } else {
                    let _guard = mutex.lock().await;
                    std::future::pending::<()>().await;
                }
            }
        });
        let_others_run().await;
        assert!(mutex.is_locked());
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert!(mutex.try_lock().is_ok());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn aborted_waiter_does_not_lock() {
    let mutex = Arc::new(Mutex::new(()));
    for owned in [false, true] {
        let guard = mutex.try_lock().unwrap();
        let task = tokio::spawn({
            let mutex = Arc::clone(&mutex);
            async move {
                if owned {
                    drop(mutex.lock_owned().await);
                } else {
                    drop(mutex.lock().await);
                }
            }
        });
        let_others_run().await;
        assert_eq!(mutex.statistics().waiting, 1);
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        drop(guard);
        assert!(mutex.try_lock().is_ok());
    }
}

#[test]
fn try_lock_fails_while_somebody_holds_it() {
    let mutex = Arc::new(Mutex::new(()));
    let guard = mutex.try_lock().unwrap();
    assert!(mutex.try_lock().is_err());
    assert!(Arc::clone(&mutex).try_lock_owned().is_err());
    drop(guard);
    let guard = Arc::clone(&mutex).try_lock_owned().unwrap();
    assert!(mutex.try_lock().is_err());
    drop(guard);
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn guard_is_formatted_as_its_value() {
    let mutex = Arc::new(Mutex::new("a\tb"));
    let guard = now(mutex.lock());
    assert_eq!(format!("{guard:?} {guard}"), "\"a\\tb\" a\tb");
    drop(guard);
    let guard = now(mutex.lock_owned());
    assert_eq!(format!("{guard:?} {guard}"), "\"a\\tb\" a\tb");
}

#[test]
fn debug_shows_the_value_or_that_it_is_locked() {
    let mutex = Mutex::new(7);
    assert_eq!(format!("{mutex:?}"), "Mutex { data: 7 }");
    let _guard = now(mutex.lock());
    assert_eq!(format!("{mutex:?}"), "Mutex { data: <locked> }");
}

/// Takes what is left of the current task's cooperative budget.
async fn spend_budget() {
    while tokio::task::coop::consume_budget().now_or_never().is_some() {}
}

#[tokio::test(flavor = "current_thread")]
async fn task_without_budget_has_its_place_in_the_queue() {
    let mutex = Mutex::new(());
    let guard = now(mutex.lock());
    let spent = Task::waiting(async {
        spend_budget().await;
        mutex.lock().await
    });
    let mut other = Task::waiting(mutex.lock());
    assert_eq!(mutex.statistics().waiting, 2);
    drop(guard);
    assert_eq!((spent.wakes(), other.wakes()), (1, 0));
    other.assert_waits();
}

/// tokio's lock yields here although it is free. Ours does so only with the feature `tokio`; either way nothing is kept.
#[tokio::test(flavor = "current_thread")]
async fn task_without_budget_leaves_it_free_when_dropped() {
    let mutex = Mutex::new(());
    let mut spent = Task::new(async {
        spend_budget().await;
        mutex.lock().await
    });
    match spent.poll() {
        Poll::Ready(guard) => drop(guard),
        Poll::Pending => drop(spent),
    }
    assert!(mutex.try_lock().is_ok());
}
