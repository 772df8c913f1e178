//! Spans of the blocking calls, and a subscriber that blocks within one.

use std::cell::Cell;
use std::sync::Arc;
use std::thread;

use sync::schema::{field, outcome, span};
use sync::{BoundedSemaphore, Condition, Event, Mutex, Semaphore};
use tracing::span::{Attributes, Id};
use tracing::{Subscriber, dispatcher};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, Registry};

use crate::capture::{alone, named, names, only, watch};
use crate::places::assert_called_at;

const HERE: &str = include_str!("blocking.rs");

fn until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}

#[test]
fn free_call_is_one_acquire_and_its_release() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Arc::new(Mutex::new(()));
        drop(mutex.blocking_lock());
        drop(mutex.blocking_lock_owned());
        let semaphore = Arc::new(Semaphore::new(5));
        drop(semaphore.blocking_acquire());
        drop(semaphore.blocking_acquire_many(2));
        drop(Arc::clone(&semaphore).blocking_acquire_owned());
        drop(Arc::clone(&semaphore).blocking_acquire_many_owned(4));
        drop(BoundedSemaphore::new(5).blocking_acquire_many(5));
        let condition = Condition::new(());
        drop(condition.blocking_lock());
        let event = Event::new();
        event.set();
        event.blocking_wait();
    });
    let acquires = named(&spans, span::ACQUIRE);
    let calls = [
        ("blocking_lock()", 1),
        ("blocking_lock_owned()", 1),
        ("blocking_acquire()", 1),
        ("blocking_acquire_many(2)", 2),
        ("blocking_acquire_owned()", 1),
        ("blocking_acquire_many_owned(4)", 4),
        ("blocking_acquire_many(5)", 5),
        ("blocking_lock()", 1),
        ("blocking_wait()", 0),
    ];
    assert_eq!(acquires.len(), calls.len());
    for (acquire, (call, permits)) in acquires.iter().zip(calls) {
        assert_called_at(acquire, file!(), HERE, call);
        assert_eq!((acquire.number(field::PERMITS), acquire.outcome()), (permits, None));
    }
    assert_eq!(named(&spans, span::RELEASE).len(), calls.len() - 1);
}

/// Runs `scene` on a thread that has this thread's subscriber.
fn with_subscriber<T>(scene: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let dispatch = dispatcher::get_default(Clone::clone);
    move || dispatcher::with_default(&dispatch, scene)
}

#[test]
fn blocked_thread_waits_within_its_acquire_and_is_a_task_of_its_own() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Mutex::new(());
        for _ in 0..2 {
            let guard = mutex.try_lock().expect("it is free");
            thread::scope(|scope| {
                let one = scope.spawn(with_subscriber(|| drop(mutex.blocking_lock())));
                until(|| mutex.statistics().waiting == 1);
                let two = scope.spawn(with_subscriber(|| drop(mutex.blocking_lock())));
                until(|| mutex.statistics().waiting == 2);
                // Their spans are made after they joined the queue, and end with their waits.
                drop(guard);
                one.join().expect("no panic");
                two.join().expect("no panic");
            });
        }
    });
    let waits = named(&spans, span::WAIT);
    assert_eq!(waits.len(), 4);
    for wait in &waits {
        assert_eq!(wait.outcome(), Some(outcome::GRANTED));
        assert_called_at(wait, file!(), HERE, "blocking_lock()");
        let acquire = &spans[wait.parent.expect("its acquire")];
        assert_eq!((acquire.name, acquire.value(field::TASK)), (span::ACQUIRE, wait.value(field::TASK)));
        assert_ne!(wait.number(field::TASK), 0);
    }
    assert_ne!(waits[0].number(field::TASK), waits[1].number(field::TASK));
}

#[test]
fn thread_is_the_same_task_in_each_of_its_waits() {
    let spans = watch(LevelFilter::DEBUG, |_| {
        let event = Event::new();
        let other = || {
            until(|| event.statistics().waiting == 1);
            event.set();
        };
        for _ in 0..2 {
            thread::scope(|scope| {
                scope.spawn(other);
                event.blocking_wait();
            });
            event.clear();
        }
    });
    assert_eq!(names(&spans), [span::WAIT, span::WAIT]);
    assert_eq!(spans[0].value(field::TASK), spans[1].value(field::TASK));
}

#[test]
fn condition_tells_the_wait_and_then_the_lock() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let condition = Condition::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                until(|| condition.statistics().waiting == 1);
                let mut guard = condition.blocking_lock();
                *guard = true;
                guard.notify_one();
            });
            drop(condition.blocking_lock().blocking_wait_for(|done| *done));
        });
    });
    let wait = only(&spans, span::WAIT);
    assert_called_at(wait, file!(), HERE, "blocking_wait_for(");
    let acquires = named(&spans, span::ACQUIRE);
    assert_eq!(acquires.len(), 3, "to lock, to wait, and to hold again");
    assert_eq!(acquires[2].value(field::TASK), wait.value(field::TASK));
}

/// A subscriber that waits, once, for an event of its own when it is told of a wait.
struct WaitsToo {
    event: Arc<Event>,
}

impl<S: Subscriber> Layer<S> for WaitsToo {
    fn on_new_span(&self, attributes: &Attributes<'_>, _id: &Id, _context: Context<'_, S>) {
        thread_local! {
            static INSIDE: Cell<bool> = const { Cell::new(false) };
        }
        if attributes.metadata().name() == span::WAIT && !INSIDE.replace(true) {
            self.event.blocking_wait();
            INSIDE.set(false);
        }
    }
}

/// The outer wait is granted and woken while the inner one, on the same thread, is parked: neither takes the other's wake.
#[test]
fn wait_inside_of_a_wait_takes_no_wake_from_it() {
    let _alone = alone();
    let event = Arc::new(Event::new());
    let subscriber =
        Registry::default().with(LevelFilter::DEBUG).with(WaitsToo { event: Arc::clone(&event) });
    tracing::subscriber::with_default(subscriber, || {
        // Often enough for the inner one to have looked at what woke the outer one before its own wake comes.
        for _ in 0..200 {
            let mutex = Mutex::new(());
            let guard = mutex.try_lock().expect("it is free");
            thread::scope(|scope| {
                let waiter = scope.spawn(with_subscriber(|| drop(mutex.blocking_lock())));
                until(|| event.statistics().waiting == 1);
                drop(guard);
                (0..20).for_each(|_| thread::yield_now());
                event.set();
                waiter.join().expect("no panic");
            });
            event.clear();
        }
    });
}
