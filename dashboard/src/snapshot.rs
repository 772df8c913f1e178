//! What the collector saw, as plain data: the wire format of `dashboard/snapshot/v1`.
//!
//! Everything after it (JSON, events, Prometheus, page) is a pure function of it.

mod alerts;
mod recording;
mod timeline;
mod waits_for;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::alerts::{AlertSnapshot, Evidence};
pub use self::recording::RecordingSnapshot;
pub use self::timeline::{Timeline, TimelineEntry, TimelinePlace, TimelineWait, WaitOutcome};
pub use self::waits_for::{GraphEdge, GraphNode, WaitsFor};

/// Value of [`Snapshot::schema`].
pub const SCHEMA: &str = "dashboard/snapshot/v1";

/// What the collector saw until now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Seconds since the collector was made, so that two snapshots give rates.
    pub uptime_s: f64,
    /// Whether the collector is switched on.
    pub enabled: bool,
    /// One for each place and name that made primitives.
    pub primitives: Vec<PrimitiveSnapshot>,
    /// Waits in progress, the oldest first, at most [`Snapshot::WAITS_LIMIT`].
    pub waits: Vec<WaitSnapshot>,
    /// What looks wrong, the first raised first, at most [`Snapshot::ALERTS_LIMIT`].
    pub alerts: Vec<AlertSnapshot>,
    /// What looks wrong beyond that limit: alerts that are raised when there is room.
    #[serde(default)]
    pub alerts_not_listed: u64,
    /// The latest of those that have ended, the last ended first.
    #[serde(default)]
    pub alerts_ended: Vec<AlertSnapshot>,
    /// How many were raised, by kind. Every kind is there, and none of them ever falls.
    #[serde(default)]
    pub alerts_total: BTreeMap<String, u64>,
    /// Who waits for whom: the oldest waits, at most [`Snapshot::GRAPH_LIMIT`].
    #[serde(default)]
    pub waits_for: WaitsFor,
    /// A recording to a folder, if there is one.
    #[serde(default)]
    pub recording: Option<RecordingSnapshot>,
    /// What the collector cost and dropped.
    pub overhead: Overhead,
}

impl Snapshot {
    /// Waits in progress that a snapshot lists at most; [`Overhead::waits_not_listed`] counts the rest.
    pub const WAITS_LIMIT: usize = 256;

    /// Alerts that last at one time at most; others are raised when there is room.
    pub const ALERTS_LIMIT: usize = 64;

    /// Alerts that have ended and are still listed.
    pub const ENDED_LIMIT: usize = 16;

    /// Waits in the graph of a snapshot. `GET /api/v1/graph` lists more.
    pub const GRAPH_LIMIT: usize = 64;
}

/// All primitives made at one place under one name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrimitiveSnapshot {
    /// Id of the row, stable while the process lives.
    pub id: u64,
    /// `mutex`, `condition`, `semaphore`, `event` or `barrier`; `rwlock` where it is tokio's.
    pub primitive: String,
    /// As given by `with_name`; empty when there is none. Of plain tokio the type, `tokio::sync::Mutex`.
    pub name: String,
    /// Where it was made: `src/main.rs:12`. Empty when unknown.
    pub location: String,
    /// Objects of the row that were seen, those that are gone included.
    pub objects: u64,
    /// Acquisitions granted. Below TRACE only those that waited are seen.
    pub acquisitions: u64,
    /// Of these, the ones that waited.
    pub contended: u64,
    /// Waits dropped before the grant.
    pub cancelled: u64,
    /// Waits ended by a close.
    pub closed: u64,
    /// Tasks waiting now.
    pub waiters: u64,
    /// Age of the oldest wait in progress.
    pub longest_wait_ns: u64,
    /// Who holds it now, the oldest first, at most [`PrimitiveSnapshot::HOLDERS_LIMIT`].
    pub holders: Vec<HolderSnapshot>,
    /// Holders now, listed or not.
    pub holders_count: u64,
    /// Joined the queue → resumed.
    pub wait_ns: Distribution,
    /// Granted → released.
    pub hold_ns: Distribution,
    /// Joined the queue → granted.
    pub queued_ns: Distribution,
    /// Granted → resumed.
    pub wake_ns: Distribution,
    /// Joined the queue → dropped.
    #[serde(default)]
    pub cancelled_wait_ns: Distribution,
    /// The lines that acquire it, the most waited-at first.
    pub sites: Vec<SiteSnapshot>,
    /// The longest waits since the start, the longest first, at most [`PrimitiveSnapshot::WORST_WAITS_LIMIT`].
    #[serde(default)]
    pub worst_waits: Vec<WorstWaitSnapshot>,
}

impl PrimitiveSnapshot {
    /// Holders that a row lists at most.
    pub const HOLDERS_LIMIT: usize = 16;

