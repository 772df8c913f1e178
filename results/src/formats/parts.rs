//! What several formats look at in a report.

use std::collections::{HashMap, HashSet};

use crate::compare::is_control_arm;
use crate::statistics::median;
use crate::{Cell, Comparison, LatencyRound, Report, Round};

/// The throughput comparison of a case and backend, those of the control arm among them.
pub(super) type Judgements<'a> = HashMap<(String, &'a str), &'a Comparison>;

/// Finds each [`Judgements`] entry once, so that no cell has to search for its own.
pub(super) fn judgements(report: &Report) -> Judgements<'_> {
    report
        .comparisons
        .iter()
        .chain(&report.control)
        .filter(|comparison| comparison.metric == "throughput")
        .map(|comparison| ((comparison.case(), comparison.candidate.as_str()), comparison))
        .collect()
}

/// The cells by case, both in the order of the report.
pub(super) fn by_case(report: &Report) -> Vec<(String, Vec<&Cell>)> {
    let mut places = HashMap::new();
    let mut cases: Vec<(String, Vec<&Cell>)> = Vec::new();
    for cell in &report.cells {
        let name = cell.case();
        let place = *places.entry(name.clone()).or_insert_with(|| {
            cases.push((name, Vec::new()));
            cases.len() - 1
        });
        cases[place].1.push(cell);
    }
    cases
}

/// The cells with their full names, each name once and without control arms, for programs that follow a name
/// from run to run.
pub(super) fn measured(report: &Report) -> Vec<(String, &Cell)> {
    let mut seen = HashSet::new();
    report
        .cells
        .iter()
        .filter(|cell| !is_control_arm(&cell.backend))
        .map(|cell| (cell.full_name(), cell))
        .filter(|(name, _)| seen.insert(name.clone()))
        .collect()
}

/// Nanoseconds for an operation, round by round.
pub(super) fn ns_per_op(cell: &Cell) -> Vec<f64> {
    cell.rounds.iter().filter_map(Round::throughput_ops_per_s).map(|rate| 1e9 / rate).filter(finite).collect()
}

/// A figure of each latency round that has it.
pub(super) fn of_latency_rounds(cell: &Cell, figure: fn(&LatencyRound) -> Option<u64>) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds below 2^53 are 104 days")]
    cell.latency_rounds.iter().filter_map(figure).map(|ns| ns as f64).collect()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "for `filter`")]
fn finite(value: &f64) -> bool {
    value.is_finite()
}

/// What an operation costs the machine: medians over the rounds, which are never pooled. `None` where no round
/// counted it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Costs {
    /// CPU time of all threads.
    pub(super) cpu_ns: Option<f64>,
    /// Times that a thread went to sleep.
    pub(super) voluntary_switches: Option<f64>,
    /// Times that a thread lost its processor.
    pub(super) involuntary_switches: Option<f64>,
    /// Calls of the allocator, from the latency pass.
    pub(super) allocations: Option<f64>,
    /// Times that a task was woken in vain.
    pub(super) futile_wakeups: Option<f64>,
    /// Polls that tokio's budget turned away.
    pub(super) forced_yields: Option<f64>,
    /// Waits given up.
    pub(super) cancelled: Option<f64>,
    /// Share of the acquisitions that waited; not for each operation but as it stands in the rounds.
    pub(super) contended_fraction: Option<f64>,
    /// Waiters in the queue, from the latency pass; as it stands in the rounds.
    pub(super) queue_depth: Option<f64>,
}

impl Costs {
    pub(super) fn of(cell: &Cell) -> Costs {
        let each = |count: fn(&Round) -> Option<u64>| {
            median_of(cell.rounds.iter().map(|round| per_op(count(round)?, round.ops)))
        };
        Costs {
            cpu_ns: each(|round| Some(round.cpu_ns)),
            voluntary_switches: each(|round| round.voluntary_switches),
            involuntary_switches: each(|round| round.involuntary_switches),
            allocations: median_of(
                cell.latency_rounds.iter().map(|round| per_op(round.allocations?, round.ops)),
            ),
            futile_wakeups: each(|round| round.futile_wakeups),
            forced_yields: each(|round| Some(round.forced_yields)),
            cancelled: each(|round| Some(round.cancelled)),
            contended_fraction: median_of(cell.rounds.iter().map(|round| Some(round.contended_fraction))),
            queue_depth: median_of(cell.latency_rounds.iter().map(|round| round.queue_depth)),
        }
    }

    /// Switches of both kinds, where both are known.
    pub(super) fn switches(&self) -> Option<f64> {
        Some(self.voluntary_switches? + self.involuntary_switches?)
    }
}

fn median_of(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    median(&values.flatten().collect::<Vec<f64>>())
}

fn per_op(count: u64, ops: u64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts of a slot stay far below 2^53")]
    (ops > 0).then(|| count as f64 / ops as f64)
}
