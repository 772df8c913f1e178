//! A snapshot with native histograms, which Prometheus reads in its protobuf format alone.
//!
//! A native histogram has a bucket for each sixteenth of a power of two, whatever the durations are, so nobody has to
//! guess bounds. Our own buckets are finer (128 to each power of two) but end elsewhere. Each is counted where it
//! ends, so no duration counts as shorter than it was; one that lies just below a bound may count above it, and is
//! off by the width of ours, 0.8 %, on top of the 4.4 % that a bucket of the schema is wide.
//!
//! The format is `io.prometheus.client` of <https://github.com/prometheus/client_model>, written with the numbers
//! of its fields and no more of them than are used. Each histogram carries its classic buckets too, for servers that
//! are told to keep both.

use std::collections::BTreeMap;

use prost::Message;

use super::{Accept, BOUNDS_NS, Buckets, COUNTERS, GAUGES, HISTOGRAMS, Scrape, own, seconds, weight};
use crate::snapshot::{Distribution, Snapshot};

/// Value of the `Content-Type` header.
pub const CONTENT_TYPE: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// Powers of two are divided into two to the power of this.
const SCHEMA: i32 = 4;

/// What is below counts as zero. Nothing lies between zero and one nanosecond; a histogram without this and without
/// durations would be taken for a classic one.
const ZERO_THRESHOLD_S: f64 = 0.5e-9;

/// Whether the value of a request's `Accept` header prefers this format to text.
#[must_use]
pub fn is_preferred(header: &str) -> bool {
    let ours = weight(header, |media, parameters| {
        let has = |wanted: &str| parameters.iter().any(|part| part.eq_ignore_ascii_case(wanted));
        media == "application/vnd.google.protobuf"
            && has("proto=io.prometheus.client.MetricFamily")
            && has("encoding=delimited")
    });
    let others = weight(header, |media, _| {
        matches!(media, "application/openmetrics-text" | "text/plain" | "text/*" | "*/*")
    });
    ours > 0.0 && ours >= others
}

/// Writes a snapshot: a message for each metric, each after its length.
#[must_use]
pub fn encode(snapshot: &Snapshot) -> Vec<u8> {
    families(snapshot).iter().flat_map(Message::encode_length_delimited_to_vec).collect()
}

fn families(snapshot: &Snapshot) -> Vec<MetricFamily> {
    let scrape = Scrape::new(snapshot, Accept::Prometheus);
    let mut families: Vec<_> =
        (0..HISTOGRAMS.len()).map(|index| histograms(&scrape, index, snapshot)).collect();
    for ((_, name), help, value) in COUNTERS {
        let samples = scrape.labelled().map(|(labels, series)| Metric::counter(&labels, value(series)));
        families.push(MetricFamily::new(name, help, MetricType::Counter, samples));
    }
    for (name, help, value) in GAUGES {
        let samples = scrape.labelled().map(|(labels, series)| Metric::gauge(&labels, value(series) as f64));
        families.push(MetricFamily::new(name, help, MetricType::Gauge, samples));
    }
    let longest = scrape
        .labelled()
        .map(|(labels, series)| Metric::gauge(&labels, seconds(series.longest_wait_ns as f64)));
    let help = "Age of the oldest wait in progress";
    families.push(MetricFamily::new("sync_longest_wait_seconds", help, MetricType::Gauge, longest));
    let alerts = scrape.alerts.iter().map(|(kind, &count)| Metric::counter(&[("kind", kind)], count));
    families.push(MetricFamily::new(
        "sync_alerts_total",
        "Alerts that were raised, by kind",
        MetricType::Counter,
        alerts,
    ));
    families.extend(own::families(&scrape.overhead));
    families
}

fn histograms(scrape: &Scrape, index: usize, snapshot: &Snapshot) -> MetricFamily {
    let ((_, name), help, of_row) = HISTOGRAMS[index];
    let mut sparse = Sparse::by_labels(snapshot.primitives.iter().map(|row| (row, of_row(row))));
    let samples = scrape.labelled().map(|(labels, series)| {
        let [(_, primitive), (_, name)] = labels;
        let native = sparse.remove(&(primitive, name)).unwrap_or_default();
        Metric { histogram: Some(native.histogram(&series.histograms[index])), ..Metric::new(&labels) }
    });
    MetricFamily::new(name, help, MetricType::Histogram, samples)
}

/// Counts by the buckets of the schema, of those that are not empty.
#[derive(Debug, Default)]
struct Sparse {
    zeros: u64,
    counts: BTreeMap<i32, u64>,
}

