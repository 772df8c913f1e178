//! What the spans of one lock and unlock cost, by who listens.
//!
//! `pair` is an acquisition that found the lock free and its release; `trio` had to wait between the two. The
//! spans are emitted by hand, field for field as the primitives do, so that nothing of a primitive is measured.
//!
//! A process has one global subscriber, and a scoped one would cost as much again as what is measured. So one
//! subscriber stands in for all arms and passes each call on to the arm that is being measured.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

use criterion::{Criterion, criterion_group, criterion_main};
use dashboard::{Collector, Switch};
use sync::schema;
use tracing::field::Empty;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber, span};
use tracing_core::span::Current;
use tracing_core::{Interest, LevelFilter, callsite};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::{Layered, SubscriberExt};

/// The arms, by the number in [`ACTIVE`].
const ARMS: [&str; 5] = ["nobody", "registry", "collector_off", "collector", "collector_filtered"];

static ACTIVE: AtomicUsize = AtomicUsize::new(0);

type Own = Filtered<Collector, Switch, Registry>;

/// Passes everything on to the arm that is measured.
struct Arms {
    registry: Registry,
    collector: Layered<Collector, Registry>,
    filtered: Layered<Own, Registry>,
}

impl Arms {
    fn active(&self) -> Option<&dyn Subscriber> {
        match ACTIVE.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(&self.registry),
            2 | 3 => Some(&self.collector),
            _ => Some(&self.filtered),
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

fn spans(criterion: &mut Criterion) {
    let plain = Collector::new();
    let filtered = Collector::new();
    let arms = Arms {
        registry: Registry::default(),
        collector: Registry::default().with(plain.clone()),
        filtered: Registry::default().with(filtered.layer()),
    };
    tracing::subscriber::set_global_default(arms).expect("nobody else sets one");
    for (name, calls) in [("pair", pair as fn(u64)), ("trio", trio)] {
        let mut group = criterion.benchmark_group(name);
        for (number, arm) in ARMS.into_iter().enumerate() {
            ACTIVE.store(number, Ordering::Relaxed);
            plain.set_enabled(arm == "collector");
            callsite::rebuild_interest_cache();
            let mut op = 1_000;
            group.bench_function(arm, |bencher| {
                bencher.iter(|| {
                    op += 1;
                    calls(black_box(op));
                });
            });
        }
        group.finish();
    }
    // The arms that listened did take the spans in.
    for collector in [plain, filtered] {
        let overhead = collector.snapshot().overhead;
        assert!(overhead.spans > 0 && overhead.malformed == 0, "{overhead:?}");
    }
}

criterion_group!(benches, spans);
criterion_main!(benches);
