//! Spans of [`Condition`], which are those of two objects: the condition and its mutex.

use std::pin::pin;
use std::sync::Arc;

use sync::schema::{field, outcome, primitive, span};
use sync::{Condition, Mutex};
use tracing_subscriber::filter::LevelFilter;

use crate::capture::{Captured, named, names, only, watch};
use crate::places::{assert_called_at, assert_made_at};
use crate::task::Task;

const HERE: &str = include_str!("condition.rs");

/// The spans of that name and primitive.
fn of<'a>(spans: &'a [Captured], primitive: &str, name: &str) -> Vec<&'a Captured> {
    named(spans, name).into_iter().filter(|span| span.text(field::PRIMITIVE) == primitive).collect()
}

#[test]
fn wait_releases_the_mutex_and_acquires_it_anew() {
    let (waiter, notifier) = (Task::new(), Task::new());
    let spans = watch(LevelFilter::TRACE, |log| {
        let mutex = Arc::new(Mutex::new(()).with_name("queue's lock"));
        let condition = Condition::with_mutex(mutex).with_name("queue");
        let guard = waiter.run(condition.lock());
        let mut waiting = pin!(guard.wait());
        waiter.wait(waiting.as_mut());
        assert!(log.only(span::RELEASE).closed.is_some(), "the first poll releases");

        let guard = notifier.run(condition.lock());
        guard.notify_one();
        waiter.wait(waiting.as_mut());
        assert!(log.only(span::WAIT).closed.is_none(), "it is open until the lock is granted too");
        drop(guard);
        drop(waiter.finish(waiting.as_mut()));
    });
    assert_eq!(
        names(&spans),
        [
            // The waiter locks, waits, and so unlocks.
            span::ACQUIRE,
            span::ACQUIRE,
            span::WAIT,
            span::RELEASE,
            // The notifier.
            span::ACQUIRE,
            span::NOTIFY,
            span::RELEASE,
            // The waiter has the lock again, then gives it back.
            span::ACQUIRE,
            span::RELEASE,
        ]
    );
    let [first, waited, wait, unlocked, other, notify, handed_over, again, last] = &spans[..] else {
        unreachable!("nine names above")
    };

    for condition in [waited, wait, notify] {
        assert_eq!(condition.text(field::PRIMITIVE), primitive::CONDITION);
        assert_eq!(condition.text(field::NAME), "queue");
        assert_eq!(condition.number(field::ID), waited.number(field::ID));
    }
    for mutex in [first, unlocked, other, handed_over, again, last] {
        assert_eq!(mutex.text(field::PRIMITIVE), primitive::MUTEX);
        assert_eq!(mutex.text(field::NAME), "queue's lock");
        assert_eq!(mutex.number(field::ID), first.number(field::ID));
    }
    assert_ne!(waited.number(field::ID), first.number(field::ID));

    assert_eq!(wait.parent, Some(1));
    assert_eq!(wait.number(field::OP), waited.number(field::OP));
    assert_eq!(wait.number(field::QUEUE), 0);
    assert_eq!(wait.outcome(), Some(outcome::GRANTED));
    assert_eq!(waited.outcome(), None);
    assert!(wait.closed() < waited.closed() && waited.closed() < again.opened);
    assert_called_at(wait, file!(), HERE, "wait()");
    assert_called_at(again, file!(), HERE, "wait()");
    assert_called_at(first, file!(), HERE, "lock()");
    assert_made_at(wait, file!(), HERE, "Condition::with_mutex(mutex)");
    assert_made_at(again, file!(), HERE, "Mutex::new(())");

    for (acquire, release) in [(first, unlocked), (other, handed_over), (again, last)] {
        assert_eq!(release.number(field::OP), acquire.number(field::OP));
        assert_eq!(release.number(field::TASK), acquire.number(field::TASK));
    }
    let ops = [first, waited, other, again].map(|span| span.number(field::OP));
    assert!(ops.iter().enumerate().all(|(i, op)| !ops[..i].contains(op)), "{ops:?}");
    for span in [first, waited, wait, again] {
        assert_eq!(span.number(field::TASK), waiter.id());
    }
    assert_eq!(notify.number(field::TASK), notifier.id(), "the task that notifies");
    assert_eq!(notify.number(field::WOKEN), 1);
    assert_eq!(unlocked.number(field::WOKEN), 0);
    assert_eq!(handed_over.number(field::WOKEN), 1, "the notified one waited for the lock");
}