    /// Worst waits that a row lists at most.
    pub const WORST_WAITS_LIMIT: usize = 8;
}

/// A distribution of durations in nanoseconds; all zero when nothing was recorded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distribution {
    /// Durations recorded.
    pub count: u64,
    /// Mean.
    pub mean: f64,
    /// Median.
    pub p50: u64,
    /// 90th percentile.
    pub p90: u64,
    /// 99th percentile.
    pub p99: u64,
    /// 99.9th percentile.
    pub p999: u64,
    /// Largest.
    pub max: u64,
    /// Non-empty buckets, ascending: highest value of the bucket in nanoseconds, and its count.
    pub buckets: Vec<(u64, u64)>,
}

impl Distribution {
    /// Makes a distribution of ascending buckets: highest value in nanoseconds, and count.
    ///
    /// Percentiles are those of an HdrHistogram: the highest value of the bucket in which the rank falls. The mean
    /// takes each bucket at its middle, which is known to within 0.4 % for buckets of two significant digits.
    #[must_use]
    pub fn from_buckets(buckets: Vec<(u64, u64)>) -> Self {
        let count = buckets.iter().fold(0_u64, |sum, &(_, count)| sum.saturating_add(count));
        let Some(&(max, _)) = buckets.last() else { return Self::default() };
        let weighted = |sum: f64, &(highest, count): &(u64, u64)| sum + middle(highest) as f64 * count as f64;
        Self {
            count,
            mean: buckets.iter().fold(0.0, weighted) / count as f64,
            p50: percentile(&buckets, count, 500),
            p90: percentile(&buckets, count, 900),
            p99: percentile(&buckets, count, 990),
            p999: percentile(&buckets, count, 999),
            max,
            buckets,
        }
    }
}

/// Counts of a histogram of two significant digits and a unit of one nanosecond.
impl From<&hdrhistogram::Histogram<u64>> for Distribution {
    fn from(histogram: &hdrhistogram::Histogram<u64>) -> Self {
        let bucket = |value: u64, count: u64| (histogram.highest_equivalent(value), count);
        let quantile =
            |quantile| if histogram.is_empty() { 0 } else { histogram.value_at_quantile(quantile) };
        Self {
            count: histogram.len(),
            mean: histogram.mean(),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
            max: if histogram.is_empty() { 0 } else { histogram.max() },
            buckets: histogram
                .iter_recorded()
                .map(|step| bucket(step.value_iterated_to(), step.count_at_value()))
                .collect(),
        }
    }
}

/// The middle of the bucket that ends at `highest`: 128 buckets to each power of two, single values below 256.
fn middle(highest: u64) -> u64 {
    match highest.checked_ilog2() {
        Some(magnitude) if magnitude > 7 => {
            let width = 1_u64 << (magnitude - 7);
            highest - (width - 1) + width / 2
        }
        _ => highest,
    }
}

/// The value at a rank of `per_mille`, rounded up.
fn percentile(buckets: &[(u64, u64)], count: u64, per_mille: u64) -> u64 {
    let rank = (u128::from(count) * u128::from(per_mille)).div_ceil(1_000).max(1);
    let mut seen = 0_u128;
    for &(highest, count) in buckets {
        seen += u128::from(count);
        if seen >= rank {
            return highest;
        }
    }
    buckets.last().map_or(0, |&(highest, _)| highest)
}

/// Somebody who holds a primitive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HolderSnapshot {
    /// The operation that acquired it.
    pub op: u64,
    /// The task, as in the spans; 0 when unknown.
    pub task: u64,
    /// The line that acquired it: `src/main.rs:20:14`.
    pub site: String,
    /// Held for.
    pub age_ns: u64,
    /// Permits held.
    pub permits: u64,
    /// What others waited because of this hold until now, as [`SiteSnapshot::blamed_ns`] has it.
    #[serde(default)]
    pub blamed_ns: u64,
}

/// A wait in progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WaitSnapshot {
    /// The operation that waits.
    pub op: u64,
    /// Row of the primitive, [`PrimitiveSnapshot::id`].
    pub primitive_id: u64,
    /// Object, as in the spans.
    pub object: u64,
    /// The task, as in the spans; 0 when unknown.
    pub task: u64,
    /// The line that waits.
    pub site: String,
    /// Waits for.
    pub age_ns: u64,
    /// Waiters ahead when it joined.
    pub queue: u64,
    /// Permits asked for.
    pub permits: u64,
}

