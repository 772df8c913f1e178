//! The times that spans carry, compared only with spans of time that enclose them or lie within them: no test here
//! depends on how fast anything is.

use std::pin::pin;
use std::time::{Duration, Instant};

use sync::schema::{field, span};
use sync::{Event, Mutex};
use tracing_subscriber::filter::LevelFilter;

use crate::capture::{Captured, named, only, watch};
use crate::task::Task;

/// Lets the clock go on, so that what lies around this took some time. Returns how much at least.
fn pass() -> Duration {
    let start = Instant::now();
    loop {
        let passed = start.elapsed();
        if passed > Duration::from_micros(1) {
            return passed;
        }
    }
}

#[track_caller]
fn assert_between(span: &Captured, name: &str, least: Duration, most: Duration) {
    let value = Duration::from_nanos(span.number(name));
    assert!(least <= value && value <= most, "{least:?} <= {name} = {value:?} <= {most:?}");
}

#[test]
fn held_time_lies_between_what_it_encloses_and_what_encloses_it() {
    let (mut least, mut most) = (Duration::ZERO, Duration::ZERO);
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Mutex::new(());
        let start = Instant::now();
        let guard = Task::new().run(mutex.lock());
        least = pass();
        drop(guard);
        most = start.elapsed();
    });
    assert_between(only(&spans, span::RELEASE), field::HELD_NS, least, most);
}

/// Waits for a mutex at `level`, and checks the two parts of the wait.
fn assert_wait_is_split_at_the_grant(level: LevelFilter) {
    let mut parts = [Duration::ZERO; 2];
    let mut most = [Duration::ZERO; 2];
    let spans = watch(level, |_| {
        let mutex = Mutex::new(());
        let guard = Task::new().run(mutex.lock());
        let mut waiting = pin!(mutex.lock());
        let start = Instant::now();
        Task::new().wait(waiting.as_mut());
        parts[0] = pass();
        let granting = Instant::now();
        drop(guard);
        most[0] = start.elapsed();
        parts[1] = pass();
        let guard = Task::new().finish(waiting.as_mut());
        most[1] = granting.elapsed();
        drop(guard);
    });
    let wait = only(&spans, span::WAIT);
    assert_between(wait, field::QUEUED_NS, parts[0], most[0]);
    assert_between(wait, field::WAKE_NS, parts[1], most[1]);
}

#[test]
fn wait_is_split_at_the_grant() {
    assert_wait_is_split_at_the_grant(LevelFilter::TRACE);
}

#[test]
fn wait_is_split_at_the_grant_where_nobody_watches_releases() {
    assert_wait_is_split_at_the_grant(LevelFilter::DEBUG);
}

#[test]
fn all_of_a_cancelled_wait_was_queued() {
    let (mut least, mut most) = (Duration::ZERO, Duration::ZERO);
    let spans = watch(LevelFilter::DEBUG, |_| {
        let event = Event::new();
        let start = Instant::now();
        let mut waiting = Box::pin(event.wait());
        Task::new().wait(waiting.as_mut());
        least = pass();
        drop(waiting);
        most = start.elapsed();
    });
    let wait = only(&spans, span::WAIT);
    assert_between(wait, field::QUEUED_NS, least, most);
    assert_eq!(wait.number(field::WAKE_NS), 0);
}

#[test]
fn wait_and_hold_of_one_operation_do_not_overlap() {
    let mut most = Duration::ZERO;
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Mutex::new(());
        let guard = mutex.try_lock().expect("it is free");
        let start = Instant::now();
        let mut waiting = pin!(mutex.lock());
        Task::new().wait(waiting.as_mut());
        drop(guard);
        drop(Task::new().finish(waiting.as_mut()));
        most = start.elapsed();
    });
    let wait = only(&spans, span::WAIT);
    let release = named(&spans, span::RELEASE)[1];
    assert_eq!(wait.number(field::OP), release.number(field::OP));
    let sum = wait.number(field::QUEUED_NS) + wait.number(field::WAKE_NS) + release.number(field::HELD_NS);
    assert!(Duration::from_nanos(sum) <= most, "{sum} ns in {most:?}");
}
