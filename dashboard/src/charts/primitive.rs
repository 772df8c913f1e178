//! The waits and holds of one live primitive, from the buckets of its snapshot.

use crate::snapshot::{Distribution, PrimitiveSnapshot};

use plotly::Scatter;
use plotly::common::{DashType, Fill, HoverInfo, Line, LineShape, Mode};
use plotly::layout::RangeMode;
use results::format_ns;

use super::bins::{Bins, joined};
use super::{Chart, axis, base_layout, empty_note, plain};

/// Wait and hold times of a row, overlaid.
pub(crate) fn primitive(row: &PrimitiveSnapshot) -> Chart {
    let kinds = [
        ("wait", &row.wait_ns, "var(--series-1)", "var(--series-1-soft)", DashType::Solid),
        ("hold", &row.hold_ns, "var(--series-5)", "var(--series-5-soft)", DashType::Dash),
    ];
    let mut traces = Vec::new();
    let mut span = None;
    let mut medians = Vec::new();
    for (name, distribution, color, fill, dash) in kinds {
        let Some(bins) = Bins::of(distribution.buckets.iter().copied()) else { continue };
        span = joined(span, bins.body_ns());
        traces.push(plain(&outline(name, &bins, color, fill, dash)));
        medians.push(median(name, distribution));
    }
    let layout = base_layout()
        .annotations(empty_note(&traces, "nothing recorded yet"))
        .x_axis(axis::time_within("duration (log scale)", span))
        .y_axis(axis::plain("").tick_suffix(" %").range_mode(RangeMode::ToZero));
    let summary = if medians.is_empty() { "Nothing recorded yet.".to_owned() } else { medians.join(", ") };
    Chart::new(traces, &layout, summary)
}

fn outline(
    name: &str,
    bins: &Bins,
    color: &'static str,
    fill: &'static str,
    dash: DashType,
) -> Scatter<f64, f64> {
    let (x, y) = bins.outline();
    let texts = x.iter().zip(&y).map(|(x, y)| format!("{name} {}+: {y:.2} %", format_ns(*x))).collect();
    *Scatter::new(x, y)
        .name(name)
        .mode(Mode::Lines)
        .line(Line::new().color(color).width(2.0).dash(dash).shape(LineShape::Hv))
        .fill(Fill::ToZeroY)
        .fill_color(fill)
        .hover_text_array(texts)
        .hover_info(HoverInfo::Text)
}

fn median(name: &str, distribution: &Distribution) -> String {
    format!("median {name} {} over {}", format_ns(distribution.p50 as f64), distribution.count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(wait: &[(u64, u64)], hold: &[(u64, u64)]) -> PrimitiveSnapshot {
        let distribution = |buckets: &[(u64, u64)]| Distribution {
            count: buckets.iter().map(|(_, count)| count).sum(),
            buckets: buckets.to_vec(),
            ..Distribution::default()
        };
        PrimitiveSnapshot {
            id: 1,
            primitive: "mutex".to_owned(),
            name: "cache".to_owned(),
            location: "src/main.rs:12".to_owned(),
            objects: 1,
            acquisitions: 3,
            contended: 1,
            cancelled: 0,
            closed: 0,
            waiters: 0,
            longest_wait_ns: 0,
            holders: Vec::new(),
            holders_count: 0,
            wait_ns: distribution(wait),
            hold_ns: distribution(hold),
            queued_ns: Distribution::default(),
            wake_ns: Distribution::default(),
            sites: Vec::new(),
            ..PrimitiveSnapshot::default()
        }
    }

    #[test]
    fn waits_and_holds_are_drawn_from_their_buckets() {
        let chart = primitive(&row(&[(1_000, 4), (50_000, 1)], &[(200, 9)]));
        let names: Vec<_> = chart.data.iter().map(|trace| trace["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["wait", "hold"]);
        let peak =
            chart.data[0]["y"].as_array().unwrap().iter().filter_map(|y| y.as_f64()).fold(0.0, f64::max);
        assert_eq!(peak, 80.0);
    }

    #[test]
    fn a_primitive_that_never_waited_says_so() {
        let chart = primitive(&row(&[], &[]));
        assert!(chart.data.is_empty());
        assert_eq!(chart.summary, "Nothing recorded yet.");
        assert_eq!(chart.layout["annotations"][0]["text"], "nothing recorded yet");
    }
}
