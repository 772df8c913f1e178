//! Charts as data: pure functions of a report or a snapshot, drawn by Plotly in the browser.
//!
//! Nothing here knows a server, a clock or a screen. Colours are names of CSS custom properties
//! (`var(--series-1)`), which the page resolves, so that one specification serves light and dark.

mod axis;
mod bins;
mod comparison;
mod palette;
mod percentiles;
mod primitive;
mod sweep;
mod throughput;
mod units;
mod wait_histogram;

use plotly::Layout;
use plotly::common::{Font, Orientation};
use plotly::layout::{Annotation, HoverMode, Legend, Margin};
use serde::Serialize;
use serde_json::Value;

pub(crate) use comparison::{Row, comparison};
pub(crate) use palette::Series;
pub(crate) use percentiles::percentiles;
pub(crate) use primitive::primitive;
pub(crate) use sweep::{Curve, Knob, Point, Quantity, sweep};
pub(crate) use throughput::throughput;
pub(crate) use units::tick_ns;
pub(crate) use wait_histogram::wait_histogram;

/// What `Plotly.react` draws, and what a person who cannot see it is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Chart {
    /// Traces.
    pub(crate) data: Vec<Value>,
    /// Layout without title: the page has headings.
    pub(crate) layout: Value,
    /// The chart in one sentence, for its `aria-label`.
    pub(crate) summary: String,
}

impl Chart {
    fn new(traces: Vec<Value>, layout: &Layout, summary: String) -> Self {
        Self { data: traces, layout: plain(layout), summary }
    }
}

/// Plotly's types are plain data: turning them into JSON cannot fail, and a null is drawn as nothing.
fn plain<T: Serialize + ?Sized>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// What all charts have in common.
fn base_layout() -> Layout {
    Layout::new()
        .auto_size(true)
        .paper_background_color("rgba(0,0,0,0)")
        .plot_background_color("rgba(0,0,0,0)")
        .font(Font::new().color("var(--ink-2)").size(12).family("system-ui, sans-serif"))
        .margin(Margin::new().left(44).right(16).top(30).bottom(44))
        .hover_mode(HoverMode::Closest)
        .legend(
            Legend::new()
                .orientation(Orientation::Horizontal)
                .x(0.0)
                .y(1.0)
                .y_anchor(plotly::common::Anchor::Bottom),
        )
}

/// A word in the middle of a chart that has nothing to draw; nothing where it has.
fn empty_note(traces: &[Value], text: &str) -> Vec<Annotation> {
    let note =
        Annotation::new().text(text).show_arrow(false).font(Font::new().color("var(--ink-3)").size(13));
    let note = note.x_ref("paper").x(0.5).y_ref("paper").y(0.5);
    if traces.is_empty() { vec![note] } else { Vec::new() }
}

/// Keeps the wire short: four digits are more than a pixel shows.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let scale = 10_f64.powi(3 - value.abs().log10().floor() as i32);
    let rounded = (value * scale).round() / scale;
    if rounded.is_finite() { rounded } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_are_kept_at_any_size() {
        assert_eq!(rounded(123_456.0), 123_500.0);
        assert_eq!(rounded(0.000_123_456), 0.000_123_5);
        assert_eq!(rounded(-1.0), -1.0);
    }

    #[test]
    fn what_cannot_be_drawn_becomes_zero() {
        assert_eq!(rounded(f64::NAN), 0.0);
        assert_eq!(rounded(f64::INFINITY), 0.0);
        assert_eq!(rounded(f64::MIN_POSITIVE), f64::MIN_POSITIVE);
    }
}
