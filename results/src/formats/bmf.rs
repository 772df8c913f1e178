//! Bencher Metric Format: for the `json` adapter of bencher.dev, which draws every name over the commits.
//!
//! `{benchmark: {measure: {value, lower_value, upper_value}}}` under the slugs of the two measures that each
//! project of Bencher has from the start, in their units: `throughput` in operations a second, larger being
//! better, and `latency` in nanoseconds, smaller being better. The bounds are the smallest and the largest round.
//! In an open loop there is a latency alone. The latency is the median wait, from asking to having.
//!
//! Written after the reference page of the format and its JSON Schema (draft 7, `bmf.json`) as of November 2026:
//! a name has at most 1,024 characters, and one that is longer is left out rather than cut into another's.
//!
//! `bencher run --adapter json --file report.bmf.json`

use serde_json::{Map, Value, json};

use super::Format;
use super::parts::{measured, of_latency_rounds};
use crate::statistics::spread;
use crate::{Cell, ReadError, Report, Spread};

pub(super) const FORMAT: Format = Format {
    name: "bmf",
    extension: "bmf.json",
    summary: "Bencher Metric Format, throughput and latency for `bencher run --adapter json`",
    write,
};

/// Longest name of a benchmark.
const MAX_NAME_CHARS: usize = 1_024;

#[expect(clippy::unnecessary_wraps, reason = "the signature of a format")]
fn write(report: &Report) -> Result<String, ReadError> {
    let mut benchmarks = Map::new();
    for (name, cell) in measured(report) {
        let measures = measures(cell);
        if !measures.is_empty() && name.chars().count() <= MAX_NAME_CHARS {
            benchmarks.insert(name, Value::Object(measures));
        }
    }
    Ok(format!("{:#}\n", Value::Object(benchmarks)))
}

fn measures(cell: &Cell) -> Map<String, Value> {
    let mut measures = Map::new();
    if !cell.is_open_loop() {
        measures.extend(metric(&cell.throughput_ops_per_s).map(|metric| ("throughput".to_owned(), metric)));
    }
    if let Some(p50) = cell.wait_ns.p50 {
        let rounds = spread(&of_latency_rounds(cell, |round| round.p50_ns));
        #[expect(clippy::cast_precision_loss, reason = "nanoseconds below 2^53 are 104 days")]
        let median = p50 as f64;
        // Slots too short for a median of their own leave that of all of them.
        let [min, max] = if rounds.max > 0.0 { [rounds.min, rounds.max] } else { [median; 2] };
        let latency = Spread { median, min: min.min(median), max: max.max(median) };
        measures.extend(metric(&latency).map(|metric| ("latency".to_owned(), metric)));
    }
    measures
}

/// Nothing where nothing was measured: Bencher takes a 0 for a figure.
fn metric(spread: &Spread) -> Option<Value> {
    let Spread { median, min, max } = *spread;
    let sound = [median, min, max].iter().all(|figure| figure.is_finite()) && median > 0.0;
    sound.then(|| json!({"value": median, "lower_value": min, "upper_value": max}))
}
