//! How long acquisitions waited, all backends of a case overlaid on one logarithmic time axis.

use plotly::Scatter;
use plotly::common::{Fill, HoverInfo, Line, LineShape, Mode, Visible};
use results::{Cell, format_ns};

use super::bins::{Bins, joined};
use super::palette::Series;
use super::{Chart, axis, base_layout, empty_note, plain};

/// The wait times of the cells of one case.
pub(crate) fn wait_histogram(cells: &[&Cell]) -> Chart {
    let mut traces = Vec::new();
    let mut span = None;
    let mut medians = Vec::new();
    for cell in cells {
        // A histogram that cannot be read is left out; the table beside the chart still has the percentiles.
        let Ok(histogram) = cell.wait_ns.histogram() else { continue };
        let recorded = histogram.iter_recorded().map(|v| (v.value_iterated_to(), v.count_at_value()));
        let Some(bins) = Bins::of(recorded) else { continue };
        span = joined(span, bins.body_ns());
        let series = Series::of(&cell.backend);
        traces.push(plain(&outline(&cell.backend, &series, &bins)));
        if let (false, Some(p50)) = (series.control, cell.wait_ns.p50) {
            medians.push(format!("{} {}", cell.backend, format_ns(p50 as f64)));
        }
    }
    let layout = base_layout()
        .annotations(empty_note(&traces, "no waits timed yet"))
        .x_axis(axis::time_within("wait (log scale)", span))
        .y_axis(axis::plain("").tick_suffix(" %").range_mode(plotly::layout::RangeMode::ToZero));
    let summary = format!("Histogram of wait times. Medians: {}.", medians.join(", "));
    Chart::new(traces, &layout, summary)
}

/// A distribution as a filled step line in a backend's looks.
pub(super) fn outline(name: &str, series: &Series, bins: &Bins) -> Scatter<f64, f64> {
    let (x, y) = bins.outline();
    let texts = x.iter().zip(&y).map(|(x, y)| format!("{}+: {y:.2} %", format_ns(*x))).collect();
    let line =
        Line::new().color(series.color()).width(series.width()).dash(series.dash()).shape(LineShape::Hv);
    let trace = Scatter::new(x, y)
        .name(name)
        .mode(Mode::Lines)
        .line(line)
        .hover_text_array(texts)
        .hover_info(HoverInfo::Text);
    // The control repeats the baseline: it is there for those who ask for it.
    if series.control {
        *trace.visible(Visible::LegendOnly)
    } else {
        *trace.fill(Fill::ToZeroY).fill_color(series.fill())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use results::Status;

    #[test]
    fn shares_of_each_backend_sum_to_a_hundred() {
        let report = testing::report(5, Status::Running);
        let cells: Vec<&Cell> = report.cells.iter().take(4).collect();
        let chart = wait_histogram(&cells);
        assert_eq!(chart.data.len(), 4);
        for trace in &chart.data {
            let total: f64 = trace["y"].as_array().unwrap().iter().filter_map(|y| y.as_f64()).sum();
            assert!((total - 100.0).abs() < 0.5, "{total}");
        }
    }

    #[test]
    fn backends_are_told_apart_by_colour_and_dash() {
        let report = testing::report(5, Status::Running);
        let chart = wait_histogram(&report.cells.iter().take(3).collect::<Vec<_>>());
        let looks: Vec<_> =
            chart.data.iter().map(|trace| (&trace["line"]["color"], &trace["line"]["dash"])).collect();
        assert!(looks[0] != looks[1] && looks[1] != looks[2] && looks[0] != looks[2]);
        assert!(looks.iter().all(|(color, _)| color.as_str().unwrap().starts_with("var(--series-")));
    }

    #[test]
    fn the_control_is_there_but_not_drawn_unasked() {
        let report = testing::report(5, Status::Running);
        let control = report.cells.iter().find(|cell| cell.backend == "tokio (control)").unwrap();
        assert_eq!(wait_histogram(&[control]).data[0]["visible"], "legendonly");
    }
}
