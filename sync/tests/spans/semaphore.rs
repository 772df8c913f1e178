//! Spans of [`Semaphore`].

use std::pin::pin;
use std::sync::Arc;

use sync::schema::{field, outcome, primitive, span};
use sync::{Semaphore, TryAcquireError};
use tracing_subscriber::filter::LevelFilter;

use crate::capture::{Captured, named, names, only, watch};
use crate::places::{assert_called_at, assert_made_at};
use crate::task::Task;

const HERE: &str = include_str!("semaphore.rs");

fn ops(spans: &[Captured], name: &str) -> Vec<u64> {
    named(spans, name).iter().map(|span| span.number(field::OP)).collect()
}

#[test]
fn free_acquisition_is_an_acquire_and_its_release() {
    let task = Task::new();
    let spans = watch(LevelFilter::TRACE, |_| {
        let semaphore = Semaphore::new(10).with_name("downloads");
        let permit = task.run(semaphore.acquire_many(3)).expect("it is open");
        drop(permit);
    });
    assert_eq!(names(&spans), [span::ACQUIRE, span::RELEASE]);
    let [acquire, release] = &spans[..] else { unreachable!("two names above") };
    assert_eq!(acquire.text(field::PRIMITIVE), primitive::SEMAPHORE);
    assert_eq!(acquire.text(field::NAME), "downloads");
    assert_eq!(acquire.number(field::TASK), task.id());
    assert_eq!(acquire.number(field::PERMITS), 3);
    assert_eq!(acquire.outcome(), None);
    assert_called_at(acquire, file!(), HERE, "acquire_many(3)");
    assert_made_at(acquire, file!(), HERE, "Semaphore::new(10)");
    for same in [field::PRIMITIVE, field::NAME, field::ID, field::OP, field::TASK] {
        assert_eq!(release.value(same), acquire.value(same), "{same}");
    }
    assert_eq!(release.number(field::WOKEN), 0);
}

#[test]
fn every_way_to_acquire_names_its_caller() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let semaphore = Arc::new(Semaphore::new(10));
        let owner = || Arc::clone(&semaphore);
        let task = Task::new();
        drop(task.run(semaphore.acquire()));
        drop(task.run(semaphore.acquire_many(2)));
        drop(task.run(owner().acquire_owned()));
        drop(task.run(owner().acquire_many_owned(4)));
        drop(semaphore.try_acquire());
        drop(semaphore.try_acquire_many(6));
        drop(owner().try_acquire_owned());
        drop(owner().try_acquire_many_owned(8));
    });
    let acquires = named(&spans, span::ACQUIRE);
    let calls = [
        ("acquire()", 1),
        ("acquire_many(2)", 2),
        ("acquire_owned()", 1),
        ("acquire_many_owned(4)", 4),
        ("try_acquire()", 1),
        ("try_acquire_many(6)", 6),
        ("try_acquire_owned()", 1),
        ("try_acquire_many_owned(8)", 8),
    ];
    assert_eq!(acquires.len(), calls.len());
    for (acquire, (call, permits)) in acquires.iter().zip(calls) {
        assert_called_at(acquire, file!(), HERE, call);
        assert_eq!(acquire.number(field::PERMITS), permits);
    }
    assert_eq!(ops(&spans, span::RELEASE), ops(&spans, span::ACQUIRE));
}

#[test]
fn release_says_how_many_it_let_go() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let semaphore = Semaphore::new(2);
        let task = Task::new();
        let both = semaphore.try_acquire_many(2).expect("they are free");
        let mut one = pin!(semaphore.acquire());
        let mut two = pin!(semaphore.acquire());
        task.wait(one.as_mut());
        task.wait(two.as_mut());
        drop(both);
        let permits = (task.finish(one.as_mut()), task.finish(two.as_mut()));
        drop(permits);
    });
    let woken: Vec<_> = named(&spans, span::RELEASE).iter().map(|span| span.number(field::WOKEN)).collect();
    assert_eq!(woken, [2, 0, 0]);
    let ahead: Vec<_> = named(&spans, span::WAIT).iter().map(|span| span.number(field::QUEUE)).collect();
    assert_eq!(ahead, [0, 1]);
    assert_eq!(ops(&spans, span::WAIT), ops(&spans, span::ACQUIRE)[1..]);
}

#[test]
fn closing_ends_a_wait_as_closed() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let semaphore = Semaphore::new(0);
        let task = Task::new();
        let mut waiting = pin!(semaphore.acquire());
        task.wait(waiting.as_mut());
        semaphore.close();
        task.finish(waiting.as_mut()).expect_err("it is closed");
    });
    assert_eq!(names(&spans), [span::ACQUIRE, span::WAIT]);
    let [acquire, wait] = &spans[..] else { unreachable!("two names above") };
    assert_eq!(wait.outcome(), Some(outcome::CLOSED));
    assert_eq!(acquire.outcome(), Some(outcome::CLOSED));
    assert!(wait.closed() < acquire.closed());
}

