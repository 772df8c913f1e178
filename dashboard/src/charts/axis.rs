//! Axes: logarithmic time with units, logarithmic ratios, plain counts.

use plotly::common::Title;
use plotly::layout::{Axis, AxisType};

use super::units::{tick_ns, tick_ratio};

/// Decades below which a logarithmic axis is labelled at 1, 2 and 5 instead of 1 alone.
const FINE_DECADES: f64 = 2.5;

/// An axis as all of ours look.
pub(super) fn plain(title: &str) -> Axis {
    Axis::new()
        .title(Title::with_text(title).font(plotly::common::Font::new().size(12).color("var(--ink-3)")))
        .grid_color("var(--grid)")
        .zero_line(false)
        .line_color("var(--axis)")
        .show_line(true)
        .tick_color("var(--axis)")
        .auto_margin(true)
}

/// Logarithmic time between the two values, labelled with units; data and labels in nanoseconds.
pub(super) fn time(title: &str, span: Option<(f64, f64)>) -> Axis {
    let (low, high) = span.unwrap_or((100.0, 1e6));
    let ticks = log_ticks(low, high);
    let labels = ticks.iter().map(|&ns| tick_ns(ns)).collect();
    plain(title).type_(AxisType::Log).tick_angle(0.0).tick_values(ticks).tick_text(labels)
}

/// The same, showing just that span at first; the rest is a zoom away.
pub(super) fn time_within(title: &str, span: Option<(f64, f64)>) -> Axis {
    let axis = time(title, span);
    match span {
        Some((low, high)) => axis.range(vec![low.log10(), high.log10()]),
        None => axis,
    }
}

/// Logarithmic ratios, as far below 1 as above.
pub(super) fn ratio(title: &str, farthest: f64) -> Axis {
    let reach = if farthest.is_finite() { farthest.clamp(1.1, 1e6) } else { 1e6 } * 1.08;
    let ticks: &[f64] = match reach {
        r if r < 1.2 => &[0.9, 0.95, 1.0, 1.05, 1.1],
        r if r < 1.6 => &[0.7, 0.85, 1.0, 1.2, 1.5],
        r if r < 4.0 => &[0.3, 0.5, 1.0, 2.0, 3.0],
        r if r < 12.0 => &[0.1, 0.3, 1.0, 3.0, 10.0],
        _ => &[1e-6, 1e-4, 0.01, 1.0, 100.0, 1e4, 1e6],
    };
    let labels = ticks.iter().map(|&tick| tick_ratio(tick)).collect();
    let bound = reach.log10();
    plain(title)
        .type_(AxisType::Log)
        .tick_angle(0.0)
        .tick_values(ticks.to_vec())
        .tick_text(labels)
        .range(vec![-bound, bound])
}

/// Logarithmic ratios from the lowest to the highest, 1 always among them.
pub(super) fn ratio_between(title: &str, low: f64, high: f64) -> Axis {
    const COARSE: [f64; 15] =
        [1e-6, 1e-4, 0.01, 0.03, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 100.0, 1e4, 1e6];
    const FINE: [f64; 16] =
        [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.3, 1.5, 1.75, 2.0, 2.5, 3.0];
    const ROOM: f64 = 1.04;
    let bounded =
        |end: f64, limit: f64| if end.is_finite() && end > 0.0 { end.clamp(1e-6, 1e6) } else { limit };
    let (low, high) = (bounded(low, 1.0).min(0.95) / ROOM, bounded(high, 1.0).max(1.05) * ROOM);
    let ticks: &[f64] = if high / low < 5.0 { &FINE } else { &COARSE };
    let ticks: Vec<f64> = ticks.iter().copied().filter(|tick| (low..=high).contains(tick)).collect();
    let labels = ticks.iter().map(|&tick| tick_ratio(tick)).collect();
    plain(title)
        .type_(AxisType::Log)
        .tick_values(ticks)
        .tick_text(labels)
        .range(vec![low.log10(), high.log10()])
}

