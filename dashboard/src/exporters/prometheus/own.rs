//! What the collector says of itself: what it takes, and what it left out for its bounds.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::native::{self, Metric, MetricFamily};
use super::{Names, Scrape, seconds};
use crate::snapshot::Overhead;

type Gauge = (Names, Option<Unit>, &'static str, fn(&Overhead) -> f64);

const GAUGES: [Gauge; 4] = [
    (
        ("sync_collector_core_ratio", "sync_collector_core_ratio"),
        // A ratio has no unit whose name is that of Prometheus' conventions.
        None,
        "Share of one processor core that the collector takes, since the start or the last reset",
        |overhead| overhead.core_share,
    ),
    (
        ("sync_collector_call", "sync_collector_call_seconds"),
        Some(Unit::Seconds),
        "What the collector takes for a call of a primitive, on average of a sample",
        |overhead| seconds(overhead.ns_per_call),
    ),
    (
        ("sync_collector_memory", "sync_collector_memory_bytes"),
        Some(Unit::Bytes),
        "Memory of the collector",
        |overhead| overhead.memory_bytes as f64,
    ),
    (
        ("sync_collector_rows", "sync_collector_rows"),
        None,
        "Places and names that made primitives",
        |overhead| overhead.rows as f64,
    ),
];

type Counter = (Names, &'static str, fn(&Overhead) -> u64);

const COUNTERS: [Counter; 2] = [
    (("sync_collector_spans", "sync_collector_spans_total"), "Spans taken in", |overhead| overhead.spans),
    (
        ("sync_collector_malformed", "sync_collector_malformed_total"),
        "Spans whose fields were missing, of another type or absurd",
        |overhead| overhead.malformed,
    ),
];

const DROPPED: Names = ("sync_collector_dropped", "sync_collector_dropped_total");
const DROPPED_HELP: &str = "Left out because a limit was reached, by what it was";

/// What was left out, by the label `what`.
fn dropped(overhead: &Overhead) -> [([(&'static str, &'static str); 1], u64); 6] {
    [
        ("blame", overhead.blame_dropped),
        ("durations", overhead.durations_dropped),
        ("in_flight", overhead.in_flight_dropped),
        ("objects", overhead.objects_dropped),
        ("rows", overhead.rows_dropped),
        ("sites", overhead.sites_dropped),
    ]
    .map(|(what, count)| ([("what", what)], count))
}

/// As text.
pub(super) fn encode(scrape: &Scrape, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let overhead = &scrape.overhead;
    for (names, unit, help, value) in &GAUGES {
        let mut metric = scrape.describe(encoder, *names, unit.as_ref(), help, MetricType::Gauge)?;
        metric.encode_gauge(&value(overhead))?;
    }
    for (names, help, value) in COUNTERS {
        let metric = scrape.describe(encoder, names, None, help, MetricType::Counter)?;
        scrape.count(metric, value(overhead))?;
    }
    scrape.counter(encoder, DROPPED, DROPPED_HELP, dropped(overhead).into_iter())
}

/// As protobuf.
pub(super) fn families(overhead: &Overhead) -> Vec<MetricFamily> {
    let gauge = |((_, name), _, help, value): &Gauge| {
        let sample = Metric::gauge(&[], value(overhead));
        MetricFamily::new(name, help, native::MetricType::Gauge, [sample].into_iter())
    };
    let counter = |((_, name), help, value): Counter| {
        let sample = Metric::counter(&[], value(overhead));
        MetricFamily::new(name, help, native::MetricType::Counter, [sample].into_iter())
    };
    let dropped = dropped(overhead).map(|(label, count)| Metric::counter(&label, count));
    let dropped =
        MetricFamily::new(DROPPED.1, DROPPED_HELP, native::MetricType::Counter, dropped.into_iter());
    GAUGES.iter().map(gauge).chain(COUNTERS.map(counter)).chain([dropped]).collect()
}
