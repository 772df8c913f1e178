//! With the feature `tokio`: the spans of a wait that begins without budget.
#![cfg(feature = "tokio")]

use std::pin::pin;

use sync::schema::{field, outcome, span};
use sync::{Event, Mutex, Semaphore};
use tracing_subscriber::filter::LevelFilter;

use crate::capture::{Captured, Log, named, names, only, watch};
use crate::task::Task;

/// The spans of `scene`, which runs within a task whose budget is used up.
fn watch_without_budget(level: LevelFilter, scene: impl AsyncFnOnce(&Log)) -> Vec<Captured> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    watch(level, |log| {
        runtime.block_on(async {
            let task = Task::new();
            while task.poll(pin!(tokio::task::coop::consume_budget())).is_ready() {}
            scene(log).await;
        });
    })
}

#[test]
fn free_lock_taken_without_budget_is_a_wait_that_was_granted_at_once() {
    let task = Task::new();
    let spans = watch_without_budget(LevelFilter::TRACE, async |log| {
        let mutex = Mutex::new(());
        let mut lock = pin!(mutex.lock());
        task.wait(lock.as_mut());
        assert!(log.only(span::ACQUIRE).closed.is_none(), "it is open until the task has it");
        tokio::task::yield_now().await;
        drop(task.finish(lock));
    });
    assert_eq!(names(&spans), [span::ACQUIRE, span::WAIT, span::RELEASE]);
    let [acquire, wait, release] = &spans[..] else { unreachable!("three names above") };
    assert_eq!(wait.parent, Some(0));
    assert_eq!(wait.outcome(), Some(outcome::GRANTED));
    assert_eq!((wait.number(field::QUEUE), wait.number(field::QUEUED_NS)), (0, 0));
    assert!(wait.number(field::WAKE_NS) > 0, "all of it is the time until its next turn");
    assert!(wait.closed < acquire.closed && acquire.closed < release.closed);
    assert_eq!(release.value(field::OP), acquire.value(field::OP));
}

#[test]
fn wait_dropped_before_its_next_turn_is_cancelled() {
    let task = Task::new();
    let spans = watch_without_budget(LevelFilter::DEBUG, async |_| {
        let (semaphore, event) = (Semaphore::new(1), Event::new());
        event.set();
        task.wait(pin!(semaphore.acquire()));
        task.wait(pin!(event.wait()));
        assert_eq!(semaphore.available_permits(), 1);
    });
    assert_eq!(names(&spans), [span::WAIT, span::WAIT]);
    for wait in named(&spans, span::WAIT) {
        assert_eq!(wait.outcome(), Some(outcome::CANCELLED));
        assert_eq!(wait.number(field::QUEUED_NS), 0);
    }
}

#[test]
fn closed_semaphore_met_without_budget_is_no_wait() {
    let task = Task::new();
    let spans = watch_without_budget(LevelFilter::TRACE, async |_| {
        let semaphore = Semaphore::new(1);
        semaphore.close();
        assert!(task.run(semaphore.acquire()).is_err());
    });
    assert_eq!(only(&spans, span::ACQUIRE).outcome(), Some(outcome::CLOSED));
    assert!(named(&spans, span::WAIT).is_empty());
}
