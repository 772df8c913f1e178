//! `Condition` beside asyncio's `Condition`. tokio has none.
//!
//! | theirs | here |
//! |---|---|
//! | asyncio ConditionTests.test_wait | `notified_task_goes_on_only_once_it_has_the_lock` |
//! | asyncio ConditionTests.test_wait_cancel | `cancelled_wait_leaves_the_lock_released` |
//! | asyncio ConditionTests.test_wait_cancel_contested | `wait_cancelled_on_its_way_back_leaves_the_lock_to_others` |
//! | asyncio ConditionTests.test_wait_cancel_after_notify | `wait_cancelled_on_its_way_back_leaves_the_lock_to_others` |
//! | asyncio ConditionTests.test_wait_unacquired | none: only a guard can wait, and having one is having the lock |
//! | asyncio ConditionTests.test_wait_for | `wait_for_goes_on_when_its_predicate_holds` |
//! | asyncio ConditionTests.test_wait_for_unacquired | none: only a guard can wait; see `wait_for_goes_on_when_its_predicate_holds` for the predicate that holds at once |
//! | asyncio ConditionTests.test_notify | `notify_takes_as_many_as_it_says_or_as_there_are` |
//! | asyncio ConditionTests.test_notify_all | `notify_all_takes_everybody_in_order` |
//! | asyncio ConditionTests.test_notify_unacquired | none: only a guard can notify |
//! | asyncio ConditionTests.test_notify_all_unacquired | none: only a guard can notify |
//! | asyncio ConditionTests.test_repr | `statistics_and_debug_show_lock_and_waiters` |
//! | asyncio ConditionTests.test_context_manager | `guard_holds_the_lock_for_its_scope` |
//! | asyncio ConditionTests.test_explicit_lock | `condition_on_a_lock_that_exists_is_locked_with_it` |
//! | asyncio ConditionTests.test_ambiguous_loops | none: there is no loop to bind to |
//! | asyncio ConditionTests.test_timeout_in_block | `wait_that_times_out_leaves_the_lock_released` |
//! | asyncio ConditionTests.test_cancelled_error_wakeup | none: dropping a future raises nothing that could be changed on its way |
//! | asyncio ConditionTests.test_cancelled_error_re_aquire | none: dropping a future raises nothing that could be changed on its way |
//! | asyncio ConditionTests.test_cancelled_wakeup | `notification_of_a_cancelled_task_goes_to_the_next` |
//! | asyncio ConditionTests.test_cancelled_wakeup_relock | `notification_of_a_task_cancelled_with_the_lock_granted_goes_to_the_next` |

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sync::futures::ConditionWait;
use sync::{Condition, ConditionGuard, Mutex};
use tokio::task::{JoinHandle, yield_now};

use crate::common::{Task, now};

/// A task that waits, with the lock free again.
fn parked<T>(condition: &Condition<T>) -> Task<ConditionWait<'_, T>> {
    let task = Task::waiting(now(condition.lock()).wait());
    assert!(!condition.mutex().is_locked());
    task
}

#[test]
fn notified_task_goes_on_only_once_it_has_the_lock() {
    let condition = Condition::new(());
    let [mut first, mut second, mut third] = [(); 3].map(|()| parked(&condition));

    let guard = now(condition.lock());
    guard.notify_one();
    first.assert_waits();
    drop(guard);
    let guard: ConditionGuard<'_, ()> = first.woken();

    guard.notify(2);
    second.assert_waits();
    third.assert_waits();
    drop(guard);
    let guard = second.woken();
    assert!(condition.mutex().is_locked());
    third.assert_waits();
    drop(guard);
    let _guard = third.woken();
    assert!(condition.mutex().is_locked());
}

/// asyncio takes the lock again before it reports the cancellation. A dropped future can do nothing more.
#[test]
fn cancelled_wait_leaves_the_lock_released() {
    let condition = Condition::new(());
    drop(parked(&condition));
    assert_eq!(condition.statistics().waiting, 0);
    assert!(!condition.mutex().is_locked());
}

/// In asyncio the cancelled task has the lock in the end; here nobody has.
#[test]
fn wait_cancelled_on_its_way_back_leaves_the_lock_to_others() {
    let condition = Condition::new(());
    let cancelled = parked(&condition);
    let guard = now(condition.lock());
    guard.notify_one();
    let mut other = Task::waiting(condition.lock());
    drop(cancelled);
    assert_eq!(condition.statistics().mutex.waiting, 1);
    drop(guard);
    drop(other.woken());
    assert!(!condition.mutex().is_locked());
}

#[test]
fn wait_for_goes_on_when_its_predicate_holds() {
    let condition = Condition::new(false);
    assert!(now(now(condition.lock()).wait_for(|ready| !*ready)).eq(&false));

    let mut task = Task::waiting(now(condition.lock()).wait_for(|ready| *ready));
    now(condition.lock()).notify_one();
    assert_eq!(task.wakes(), 1);
    assert!(task.poll().is_pending(), "it went on although the predicate did not hold");

    let mut guard = now(condition.lock());
    *guard = true;
    guard.notify_one();
    drop(guard);
    assert!(*task.ready());
}

/// Spawns tasks that wait, go on, and let the lock go; what they note is the order in which they did.
async fn spawn_waiters(condition: &Arc<Condition<Vec<usize>>>, count: usize) -> Vec<JoinHandle<()>> {
    let tasks = (0..count)
        .map(|number| {
            let condition = Arc::clone(condition);
            tokio::spawn(async move { condition.lock().await.wait().await.push(number) })
        })
        .collect();
    while condition.statistics().waiting < count {
        yield_now().await;
    }
    tasks
}

