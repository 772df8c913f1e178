//! Alerts as plain data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that looks wrong.
///
/// Raised once, it stays for as long as what it is about lasts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlertSnapshot {
    /// `deadlock`, `futurelock`, `long_wait`, `long_hold`, `lost_wake_up` or `starvation`.
    pub kind: String,
    /// What was seen, for a person.
    pub message: String,
    /// What to look at, or to do.
    #[serde(default)]
    pub next: String,
    /// Its number, counted from one in the order in which alerts were raised.
    #[serde(default)]
    pub id: u64,
    /// `critical`: it does not end by itself. `warning`: it may.
    #[serde(default)]
    pub severity: String,
    /// When it was raised, as [`Snapshot::uptime_s`](super::Snapshot::uptime_s).
    #[serde(default)]
    pub since_s: f64,
    /// When it ended; none while it lasts.
    #[serde(default)]
    pub ended_s: Option<f64>,
    /// How long that lasts, or lasted, which it is about.
    #[serde(default)]
    pub age_ns: u64,
    /// Row of the primitive, [`PrimitiveSnapshot::id`](super::PrimitiveSnapshot::id).
    #[serde(default)]
    pub primitive_id: u64,
    /// The object, as in the spans.
    #[serde(default)]
    pub object: u64,
    /// Who takes part, those that matter most first.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// Others who take part.
    #[serde(default)]
    pub evidence_not_listed: u64,
}

/// An operation that takes part in what an alert is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// `waits`, `holds`, `granted` (it was given what it asks for, and has not taken note yet) or `elsewhere` (what
    /// else the task does).
    pub role: String,
    /// The operation.
    pub op: u64,
    /// The task, as in the spans; 0 when unknown.
    pub task: u64,
    /// The line that asked.
    pub site: String,
    /// For how long.
    pub age_ns: u64,
    /// Permits that it asks for or holds.
    pub permits: u64,
    /// `mutex`, `condition`, `semaphore`, `event` or `barrier`.
    pub primitive: String,
    /// Name of the primitive.
    pub name: String,
    /// Where the primitive was made.
    pub location: String,
    /// Row of the primitive.
    pub primitive_id: u64,
    /// The object.
    pub object: u64,
}
