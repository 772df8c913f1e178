//! What a probe is told, beside or without spans. One process has one probe, so this is one test after the other.
#![cfg(all(feature = "tracing", not(any(loom, shuttle))))]

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use std::future::Future;
use sync::probe::{self, Called, Kind, Operation, Outcome, Probe, Released, Resumed};
use sync::{Condition, Event, Semaphore};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event as TracingEvent, Metadata, Subscriber};

/// What it was told, in words; its clock steps by a thousand each time that it is read.
#[derive(Default)]
struct Told {
    words: Mutex<Vec<String>>,
    reads: AtomicU64,
}

impl Told {
    fn say(&self, words: String) {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).push(words);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.words.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Probe for Told {
    fn now_ns(&self) -> u64 {
        self.reads.fetch_add(1_000, Ordering::Relaxed)
    }

    fn granted(&self, operation: &Operation, _now_ns: u64) {
        assert!(operation.op != 0 && operation.id != 0);
        assert!(
            operation.site.file().ends_with("probe.rs") && operation.made_at.file().ends_with("probe.rs")
        );
        assert!(operation.site.line() > operation.made_at.line());
        self.say(format!("{} {} granted {}", operation.kind.name(), operation.name, operation.permits));
    }

    fn refused(&self, operation: &Operation, outcome: Outcome) {
        self.say(format!("{} {}", operation.kind.name(), outcome.name()));
    }

    fn waiting(&self, operation: &Operation, ahead: usize, _now_ns: u64) {
        self.say(format!("{} waits behind {ahead}", operation.kind.name()));
    }

    fn resumed(&self, wait: &Resumed) {
        assert_eq!(wait.queued_ns % 1_000 + wait.wake_ns % 1_000, 0, "it is this clock that is read");
        assert!(wait.queued_ns >= 1_000, "{wait:?}");
        let every = if wait.every_call { ", every call is watched" } else { "" };
        self.say(format!("{}{every}", wait.outcome.name()));
    }

    fn released(&self, release: &Released) {
        assert!(release.held_ns >= 1_000 && release.held_ns.is_multiple_of(1_000), "{release:?}");
        self.say(format!("{} released", release.kind.name()));
    }

    fn called(&self, call: &Called) {
        self.say(format!("{} {} woke {}", call.kind.name(), call.name, call.woken));
    }
}

/// Wants no span, and lets the level through that it is set to.
struct Level(AtomicU64);

static LEVEL: Level = Level(AtomicU64::new(0));

impl Subscriber for &'static Level {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::never()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(
            [LevelFilter::OFF, LevelFilter::DEBUG, LevelFilter::TRACE]
                [self.0.load(Ordering::Relaxed) as usize],
        )
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        panic!("a span was made that nobody wants: {attributes:?}")
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &TracingEvent<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

const OFF: u64 = 0;
const WAITS: u64 = 1;
const CALLS: u64 = 2;

