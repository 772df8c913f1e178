//! A snapshot as Prometheus reads it: its text format 0.0.4, or OpenMetrics 1.0.
//!
//! Rows that agree in kind and name are one series, whatever lines they were made at: places change with every
//! release, and a label that changes makes new series for ever.

pub mod native;
mod own;

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::snapshot::{Distribution, Overhead, PrimitiveSnapshot, Snapshot};

/// Upper bounds of the histograms' buckets in nanoseconds, 100 ns to 10 s in steps of 1, 2.5 and 5; the last
/// bucket has none.
const BOUNDS_NS: [u64; 25] = {
    let mut bounds = [0; 25];
    let mut decade = 100;
    let mut index = 0;
    while index < 24 {
        bounds[index] = decade;
        bounds[index + 1] = decade / 2 * 5;
        bounds[index + 2] = decade * 5;
        decade *= 10;
        index += 3;
    }
    bounds[24] = decade;
    bounds
};

/// The names of a metric, as OpenMetrics has it, which says a unit apart, and as the text format does.
type Names = (&'static str, &'static str);

/// A histogram in seconds: names, what it is, and where a row has it.
type Described = (Names, &'static str, fn(&PrimitiveSnapshot) -> &Distribution);

const HISTOGRAMS: [Described; 5] = [
    (("sync_wait", "sync_wait_seconds"), "From joining the queue until the task resumed", |row| &row.wait_ns),
    (("sync_hold", "sync_hold_seconds"), "From the grant until the release", |row| &row.hold_ns),
    (("sync_queued", "sync_queued_seconds"), "From joining the queue until the grant", |row| &row.queued_ns),
    (("sync_wake", "sync_wake_seconds"), "From the grant until the task resumed", |row| &row.wake_ns),
    (
        ("sync_cancelled_wait", "sync_cancelled_wait_seconds"),
        "From joining the queue until the wait was dropped",
        |row| &row.cancelled_wait_ns,
    ),
];

type Counter = (Names, &'static str, fn(&Series) -> u64);

const COUNTERS: [Counter; 3] = [
    (("sync_acquisitions", "sync_acquisitions_total"), "Acquisitions granted", |series| series.acquisitions),
    (("sync_contended", "sync_contended_total"), "Acquisitions that had to wait", |series| series.contended),
    (("sync_cancelled", "sync_cancelled_total"), "Waits dropped before the grant", |series| series.cancelled),
];

type Gauge = (&'static str, &'static str, fn(&Series) -> u64);

const GAUGES: [Gauge; 2] = [
    ("sync_waiters", "Tasks waiting now", |series| series.waiters),
    ("sync_holders", "Holders now", |series| series.holders),
];

/// Which of the two text formats a scraper wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accept {
    /// The text format 0.0.4, which everybody reads.
    #[default]
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Accept {
    /// What the value of a request's `Accept` header asks for; the text format unless it prefers OpenMetrics.
    #[must_use]
    pub fn from_header(header: &str) -> Self {
        let open_metrics = weight(header, |media, _| media == "application/openmetrics-text");
        let text = weight(header, |media, _| matches!(media, "text/plain" | "text/*" | "*/*"));
        if open_metrics > 0.0 && open_metrics >= text { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// Value of the `Content-Type` header.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// The highest weight (`q=`) that a header gives to media, with their parameters, that are `wanted`; zero when there
/// is none.
fn weight(header: &str, wanted: impl Fn(&str, &[&str]) -> bool) -> f64 {
    let of_entry = |entry: &str| {
        let mut parts = entry.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let parameters: Vec<_> = parts.collect();
        let weight =
            parameters.iter().find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok());
        if wanted(&media, &parameters) { weight.filter(|weight: &f64| weight.is_finite()) } else { None }
    };
    header.split(',').filter_map(of_entry).fold(0.0, f64::max)
}

/// Writes a snapshot in the format that is asked for; returns the content type and the text.
#[must_use]
pub fn encode(snapshot: &Snapshot, accept: Accept) -> (&'static str, String) {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape::new(snapshot, accept)));
    let mut body = String::new();
    let written = match accept {
        Accept::Prometheus => text::encode_registry(&mut body, &registry),
        Accept::OpenMetrics => text::encode(&mut body, &registry),
    };
    debug_assert!(written.is_ok(), "writing into a String does not fail");
    (accept.content_type(), body)
}

/// The series of one snapshot.
#[derive(Debug)]
struct Scrape {
    accept: Accept,
    series: BTreeMap<(String, String), Series>,
    alerts: BTreeMap<String, u64>,
    overhead: Overhead,
}

/// Sums over the rows of one kind and name.
#[derive(Debug, Default)]
struct Series {
    /// As [`HISTOGRAMS`] has them.
    histograms: [Buckets; HISTOGRAMS.len()],
    acquisitions: u64,
    contended: u64,
    cancelled: u64,
    waiters: u64,
    holders: u64,
    longest_wait_ns: u64,
}

impl Scrape {
    fn new(snapshot: &Snapshot, accept: Accept) -> Self {
        let mut series: BTreeMap<_, Series> = BTreeMap::new();
        for row in &snapshot.primitives {
            series.entry((row.primitive.clone(), row.name.clone())).or_default().add(row);
        }
        let (alerts, overhead) = (snapshot.alerts_total.clone(), snapshot.overhead.clone());
        Self { accept, series, alerts, overhead }
    }

    fn labelled(&self) -> impl Iterator<Item = (Labels<'_>, &Series)> {
        self.series.iter().map(|((primitive, name), series)| {
            ([("primitive", primitive.as_str()), ("name", name.as_str())], series)
        })
    }

    /// Describes a metric. In OpenMetrics a unit is said apart, in the text format it is but a part of the name.
    fn describe<'e>(
        &self,
        encoder: &'e mut DescriptorEncoder<'_>,
        (name, with_unit): (&'e str, &'e str),
        unit: Option<&'e Unit>,
        help: &str,
        metric_type: MetricType,
    ) -> Result<MetricEncoder<'e>, fmt::Error> {
        match self.accept {
            Accept::Prometheus => encoder.encode_descriptor(with_unit, help, None, metric_type),
            Accept::OpenMetrics => encoder.encode_descriptor(name, help, unit, metric_type),
        }
    }

    fn histogram(&self, encoder: &mut DescriptorEncoder<'_>, index: usize) -> fmt::Result {
        let (names, help, _) = HISTOGRAMS[index];
        let mut metric = self.describe(encoder, names, Some(&Unit::Seconds), help, MetricType::Histogram)?;
        for (labels, series) in self.labelled() {
            let buckets = &series.histograms[index];
            let mut sample = metric.encode_family(&labels)?;
            sample.encode_histogram::<NoLabelSet>(
                buckets.sum_s,
                buckets.count(),
                &buckets.bounded(),
                None,
            )?;
        }
        Ok(())
    }

    fn counter<'l, L: prometheus_client::encoding::EncodeLabelSet + 'l>(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        names: Names,
        help: &str,
        samples: impl Iterator<Item = (L, u64)>,
    ) -> fmt::Result {
        let mut metric = self.describe(encoder, names, None, help, MetricType::Counter)?;
        for (labels, value) in samples {
            self.count(metric.encode_family(&labels)?, value)?;
        }
        Ok(())
    }

    /// OpenMetrics names a counter without `_total` and its samples with it; the text format has it in both.
    fn count(&self, mut sample: MetricEncoder<'_>, value: u64) -> fmt::Result {
        match self.accept {
            Accept::OpenMetrics => sample.encode_counter::<NoLabelSet, u64, f64>(&value, None),
            // A gauge's sample is the name as it stands.
            Accept::Prometheus => sample.encode_gauge(&value),
        }
    }

    fn gauge(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        value: impl Fn(&Series) -> u64,
    ) -> fmt::Result {
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, series) in self.labelled() {
            metric.encode_family(&labels)?.encode_gauge(&value(series))?;
        }
        Ok(())
    }
}

type Labels<'a> = [(&'static str, &'a str); 2];

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        for index in 0..HISTOGRAMS.len() {
            self.histogram(encoder, index)?;
        }
        for (names, help, value) in COUNTERS {
            let samples = self.labelled().map(|(labels, series)| (labels, value(series)));
            self.counter(encoder, names, help, samples)?;
        }
        for (name, help, value) in GAUGES {
            self.gauge(encoder, name, help, value)?;
        }
        let longest = ("sync_longest_wait", "sync_longest_wait_seconds");
        let help = "Age of the oldest wait in progress";
        let mut metric = self.describe(encoder, longest, Some(&Unit::Seconds), help, MetricType::Gauge)?;
        for (labels, series) in self.labelled() {
            metric.encode_family(&labels)?.encode_gauge(&seconds(series.longest_wait_ns as f64))?;
        }
        let alerts = self.alerts.iter().map(|(kind, &count)| ([("kind", kind.as_str())], count));
        self.counter(
            encoder,
            ("sync_alerts", "sync_alerts_total"),
            "Alerts that were raised, by kind",
            alerts,
        )?;
        own::encode(self, encoder)
    }
}

