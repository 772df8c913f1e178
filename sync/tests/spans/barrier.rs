//! Spans of [`Barrier`].

use std::pin::pin;
use std::sync::Arc;

use sync::Barrier;
use sync::schema::{field, outcome, primitive, span};
use tracing_subscriber::filter::LevelFilter;

use crate::capture::{named, names, only, watch};
use crate::places::{assert_called_at, assert_made_at};
use crate::task::Task;

const HERE: &str = include_str!("barrier.rs");

#[test]
fn last_arrival_does_not_wait_and_says_how_many_it_let_go() {
    let tasks: Vec<_> = (0..40).map(|_| Task::new()).collect();
    let spans = watch(LevelFilter::TRACE, |_| {
        let barrier = Barrier::new(tasks.len()).with_name("loaded");
        let mut waits: Vec<_> = tasks[1..].iter().map(|_| Box::pin(barrier.wait())).collect();
        for (task, wait) in tasks[1..].iter().zip(&mut waits) {
            task.wait(wait.as_mut());
        }
        tasks[0].run(barrier.wait()).expect("it is whole");
        for (task, wait) in tasks[1..].iter().zip(&mut waits) {
            task.finish(wait.as_mut()).expect("it was released");
        }
    });
    let waits = named(&spans, span::WAIT);
    let mut acquires = named(&spans, span::ACQUIRE);
    let last = acquires.pop().expect("there are forty");
    assert_eq!((waits.len(), acquires.len()), (39, 39));
    for ((wait, acquire), (task, ahead)) in waits.iter().zip(acquires).zip(tasks[1..].iter().zip(0..)) {
        assert!(std::ptr::eq(&spans[wait.parent.expect("it has a parent")], acquire));
        assert_eq!(wait.number(field::OP), acquire.number(field::OP));
        assert_eq!(wait.number(field::TASK), task.id());
        assert_eq!(wait.number(field::QUEUE), ahead);
        assert_eq!(wait.outcome(), Some(outcome::GRANTED));
        assert_eq!(acquire.outcome(), None);
        assert!(wait.closed() < acquire.closed());
    }
    assert_eq!(last.text(field::PRIMITIVE), primitive::BARRIER);
    assert_eq!(last.text(field::NAME), "loaded");
    assert_eq!(last.number(field::TASK), tasks[0].id());
    assert_eq!(last.number(field::PERMITS), 0, "a barrier has none");
    assert_eq!(last.outcome(), None);
    assert_called_at(last, file!(), HERE, "wait()");
    assert_made_at(last, file!(), HERE, "Barrier::new(tasks.len())");
    let notify = only(&spans, span::NOTIFY);
    assert!(last.closed() < notify.opened, "it had what it asked for before it let others go");
    assert_eq!(notify.text(field::PRIMITIVE), primitive::BARRIER);
    assert_eq!(notify.number(field::ID), last.number(field::ID));
    assert_eq!(notify.number(field::TASK), last.number(field::TASK));
    assert_eq!(notify.number(field::WOKEN), 39);
    assert!(named(&spans, span::RELEASE).is_empty(), "nobody holds a barrier");
}

#[test]
fn those_who_leave_are_not_ahead_of_a_newcomer() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let barrier = Barrier::new(2);
        let tasks = [Task::new(), Task::new()];
        let mut released = pin!(barrier.wait());
        tasks[0].wait(released.as_mut());
        Task::new().run(barrier.wait()).expect("it is whole");
        let mut newcomer = pin!(barrier.wait());
        tasks[1].wait(newcomer.as_mut());
        tasks[0].finish(released.as_mut()).expect("it was released");
    });
    let waits = named(&spans, span::WAIT);
    assert_eq!((waits[0].number(field::QUEUE), waits[1].number(field::QUEUE)), (0, 0));
    assert_eq!(waits[0].outcome(), Some(outcome::GRANTED));
    assert_eq!(waits[1].outcome(), Some(outcome::CANCELLED));
}

#[test]
fn abort_and_reset_close_who_waits() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let barrier = Barrier::new(3);
        let tasks = [Task::new(), Task::new()];
        let mut aborted = pin!(barrier.wait());
        tasks[0].wait(aborted.as_mut());
        barrier.abort();
        tasks[0].finish(aborted.as_mut()).expect_err("it is broken");
        Task::new().run(barrier.wait()).expect_err("it is broken");
        barrier.reset();
        let mut reset = pin!(barrier.wait());
        tasks[1].wait(reset.as_mut());
        barrier.reset();
        tasks[1].finish(reset.as_mut()).expect_err("it was reset");
    });
    assert_eq!(
        names(&spans),
        [
            span::ACQUIRE,
            span::WAIT,
            span::SET,
            span::ACQUIRE,
            span::CLEAR,
            span::ACQUIRE,
            span::WAIT,
            span::CLEAR
        ]
    );
    for span in named(&spans, span::ACQUIRE).into_iter().chain(named(&spans, span::WAIT)) {
        assert_eq!(span.outcome(), Some(outcome::CLOSED));
    }
    let woken =
        |name| -> Vec<_> { named(&spans, name).iter().map(|span| span.number(field::WOKEN)).collect() };
    assert_eq!(woken(span::SET), [1]);
    assert_eq!(woken(span::CLEAR), [0, 1]);
    assert_eq!(only(&spans, span::SET).text(field::PRIMITIVE), primitive::BARRIER);
    assert_eq!(only(&spans, span::SET).number(field::TASK), 0, "it need not be called by a task");
}

#[test]
fn dropped_wait_is_cancelled() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let barrier = Arc::new(Barrier::new(2));
        let mut arrived = Box::pin(Arc::clone(&barrier).wait_owned());
        Task::new().wait(arrived.as_mut());
        drop(arrived);
        let mut released = Box::pin(barrier.wait());
        Task::new().wait(released.as_mut());
        Task::new().run(barrier.wait()).expect("it is whole");
        drop(released);
        let mut broken = Box::pin(barrier.wait());
        Task::new().wait(broken.as_mut());
        barrier.abort();
    });
    let waits = named(&spans, span::WAIT);
    assert_called_at(waits[0], file!(), HERE, "wait_owned()");
    assert_eq!(waits.len(), 3);
    for wait in waits {
        assert_eq!(wait.outcome(), Some(outcome::CANCELLED));
        assert_eq!(spans[wait.parent.expect("it has a parent")].outcome(), Some(outcome::CANCELLED));
    }
}

#[test]
fn debug_shows_contention_alone() {
    let spans = watch(LevelFilter::DEBUG, |_| {
        let barrier = Barrier::new(2);
        let task = Task::new();
        let mut waiting = pin!(barrier.wait());
        task.wait(waiting.as_mut());
        Task::new().run(barrier.wait()).expect("it is whole");
        task.finish(waiting.as_mut()).expect("it was released");
        barrier.abort();
        barrier.reset();
    });
    assert_eq!(names(&spans), [span::WAIT]);
    assert_eq!(spans[0].outcome(), Some(outcome::GRANTED));
    assert_ne!(spans[0].number(field::OP), 0);
}
