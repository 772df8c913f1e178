//! What a runner hands to a case for one slot, and what it gets back.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::Params;

/// What the slot measures. Reading a clock costs as much as an operation, so the two never share a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Operations are counted; no clock is read around one, only around sampled holds.
    Throughput,
    /// Each acquisition is timed and recorded; throughput of such a slot means nothing. The only pass of an open
    /// loop, whose throughput is asked for and not measured.
    Latency,
}

/// Takes the samples of one task in a latency slot. Must not allocate.
pub trait Recorder: Send {
    /// One wait, from asking (in an open loop: from the intended start) to having, in nanoseconds.
    fn record(&mut self, wait_ns: u64);
}

/// Tells every task of a slot to finish; set by the runner when the time is over.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// Asks the tasks to finish their current operation and return.
    pub fn stop(&self) {
        // Ordering: Relaxed, a flag that guards no data; tasks are joined before results are read.
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the slot is over. One relaxed load.
    #[inline]
    pub fn is_stopped(&self) -> bool {
        // Ordering: see `stop`.
        self.0.load(Ordering::Relaxed)
    }
}

/// One slot, as the runner asks for it.
pub struct Slot<'a> {
    /// The knobs.
    pub params: &'a Params,
    /// What to measure.
    pub pass: Pass,
    /// The executor on which tasks are spawned; the slot blocks the calling thread on it.
    pub runtime: &'a tokio::runtime::Runtime,
    /// Monotonic nanoseconds from any origin; the only clock that a case may read.
    pub clock: fn() -> u64,
    /// Called once when every task is ready and the work begins: the runner starts its timer here.
    pub started: &'a (dyn Fn() + Sync),
    /// Set when the slot is over.
    pub stop: std::sync::Arc<Stop>,
    /// One for each task in a latency slot, empty in a throughput slot.
    pub recorders: Vec<Box<dyn Recorder>>,
    /// Everything random in the slot is drawn from it.
    pub seed: u64,
}

/// What a slot found.
pub struct SlotOutcome {
    /// Operations finished by each task; an operation is one whole turn, as the workload's summary says.
    pub ops_per_task: Vec<u64>,
    /// From `started` until the last task had finished.
    pub wall_ns: u64,
    /// Acquisitions (or waits) begun.
    pub acquisitions: u64,
    /// Of these, the ones whose first poll was pending for want of the thing itself.
    pub waited: u64,
    /// Polls that were pending because tokio's cooperative budget was spent.
    pub forced_yields: u64,
    /// Waits dropped before they were ready.
    pub cancelled: u64,
    /// Times that a task was woken, looked, and had to wait again; `None` where no task looks for itself.
    pub futile_wakeups: Option<u64>,
    /// Mean of the sampled hold times; `None` where the workload holds nothing or none was sampled.
    pub hold_ns: Option<f64>,
    /// Mean number of tasks waiting, sampled when an acquisition begins; latency slots only.
    pub queue_depth: Option<f64>,
    /// How the schedule was kept, in an open loop.
    pub pace: Option<Pace>,
    /// Whether the case's own law held (a counter, a conservation law), else what was seen.
    pub law: Result<(), String>,
    /// The recorders, given back.
    pub recorders: Vec<Box<dyn Recorder>>,
}

/// How the schedule of an open loop was kept in one slot.
///
/// An operation whose task was free before its intended start begins when the generator comes round to it: what
/// it is late by then is the generator's own lag. An operation whose task was still busy at its intended start
/// is behind: it begins at once when the task is free, and its wait counts from the intended start all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pace {
    /// Intended starts until the slot was over.
    pub due: u64,
    /// From the first intended start until the slot was over.
    pub window_ns: u64,
    /// Operations that were begun in time but for the generator's lag.
    pub on_time: u64,
    /// Operations that were begun late because their task was busy.
    pub behind: u64,
    /// Sum of the generator's lags over the operations on time.
    pub lag_sum_ns: u64,
    /// Longest of these lags.
    pub lag_max_ns: u64,
}

impl std::fmt::Debug for Slot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("params", &self.params).field("pass", &self.pass).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SlotOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SlotOutcome")
            .field("ops_per_task", &self.ops_per_task.len())
            .field("wall_ns", &self.wall_ns)
            .field("law", &self.law)
            .finish_non_exhaustive()
    }
}
