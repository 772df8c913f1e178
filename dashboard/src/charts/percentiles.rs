//! The percentile curve of the waits: how long is the wait that only one in ten, a hundred, a thousand exceeds.
//!
//! The axis is 1/(1-q) on a logarithmic scale, as HdrHistogram plots have it, so that tails get room.

use hdrhistogram::Histogram;
use plotly::Scatter;
use plotly::common::{HoverInfo, Line, Mode, Visible};
use plotly::layout::AxisType;
use results::{Cell, format_ns};

use super::bins::joined;
use super::palette::Series;
use super::{Chart, axis, base_layout, empty_note, plain, rounded};

/// Points in a factor of ten of 1/(1-q).
const POINTS_PER_DECADE: u32 = 16;

/// The axis ends at 99.9999999 %; nobody collects more than that.
const DECADES_LIMIT: u32 = 9;

/// Where samples beyond a point grow fewer than this, the curve is luck and ends.
const SAMPLES_BEYOND: f64 = 10.0;

/// The percentile curves of the cells of one case.
pub(crate) fn percentiles(cells: &[&Cell]) -> Chart {
    let mut traces = Vec::new();
    let mut span = None;
    let mut tails = Vec::new();
    for cell in cells {
        let Ok(histogram) = cell.wait_ns.histogram() else { continue };
        let series = Series::of(&cell.backend);
        let curve = Curve::of(&histogram);
        let (Some(&first), Some(&last)) = (curve.wait_ns.first(), curve.wait_ns.last()) else { continue };
        span = joined(span, (first, last));
        traces.push(plain(&line(&cell.backend, &series, curve)));
        if let (false, Some(p99)) = (series.control, cell.wait_ns.p99) {
            tails.push(format!("{} {}", cell.backend, format_ns(p99 as f64)));
        }
    }
    let layout = base_layout()
        .annotations(empty_note(&traces, "no waits timed yet"))
        .x_axis(percentile_axis())
        .y_axis(axis::time("", span));
    let summary = format!("Percentile curves of wait times. 99th percentiles: {}.", tails.join(", "));
    Chart::new(traces, &layout, summary)
}

struct Curve {
    one_in: Vec<f64>,
    wait_ns: Vec<f64>,
    texts: Vec<String>,
}

impl Curve {
    fn of(histogram: &Histogram<u64>) -> Self {
        let mut curve = Self { one_in: Vec::new(), wait_ns: Vec::new(), texts: Vec::new() };
        let settled = histogram.len() as f64 / SAMPLES_BEYOND;
        for point in 0..=POINTS_PER_DECADE * DECADES_LIMIT {
            let one_in = 10_f64.powf(f64::from(point) / f64::from(POINTS_PER_DECADE));
            if one_in > settled {
                break;
            }
            let quantile = 1.0 - 1.0 / one_in;
            // A logarithmic axis has no zero; a wait below a nanosecond is drawn as one.
            let wait_ns = histogram.value_at_quantile(quantile).max(1) as f64;
            curve.one_in.push(rounded(one_in));
            curve.wait_ns.push(wait_ns);
            curve.texts.push(format!("{} of waits within {}", percent(one_in), format_ns(wait_ns)));
        }
        curve
    }
}

fn line(name: &str, series: &Series, curve: Curve) -> Scatter<f64, f64> {
    let trace = Scatter::new(curve.one_in, curve.wait_ns)
        .name(name)
        .mode(Mode::Lines)
        .line(Line::new().color(series.color()).width(series.width()).dash(series.dash()))
        .hover_text_array(curve.texts)
        .hover_info(HoverInfo::Text);
    if series.control { *trace.visible(Visible::LegendOnly) } else { *trace }
}

fn percentile_axis() -> plotly::layout::Axis {
    let ticks: Vec<f64> = [2.0].into_iter().chain((1..=9).map(|power| 10_f64.powi(power))).collect();
    let labels = ticks.iter().map(|&one_in| percent(one_in)).collect();
    axis::plain("share of waits (log scale of the rest)")
        .type_(AxisType::Log)
        .tick_angle(0.0)
        .tick_values(ticks)
        .tick_text(labels)
}

/// `0 %`, `50 %`, `99.9 %`: as many nines as it takes.
fn percent(one_in: f64) -> String {
    let decimals = (one_in.log10().ceil() as usize).saturating_sub(2);
    format!("{:.decimals$} %", 100.0 * (1.0 - 1.0 / one_in))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(count: u64) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).unwrap();
        for wait_ns in 1..=count {
            histogram.record(wait_ns * 100).unwrap();
        }
        histogram
    }

    #[test]
    fn the_curve_never_falls() {
        let curve = Curve::of(&waits(10_000));
        assert!(curve.wait_ns.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(curve.one_in.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn the_curve_ends_where_ten_samples_lie_beyond() {
        assert_eq!(Curve::of(&waits(10_000)).one_in.last(), Some(&1000.0));
        assert!(Curve::of(&waits(9)).one_in.is_empty());
    }

    #[test]
    fn the_median_is_at_two() {
        let curve = Curve::of(&waits(1_000));
        let at = curve.one_in.iter().position(|&one_in| one_in > 1.95 && one_in < 2.1).unwrap();
        assert!((curve.wait_ns[at] - 50_000.0).abs() < 3_000.0, "{}", curve.wait_ns[at]);
    }

    #[test]
    fn nines_are_written_out() {
        let texts = [1.0, 2.0, 10.0, 100.0, 1_000.0, 10_000.0].map(percent);
        assert_eq!(texts, ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
    }
}
