//! What the collector saw, as plain data: the wire format of `dashboard/snapshot/v1`.
//!
//! Everything after it (JSON, events, Prometheus, page) is a pure function of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// What looks wrong. Always empty until the alerts are built.
    pub alerts: Vec<AlertSnapshot>,
    /// What the collector cost and dropped.
    pub overhead: Overhead,
}

impl Snapshot {
    /// Waits in progress that a snapshot lists at most; [`Overhead::waits_not_listed`] counts the rest.
    pub const WAITS_LIMIT: usize = 256;
}

/// All primitives made at one place under one name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrimitiveSnapshot {
    /// Id of the row, stable while the process lives.
    pub id: u64,
    /// `mutex`, `condition`, `semaphore`, `event` or `barrier`.
    pub primitive: String,
    /// As given by `with_name`; empty when there is none.
    pub name: String,
    /// Where it was made: `src/main.rs:12`. Empty when unknown.
    pub location: String,
    /// Objects that share the row.
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
    /// The lines that acquire it, the most waited-at first.
    pub sites: Vec<SiteSnapshot>,
}

impl PrimitiveSnapshot {
    /// Holders that a row lists at most.
    pub const HOLDERS_LIMIT: usize = 16;
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SiteSnapshot {
    /// `src/main.rs:20:14`.
    pub site: String,
    /// Acquisitions granted there.
    pub acquisitions: u64,
    /// Of these, the ones that waited.
    pub contended: u64,
    /// Waits dropped before the grant.
    pub cancelled: u64,
    /// Sum of the waits.
    pub wait_total_ns: u64,
}

/// Something that looks wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlertSnapshot {
    /// `deadlock`, `futurelock`, `long_wait` and the like.
    pub kind: String,
    /// What was seen, for a person.
    pub message: String,
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
    /// Call sites not kept because the limit was reached.
    pub sites_dropped: u64,
    /// Waits or holds not tracked because the limit was reached.
    pub in_flight_dropped: u64,
    /// Waits in progress beyond [`Snapshot::WAITS_LIMIT`].
    pub waits_not_listed: u64,
}
