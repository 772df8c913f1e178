//! Spans as `sync` emits them, made by hand.

use dashboard::Collector;
use dashboard::snapshot::{PrimitiveSnapshot, Snapshot};
use sync::schema;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

/// Runs with the collector as the only layer on a registry.
pub(crate) fn collected(collector: &Collector, run: impl FnOnce()) {
    tracing::dispatcher::with_default(&dispatch(collector), run);
}

pub(crate) fn dispatch(collector: &Collector) -> Dispatch {
    Dispatch::new(tracing_subscriber::registry().with(collector.clone()))
}

/// The only row of a snapshot.
pub(crate) fn only_row(snapshot: &Snapshot) -> &PrimitiveSnapshot {
    assert_eq!(snapshot.primitives.len(), 1, "{snapshot:#?}");
    &snapshot.primitives[0]
}

/// A span as `acquire` and `wait` are, of object 7.
macro_rules! request {
    ($level:ident, $name:expr, $primitive:expr, $op:expr, $line:expr $(, $extra:ident = $value:expr)*) => {
        tracing::span!(
            target: sync::schema::TARGET, tracing::Level::$level, $name,
            primitive = $primitive, name = "cache", id = 7_u64, op = $op, task = 11_u64,
            permits = 2_u64, file = "src/service.rs", line = $line, column = 17_u64,
            made_file = "src/main.rs", made_line = 33_u64, outcome = tracing::field::Empty $(, $extra = $value)*
        )
    };
}
pub(crate) use request;

pub(crate) fn acquire(primitive: &str, op: u64) -> tracing::Span {
    request!(TRACE, schema::span::ACQUIRE, primitive, op, 120_u64)
}

/// A wait behind three others. Its parent is the span that is entered, if any.
pub(crate) fn wait(primitive: &str, op: u64) -> tracing::Span {
    request!(
        DEBUG,
        schema::span::WAIT,
        primitive,
        op,
        120_u64,
        queue = 3_u64,
        queued_ns = tracing::field::Empty,
        wake_ns = tracing::field::Empty
    )
}

pub(crate) fn grant(wait: &tracing::Span, queued_ns: u64, wake_ns: u64) {
    wait.record(schema::field::OUTCOME, schema::outcome::GRANTED);
    wait.record(schema::field::QUEUED_NS, queued_ns);
    wait.record(schema::field::WAKE_NS, wake_ns);
}

pub(crate) fn release(primitive: &str, op: u64, held_ns: u64) {
    let span = tracing::span!(
        target: schema::TARGET, tracing::Level::TRACE, schema::span::RELEASE,
        primitive = primitive, name = "cache", id = 7_u64, op = op, task = 11_u64, held_ns = held_ns,
        woken = tracing::field::Empty
    );
    span.record(schema::field::WOKEN, 1_u64);
}