impl Sparse {
    fn by_labels<'s>(
        rows: impl Iterator<Item = (&'s crate::snapshot::PrimitiveSnapshot, &'s Distribution)>,
    ) -> BTreeMap<(&'s str, &'s str), Self> {
        let mut sparse: BTreeMap<_, Self> = BTreeMap::new();
        for (row, distribution) in rows {
            sparse.entry((row.primitive.as_str(), row.name.as_str())).or_default().add(distribution);
        }
        sparse
    }

    fn add(&mut self, distribution: &Distribution) {
        for &(highest, count) in &distribution.buckets {
            let sum = match highest {
                0 => &mut self.zeros,
                _ => self.counts.entry(index(highest)).or_default(),
            };
            // The format has differences of signed numbers.
            *sum = sum.saturating_add(count).min(i64::MAX.unsigned_abs());
        }
    }

    fn count(&self) -> u64 {
        self.counts.values().fold(self.zeros, |sum, &count| sum.saturating_add(count))
    }

    fn histogram(&self, classic: &Buckets) -> Histogram {
        let sample_count = self.count();
        let (positive_span, positive_delta) = self.spans();
        Histogram {
            sample_count,
            sample_sum: classic.sum_s,
            bucket: classic_buckets(classic, sample_count),
            schema: SCHEMA,
            zero_threshold: ZERO_THRESHOLD_S,
            zero_count: self.zeros,
            positive_span,
            positive_delta,
        }
    }

    /// Runs of buckets without a gap, and how each count differs from the one before.
    fn spans(&self) -> (Vec<BucketSpan>, Vec<i64>) {
        let (mut spans, mut deltas) = (Vec::<BucketSpan>::new(), Vec::new());
        let (mut next, mut before) = (0, 0);
        for (&index, &count) in &self.counts {
            match spans.last_mut() {
                Some(span) if index == next => span.length += 1,
                _ => spans.push(BucketSpan { offset: index - next, length: 1 }),
            }
            // `add` keeps counts below what a signed number holds.
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            deltas.push(count - before);
            (next, before) = (index + 1, count);
        }
        (spans, deltas)
    }
}

/// The bucket of the schema that holds a duration: the one that ends at 2^(index / 16) seconds, or above.
fn index(ns: u64) -> i32 {
    (seconds(ns as f64).log2() * f64::from(1 << SCHEMA)).ceil() as i32
}

fn classic_buckets(buckets: &Buckets, at_most: u64) -> Vec<Bucket> {
    let mut cumulative = 0_u64;
    let bounded = BOUNDS_NS.iter().zip(buckets.counts).map(|(&bound, count)| {
        cumulative = cumulative.saturating_add(count);
        Bucket { cumulative_count: cumulative.min(at_most), upper_bound: seconds(bound as f64) }
    });
    bounded.collect()
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct MetricFamily {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    help: String,
    #[prost(enumeration = "MetricType", tag = "3")]
    kind: i32,
    #[prost(message, repeated, tag = "4")]
    metric: Vec<Metric>,
}

impl MetricFamily {
    pub(super) fn new(
        name: &str,
        help: &str,
        kind: MetricType,
        samples: impl Iterator<Item = Metric>,
    ) -> Self {
        Self { name: name.to_owned(), help: help.to_owned(), kind: kind.into(), metric: samples.collect() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub(super) enum MetricType {
    Counter = 0,
    Gauge = 1,
    Histogram = 4,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Metric {
    #[prost(message, repeated, tag = "1")]
    label: Vec<LabelPair>,
    #[prost(message, optional, tag = "2")]
    gauge: Option<Value>,
    #[prost(message, optional, tag = "3")]
    counter: Option<Value>,
    #[prost(message, optional, tag = "7")]
    histogram: Option<Histogram>,
}

impl Metric {
    fn new(labels: &[(&'static str, &str)]) -> Self {
        let label =
            |&(name, value): &(&str, &str)| LabelPair { name: name.to_owned(), value: value.to_owned() };
        Self { label: labels.iter().map(label).collect(), ..Self::default() }
    }

    pub(super) fn gauge(labels: &[(&'static str, &str)], value: f64) -> Self {
        Self { gauge: Some(Value { value }), ..Self::new(labels) }
    }

    pub(super) fn counter(labels: &[(&'static str, &str)], value: u64) -> Self {
        Self { counter: Some(Value { value: value as f64 }), ..Self::new(labels) }
    }
}

#[derive(Clone, PartialEq, Message)]
struct LabelPair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// Of a gauge or a counter.
#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(double, tag = "1")]
    value: f64,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(uint64, tag = "1")]
    sample_count: u64,
    #[prost(double, tag = "2")]
    sample_sum: f64,
    #[prost(message, repeated, tag = "3")]
    bucket: Vec<Bucket>,
    #[prost(sint32, tag = "5")]
    schema: i32,
    #[prost(double, tag = "6")]
    zero_threshold: f64,
    #[prost(uint64, tag = "7")]
    zero_count: u64,
    #[prost(message, repeated, tag = "12")]
    positive_span: Vec<BucketSpan>,
    #[prost(sint64, repeated, tag = "13")]
    positive_delta: Vec<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct Bucket {
    #[prost(uint64, tag = "1")]
    cumulative_count: u64,
    #[prost(double, tag = "2")]
    upper_bound: f64,
}

#[derive(Clone, PartialEq, Message)]
struct BucketSpan {
    /// Empty buckets since the span before; of the first, where it begins.
    #[prost(sint32, tag = "1")]
    offset: i32,
    #[prost(uint32, tag = "2")]
    length: u32,
}

#[cfg(test)]
mod tests;
