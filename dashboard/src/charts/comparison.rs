//! Ratios with their intervals, one row each: what lies right of 1 is better than the baseline.
//!
//! Two bands give the measure: the margin within which a difference does not matter, and the noise floor, which is
//! the interval of the baseline against itself in the same run.

use plotly::Scatter;
use plotly::common::{Anchor, ErrorData, ErrorType, HoverInfo, Marker, Mode};
use plotly::layout::{Annotation, Axis, Shape, ShapeLayer, ShapeLine, ShapeType};
use results::compare::Options;
use results::{Comparison, Verdict, format_ratio};

use super::palette::Series;
use super::{Chart, axis, base_layout, plain};

/// Height of a row, and of what stands above and below the rows.
const ROW_PX: usize = 34;
const FRAME_PX: usize = 112;

/// One row of the chart.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    /// What is compared: `sync, throughput`.
    pub(crate) label: String,
    /// Backend whose looks it has.
    pub(crate) backend: &'a str,
    /// What was found.
    pub(crate) comparison: &'a Comparison,
}

/// Rows from top to bottom; `control` gives the noise floor where it is known.
pub(crate) fn comparison(rows: &[Row<'_>], control: Option<&Comparison>, against: &str) -> Chart {
    let noise = control.and_then(|control| control.ci);
    let margin = 1.0 + Options::default().margin;
    let farthest = rows.iter().filter_map(|row| farthest_of(row.comparison)).chain(noise.map(distance)).fold(margin, f64::max);

    let drawn = rows.iter().enumerate().filter_map(|(place, row)| whisker(place, row));
    let traces = drawn.map(|trace| plain(&trace)).collect();
    let mut shapes = vec![band([1.0 / margin, margin], "var(--band-margin)"), line_at_one()];
    shapes.extend(noise.map(|ci| noise_band(ci)));

    let layout = base_layout()
        .show_legend(false)
        .height(FRAME_PX + ROW_PX * rows.len())
        .shapes(shapes)
        .annotations(verdicts(rows))
        .x_axis(axis::ratio(&format!("ratio to {against} (log scale); right of 1× is better"), farthest))
        .y_axis(row_axis(rows));
    Chart::new(traces, &layout, summary(rows, against))
}

fn whisker(place: usize, row: &Row<'_>) -> Option<Scatter<f64, usize>> {
    let ratio = row.comparison.ratio.filter(|ratio| ratio.is_finite() && *ratio > 0.0)?;
    let series = Series::of(row.backend);
    let mut trace = Scatter::new(vec![ratio], vec![place])
        .name(&row.label)
        .mode(Mode::Markers)
        .marker(Marker::new().color(series.color()).symbol(series.symbol()).size(11))
        .hover_text(hover(row))
        .hover_info(HoverInfo::Text);
    if let Some([low, high]) = row.comparison.ci {
        let error = ErrorData::new(ErrorType::Data)
            .symmetric(false)
            .array(vec![(high - ratio).max(0.0)])
            .array_minus(vec![(ratio - low).max(0.0)])
            .color(series.color())
            .thickness(2.25)
            .width(6);
        trace = trace.error_x(error);
    }
    Some(*trace)
}

fn hover(row: &Row<'_>) -> String {
    let comparison = row.comparison;
    let ratio = comparison.ratio.map_or_else(|| "no ratio yet".to_owned(), format_ratio);
    let interval = comparison.ci.map_or_else(String::new, |[low, high]| {
        let percent = 100.0 * comparison.confidence;
        format!(", {percent:.0} % interval {} to {}", format_ratio(low), format_ratio(high))
    });
    format!("{}: {ratio}{interval}, {} rounds, {}", row.label, comparison.rounds, word(comparison.verdict))
}

/// The verdict in one word.
pub(crate) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Faster => "better",
        Verdict::Slower => "worse",
        Verdict::Equivalent => "equivalent",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// The ratio in figures at the right end of each row.
fn verdicts(rows: &[Row<'_>]) -> Vec<Annotation> {
    let text = |row: &Row<'_>| row.comparison.ratio.map_or_else(|| "–".to_owned(), format_ratio);
    let at = rows.iter().enumerate().map(|(place, row)| {
        Annotation::new()
            .x_ref("paper")
            .x(1.0)
            .x_anchor(Anchor::Left)
            .x_shift(8.0)
            .y_ref("y")
            .y(place)
            .y_anchor(Anchor::Middle)
            .show_arrow(false)
            .text(text(row))
            .font(plotly::common::Font::new().color("var(--ink)").size(12))
    });
    at.collect()
}

fn row_axis(rows: &[Row<'_>]) -> Axis {
    let places: Vec<f64> = (0_u32..).map(f64::from).take(rows.len()).collect();
    let end = places.last().copied().unwrap_or_default() + 0.6;
    axis::plain("")
        .tick_values(places)
        .tick_text(rows.iter().map(|row| row.label.clone()).collect())
        // The first row is at the top.
        .range(vec![end, -0.6])
        .show_grid(false)
        .show_line(false)
        .fixed_range(true)
}

fn band([low, high]: [f64; 2], color: &str) -> Shape {
    Shape::new()
        .shape_type(ShapeType::Rect)
        .layer(ShapeLayer::Below)
        .x_ref("x")
        .x0(low)
        .x1(high)
        .y_ref("paper")
        .y0(0)
        .y1(1)
        .fill_color(color.to_owned())
        .line(ShapeLine::new().width(0.0))
}

/// Dashed edges set the noise floor off from the margin where both lie on each other.
fn noise_band(ci: [f64; 2]) -> Shape {
    band(ci, "var(--band-noise)")
        .line(ShapeLine::new().width(1.0).dash(plotly::common::DashType::Dot).color("var(--ink-3)"))
}

fn line_at_one() -> Shape {
    let line = ShapeLine::new().width(1.5).color("var(--ink-2)");
    Shape::new().shape_type(ShapeType::Line).x_ref("x").x0(1).x1(1).y_ref("paper").y0(0).y1(1).line(line)
}

fn farthest_of(comparison: &Comparison) -> Option<f64> {
    comparison.ci.map(distance).or(comparison.ratio.map(|ratio| distance([ratio, ratio])))
}

/// How far an interval reaches from 1, as a ratio above 1.
fn distance([low, high]: [f64; 2]) -> f64 {
    high.max(if low > 0.0 { 1.0 / low } else { f64::INFINITY })
}

fn summary(rows: &[Row<'_>], against: &str) -> String {
    let said: Vec<String> = rows.iter().map(hover).collect();
    format!("Ratios to {against}; above 1 is better. {}.", said.join("; "))
}
