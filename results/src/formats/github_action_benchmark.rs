//! For github-action-benchmark, which keeps a chart of each name on a project's pages and comments on jumps:
//! its `tool: customSmallerIsBetter`, a list of `{name, unit, value, range, extra}`.
//!
//! All figures are times, because the action takes one direction for the whole file: nanoseconds for an operation (the
//! inverse of the throughput; none in an open loop), the median wait and its 99th percentile. `range` is half of
//! what lies between the smallest and the largest round, in the form that the action can convert to another
//! unit; `extra` is shown as a tooltip.
//!
//! Written after `src/extract.ts` and `src/extractRangeInfo.ts` of github-action-benchmark, which want numbers for values
//! and refuse a file without any entry; the action itself has not read one of these files.

use serde_json::{Value, json};

use super::Format;
use super::parts::{measured, ns_per_op, of_latency_rounds};
use crate::statistics::{median, spread};
use crate::{Cell, ReadError, Report};

pub(super) const FORMAT: Format = Format {
    name: "github-action-benchmark",
    extension: "json",
    summary: "times for github-action-benchmark, tool: customSmallerIsBetter",
    write,
};

#[expect(clippy::unnecessary_wraps, reason = "the signature of a format")]
fn write(report: &Report) -> Result<String, ReadError> {
    let entries: Vec<Value> =
        measured(report).into_iter().flat_map(|(name, cell)| entries(&name, cell)).collect();
    Ok(format!("{:#}\n", Value::Array(entries)))
}

fn entries(name: &str, cell: &Cell) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut push = |what: &str, unit: &str, value: Option<f64>, rounds: &[f64], extra: String| {
        if let Some(value) = value {
            let (name, range) = (format!("{name}: {what}"), range(rounds));
            entries.push(json!({"name": name, "unit": unit, "value": value, "range": range, "extra": extra}));
        }
    };
    if !cell.is_open_loop() {
        let times = ns_per_op(cell);
        push(
            "time per operation",
            "ns/op",
            median(&times),
            &times,
            tooltip(cell, cell.rounds.len(), "rounds"),
        );
    }
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds below 2^53 are 104 days")]
    let float = |ns: Option<u64>| ns.map(|ns| ns as f64);
    let waits = || tooltip(cell, cell.wait_ns.count, "waits");
    let medians = of_latency_rounds(cell, |round| round.p50_ns);
    push("wait p50", "ns", float(cell.wait_ns.p50), &medians, waits());
    let tails = of_latency_rounds(cell, |round| round.p99_ns);
    push("wait p99", "ns", float(cell.wait_ns.p99), &tails, waits());
    entries
}

fn range(rounds: &[f64]) -> String {
    let spread = spread(rounds);
    format!("± {:.2}", (spread.max - spread.min) / 2.0)
}

fn tooltip(cell: &Cell, count: impl std::fmt::Display, what: &str) -> String {
    let mut text = format!("{count} {what}\n{} {}", cell.backend, cell.backend_version);
    text.extend(cell.composed.as_ref().map(|parts| format!("\nput together: {parts}")));
    text
}
