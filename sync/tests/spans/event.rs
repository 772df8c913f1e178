//! Spans of [`Event`].

use std::pin::pin;
use std::sync::Arc;

use sync::Event;
use sync::schema::{field, outcome, primitive, span};
use tracing::info_span;
use tracing_subscriber::filter::LevelFilter;

use crate::capture::{named, names, only, watch};
use crate::places::{assert_called_at, assert_made_at};
use crate::task::Task;

const HERE: &str = include_str!("event.rs");

#[test]
fn wait_on_a_set_event_does_not_wait() {
    let task = Task::new();
    let spans = watch(LevelFilter::TRACE, |_| {
        let event = Event::new().with_name("ready");
        event.set();
        task.run(event.wait());
    });
    assert_eq!(names(&spans), [span::SET, span::ACQUIRE]);
    let [set, acquire] = &spans[..] else { unreachable!("two names above") };
    assert_eq!(acquire.text(field::PRIMITIVE), primitive::EVENT);
    assert_eq!(acquire.text(field::NAME), "ready");
    assert_eq!(acquire.number(field::TASK), task.id());
    assert_eq!(acquire.number(field::PERMITS), 0, "an event has none");
    assert_eq!(acquire.outcome(), None);
    assert_called_at(acquire, file!(), HERE, "wait()");
    assert_made_at(acquire, file!(), HERE, "Event::new()");
    assert_eq!(set.text(field::PRIMITIVE), primitive::EVENT);
    assert_eq!(set.text(field::NAME), "ready");
    assert_eq!(set.number(field::ID), acquire.number(field::ID));
    assert_eq!(set.number(field::WOKEN), 0);
}

#[test]
fn set_says_how_many_it_let_go() {
    let tasks: Vec<_> = (0..40).map(|_| Task::new()).collect();
    let spans = watch(LevelFilter::TRACE, |_| {
        let event = Event::new();
        let mut waits: Vec<_> = tasks.iter().map(|_| Box::pin(event.wait())).collect();
        for (task, wait) in tasks.iter().zip(&mut waits) {
            task.wait(wait.as_mut());
        }
        event.set();
        event.clear();
        for (task, wait) in tasks.iter().zip(&mut waits) {
            task.finish(wait.as_mut());
        }
        event.set();
    });
    let waits = named(&spans, span::WAIT);
    for ((wait, acquire), (task, ahead)) in
        waits.iter().zip(named(&spans, span::ACQUIRE)).zip(tasks.iter().zip(0..))
    {
        assert!(std::ptr::eq(&spans[wait.parent.expect("it has a parent")], acquire));
        assert_eq!(wait.number(field::OP), acquire.number(field::OP));
        assert_eq!(wait.number(field::TASK), task.id());
        assert_eq!(wait.number(field::QUEUE), ahead);
        assert_eq!(wait.outcome(), Some(outcome::GRANTED));
        assert!(wait.closed() < acquire.closed());
    }
    assert_eq!(waits.len(), tasks.len());
    let woken: Vec<_> = named(&spans, span::SET).iter().map(|span| span.number(field::WOKEN)).collect();
    assert_eq!(woken, [40, 0]);
    assert_eq!(only(&spans, span::CLEAR).number(field::WOKEN), 0);
    assert!(named(&spans, span::RELEASE).is_empty(), "nobody holds an event");
}

#[test]
fn dropped_wait_is_cancelled() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let event = Arc::new(Event::new());
        let mut granted = Box::pin(Arc::clone(&event).wait_owned());
        Task::new().wait(granted.as_mut());
        event.set();
        drop(granted);
        event.clear();
        let mut queued = Box::pin(event.wait());
        Task::new().wait(queued.as_mut());
        drop(queued);
    });
    let acquires = named(&spans, span::ACQUIRE);
    assert_called_at(acquires[0], file!(), HERE, "wait_owned()");
    assert_eq!(acquires.len(), 2);
    for span in acquires.into_iter().chain(named(&spans, span::WAIT)) {
        assert_eq!(span.outcome(), Some(outcome::CANCELLED));
    }
}

#[test]
fn calls_are_inside_the_callers_own_span() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let event = Event::new();
        info_span!("request").in_scope(|| {
            event.set();
            event.clear();
        });
    });
    assert_eq!(names(&spans), ["request", span::SET, span::CLEAR]);
    assert_eq!((spans[1].parent, spans[2].parent), (Some(0), Some(0)));
}

#[test]
fn debug_shows_contention_alone() {
    let spans = watch(LevelFilter::DEBUG, |_| {
        let event = Event::new();
        event.set();
        Task::new().run(event.wait());
        event.clear();
        let mut waiting = pin!(event.wait());
        let task = Task::new();
        task.wait(waiting.as_mut());
        event.set();
        task.finish(waiting.as_mut());
    });
    assert_eq!(names(&spans), [span::WAIT]);
    assert_eq!(spans[0].outcome(), Some(outcome::GRANTED));
    assert_ne!(spans[0].number(field::OP), 0);
}
