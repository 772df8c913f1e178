//! One line for each case and backend, for spreadsheets and data frames.
//!
//! RFC 4180: fields with a comma, a quote or a line break are quoted; lines end with CR LF. The parameters
//! take a column each, `param.tasks`, so that they can be filtered and plotted by.

use std::collections::BTreeSet;

use super::Format;
use super::parts::{Costs, judgements};
use crate::compare::is_control_arm;
use crate::{Cell, Comparison, ReadError, Report};

pub(super) const FORMAT: Format = Format {
    name: "csv",
    extension: "csv",
    summary: "one line for each case and backend, for spreadsheets",
    write,
};

/// Columns behind the parameters. Those `per_op` are medians over the rounds of a count over the operations.
const FIGURES: [&str; 34] = [
    "rounds",
    "throughput_median_ops_per_s",
    "throughput_min_ops_per_s",
    "throughput_max_ops_per_s",
    "ratio",
    "ratio_low",
    "ratio_high",
    "p_adjusted",
    "baseline",
    "verdict",
    "wait_count",
    "wait_mean_ns",
    "wait_p50_ns",
    "wait_p90_ns",
    "wait_p99_ns",
    "wait_p999_ns",
    "wait_max_ns",
    "jain",
    "smallest_share",
    "longest_wait_ns",
    "achieved_ops_per_s",
    "lag_mean_ns",
    "lag_max_ns",
    "behind_fraction",
    "detectable",
    "contended_fraction",
    "queue_depth",
    "cpu_ns_per_op",
    "voluntary_switches_per_op",
    "involuntary_switches_per_op",
    "allocations_per_op",
    "futile_wakeups_per_op",
    "forced_yields_per_op",
    "cancelled_per_op",
];

#[expect(clippy::unnecessary_wraps, reason = "the signature of a format")]
fn write(report: &Report) -> Result<String, ReadError> {
    let params: BTreeSet<&str> =
        report.cells.iter().flat_map(|cell| cell.params.keys().map(String::as_str)).collect();
    let judgements = judgements(report);

    let mut out = String::new();
    let head = ["run", "workload", "variant", "backend", "backend_version", "control"];
    let params_head = params.iter().map(|param| format!("param.{param}"));
    let head = head.into_iter().map(str::to_owned).chain(params_head).chain(FIGURES.map(str::to_owned));
    push_line(&mut out, head);
    for cell in &report.cells {
        let comparison = judgements.get(&(cell.case(), cell.backend.as_str())).copied();
        let identity = identity(report, cell);
        let values = params.iter().map(|param| cell.params.get(*param).map_or(String::new(), plain));
        push_line(&mut out, identity.into_iter().chain(values).chain(figures(cell, comparison)));
    }
    Ok(out)
}

fn identity(report: &Report, cell: &Cell) -> [String; 6] {
    [
        report.run.id.clone(),
        cell.workload.clone(),
        cell.variant.clone(),
        cell.backend.clone(),
        cell.backend_version.clone(),
        is_control_arm(&cell.backend).to_string(),
    ]
}

/// In the order of [`FIGURES`]; empty where there is none.
fn figures(cell: &Cell, comparison: Option<&Comparison>) -> [String; FIGURES.len()] {
    let (throughput, wait) = (&cell.throughput_ops_per_s, &cell.wait_ns);
    let ci = comparison.and_then(|comparison| comparison.ci);
    let (open_loop, costs) = (cell.open_loop.as_ref(), Costs::of(cell));
    [
        cell.rounds.len().to_string(),
        number(Some(throughput.median)),
        number(Some(throughput.min)),
        number(Some(throughput.max)),
        number(comparison.and_then(|comparison| comparison.ratio)),
        number(ci.map(|[low, _]| low)),
        number(ci.map(|[_, high]| high)),
        number(comparison.and_then(|comparison| comparison.p_adjusted)),
        comparison.map_or(String::new(), |comparison| comparison.baseline.clone()),
        comparison.map_or(String::new(), |comparison| comparison.verdict.name().to_owned()),
        wait.count.to_string(),
        number(Some(wait.mean)),
        whole(wait.p50),
        whole(wait.p90),
        whole(wait.p99),
        whole(wait.p999),
        wait.max.to_string(),
        number(Some(cell.fairness.jain)),
        number(Some(cell.fairness.smallest_share)),
        cell.fairness.longest_wait_ns.to_string(),
        number(open_loop.map(|open_loop| open_loop.achieved_ops_per_s)),
        number(open_loop.map(|open_loop| open_loop.lag_mean_ns)),
        whole(open_loop.map(|open_loop| open_loop.lag_max_ns)),
        number(open_loop.map(|open_loop| open_loop.behind_fraction)),
        number(comparison.and_then(|comparison| comparison.detectable)),
        number(costs.contended_fraction),
        number(costs.queue_depth),
        number(costs.cpu_ns),
        number(costs.voluntary_switches),
        number(costs.involuntary_switches),
        number(costs.allocations),
        number(costs.futile_wakeups),
        number(costs.forced_yields),
        number(costs.cancelled),
    ]
}

fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or(String::new(), |value| value.to_string())
}

fn whole(value: Option<u64>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}

/// A parameter as a person would write it: text without quotes.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn push_line(out: &mut String, fields: impl Iterator<Item = String>) {
    for (place, field) in fields.enumerate() {
        if place > 0 {
            out.push(',');
        }
        if field.contains([',', '"', '\r', '\n']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&field);
        }
    }
    out.push_str("\r\n");
}
