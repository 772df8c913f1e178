//! What being watched costs, by who watches.
//!
//! - `lock`: a real mutex that is free, locked and unlocked; `threads` has two threads do so, each with a mutex of its own, made at
//!   one line and locked at one line. `hand_over` does both twice: the second task has to wait for the first, on one thread.
//! - `pair` is the spans of an acquisition that found the lock free and of its release; `trio` had to wait between the two. They
//!   are emitted by hand, field for field as the primitives do, so that nothing of a primitive is measured.
//! - `snapshot`: of ten thousand objects in a thousand rows.
//!
//! A process has one global subscriber, and a scoped one would cost as much again as what is measured. So one
//! subscriber stands in for all arms and passes each call on to the arm that is being measured.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use dashboard::{Collector, Level as Wanted, Listener, Switch};
use sync::{Mutex, schema};
use tracing::field::Empty;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber, span};
use tracing_core::span::Current;
use tracing_core::{Interest, LevelFilter, callsite};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::{Identity, Layered, SubscriberExt};

/// The arms, by the number in [`ACTIVE`].
const ARMS: [&str; 5] = ["nobody", "registry", "collector_off", "collector", "collector_filtered"];

/// The arm of the listener, which hears of real primitives alone.
const LISTENER: usize = ARMS.len();

/// The same where the spans are made all the same, for others.
const LISTENER_WITH_SPANS: usize = LISTENER + 1;

static ACTIVE: AtomicUsize = AtomicUsize::new(0);

type Own = Filtered<Collector, Switch, Registry>;

/// Passes everything on to the arm that is measured.
struct Arms {
    /// With a layer that does nothing: alone it never frees a span.
    registry: Layered<Identity, Registry>,
    collector: Layered<Collector, Registry>,
    filtered: Layered<Own, Registry>,
    listener: Layered<Listener, Registry>,
    listener_with_spans: Layered<Listener, Registry>,
}

impl Arms {
    fn active(&self) -> Option<&dyn Subscriber> {
        match ACTIVE.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(&self.registry),
            2 | 3 => Some(&self.collector),
            4 => Some(&self.filtered),
            LISTENER => Some(&self.listener),
            _ => Some(&self.listener_with_spans),
        }
    }
}

impl Subscriber for Arms {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.active().map_or_else(Interest::never, |arm| arm.register_callsite(metadata))
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.active().is_some_and(|arm| arm.enabled(metadata))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.active().map_or(Some(LevelFilter::OFF), |arm| arm.max_level_hint())
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.active().map_or_else(|| Id::from_u64(1), |arm| arm.new_span(span))
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        if let Some(arm) = self.active() {
            arm.record(span, values);
        }
    }

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        if let Some(arm) = self.active() {
            arm.event(event);
        }
    }

    fn enter(&self, span: &Id) {
        if let Some(arm) = self.active() {
            arm.enter(span);
        }
    }

    fn exit(&self, span: &Id) {
        if let Some(arm) = self.active() {
            arm.exit(span);
        }
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.active().map_or_else(|| id.clone(), |arm| arm.clone_span(id))
    }

    fn try_close(&self, id: Id) -> bool {
        self.active().is_some_and(|arm| arm.try_close(id))
    }

    fn current_span(&self) -> Current {
        self.active().map_or_else(Current::none, |arm| arm.current_span())
    }
}

/// A span as `acquire` and `wait` are.
macro_rules! request {
    ([$($parent:tt)*] $level:expr, $name:expr, $op:expr $(, $extra:ident = $value:expr)*) => {
        span!(
            target: schema::TARGET, $($parent)* $level, $name,
            primitive = schema::primitive::MUTEX, name = "cache", id = 7_u64, op = $op, task = 11_u64,
            permits = 1_u64, file = "src/service.rs", line = 120_u64, column = 17_u64,
            made_file = "src/main.rs", made_line = 33_u64, outcome = Empty $(, $extra = $value)*
        )
    };
}

fn release(op: u64) {
    let release = span!(
        target: schema::TARGET, Level::TRACE, schema::span::RELEASE,
        primitive = schema::primitive::MUTEX, name = "cache", id = 7_u64, op = op, task = 11_u64,
        held_ns = 250_u64, woken = Empty
    );
    release.record(schema::field::WOKEN, 0_u64);
}

fn pair(op: u64) {
    drop(request!([] Level::TRACE, schema::span::ACQUIRE, op));
    release(op);
}

fn trio(op: u64) {
    let acquire = request!([] Level::TRACE, schema::span::ACQUIRE, op);
    let wait = request!(
        [parent: &acquire,] Level::DEBUG, schema::span::WAIT, op,
        queue = 3_u64, queued_ns = Empty, wake_ns = Empty
    );
    wait.record(schema::field::OUTCOME, schema::outcome::GRANTED);
    wait.record(schema::field::QUEUED_NS, 1_500_u64);
    wait.record(schema::field::WAKE_NS, 700_u64);
    drop(wait);
    drop(acquire);
    release(op);
}

/// Locks and unlocks a free mutex. Where nobody watches it is all there is.
#[inline]
fn lock(mutex: &Mutex<u64>) {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(mutex.lock()).poll(&mut context) {
        Poll::Ready(mut guard) => *guard += 1,
        Poll::Pending => unreachable!("nobody else locks it"),
    }
}