/// The probe at a level; the guard keeps the other tests away.
fn at(level: u64) -> (MutexGuard<'static, ()>, &'static Told) {
    static TOLD: LazyLock<&'static Told> = LazyLock::new(|| {
        let told: &'static Told = Box::leak(Box::default());
        probe::install(told);
        tracing::subscriber::set_global_default(&LEVEL).expect("nobody else sets one");
        told
    });
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let told = *TOLD;
    LEVEL.0.store(level, Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
    told.take();
    (guard, told)
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_free_call_is_told_at_its_grant_and_its_release() {
    let (_one, told) = at(CALLS);
    let mutex = sync::Mutex::new(()).with_name("door");
    let guard = poll(pin!(mutex.lock()));
    assert!(guard.is_ready());
    assert_eq!(told.take(), ["mutex door granted 1"]);
    drop(guard);
    assert_eq!(told.take(), ["mutex released"]);
}

#[test]
fn a_wait_is_told_at_its_beginning_and_its_end() {
    let (_one, told) = at(CALLS);
    let semaphore = Semaphore::new(2);
    let held = semaphore.try_acquire_many(2).unwrap();
    let mut wait = pin!(semaphore.acquire());
    assert!(poll(wait.as_mut()).is_pending());
    assert_eq!(told.take(), ["semaphore  granted 2", "semaphore waits behind 0"]);
    assert!(semaphore.try_acquire().is_err());
    drop(held);
    let permit = poll(wait);
    assert_eq!(told.take(), ["semaphore refused", "semaphore released", "granted, every call is watched"]);
    drop(permit);
    assert_eq!(told.take(), ["semaphore released"]);
}

#[test]
fn where_waits_alone_are_watched_calls_are_not_told() {
    let (_one, told) = at(WAITS);
    let mutex = sync::Mutex::new(());
    let held = mutex.try_lock().unwrap();
    {
        let mut wait = pin!(mutex.lock());
        assert!(poll(wait.as_mut()).is_pending());
    }
    drop(held);
    assert_eq!(told.take(), ["mutex waits behind 0", "cancelled"]);
}

#[test]
fn nothing_is_told_and_no_clock_is_read_where_nobody_watches() {
    let (_one, told) = at(OFF);
    let before = told.reads.load(Ordering::Relaxed);
    let mutex = sync::Mutex::new(());
    let held = mutex.try_lock().unwrap();
    let mut wait = pin!(mutex.lock());
    assert!(poll(wait.as_mut()).is_pending());
    drop(held);
    assert!(poll(wait).is_ready());
    assert!(told.take().is_empty());
    assert_eq!(told.reads.load(Ordering::Relaxed), before);
}

#[test]
fn calls_that_hold_nothing_are_told_when_they_are_over() {
    let (_one, told) = at(CALLS);
    let event = Event::new();
    let mut wait = pin!(event.wait());
    assert!(poll(wait.as_mut()).is_pending());
    event.set();
    event.clear();
    assert!(poll(wait).is_ready());
    let condition = Condition::new(());
    let guard = condition.try_lock().unwrap();
    guard.notify_all();
    drop(guard);
    let words = told.take();
    assert_eq!(
        words,
        [
            "event waits behind 0",
            "event set woke 1",
            "event clear woke 0",
            "granted, every call is watched",
            "mutex  granted 1",
            "condition notify woke 0",
            "mutex released"
        ]
    );
}

#[test]
fn a_closed_semaphore_ends_its_waits_with_that() {
    let (_one, told) = at(CALLS);
    let semaphore = Semaphore::new(0);
    let mut wait = pin!(semaphore.acquire());
    assert!(poll(wait.as_mut()).is_pending());
    semaphore.close();
    assert!(matches!(poll(wait), Poll::Ready(Err(_))));
    assert!(semaphore.try_acquire().is_err());
    assert_eq!(
        told.take(),
        ["semaphore waits behind 0", "closed, every call is watched", "semaphore closed"]
    );
}

#[test]
fn a_probe_that_panics_at_a_grant_leaves_the_lock_free() {
    struct Panics;
    impl Probe for Panics {
        fn now_ns(&self) -> u64 {
            1
        }
        fn granted(&self, _: &Operation, _: u64) {
            panic!("on purpose")
        }
        fn refused(&self, _: &Operation, _: Outcome) {}
        fn waiting(&self, _: &Operation, _: usize, _: u64) {}
        fn resumed(&self, _: &Resumed) {}
        fn released(&self, _: &Released) {}
        fn called(&self, _: &Called) {}
    }
    let (_one, told) = at(CALLS);
    probe::install(&Panics);
    let mutex = sync::Mutex::new(());
    let lock = || poll(pin!(mutex.lock())).is_ready();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(lock));
    probe::install(told);
    assert!(caught.is_err());
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn kinds_and_outcomes_have_the_names_of_the_schema() {
    use sync::schema::{outcome, primitive};
    assert_eq!(Kind::Barrier.name(), primitive::BARRIER);
    assert_eq!(Outcome::Cancelled.name(), outcome::CANCELLED);
}
