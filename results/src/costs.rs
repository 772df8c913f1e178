//! What an operation cost beside its time: processor, switches, allocations, wake-ups for nothing.

use crate::{Cell, LatencyRound, Round};

/// Means over all rounds of a cell. `None` where nobody counted, or nothing was done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Costs {
    /// CPU time of the process for an operation, in nanoseconds.
    pub cpu_ns_per_op: Option<f64>,
    /// Times that a thread went to sleep, for an operation.
    pub voluntary_switches_per_op: Option<f64>,
    /// Times that a thread lost its processor, for an operation.
    pub involuntary_switches_per_op: Option<f64>,
    /// Calls of the allocator for an operation, the bench's own included.
    pub allocations_per_op: Option<f64>,
    /// Times that a task was woken and had to wait again, for an operation.
    pub futile_wakeups_per_op: Option<f64>,
    /// Polls that gave up because tokio's budget was spent, for an operation.
    pub forced_yields_per_op: Option<f64>,
    /// Waiters in the queue, where it was sampled.
    pub queue_depth: Option<f64>,
    /// Time that the primitive was really held, in nanoseconds, where something is held.
    pub hold_ns: Option<f64>,
}

impl Cell {
    /// What an operation of the cell cost.
    ///
    /// A figure for an operation is the sum over the rounds that counted it over their operations, so that a short
    /// round weighs little.
    #[must_use]
    pub fn costs(&self) -> Costs {
        let rounds = |count: fn(&Round) -> Option<u64>| {
            per_operation(self.rounds.iter().map(|round| (count(round), round.ops)))
        };
        let latency = |count: fn(&LatencyRound) -> Option<u64>| {
            per_operation(self.latency_rounds.iter().map(|round| (count(round), round.ops)))
        };
        Costs {
            cpu_ns_per_op: rounds(|round| Some(round.cpu_ns)),
            voluntary_switches_per_op: rounds(|round| round.voluntary_switches),
            involuntary_switches_per_op: rounds(|round| round.involuntary_switches),
            allocations_per_op: latency(|round| round.allocations),
            futile_wakeups_per_op: rounds(|round| round.futile_wakeups),
            forced_yields_per_op: rounds(|round| Some(round.forced_yields)),
            queue_depth: mean(self.latency_rounds.iter().filter_map(|round| round.queue_depth)),
            hold_ns: mean(self.rounds.iter().filter_map(|round| round.hold_ns)),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a mean, shown with three digits")]
fn per_operation(rounds: impl Iterator<Item = (Option<u64>, u64)>) -> Option<f64> {
    let counted = rounds.filter_map(|(count, ops)| Some((count? as f64, ops as f64)));
    let (count, ops) = counted.fold((0.0, 0.0), |sum, round| (sum.0 + round.0, sum.1 + round.1));
    (ops > 0.0).then(|| count / ops)
}

fn mean(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = figures.fold((0.0, 0.0), |(sum, count), figure| (sum + figure, count + 1.0));
    (count > 0.0).then(|| sum / count)
}
