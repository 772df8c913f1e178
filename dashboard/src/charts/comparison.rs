//! Ratios with their intervals, one row each: what lies right of 1 is better than the baseline.
//!
//! Two bands give the measure: the margin within which a difference does not matter, and the noise floor, which is
//! the interval of the baseline against itself in the same run.

use plotly::Scatter;
use plotly::common::{Anchor, DashType, ErrorData, ErrorType, Font, HoverInfo, Marker, Mode};
use plotly::layout::{Annotation, Axis, Margin, Shape, ShapeLayer, ShapeLine, ShapeType};
use results::compare::Options;
use results::{Comparison, format_ratio};

use super::palette::Series;
use super::{Chart, axis, base_layout, plain};

/// Height of a line, and of what stands above and below all lines.
const LINE_PX: usize = 25;
const FRAME_PX: usize = 64;

/// One comparison of the chart.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    /// What is compared, such as `throughput`; rows of a group stand together under it.
    pub(crate) group: String,
    /// Backend compared, whose looks the row has.
    pub(crate) backend: &'a str,
    /// What was found.
    pub(crate) comparison: &'a Comparison,
}

/// A line of the chart: the head of a group, or a row.
enum Line<'r, 'a> {
    Head(&'r str),
    Row(&'r Row<'a>),
}

/// Rows from top to bottom; `control` gives the noise floor where it is known.
pub(crate) fn comparison(rows: &[Row<'_>], control: Option<&Comparison>, against: &str) -> Chart {
    let noise = control.and_then(|control| control.ci).filter(|ci| drawable(*ci));
    let margin = 1.0 + Options::default().margin;
    let reached = rows.iter().filter_map(|row| reach(row.comparison));
    let farthest = reached.chain(noise.map(distance)).fold(margin, f64::max);

    let lines = lines(rows);
    let placed = || lines.iter().enumerate();
    let rows_placed = || placed().filter_map(|(place, line)| line.row().map(|row| (place, row)));
    let mut shapes = vec![band([1.0 / margin, margin], "var(--band-margin)"), line_at_one()];
    shapes.extend(noise.map(noise_band));
    let separated = placed().skip(1).filter(|(_, line)| line.row().is_none());
    shapes.extend(separated.map(|(place, _)| separator(place)));

    let layout = base_layout()
        .show_legend(false)
        .margin(Margin::new().left(44).right(58).top(8).bottom(44))
        .height(FRAME_PX + LINE_PX * lines.len())
        .shapes(shapes)
        .annotations(rows_placed().map(|(place, row)| figure(place, row)).collect())
        .x_axis(axis::ratio(&format!("ratio to {against} (log scale)"), farthest))
        .y_axis(line_axis(&lines));
    let traces =
        rows_placed().filter_map(|(place, row)| whisker(place, row)).map(|trace| plain(&trace)).collect();
    Chart::new(traces, &layout, summary(rows, against))
}

impl<'r, 'a> Line<'r, 'a> {
    fn row(&self) -> Option<&'r Row<'a>> {
        match self {
            Line::Head(_) => None,
            Line::Row(row) => Some(row),
        }
    }

    fn label(&self) -> String {
        match self {
            Line::Head(group) => format!("<b>{group}</b>"),
            Line::Row(row) => row.backend.to_owned(),
        }
    }
}

fn lines<'r, 'a>(rows: &'r [Row<'a>]) -> Vec<Line<'r, 'a>> {
    let mut lines = Vec::new();
    let mut group = None;
    for row in rows {
        if group != Some(row.group.as_str()) {
            group = Some(row.group.as_str());
            lines.push(Line::Head(&row.group));
        }
        lines.push(Line::Row(row));
    }
    lines
}

fn whisker(place: usize, row: &Row<'_>) -> Option<Scatter<f64, usize>> {
    let ratio = row.comparison.ratio.filter(|ratio| drawable([*ratio, *ratio]))?;
    let series = Series::of(row.backend);
    let mut trace = Scatter::new(vec![ratio], vec![place])
        .name(row.backend)
        .mode(Mode::Markers)
        .marker(Marker::new().color(series.color()).symbol(series.symbol()).size(10))
        .hover_text(in_words(row))
        .hover_info(HoverInfo::Text);
    if let Some([low, high]) = row.comparison.ci.filter(|ci| drawable(*ci)) {
        let error = ErrorData::new(ErrorType::Data)
            .symmetric(false)
            .array(vec![(high - ratio).max(0.0)])
            .array_minus(vec![(ratio - low).max(0.0)])
            .color(series.color())
            .thickness(2.0)
            .width(5);
        trace = trace.error_x(error);
    }
    Some(*trace)
}

fn in_words(row: &Row<'_>) -> String {
    let comparison = row.comparison;
    let ratio = comparison.ratio.map_or_else(|| "no ratio yet".to_owned(), format_ratio);
    let interval = comparison.ci.map_or_else(String::new, |[low, high]| {
        let percent = 100.0 * comparison.confidence;
        format!(", {percent:.0} % interval {} to {}", format_ratio(low), format_ratio(high))
    });
    let (backend, group, verdict) = (row.backend, &row.group, comparison.verdict.name());
    format!("{backend}, {group}: {ratio}{interval}, {} rounds, {verdict}", comparison.rounds)
}

/// The ratio in figures at the right end of the row.
fn figure(place: usize, row: &Row<'_>) -> Annotation {
    Annotation::new()
        .x_ref("paper")
        .x(1.0)
        .x_anchor(Anchor::Left)
        .x_shift(6.0)
        .y_ref("y")
        .y(place)
        .y_anchor(Anchor::Middle)
        .show_arrow(false)
        .text(row.comparison.ratio.map_or_else(|| "–".to_owned(), format_ratio))
        .font(Font::new().color("var(--ink)").size(12))
}

fn line_axis(lines: &[Line<'_, '_>]) -> Axis {
    let places: Vec<f64> = (0_u32..).map(f64::from).take(lines.len()).collect();
    let end = places.last().copied().unwrap_or_default() + 0.6;
    axis::plain("")
        .tick_values(places)
        .tick_text(lines.iter().map(Line::label).collect())
        // The first line is at the top.
        .range(vec![end, -0.6])
        .show_grid(false)
        .show_line(false)
        .fixed_range(true)
}

fn band([low, high]: [f64; 2], color: &'static str) -> Shape {
    Shape::new()
        .shape_type(ShapeType::Rect)
        .layer(ShapeLayer::Below)
        .x_ref("x")
        .x0(low)
        .x1(high)
        .y_ref("paper")
        .y0(0)
        .y1(1)
        .fill_color(color)
        .line(ShapeLine::new().width(0.0))
}

/// Dotted edges set the noise floor off from the margin where both lie on each other.
fn noise_band(ci: [f64; 2]) -> Shape {
    band(ci, "var(--band-noise)").line(ShapeLine::new().width(1.0).dash(DashType::Dot).color("var(--ink-3)"))
}

fn line_at_one() -> Shape {
    let line = ShapeLine::new().width(1.5).color("var(--ink-2)");
    Shape::new().shape_type(ShapeType::Line).x_ref("x").x0(1).x1(1).y_ref("paper").y0(0).y1(1).line(line)
}

fn separator(place: usize) -> Shape {
    let y = place as f64 - 0.5;
    let line = ShapeLine::new().width(1.0).color("var(--grid)");
    Shape::new().shape_type(ShapeType::Line).x_ref("paper").x0(0).x1(1).y_ref("y").y0(y).y1(y).line(line)
}

/// A logarithmic axis has no place for zero, and none for infinity.
fn drawable([low, high]: [f64; 2]) -> bool {
    low > 0.0 && low.is_finite() && high >= low && high.is_finite()
}

fn reach(comparison: &Comparison) -> Option<f64> {
    let ratio = comparison.ratio.map(|ratio| [ratio, ratio]);
    comparison.ci.into_iter().chain(ratio).find(|ends| drawable(*ends)).map(distance)
}

/// How far an interval reaches from 1, as a ratio above 1.
fn distance([low, high]: [f64; 2]) -> f64 {
    high.max(1.0 / low)
}

fn summary(rows: &[Row<'_>], against: &str) -> String {
    let said: Vec<String> = rows.iter().map(in_words).collect();
    format!("Ratios to {against}; above 1 is better. {}.", said.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn row(comparison: &Comparison) -> Row<'_> {
        Row { group: comparison.metric.clone(), backend: &comparison.candidate, comparison }
    }

    #[test]
    fn the_dot_is_the_ratio_and_the_whisker_its_interval() {
        let found = testing::comparison("sync", "tokio", 1.4, [1.3, 1.6], 9);
        let chart = comparison(&[row(&found)], None, "tokio");
        let trace = &chart.data[0];
        assert_eq!(trace["x"][0], 1.4);
        assert!((trace["error_x"]["array"][0].as_f64().unwrap() - 0.2).abs() < 1e-9);
        assert!((trace["error_x"]["arrayminus"][0].as_f64().unwrap() - 0.1).abs() < 1e-9);
        assert!(chart.summary.contains("1.40×") && chart.summary.contains("faster"), "{}", chart.summary);
    }

    #[test]
    fn the_noise_floor_is_the_interval_of_the_control() {
        let found = testing::comparison("sync", "tokio", 1.4, [1.3, 1.6], 9);
        let control = testing::comparison("tokio (control)", "tokio", 1.0, [0.97, 1.04], 9);
        let with = comparison(&[row(&found)], Some(&control), "tokio");
        let shapes = with.layout["shapes"].as_array().unwrap();
        assert!(shapes.iter().any(|shape| shape["x0"] == 0.97 && shape["x1"] == 1.04));
        let without = comparison(&[row(&found)], None, "tokio");
        assert_eq!(without.layout["shapes"].as_array().unwrap().len(), shapes.len() - 1);
    }

    #[test]
    fn the_axis_reaches_over_the_widest_interval() {
        let found = testing::comparison("sync", "tokio", 1.4, [0.2, 1.6], 2);
        let chart = comparison(&[row(&found)], None, "tokio");
        assert!(chart.layout["xaxis"]["range"][0].as_f64().unwrap() < 0.2_f64.log10());
    }

    #[test]
    fn what_cannot_be_estimated_keeps_its_line_without_a_dot() {
        let mut found = testing::comparison("sync", "tokio", 1.4, [0.0, f64::INFINITY], 1);
        found.ratio = None;
        let chart = comparison(&[row(&found)], None, "tokio");
        assert!(chart.data.is_empty());
        assert_eq!(chart.layout["yaxis"]["ticktext"], serde_json::json!(["<b>throughput</b>", "sync"]));
        assert_eq!(chart.layout["annotations"][0]["text"], "–");
    }

    #[test]
    fn rows_of_a_metric_stand_under_one_head() {
        let (a, b) = (
            testing::comparison("sync", "tokio", 1.4, [1.3, 1.6], 9),
            testing::comparison("saa", "tokio", 1.1, [1.0, 1.2], 9),
        );
        let chart = comparison(&[row(&a), row(&b)], None, "tokio");
        assert_eq!(
            chart.layout["yaxis"]["ticktext"],
            serde_json::json!(["<b>throughput</b>", "sync", "saa"])
        );
    }
}
