//! Percentiles of the waits as text, as `outputPercentileDistribution` of HdrHistogram writes them: for its
//! plotter (`plotFiles.html`) and what else reads `.hgrm`.
//!
//! Values are in nanoseconds, five steps to each halving of what is left to 100 %. The format is of one
//! distribution; a report with several is written as sections one after the other, each below a comment line
//! that names its case and backend. A plotter wants them one by one: `--cell` picks one.
//!
//! Laid out as HdrHistogram 2.2 (Java) prints it; compared column for column with hdrhistogram 0.10.8 of PyPI, which
//! takes other steps and says `TotalCount` where Java says `Total count` in the line of the maximum.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

use super::Format;
use crate::{ReadError, Report};

pub(super) const FORMAT: Format = Format {
    name: "hgrm",
    extension: "hgrm",
    summary: "percentiles of the waits as HdrHistogram prints them, a section for each cell",
    write,
};

/// Steps from one halving of the distance to 100 % to the next, the library's own default.
const STEPS_PER_HALF: u32 = 5;

fn write(report: &Report) -> Result<String, ReadError> {
    let mut out = String::new();
    for cell in &report.cells {
        if report.cells.len() > 1 {
            let gap = if out.is_empty() { "" } else { "\n" };
            let name = cell.full_name().replace(char::is_control, " ");
            let _ = writeln!(out, "{gap}# {name}, waits in ns");
        }
        push(&mut out, &cell.wait_ns.histogram()?);
    }
    if out.is_empty() {
        out.push_str("# no cells\n");
    }
    Ok(out)
}

// Writing to a string cannot fail.
fn push(out: &mut String, histogram: &Histogram<u64>) {
    let _ = writeln!(
        out,
        "{:>12} {:>14} {:>10} {:>14}\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let mut seen = 0;
    for step in histogram.iter_quantiles(STEPS_PER_HALF) {
        seen += step.count_since_last_iteration();
        let quantile = step.quantile_iterated_to();
        let _ = write!(out, "{:>8}.000 {quantile:.12} {seen:>10}", step.value_iterated_to());
        // At 100 % the last column has no value, and its readers expect none.
        if quantile < 1.0 {
            let _ = write!(out, " {:>14.2}", 1.0 / (1.0 - quantile));
        }
        out.push('\n');
    }
    let (mean, deviation) = (histogram.mean(), histogram.stdev());
    let _ = writeln!(out, "#[Mean    = {mean:>12.3}, StdDeviation   = {deviation:>12.3}]");
    let (max, count) = (histogram.max(), histogram.len());
    let _ = writeln!(out, "#[Max     = {max:>8}.000, Total count    = {count:>12}]");
    let (buckets, slots) = (histogram.buckets(), sub_buckets(histogram));
    let _ = writeln!(out, "#[Buckets = {buckets:>12}, SubBuckets     = {slots:>12}]");
}

/// Slots of a bucket: the smallest power of two that tells apart twice as many values as the digits ask for.
fn sub_buckets(histogram: &Histogram<u64>) -> u64 {
    (2 * 10_u64.pow(u32::from(histogram.sigfig()))).next_power_of_two()
}
