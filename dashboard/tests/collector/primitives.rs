//! The real primitives, watched.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use dashboard::Collector;
use dashboard::snapshot::{PrimitiveSnapshot, Snapshot};
use sync::{Condition, Event, Mutex, Semaphore};

use crate::support::{collected, dispatch};

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn ready<F: Future>(future: std::pin::Pin<&mut F>) -> F::Output {
    match poll(future) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it has to wait"),
    }
}

fn row<'s>(snapshot: &'s Snapshot, primitive: &str) -> &'s PrimitiveSnapshot {
    let found = snapshot.primitives.iter().find(|row| row.primitive == primitive);
    found.unwrap_or_else(|| panic!("no {primitive} in {snapshot:#?}"))
}

#[test]
fn a_contended_mutex_shows_who_holds_and_who_waits_and_where() {
    let collector = Collector::new();
    collected(&collector, || {
        let made_line = line!() + 1;
        let mutex = Mutex::new(0).with_name("counter");
        let (first_line, mut first) = (line!(), pin!(mutex.lock()));
        let guard = ready(first.as_mut());
        let (second_line, mut second) = (line!(), pin!(mutex.lock()));
        assert!(poll(second.as_mut()).is_pending());

        let snapshot = collector.snapshot();
        let seen = row(&snapshot, "mutex");
        assert_eq!((seen.name.as_str(), seen.objects), ("counter", 1));
        assert_eq!(seen.location, format!("{}:{made_line}", file!()));
        assert_eq!((seen.acquisitions, seen.contended, seen.waiters, seen.holders_count), (1, 0, 1, 1));
        assert!(seen.holders[0].site.starts_with(&format!("{}:{first_line}:", file!())), "{seen:?}");
        assert!(snapshot.waits[0].site.starts_with(&format!("{}:{second_line}:", file!())), "{snapshot:?}");

        drop(guard);
        drop(ready(second.as_mut()));
    });
    let snapshot = collector.snapshot();
    let seen = row(&snapshot, "mutex");
    assert_eq!((seen.acquisitions, seen.contended, seen.waiters, seen.holders_count), (2, 1, 0, 0));
    assert_eq!(
        (seen.wait_ns.count, seen.queued_ns.count, seen.wake_ns.count, seen.hold_ns.count),
        (1, 1, 1, 2)
    );
    assert_eq!(seen.sites.len(), 2);
    assert_eq!(snapshot.waits, []);
    assert_eq!(snapshot.overhead.malformed, 0);
}

#[test]
fn a_dropped_wait_is_cancelled_and_a_refused_try_is_not_counted() {
    let collector = Collector::new();
    collected(&collector, || {
        let semaphore = Semaphore::new(1);
        let permit = semaphore.try_acquire().unwrap();
        {
            let mut waiting = pin!(semaphore.acquire());
            assert!(poll(waiting.as_mut()).is_pending());
            assert_eq!(row(&collector.snapshot(), "semaphore").waiters, 1);
        }
        assert!(semaphore.try_acquire().is_err());
        drop(permit);
    });
    let snapshot = collector.snapshot();
    let seen = row(&snapshot, "semaphore");
    assert_eq!((seen.acquisitions, seen.contended, seen.cancelled, seen.closed), (1, 0, 1, 0));
    assert_eq!((seen.waiters, seen.holders_count), (0, 0));
    assert_eq!(snapshot.overhead.malformed, 0);
}

#[test]
fn closing_a_semaphore_ends_its_waits() {
    let collector = Collector::new();
    collected(&collector, || {
        let semaphore = Semaphore::new(0);
        let mut waiting = pin!(semaphore.acquire_many(3));
        assert!(poll(waiting.as_mut()).is_pending());
        assert_eq!(collector.snapshot().waits[0].permits, 3);
        semaphore.close();
        assert!(ready(waiting.as_mut()).is_err());
    });
    let snapshot = collector.snapshot();
    let seen = row(&snapshot, "semaphore");
    assert_eq!((seen.acquisitions, seen.cancelled, seen.closed, seen.waiters), (0, 0, 1, 0));
}

#[test]
fn an_event_lets_all_waiters_go_and_is_held_by_nobody() {
    let collector = Collector::new();
    collected(&collector, || {
        let event = Event::new();
        let (mut first, mut second) = (pin!(event.wait()), pin!(event.wait()));
        assert!(poll(first.as_mut()).is_pending());
        assert!(poll(second.as_mut()).is_pending());
        assert_eq!(row(&collector.snapshot(), "event").waiters, 2);
        event.set();
        ready(first.as_mut());
        ready(second.as_mut());
    });
    let snapshot = collector.snapshot();
    let seen = row(&snapshot, "event");
    assert_eq!((seen.acquisitions, seen.contended, seen.waiters, seen.holders_count), (2, 2, 0, 0));
    assert_eq!(snapshot.overhead.malformed, 0);
}

#[test]
fn a_condition_waits_as_itself_and_holds_as_its_mutex() {
    let collector = Collector::new();
    collected(&collector, || {
        let condition = Condition::new(());
        let guard = ready(pin!(condition.lock()).as_mut());
        {
            let mut waiting = pin!(guard.wait());
            assert!(poll(waiting.as_mut()).is_pending());
            let snapshot = collector.snapshot();
            assert_eq!(row(&snapshot, "condition").waiters, 1);
            assert_eq!(row(&snapshot, "mutex").holders_count, 0);

            let notifier = ready(pin!(condition.lock()).as_mut());
            notifier.notify_one();
            drop(notifier);
            let guard = ready(waiting.as_mut());
            let snapshot = collector.snapshot();
            assert_eq!(row(&snapshot, "condition").waiters, 0);
            assert_eq!(row(&snapshot, "mutex").holders_count, 1);
            drop(guard);
        }
    });
    let snapshot = collector.snapshot();
    let (condition, mutex) = (row(&snapshot, "condition"), row(&snapshot, "mutex"));
    assert_eq!((condition.acquisitions, condition.contended, condition.holders_count), (1, 1, 0));
    assert_eq!(mutex.holders_count, 0);
    assert_eq!(snapshot.waits, []);
    assert_eq!(snapshot.overhead.malformed, 0);
}

#[test]
fn two_threads_give_exact_figures() {
    const ROUNDS: u64 = 5_000;
    let collector = Collector::new();
    let dispatch = dispatch(&collector);
    let shared = Arc::new(Mutex::new(0_u64).with_name("shared"));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                tracing::dispatcher::with_default(&dispatch, || {
                    let own = Semaphore::new(1).with_name("own");
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    runtime.block_on(async {
                        for _ in 0..ROUNDS {
                            *shared.lock().await += 1;
                            drop(own.acquire().await);
                        }
                    });
                });
            });
        }
    });
    let snapshot = collector.snapshot();
    let mutex = row(&snapshot, "mutex");
    assert_eq!(mutex.acquisitions, 2 * ROUNDS);
    assert_eq!(mutex.contended, mutex.wait_ns.count);
    assert_eq!((mutex.hold_ns.count, mutex.holders_count, mutex.waiters), (2 * ROUNDS, 0, 0));
    let own = row(&snapshot, "semaphore");
    assert_eq!((own.acquisitions, own.contended, own.objects), (2 * ROUNDS, 0, 2));
    assert_eq!(own.sites.iter().map(|site| site.acquisitions).sum::<u64>(), 2 * ROUNDS);
    let overhead = &snapshot.overhead;
    assert_eq!((overhead.malformed, overhead.in_flight_dropped), (0, 0));
}