impl Series {
    fn add(&mut self, row: &PrimitiveSnapshot) {
        for (buckets, (.., of_row)) in self.histograms.iter_mut().zip(HISTOGRAMS) {
            buckets.add(of_row(row));
        }
        for (sum, value) in [
            (&mut self.acquisitions, row.acquisitions),
            (&mut self.contended, row.contended),
            (&mut self.cancelled, row.cancelled),
            (&mut self.waiters, row.waiters),
            (&mut self.holders, row.holders_count),
        ] {
            *sum = sum.saturating_add(value);
        }
        self.longest_wait_ns = self.longest_wait_ns.max(row.longest_wait_ns);
    }
}

/// Counts between [`BOUNDS_NS`], and beyond.
#[derive(Debug, Default)]
struct Buckets {
    counts: [u64; BOUNDS_NS.len() + 1],
    sum_s: f64,
}

impl Buckets {
    /// A bucket of ours that spans a bound counts beyond it, so no duration counts as shorter than it was.
    fn add(&mut self, distribution: &Distribution) {
        for &(highest, count) in &distribution.buckets {
            let index = BOUNDS_NS.partition_point(|&bound| bound < highest);
            self.counts[index] = self.counts[index].saturating_add(count);
        }
        let sum_s = seconds(distribution.mean * distribution.count as f64);
        if sum_s.is_finite() {
            self.sum_s += sum_s;
        }
    }

    /// The sum of the buckets, so that it agrees with the last of them whatever the snapshot says.
    fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, &count| sum.saturating_add(count))
    }

    fn bounded(&self) -> Vec<(f64, u64)> {
        let bounds = BOUNDS_NS.iter().map(|&bound| seconds(bound as f64)).chain([f64::INFINITY]);
        bounds.zip(self.counts).collect()
    }
}

fn seconds(nanoseconds: f64) -> f64 {
    nanoseconds / 1e9
}

#[cfg(test)]
mod tests;
