//! Spans of [`BoundedSemaphore`], which are a semaphore's.

use std::pin::pin;
use std::sync::Arc;

use sync::BoundedSemaphore;
use sync::schema::{field, outcome, primitive, span};
use tracing_subscriber::filter::LevelFilter;

use crate::capture::{named, names, only, watch};
use crate::places::{assert_called_at, assert_made_at};
use crate::task::Task;

const HERE: &str = include_str!("bounded_semaphore.rs");

#[test]
fn acquisition_and_release_are_told_as_a_semaphores() {
    let task = Task::new();
    let spans = watch(LevelFilter::TRACE, |_| {
        let semaphore = BoundedSemaphore::new(10).with_name("connections");
        drop(task.run(semaphore.acquire_many(3)));
    });
    assert_eq!(names(&spans), [span::ACQUIRE, span::RELEASE]);
    let [acquire, release] = &spans[..] else { unreachable!("two names above") };
    assert_eq!(acquire.text(field::PRIMITIVE), primitive::SEMAPHORE);
    assert_eq!(acquire.text(field::NAME), "connections");
    assert_eq!(acquire.number(field::TASK), task.id());
    assert_eq!(acquire.number(field::PERMITS), 3);
    assert_called_at(acquire, file!(), HERE, "acquire_many(3)");
    assert_made_at(acquire, file!(), HERE, "BoundedSemaphore::new(10)");
    for same in [field::PRIMITIVE, field::NAME, field::ID, field::OP, field::TASK] {
        assert_eq!(release.value(same), acquire.value(same), "{same}");
    }
}

#[test]
fn every_way_to_acquire_names_its_caller() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let semaphore = Arc::new(BoundedSemaphore::new(10));
        let owner = || Arc::clone(&semaphore);
        let task = Task::new();
        drop(task.run(semaphore.acquire()));
        drop(task.run(owner().acquire_owned()));
        drop(task.run(owner().acquire_many_owned(4)));
        drop(semaphore.try_acquire());
        drop(semaphore.try_acquire_many(6));
        drop(owner().try_acquire_owned());
        drop(owner().try_acquire_many_owned(8));
    });
    let acquires = named(&spans, span::ACQUIRE);
    let calls = [
        "acquire()",
        "acquire_owned()",
        "acquire_many_owned(4)",
        "try_acquire()",
        "try_acquire_many(6)",
        "try_acquire_owned()",
        "try_acquire_many_owned(8)",
    ];
    assert_eq!(acquires.len(), calls.len());
    for (acquire, call) in acquires.iter().zip(calls) {
        assert_called_at(acquire, file!(), HERE, call);
    }
}

#[test]
fn permit_that_is_forgotten_ends_its_operation_and_releasing_it_begins_none() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let semaphore = BoundedSemaphore::new(1);
        let task = Task::new();
        task.run(semaphore.acquire()).expect("it is open").forget();
        let mut waiting = pin!(semaphore.acquire());
        task.wait(waiting.as_mut());
        semaphore.release(1).expect("it was forgotten");
        drop(task.finish(waiting.as_mut()));
    });
    assert_eq!(only(&spans, span::WAIT).outcome(), Some(outcome::GRANTED));
    let ops = |name| named(&spans, name).iter().map(|span| span.number(field::OP)).collect::<Vec<_>>();
    assert_eq!(ops(span::RELEASE), ops(span::ACQUIRE));
}
