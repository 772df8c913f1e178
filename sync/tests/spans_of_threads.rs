//! Spans under a subscriber of the whole process, with tasks on several threads: what a service has.
//!
//! The subscriber is the process's own, so no other test may stand in this binary.
#![cfg(all(feature = "tracing", not(loom)))]

#[path = "spans/capture.rs"]
#[expect(dead_code, reason = "the scenes of `spans` use the rest")]
mod capture;

use std::collections::HashMap;
use std::sync::Arc;

use capture::{Capture, Captured, Log, named};
use sync::schema::{field, outcome, span};
use sync::{Condition, Event, Mutex, Semaphore};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

const TASKS: usize = 8;
const TURNS: usize = 50;

/// What every task uses.
struct Shared {
    mutex: Mutex<usize>,
    semaphore: Semaphore,
    event: Event,
    condition: Condition<usize>,
}

async fn work(shared: Arc<Shared>) {
    for turn in 0..TURNS {
        let mut guard = shared.mutex.lock().await;
        *guard += 1;
        tokio::task::yield_now().await;
        drop(guard);

        let permits = shared.semaphore.acquire_many(1 + u32::try_from(turn % 2).expect("0 or 1")).await;
        tokio::task::yield_now().await;
        drop(permits.expect("it is open"));

        lock_with_little_patience(&shared.mutex).await;
    }
    let mut guard = shared.condition.lock().await;
    *guard += 1;
    guard.notify_all();
    drop(guard.wait_for(|done| *done == TASKS).await);
    shared.event.wait().await;
}

/// A wait is dropped after its first turn, wherever it stands then.
async fn lock_with_little_patience(mutex: &Mutex<usize>) {
    tokio::select! {
        biased;
        () = tokio::task::yield_now() => {}
        guard = mutex.lock() => drop(guard),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn every_operation_of_a_busy_process_is_told_from_its_beginning_to_its_end() {
    let log = Log::default();
    let subscriber = tracing_subscriber::registry().with(LevelFilter::TRACE).with(Capture(log.clone()));
    tracing::subscriber::set_global_default(subscriber).expect("nobody else installs one");

    let shared = Arc::new(Shared {
        mutex: Mutex::new(0).with_name("mutex"),
        semaphore: Semaphore::new(2).with_name("semaphore"),
        event: Event::new().with_name("event"),
        condition: Condition::new(0).with_name("condition"),
    });
    // Whatever the threads do below, there is one wait of each kind.
    let guard = shared.mutex.lock().await;
    lock_with_little_patience(&shared.mutex).await;
    tokio::join!(async { drop(shared.mutex.lock().await) }, async { drop(guard) });

    let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(work(Arc::clone(&shared)))).collect();
    let guard = shared.condition.lock().await;
    drop(guard.wait_for(|done| *done == TASKS).await);
    shared.event.set();
    for task in tasks {
        task.await.expect("no task panics");
    }
    assert_eq!(*shared.mutex.try_lock().expect("it is free"), TASKS * TURNS);

    let spans = log.spans();
    for span in &spans {
        span.check();
    }
    assert_waits_are_in_their_acquires(&spans);
    assert_every_acquire_is_released_once(&spans);
    assert!(named(&spans, span::WAIT).iter().any(|wait| wait.outcome() == Some(outcome::CANCELLED)));
    assert!(named(&spans, span::WAIT).iter().any(|wait| wait.outcome() == Some(outcome::GRANTED)));
}

fn assert_waits_are_in_their_acquires(spans: &[Captured]) {
    for wait in named(spans, span::WAIT) {
        let acquire = &spans[wait.parent.expect("it has a parent")];
        assert_eq!(acquire.name, span::ACQUIRE);
        for same in [field::PRIMITIVE, field::ID, field::OP, field::TASK, field::LINE] {
            assert_eq!(wait.value(same), acquire.value(same), "{same}");
        }
        assert!(wait.closed() < acquire.closed());
        let ended = acquire.outcome().unwrap_or(outcome::GRANTED);
        assert_eq!(wait.outcome(), Some(ended));
    }
}

/// Of those who can hold: an event has no holders, and who waits for a condition gets its mutex by another operation.
fn assert_every_acquire_is_released_once(spans: &[Captured]) {
    let holds = |span: &&&Captured| ["mutex", "semaphore"].contains(&span.text(field::PRIMITIVE));
    let mut released = HashMap::new();
    for release in named(spans, span::RELEASE) {
        let before = released.insert(release.number(field::OP), release);
        assert!(before.is_none(), "two releases of one operation: {release:?}");
    }
    let acquires = named(spans, span::ACQUIRE);
    for acquire in acquires.iter().filter(holds).filter(|acquire| acquire.outcome().is_none()) {
        let release = released.remove(&acquire.number(field::OP)).expect("it is released");
        assert_eq!(release.value(field::ID), acquire.value(field::ID));
        assert_eq!(release.value(field::TASK), acquire.value(field::TASK));
        assert!(release.opened > acquire.closed());
    }
    assert!(released.is_empty(), "releases without an acquire: {released:?}");
}