#[test]
fn wait_dropped_after_closing_is_cancelled() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let semaphore = Semaphore::new(0);
        let mut waiting = Box::pin(semaphore.acquire());
        Task::new().wait(waiting.as_mut());
        semaphore.close();
    });
    assert_eq!(only(&spans, span::WAIT).outcome(), Some(outcome::CANCELLED));
}

#[test]
fn acquiring_from_a_closed_semaphore_does_not_wait() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let semaphore = Semaphore::new(1);
        semaphore.close();
        Task::new().run(semaphore.acquire()).expect_err("it is closed");
        assert_eq!(semaphore.try_acquire().expect_err("it is closed"), TryAcquireError::Closed);
    });
    assert_eq!(names(&spans), [span::ACQUIRE, span::ACQUIRE]);
    assert!(spans.iter().all(|span| span.outcome() == Some(outcome::CLOSED)));
}

#[test]
fn refused_try_is_an_acquire_without_a_wait() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let semaphore = Semaphore::new(1);
        assert_eq!(semaphore.try_acquire_many(2).expect_err("too few"), TryAcquireError::NoPermits);
    });
    let acquire = only(&spans, span::ACQUIRE);
    assert_eq!(spans.len(), 1);
    assert_eq!(acquire.outcome(), Some(outcome::REFUSED));
    assert_eq!(acquire.number(field::PERMITS), 2);
}

#[test]
fn cancelled_large_request_lets_the_small_one_behind_it_through() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let semaphore = Semaphore::new(1);
        let task = Task::new();
        let mut large = Box::pin(semaphore.acquire_many(2));
        let mut small = pin!(semaphore.acquire());
        task.wait(large.as_mut());
        task.wait(small.as_mut());
        drop(large);
        drop(task.finish(small.as_mut()));
    });
    let [large, small] = named(&spans, span::WAIT)[..] else { panic!("{spans:#?}") };
    assert_eq!((large.outcome(), large.number(field::PERMITS)), (Some(outcome::CANCELLED), 2));
    assert_eq!((small.outcome(), small.number(field::PERMITS)), (Some(outcome::GRANTED), 1));
    assert_eq!(only(&spans, span::RELEASE).number(field::OP), small.number(field::OP));
}

#[test]
fn forgotten_permit_ends_its_operation_too() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let semaphore = Semaphore::new(1);
        semaphore.try_acquire().expect("it is free").forget();
        assert_eq!(semaphore.available_permits(), 0);
    });
    assert_eq!(names(&spans), [span::ACQUIRE, span::RELEASE]);
    assert_eq!(ops(&spans, span::RELEASE), ops(&spans, span::ACQUIRE));
}

#[test]
fn merged_permits_end_both_operations() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let semaphore = Semaphore::new(2);
        let mut one = semaphore.try_acquire().expect("it is free");
        let two = semaphore.try_acquire().expect("it is free");
        one.merge(two);
        drop(one);
        assert_eq!(semaphore.available_permits(), 2);
    });
    let (mut acquired, mut released) = (ops(&spans, span::ACQUIRE), ops(&spans, span::RELEASE));
    acquired.sort_unstable();
    released.sort_unstable();
    assert_eq!(acquired, released);
}

#[test]
fn permits_split_off_belong_to_no_known_operation() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let semaphore = Semaphore::new(2);
        let mut both = semaphore.try_acquire_many(2).expect("they are free");
        let one = both.split(1).expect("there are two");
        drop(one);
        drop(both);
    });
    assert_eq!(ops(&spans, span::RELEASE), [0, ops(&spans, span::ACQUIRE)[0]]);
}

#[test]
fn debug_shows_contention_alone() {
    let spans = watch(LevelFilter::DEBUG, |_| {
        let semaphore = Semaphore::new(1);
        let task = Task::new();
        let permit = task.run(semaphore.acquire()).expect("it is open");
        semaphore.try_acquire().expect_err("it is taken");
        let mut waiting = pin!(semaphore.acquire());
        task.wait(waiting.as_mut());
        drop(permit);
        drop(task.finish(waiting.as_mut()));
        let mut closed = pin!(semaphore.acquire_many(2));
        task.wait(closed.as_mut());
        semaphore.close();
        task.finish(closed.as_mut()).expect_err("it is closed");
    });
    assert_eq!(names(&spans), [span::WAIT, span::WAIT]);
    assert_eq!(spans[0].outcome(), Some(outcome::GRANTED));
    assert_eq!(spans[1].outcome(), Some(outcome::CLOSED));
    assert_ne!(spans[0].number(field::OP), spans[1].number(field::OP));
}