/// One line that acquires a primitive.
///
/// Its distributions have no buckets; the row has those of all its lines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SiteSnapshot {
    /// `src/main.rs:20:14`.
    pub site: String,
    /// Acquisitions granted there.
    pub acquisitions: u64,
    /// Of these, the ones that waited.
    pub contended: u64,
    /// Waits dropped before the grant.
    pub cancelled: u64,
    /// Waits and attempts ended by a close.
    #[serde(default)]
    pub closed: u64,
    /// Sum of the waits.
    pub wait_total_ns: u64,
    /// What others waited, each of them counted, while somebody held what was acquired here: the waiting of a
    /// moment is shared by all who hold at that moment, by their permits. Below TRACE it is not known.
    #[serde(default)]
    pub blamed_ns: u64,
    /// Joined the queue → resumed.
    #[serde(default)]
    pub wait_ns: Distribution,
    /// Granted → released.
    #[serde(default)]
    pub hold_ns: Distribution,
    /// Joined the queue → granted.
    #[serde(default)]
    pub queued_ns: Distribution,
    /// Granted → resumed.
    #[serde(default)]
    pub wake_ns: Distribution,
    /// Joined the queue → dropped.
    #[serde(default)]
    pub cancelled_wait_ns: Distribution,
}

/// One of the longest waits of a row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorstWaitSnapshot {
    /// It took so long.
    pub wait_ns: u64,
    /// When it ended, in seconds as [`Snapshot::uptime_s`] counts them.
    pub ended_at_s: f64,
    /// `granted` or `cancelled`.
    pub outcome: String,
    /// The operation that waited.
    pub op: u64,
    /// Object, as in the spans.
    pub object: u64,
    /// The task that waited, as in the spans; 0 when unknown.
    pub task: u64,
    /// The line that waited.
    pub site: String,
    /// Who was in its way when it ended; nobody where that is not known, as below TRACE.
    pub blocker: Option<BlockerSnapshot>,
}

/// Who held an object when somebody waited for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BlockerSnapshot {
    /// The operation that acquired it.
    pub op: u64,
    /// The task, as in the spans; 0 when unknown.
    pub task: u64,
    /// The line that acquired it.
    pub site: String,
    /// It was the last to release it; it holds it otherwise.
    pub released: bool,
}

/// What the collector cost and what it dropped for its bounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Overhead {
    /// Spans taken in.
    pub spans: u64,
    /// Rows of primitives.
    pub rows: u64,
    /// Memory of rows and histograms, estimated.
    pub memory_bytes: u64,
    /// Spans that were odd: fields missing, of another type or absurd.
    pub malformed: u64,
    /// Objects folded into an overflow row because the limit of rows was reached.
    pub rows_dropped: u64,
    /// Acquisitions at call sites that were not kept because the limit was reached.
    pub sites_dropped: u64,
    /// Times that an object was seen which was not counted because the limit was reached.
    pub objects_dropped: u64,
    /// Waits or holds not tracked because the limit was reached.
    pub in_flight_dropped: u64,
    /// Waits in progress beyond [`Snapshot::WAITS_LIMIT`].
    pub waits_not_listed: u64,
    /// Durations that are missing in the distributions because histograms reached their limit of memory.
    #[serde(default)]
    pub durations_dropped: u64,
    /// Waits that were charged to nobody because the limit of queues was reached.
    #[serde(default)]
    pub blame_dropped: u64,
    /// Calls whose cost was measured, about one in 1,024.
    #[serde(default)]
    pub calls_sampled: u64,
    /// What the collector took for each of them, on average. What `tracing` does around a layer is not in it.
    #[serde(default)]
    pub ns_per_call: f64,
    /// What it takes of one processor core, since the start or the last reset; 1 is the whole of it.
    #[serde(default)]
    pub core_share: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_recorded_is_all_zero() {
        assert_eq!(Distribution::from_buckets(Vec::new()), Distribution::default());
    }

    #[test]
    fn a_percentile_is_the_bucket_in_which_its_rank_falls() {
        let distribution = Distribution::from_buckets(vec![(10, 90), (20, 9), (30, 1)]);
        assert_eq!(distribution.count, 100);
        assert_eq!(
            [distribution.p50, distribution.p90, distribution.p99, distribution.p999],
            [10, 10, 20, 30]
        );
        assert_eq!(distribution.max, 30);
        assert!((distribution.mean - 11.1).abs() < 1e-9);
    }

    #[test]
    fn a_snapshot_survives_json() {
        let snapshot = Snapshot {
            schema: SCHEMA.to_owned(),
            uptime_s: 1.5,
            enabled: true,
            primitives: Vec::new(),
            waits: Vec::new(),
            alerts: vec![AlertSnapshot { kind: "long_wait".to_owned(), ..AlertSnapshot::default() }],
            alerts_not_listed: 0,
            alerts_ended: Vec::new(),
            alerts_total: BTreeMap::from([("long_wait".to_owned(), 1)]),
            waits_for: WaitsFor::default(),
            recording: Some(RecordingSnapshot { files: 2, ..RecordingSnapshot::default() }),
            overhead: Overhead { spans: u64::MAX, ..Overhead::default() },
        };
        let json = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<Snapshot>(&json).unwrap(), snapshot);
    }
}
