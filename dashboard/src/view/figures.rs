//! A backend's figures in one case, as the tables of the page show them.

use results::compare::is_control_arm;
use results::{Cell, Comparison, OpenLoop, Verdict};
use serde::Serialize;

use crate::charts::Series;

use super::groups::Group;
use super::words;

/// A backend's line in the tables of a case. What was not measured is null, and a column of nulls is not shown.
#[derive(Debug, Serialize)]
pub(super) struct CellRow {
    pub(super) backend: String,
    version: String,
    composed: Option<String>,
    /// The style sheet's `--series-N`.
    series: usize,
    pub(super) control: bool,
    rounds: usize,
    pub(super) ops_per_s: Option<f64>,
    ops_per_s_min: f64,
    ops_per_s_max: f64,
    pub(super) ratio: Option<f64>,
    ci: Option<[f64; 2]>,
    verdict: Option<Verdict>,
    wait_count: u64,
    wait_p50_ns: Option<u64>,
    pub(super) wait_p99_ns: Option<u64>,
    wait_p999_ns: Option<u64>,
    wait_max_ns: u64,
    /// How the schedule was kept, in an open loop.
    pub(super) open_loop: Option<OpenLoop>,
    contended_fraction: Option<f64>,
    jain: f64,
    smallest_share: f64,
    longest_wait_ns: u64,
    queue_depth: Option<f64>,
    hold_ns: Option<f64>,
    pub(super) cpu_ns_per_op: Option<f64>,
    voluntary_switches_per_op: Option<f64>,
    involuntary_switches_per_op: Option<f64>,
    allocations_per_op: Option<f64>,
    futile_wakeups_per_op: Option<f64>,
    forced_yields_per_op: Option<f64>,
    recorder_share: Option<f64>,
    /// A figure in the unit of another benchmark, in words.
    peer: Option<String>,
}

/// The backends of a case in the order of its cells.
pub(super) fn rows(group: &Group<'_>) -> Vec<CellRow> {
    group.cells.iter().map(|cell| row(cell, judged(group, cell))).collect()
}

/// The comparison that a cell is judged by.
pub(super) fn judged<'r>(group: &Group<'r>, cell: &Cell) -> Option<&'r Comparison> {
    let judged_by = words::judged_by(&[cell]);
    let mut compared = group.comparisons.iter().chain(&group.controls);
    compared.find(|found| found.candidate == cell.backend && found.metric == judged_by).copied()
}

fn row(cell: &Cell, compared: Option<&Comparison>) -> CellRow {
    let measured = !cell.rounds.is_empty();
    let contended: f64 = cell.rounds.iter().map(|round| round.contended_fraction).sum();
    let costs = cell.costs();
    CellRow {
        backend: cell.backend.clone(),
        version: cell.backend_version.clone(),
        composed: cell.composed.clone(),
        series: Series::of(&cell.backend).index,
        control: is_control_arm(&cell.backend),
        rounds: cell.rounds.len(),
        ops_per_s: measured.then_some(cell.throughput_ops_per_s.median),
        ops_per_s_min: cell.throughput_ops_per_s.min,
        ops_per_s_max: cell.throughput_ops_per_s.max,
        ratio: compared.and_then(|comparison| comparison.ratio),
        ci: compared.and_then(|comparison| comparison.ci),
        verdict: compared.map(|comparison| comparison.verdict),
        wait_count: cell.wait_ns.count,
        wait_p50_ns: cell.wait_ns.p50,
        wait_p99_ns: cell.wait_ns.p99,
        wait_p999_ns: cell.wait_ns.p999,
        wait_max_ns: cell.wait_ns.max,
        open_loop: cell.open_loop,
        contended_fraction: measured.then(|| contended / cell.rounds.len() as f64),
        jain: cell.fairness.jain,
        smallest_share: cell.fairness.smallest_share,
        longest_wait_ns: cell.fairness.longest_wait_ns,
        queue_depth: costs.queue_depth,
        hold_ns: costs.hold_ns,
        cpu_ns_per_op: costs.cpu_ns_per_op,
        voluntary_switches_per_op: costs.voluntary_switches_per_op,
        involuntary_switches_per_op: costs.involuntary_switches_per_op,
        allocations_per_op: costs.allocations_per_op,
        futile_wakeups_per_op: costs.futile_wakeups_per_op,
        forced_yields_per_op: costs.forced_yields_per_op,
        recorder_share: cell.recorder_share,
        peer: cell.peer_figure.as_ref().map(ToString::to_string),
    }
}