#[test]
fn notify_says_how_many_it_let_go() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let condition = Condition::new(());
        let task = Task::new();
        let mut waits = Vec::new();
        for _ in 0..5 {
            let mut wait = Box::pin(task.run(condition.lock()).wait());
            task.wait(wait.as_mut());
            waits.push(wait);
        }
        let guard = task.run(condition.lock());
        guard.notify(2);
        guard.notify_all();
        guard.notify_all();
        drop(guard);
        for mut wait in waits {
            drop(task.finish(wait.as_mut()));
        }
    });
    let woken: Vec<_> = named(&spans, span::NOTIFY).iter().map(|span| span.number(field::WOKEN)).collect();
    assert_eq!(woken, [2, 3, 0]);
    let ahead: Vec<_> = named(&spans, span::WAIT).iter().map(|span| span.number(field::QUEUE)).collect();
    assert_eq!(ahead, [0, 1, 2, 3, 4]);
}

#[test]
fn dropped_wait_is_cancelled_and_takes_no_lock() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let condition = Condition::new(());
        let task = Task::new();
        let mut waiting = Box::pin(task.run(condition.lock()).wait());
        task.wait(waiting.as_mut());
    });
    assert_eq!(only(&spans, span::WAIT).outcome(), Some(outcome::CANCELLED));
    let [waited] = of(&spans, primitive::CONDITION, span::ACQUIRE)[..] else { panic!("{spans:#?}") };
    assert_eq!(waited.outcome(), Some(outcome::CANCELLED));
    assert_eq!(of(&spans, primitive::MUTEX, span::ACQUIRE).len(), 1);
    assert_eq!(of(&spans, primitive::MUTEX, span::RELEASE).len(), 1);
}

#[test]
fn notification_of_a_dropped_wait_shows_at_the_next_one() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let condition = Condition::new(());
        let task = Task::new();
        let mut one = Box::pin(task.run(condition.lock()).wait());
        task.wait(one.as_mut());
        let mut two = Box::pin(task.run(condition.lock()).wait());
        task.wait(two.as_mut());
        let guard = task.run(condition.lock());
        guard.notify_one();
        drop(guard);
        drop(one);
        drop(task.finish(two.as_mut()));
    });
    let outcomes: Vec<_> = named(&spans, span::WAIT).iter().map(|span| span.outcome()).collect();
    assert_eq!(outcomes, [Some(outcome::CANCELLED), Some(outcome::GRANTED)]);
    let released: Vec<_> =
        of(&spans, primitive::MUTEX, span::RELEASE).iter().map(|span| span.number(field::OP)).collect();
    let acquired: Vec<_> =
        of(&spans, primitive::MUTEX, span::ACQUIRE).iter().map(|span| span.number(field::OP)).collect();
    assert_eq!(acquired, released, "four locks, each given back once");
    assert_eq!(acquired.len(), 4);
}

#[test]
fn wait_for_waits_once_for_each_notification_it_needs() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let condition = Condition::new(0);
        let task = Task::new();
        let mut waiting = pin!(task.run(condition.lock()).wait_for(|value| *value == 2));
        task.wait(waiting.as_mut());
        for _ in 0..2 {
            let mut guard = task.run(condition.lock());
            *guard += 1;
            guard.notify_one();
            drop(guard);
            if let std::task::Poll::Ready(guard) = task.poll(waiting.as_mut()) {
                assert_eq!(*guard, 2);
            }
        }
    });
    let waits = named(&spans, span::WAIT);
    assert_eq!(waits.len(), 2);
    assert_ne!(waits[0].number(field::OP), waits[1].number(field::OP));
    for wait in waits {
        assert_eq!(wait.outcome(), Some(outcome::GRANTED));
        assert_called_at(wait, file!(), HERE, "wait_for(");
    }
}

#[test]
fn wait_for_what_holds_already_makes_no_span() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let condition = Condition::new(());
        drop(Task::new().run(condition.try_lock().expect("it is free").wait_for(|()| true)));
    });
    assert_eq!(names(&spans), [span::ACQUIRE, span::RELEASE]);
    assert_called_at(&spans[0], file!(), HERE, "try_lock()");
    assert_eq!(spans[0].text(field::PRIMITIVE), primitive::MUTEX);
}

#[test]
fn debug_shows_contention_alone() {
    let spans = watch(LevelFilter::DEBUG, |_| {
        let condition = Condition::new(());
        let task = Task::new();
        let mut waiting = pin!(task.run(condition.lock()).wait());
        task.wait(waiting.as_mut());
        let guard = condition.try_lock().expect("it is free");
        condition.try_lock().expect_err("it is locked");
        guard.notify_all();
        drop(guard);
        drop(task.finish(waiting.as_mut()));
    });
    assert_eq!(names(&spans), [span::WAIT]);
    assert_eq!(spans[0].text(field::PRIMITIVE), primitive::CONDITION);
    assert_eq!(spans[0].outcome(), Some(outcome::GRANTED));
    assert_ne!(spans[0].number(field::TASK), 0);
}