#[tokio::test(flavor = "current_thread")]
async fn notify_takes_as_many_as_it_says_or_as_there_are() {
    let condition = Arc::new(Condition::new(Vec::new()));
    let tasks = spawn_waiters(&condition, 3).await;

    condition.lock().await.notify(1);
    assert_eq!(condition.statistics().waiting, 2);
    // It is our turn only after the task that was notified.
    assert_eq!(*condition.lock().await, [0]);

    let guard = condition.lock().await;
    guard.notify(1);
    guard.notify(2_048);
    drop(guard);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*condition.lock().await, [0, 1, 2]);
}

#[tokio::test(flavor = "current_thread")]
async fn notify_all_takes_everybody_in_order() {
    let condition = Arc::new(Condition::new(Vec::new()));
    let tasks = spawn_waiters(&condition, 5).await;
    condition.lock().await.notify_all();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*condition.lock().await, [0, 1, 2, 3, 4]);
}

#[test]
fn statistics_and_debug_show_lock_and_waiters() {
    let condition = Condition::new(1);
    let _waiters = [parked(&condition), parked(&condition)];
    assert!(format!("{condition:?}").contains("data: 1"));
    assert!(!condition.statistics().mutex.locked);
    let _guard = now(condition.lock());
    assert!(format!("{condition:?}").contains("<locked>"));
    assert!(condition.statistics().mutex.locked);
    assert_eq!(condition.statistics().waiting, 2);
}

#[tokio::test(flavor = "current_thread")]
async fn guard_holds_the_lock_for_its_scope() {
    let condition = Condition::new(());
    assert!(!condition.mutex().is_locked());
    {
        let _guard = condition.lock().await;
        yield_now().await;
        assert!(condition.mutex().is_locked());
    }
    assert!(!condition.mutex().is_locked());
}

#[test]
fn condition_on_a_lock_that_exists_is_locked_with_it() {
    let mutex = Arc::new(Mutex::new(()));
    let left = Condition::with_mutex(Arc::clone(&mutex));
    let right = Condition::with_mutex(Arc::clone(&mutex));
    assert!(Arc::ptr_eq(left.mutex(), &mutex));

    let guard = now(mutex.lock());
    assert!(left.try_lock().is_err() && right.try_lock().is_err());
    drop(guard);
    let guard = now(left.lock());
    assert!(mutex.is_locked() && right.try_lock().is_err());
    drop(guard);
    assert!(!mutex.is_locked());

    // A notification is for the waiters of its own condition.
    let (mut on_left, mut on_right) = (parked(&left), parked(&right));
    now(right.lock()).notify_all();
    on_left.assert_waits();
    drop(on_right.woken());
}

#[tokio::test(flavor = "current_thread")]
async fn wait_that_times_out_leaves_the_lock_released() {
    let condition = Condition::new(());
    let guard = condition.lock().await;
    // The wait is polled before the clock is asked, so that it is cancelled while it waits.
    assert!(tokio::time::timeout(Duration::ZERO, guard.wait()).await.is_err());
    assert!(!condition.mutex().is_locked());
}

/// A store with one item, and two tasks that want it; the first is notified, and cancelled before it runs.
async fn item_reaches_the_second_of_two_when_the_first_is_cancelled(cancel_while_locked: bool) {
    let store = Arc::new(Condition::new(0_usize));
    let consumed = Arc::new(AtomicBool::new(false));
    let mut consumers = Vec::new();
    for _ in 0..2 {
        let (store, consumed) = (Arc::clone(&store), Arc::clone(&consumed));
        consumers.push(tokio::spawn(async move {
            let mut items = store.lock().await.wait_for(|items| *items > 0).await;
            *items -= 1;
            consumed.store(true, Ordering::SeqCst);
        }));
        yield_now().await;
    }
    assert_eq!(store.statistics().waiting, 2);

    let mut items = store.lock().await;
    *items += 1;
    items.notify_one();
    if cancel_while_locked {
        consumers[0].abort();
        // The runtime drops the task while we hold the lock.
        yield_now().await;
        drop(items);
    } else {
        // The lock is granted to the task, which is cancelled before it runs.
        drop(items);
        consumers[0].abort();
    }
    for _ in 0..8 {
        yield_now().await;
    }
    assert!(consumed.load(Ordering::SeqCst), "the notification was lost");
    let [first, second] = <[_; 2]>::try_from(consumers).expect("there are two");
    assert!(first.await.unwrap_err().is_cancelled());
    second.await.unwrap();
    assert_eq!(*store.lock().await, 0);
}

#[tokio::test(flavor = "current_thread")]
async fn notification_of_a_cancelled_task_goes_to_the_next() {
    item_reaches_the_second_of_two_when_the_first_is_cancelled(true).await;
}

#[tokio::test(flavor = "current_thread")]
async fn notification_of_a_task_cancelled_with_the_lock_granted_goes_to_the_next() {
    item_reaches_the_second_of_two_when_the_first_is_cancelled(false).await;
}

/// What the notified task would have done is done by the next one, whichever wait it is in.
#[test]
fn notification_passes_on_through_several_cancelled_tasks() {
    let condition = Condition::new(());
    let mut waits: Vec<_> = (0..4).map(|_| parked(&condition)).collect();
    now(condition.lock()).notify_one();
    drop(waits.drain(..3));
    drop(waits[0].woken());
    assert!(!condition.mutex().is_locked());
}