/// Hands a locked mutex over to a task that waits for it.
fn hand_over(mutex: &Mutex<u64>) {
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(guard) = pin!(mutex.lock()).poll(&mut context) else { unreachable!("nobody holds it") };
    let mut waiting = pin!(mutex.lock());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    drop(guard);
    match waiting.poll(&mut context) {
        Poll::Ready(mut guard) => *guard += 1,
        Poll::Pending => unreachable!("it was handed over"),
    }
}

/// Each thread has a mutex of its own; all are made here.
fn made_at_one_line() -> Mutex<u64> {
    Mutex::new(0).with_name("cache")
}

/// How long two threads take for as many pairs each.
fn two_threads(pairs: u64) -> Duration {
    let run = || {
        let mutex = made_at_one_line();
        (0..pairs).for_each(|_| lock(black_box(&mutex)));
    };
    let began = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(run);
        run();
    });
    began.elapsed()
}

/// Goes to an arm and measures real mutexes there.
fn locks(criterion: &mut Criterion, name: &str, arm: usize) {
    ACTIVE.store(arm, Ordering::Relaxed);
    callsite::rebuild_interest_cache();
    let mutex = made_at_one_line();
    criterion
        .benchmark_group("lock")
        .bench_function(name, |bencher| bencher.iter(|| lock(black_box(&mutex))));
    criterion
        .benchmark_group("hand_over")
        .bench_function(name, |bencher| bencher.iter(|| hand_over(black_box(&mutex))));
    criterion.benchmark_group("threads").bench_function(name, |bencher| bencher.iter_custom(two_threads));
}

/// Goes to an arm and measures spans made by hand there.
fn spans(criterion: &mut Criterion, name: &str, arm: usize) {
    ACTIVE.store(arm, Ordering::Relaxed);
    callsite::rebuild_interest_cache();
    for (group, calls) in [("pair", pair as fn(u64)), ("trio", trio)] {
        let mut op = 1_000;
        criterion.benchmark_group(group).bench_function(name, |bencher| {
            bencher.iter(|| {
                op += 1;
                calls(black_box(op));
            });
        });
    }
}

/// Ten thousand objects that were held once or more, made at a thousand lines.
fn many_objects(collector: &Collector, objects: u64) {
    ACTIVE.store(3, Ordering::Relaxed);
    collector.set_enabled(true);
    callsite::rebuild_interest_cache();
    for op in 1..=3 * objects {
        let id = 1_000 + op % objects;
        drop(span!(
            target: schema::TARGET, Level::TRACE, schema::span::ACQUIRE, primitive = "mutex", id, op,
            file = "src/service.rs", line = 20_u64, made_file = "src/main.rs", made_line = id % 1_000
        ));
        drop(span!(
            target: schema::TARGET, Level::TRACE, schema::span::RELEASE, primitive = "mutex", id, op,
            held_ns = 100 * op
        ));
    }
}

fn snapshots(criterion: &mut Criterion, collector: &Collector) {
    const OBJECTS: u64 = 10_000;
    many_objects(collector, OBJECTS);
    let snapshot = collector.snapshot();
    let rows = snapshot.primitives.iter().filter(|row| row.name.is_empty());
    assert_eq!(rows.map(|row| row.objects).sum::<u64>(), OBJECTS);
    println!("{OBJECTS} objects: {} bytes each", snapshot.overhead.memory_bytes / OBJECTS);
    criterion.bench_function("snapshot/10000_objects", |bencher| bencher.iter(|| collector.snapshot()));
}

fn all(criterion: &mut Criterion) {
    let (plain, filtered, listening) = (Collector::new(), Collector::new(), Collector::new());
    let arms = |listener, with_spans: Listener| Arms {
        registry: Registry::default().with(Identity::new()),
        collector: Registry::default().with(plain.clone()),
        filtered: Registry::default().with(filtered.layer()),
        listener: Registry::default().with(listener),
        listener_with_spans: Registry::default().with(with_spans.with_spans()),
    };
    // Who is told without spans is told in all arms that make calls known at all, so at first it is off.
    listening.set_enabled(false);
    let arms = arms(listening.listener(), listening.listener());
    tracing::subscriber::set_global_default(arms).expect("nobody else sets one");
    for (arm, name) in ARMS.into_iter().enumerate() {
        plain.set_enabled(name == "collector");
        spans(criterion, name, arm);
        locks(criterion, name, arm);
    }
    plain.set_enabled(false);
    let levels =
        [("listener_off", Wanted::Off), ("listener_waits", Wanted::Waits), ("listener_calls", Wanted::Calls)];
    for (name, level) in levels {
        listening.set_level(level);
        locks(criterion, name, LISTENER);
    }
    locks(criterion, "listener_with_spans", LISTENER_WITH_SPANS);
    listening.set_enabled(false);
    snapshots(criterion, &plain);
    // The arms that listened did take in what there was.
    for collector in [plain, filtered] {
        let overhead = collector.snapshot().overhead;
        assert!(overhead.spans > 0 && overhead.malformed == 0, "{overhead:?}");
    }
    let heard = listening.snapshot();
    assert!(heard.primitives.iter().any(|row| row.acquisitions > 0 && row.hold_ns.count > 0));
    println!("the listener says that it takes {:.0} ns a call", heard.overhead.ns_per_call);
}

criterion_group! {
    name = benches;
    // Short, since there are many arms and what is compared has been measured in one run.
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = all
}
criterion_main!(benches);