/// Linear time from zero, labelled with units.
pub(super) fn time_from_zero(title: &str, high: f64) -> Axis {
    let high = if high.is_finite() { high.max(1.0) } else { 1e18 };
    let decade = 10_f64.powf(high.log10().floor());
    let steps = [0.2, 0.5, 1.0, 2.0].map(|step| step * decade);
    let step = steps.into_iter().find(|step| high / step <= 6.0).unwrap_or(decade);
    let ticks: Vec<f64> =
        (0_u32..=6).map(|tick| f64::from(tick) * step).filter(|&tick| tick <= high * 1.05).collect();
    let labels = ticks.iter().map(|&ns| tick_ns(ns)).collect();
    plain(title).tick_values(ticks).tick_text(labels).range(vec![0.0, high * 1.05])
}

/// 1, 10, 100 …, or 1, 2, 5, 10 … where the span is narrow; a step beyond both ends.
fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    let low = low.max(1.0);
    let high = high.max(low);
    let fine = (high / low).log10() < FINE_DECADES;
    let steps: &[f64] = if fine { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let (first, last) = (low.log10().floor() as i32 - 1, high.log10().ceil() as i32 + 1);
    let decades = (first.max(0)..=last.min(18)).map(|power| 10_f64.powi(power));
    decades.flat_map(|decade| steps.iter().map(move |step| step * decade)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_span_is_labelled_finely() {
        let ticks = log_ticks(100.0, 900.0);
        assert!(ticks.contains(&200.0) && ticks.contains(&500.0));
        assert!(!log_ticks(10.0, 1e7).contains(&200.0));
    }

    #[test]
    fn absurd_spans_give_few_ticks() {
        for (low, high) in [(0.0, 0.0), (-5.0, -1.0), (1.0, f64::MAX), (1e9, 1.0)] {
            assert!(log_ticks(low, high).len() < 100);
        }
    }

    #[test]
    fn a_time_axis_carries_units() {
        let axis = serde_json::to_value(time("wait", Some((50.0, 5e7)))).unwrap();
        let labels: Vec<_> = axis["ticktext"].as_array().unwrap().iter().filter_map(|v| v.as_str()).collect();
        assert!(
            labels.contains(&"100 ns") && labels.contains(&"1 µs") && labels.contains(&"10 ms"),
            "{labels:?}"
        );
        assert_eq!(axis["type"], "log");
    }

    #[test]
    fn a_ratio_axis_reaches_as_far_down_as_up() {
        let axis = serde_json::to_value(ratio("", 2.0)).unwrap();
        assert_eq!(axis["range"][0].as_f64().unwrap(), -axis["range"][1].as_f64().unwrap());
        let labels = axis["ticktext"].to_string();
        assert!(labels.contains("0.5×") && labels.contains("\"1×") && labels.contains("\"2×"), "{labels}");
    }

    #[test]
    fn ratios_that_all_lie_above_one_are_not_squeezed_by_what_is_not_there() {
        let axis = serde_json::to_value(ratio_between("", 1.2, 2.4)).unwrap();
        assert!(axis["range"][0].as_f64().unwrap() > 0.9_f64.log10());
        assert!(axis["ticktext"].to_string().contains("\"1×\""), "{axis}");
        for (low, high) in [(0.0, f64::INFINITY), (f64::MAX, 0.0), (1e-9, 1e9)] {
            let axis = serde_json::to_value(ratio_between("", low, high)).unwrap();
            assert!(axis["range"][0].as_f64().unwrap() < axis["range"][1].as_f64().unwrap());
        }
    }

    #[test]
    fn time_from_zero_has_a_few_round_ticks() {
        let axis = serde_json::to_value(time_from_zero("", 3_400.0)).unwrap();
        assert_eq!(axis["ticktext"], serde_json::json!(["0 ns", "1 µs", "2 µs", "3 µs"]));
        for high in [0.0, 7.0, f64::INFINITY, f64::NAN] {
            let axis = serde_json::to_value(time_from_zero("", high)).unwrap();
            assert!(axis["ticktext"].as_array().unwrap().len() <= 7);
        }
    }
}
