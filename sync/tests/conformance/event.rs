//! `Event` beside asyncio's `Event`. tokio has none.
//!
//! | theirs | here |
//! |---|---|
//! | asyncio EventTests.test_repr | `debug_says_whether_it_is_set` |
//! | asyncio EventTests.test_wait | `tasks_that_wait_and_one_that_starts_after_the_set_all_go_on` |
//! | asyncio EventTests.test_wait_on_set | `wait_on_a_set_event_is_ready_at_once` |
//! | asyncio EventTests.test_wait_cancel | `cancelled_waiter_leaves_nothing_behind` |
//! | asyncio EventTests.test_clear | `clear_takes_the_set_back` |
//! | asyncio EventTests.test_clear_with_waiters | `waiter_is_released_though_clear_follows_at_once` |

use std::sync::Arc;
use std::sync::Mutex as StdMutex;

use sync::Event;
use tokio::task::yield_now;

use crate::common::{Task, now};

#[test]
fn debug_says_whether_it_is_set() {
    let event = Event::new();
    assert!(format!("{event:?}").contains("set: false"));
    let _waiter = Task::waiting(event.wait());
    assert_eq!(event.statistics().waiting, 1);
    event.set();
    assert!(format!("{event:?}").contains("set: true"));
}

/// asyncio lets the task that started late go first, since those that wait need another turn of the loop; here the
/// executor decides, and tokio's runs them in the order in which they became ready.
#[tokio::test(flavor = "current_thread")]
async fn tasks_that_wait_and_one_that_starts_after_the_set_all_go_on() {
    let event = Arc::new(Event::new());
    let released = Arc::new(StdMutex::new(Vec::new()));
    let wait = |number| {
        let (event, released) = (Arc::clone(&event), Arc::clone(&released));
        tokio::spawn(async move {
            event.wait().await;
            released.lock().unwrap().push(number);
        })
    };
    assert!(!event.is_set());
    let (first, second) = (wait(1), wait(2));
    yield_now().await;
    assert_eq!(event.statistics().waiting, 2);
    let late = wait(3);
    event.set();
    for task in [first, second, late] {
        task.await.unwrap();
    }
    let mut released = released.lock().unwrap().clone();
    released.retain(|number| *number != 3);
    assert_eq!(released, [1, 2], "those that waited were not released in their order");
}

#[test]
fn wait_on_a_set_event_is_ready_at_once() {
    let event = Arc::new(Event::new());
    event.set();
    now(event.wait());
    now(event.wait_owned());
}

#[test]
fn cancelled_waiter_leaves_nothing_behind() {
    let event = Event::new();
    drop(Task::waiting(event.wait()));
    assert_eq!(event.statistics().waiting, 0);
    event.set();
}

#[test]
fn clear_takes_the_set_back() {
    let event = Event::new();
    assert!(!event.is_set());
    event.set();
    assert!(event.is_set());
    event.clear();
    assert!(!event.is_set());
    Task::waiting(event.wait()).assert_waits();
}

#[test]
fn waiter_is_released_though_clear_follows_at_once() {
    let event = Event::new();
    let mut waiter = Task::waiting(event.wait());
    event.set();
    event.clear();
    assert!(!event.is_set());
    event.set();
    event.set();
    assert_eq!(event.statistics().waiting, 0);
    waiter.woken();
}
