//! A baseline of critcmp, as `critcmp --export` writes it and takes it back as a file.
//!
//! Two reports side by side: `critcmp old.json new.json`; the baselines are named by the runs. The backends of
//! one report side by side: `critcmp report.json -g '^(.*) on [^ ]+$'`.
//!
//! The figure is the time of an operation, in an open loop the mean wait, in nanoseconds; the samples are the
//! rounds. critcmp shows `mean` and `std_dev` and reads no more than their points, but the file has to be whole.
//! The interval of the mean is Student's; where none was worked out both bounds are the point and the
//! confidence level is 0.
//!
//! Read by critcmp 0.1.8, whose regular expressions and columns were tried by hand.

use serde_json::{Map, Value, json};

use super::Format;
use super::parts::{measured, ns_per_op};
use crate::statistics::{mean_interval, median};
use crate::{Cell, ReadError, Report};

pub(super) const FORMAT: Format = Format {
    name: "critcmp",
    extension: "json",
    summary: "a baseline for critcmp, as its --export writes it",
    write,
};

/// Of the interval of the mean.
const CONFIDENCE: f64 = 0.95;

#[expect(clippy::unnecessary_wraps, reason = "the signature of a format")]
fn write(report: &Report) -> Result<String, ReadError> {
    let baseline = &report.run.id;
    let benchmarks: Map<String, Value> = measured(report)
        .into_iter()
        .filter_map(|(name, cell)| {
            let benchmark = json!({
                "baseline": baseline,
                "fullname": format!("{baseline}/{name}"),
                "criterion_benchmark_v1": identity(&name, cell),
                "criterion_estimates_v1": estimates(cell)?,
            });
            Some((name, benchmark))
        })
        .collect();
    Ok(format!("{:#}\n", json!({"name": baseline, "benchmarks": benchmarks})))
}

fn identity(name: &str, cell: &Cell) -> Value {
    // Operations in a second are not what an open loop finds out.
    let throughput = if cell.is_open_loop() { Value::Null } else { json!({"Bytes": null, "Elements": 1}) };
    json!({
        "group_id": format!("{}/{}", cell.workload, cell.variant),
        "function_id": cell.backend,
        "value_str": null,
        "throughput": throughput,
        "full_id": name,
        "directory_name": name,
    })
}

/// `None` where nothing was measured.
fn estimates(cell: &Cell) -> Option<Value> {
    let samples = samples(cell);
    let (mean, deviation, interval) = mean_interval(&samples, CONFIDENCE)?;
    let middle = median(&samples)?;
    let distances: Vec<f64> = samples.iter().map(|sample| (sample - middle).abs()).collect();
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 rounds")]
    let error = deviation / (samples.len() as f64).sqrt();
    let known = json!({
        "confidence_interval": {
            "confidence_level": CONFIDENCE, "lower_bound": interval[0], "upper_bound": interval[1],
        },
        "point_estimate": mean,
        "standard_error": error,
    });
    Some(json!({
        "mean": known,
        "median": point(middle),
        "median_abs_dev": point(median(&distances)?),
        "slope": null,
        "std_dev": point(deviation),
    }))
}

fn samples(cell: &Cell) -> Vec<f64> {
    if cell.is_open_loop() {
        let waited = cell.latency_rounds.iter().filter(|round| round.count > 0);
        waited.map(|round| round.mean_ns).filter(|mean| mean.is_finite()).collect()
    } else {
        ns_per_op(cell)
    }
}

/// An estimate without an interval.
fn point(value: f64) -> Value {
    json!({
        "confidence_interval": {"confidence_level": 0.0, "lower_bound": value, "upper_bound": value},
        "point_estimate": value,
        "standard_error": 0.0,
    })
}
