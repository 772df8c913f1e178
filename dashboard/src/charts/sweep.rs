//! A figure against a swept knob: one line a backend, with the range of the rounds at each value.
//!
//! Both axes are logarithmic where what they show spans more than a decade. A knob whose values are names, or
//! numbers among which a zero forbids the logarithm, is drawn in even steps.

use plotly::Scatter;
use plotly::common::{ErrorData, ErrorType, Fill, HoverInfo, Line, Marker, Mode, Visible};
use plotly::layout::{Axis, RangeMode, Shape, ShapeLayer, ShapeLine, ShapeType};
use results::compare::Options;
use results::{format_ns, format_rate, format_ratio};

use super::palette::Series;
use super::{Chart, axis, base_layout, empty_note, plain, rounded};

/// Labels that fit below the axis; where values stand closer than that, some go without.
const LABELS_LIMIT: usize = 12;

/// What is drawn against the knob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// To the baseline, with its interval.
    Ratio,
    /// Operations in a second.
    Throughput,
    /// 99th percentile of the waits.
    Wait,
}

/// The knob and its values, in the order of the axis.
#[derive(Clone, Debug)]
pub(crate) struct Knob {
    /// As the axis is titled.
    pub(crate) name: String,
    /// Each value as a person writes it.
    pub(crate) labels: Vec<String>,
    /// The values where all are numbers, ascending.
    pub(crate) numbers: Option<Vec<f64>>,
}

/// A backend over the values of the knob; `None` where it was not measured.
#[derive(Clone, Debug)]
pub(crate) struct Curve<'a> {
    /// Whose looks the line has.
    pub(crate) backend: &'a str,
    /// One for each value.
    pub(crate) points: Vec<Option<Point>>,
}

/// One figure and the range in which it lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) figure: f64,
    /// Slowest and fastest round, or the interval.
    pub(crate) range: Option<[f64; 2]>,
}

/// The curves; `noise` are the intervals of the baseline against itself, where they are known.
pub(crate) fn sweep(
    quantity: Quantity,
    knob: &Knob,
    curves: &[Curve<'_>],
    noise: &[Option<[f64; 2]>],
) -> Chart {
    let (places, x_axis) = knob.axis();
    let drawable = |point: &Option<Point>| point.is_some_and(|point| is_drawable(point.figure));
    let drawn: Vec<&Curve<'_>> = curves.iter().filter(|curve| curve.points.iter().any(drawable)).collect();
    let mut traces: Vec<_> = drawn.iter().map(|curve| plain(&line(quantity, knob, &places, curve))).collect();
    let mut layout = base_layout().annotations(empty_note(&traces, "nothing to draw yet"));
    if quantity == Quantity::Ratio {
        layout = layout.shapes(measure());
        traces.splice(0..0, noise_floor(&places, noise).map(|band| plain(&band)));
    }
    let layout = layout.x_axis(x_axis).y_axis(quantity.axis(&drawn));
    Chart::new(traces, &layout, summary(quantity, knob, &drawn))
}

impl Knob {
    /// Where each value stands, and the axis that says so.
    fn axis(&self) -> (Vec<f64>, Axis) {
        let spread = self.numbers.as_deref().and_then(decades);
        let even = || (0_u32..).map(f64::from).take(self.labels.len()).collect();
        let (places, logarithmic) = match (&self.numbers, spread) {
            (Some(numbers), Some(decades)) => (numbers.clone(), decades > 1.0),
            _ => (even(), false),
        };
        let kept = readable(&places, logarithmic);
        let mut axis =
            axis::plain(&if logarithmic { format!("{} (log scale)", self.name) } else { self.name.clone() })
                .tick_values(kept.iter().map(|&index| places[index]).collect())
                .tick_text(kept.iter().map(|&index| self.labels[index].clone()).collect());
        if logarithmic {
            axis = axis.type_(plotly::layout::AxisType::Log);
        }
        (places, axis)
    }
}

/// The values to name, so that no label lies on another: each as far from the last named one as a label is wide.
fn readable(places: &[f64], logarithmic: bool) -> Vec<usize> {
    let on_axis = |place: f64| if logarithmic { place.log10() } else { place };
    let (Some(&first), Some(&last)) = (places.first(), places.last()) else { return Vec::new() };
    let apart = (on_axis(last) - on_axis(first)) / LABELS_LIMIT as f64;
    let mut named: Vec<usize> = Vec::new();
    for (index, &place) in places.iter().enumerate() {
        let room = named.last().is_none_or(|&before| on_axis(place) - on_axis(places[before]) >= apart);
        if room {
            named.push(index);
        }
    }
    named
}

/// How many decades the figures span; `None` where a zero or less forbids a logarithm that is needed.
fn decades(numbers: &[f64]) -> Option<f64> {
    let high = numbers.iter().copied().fold(f64::MIN, f64::max);
    let low = numbers.iter().copied().fold(f64::MAX, f64::min);
    let smallest = numbers.iter().copied().filter(|&number| number > 0.0).fold(f64::MAX, f64::min);
    let decades = (high / smallest).log10();
    if low > 0.0 {
        Some(decades)
    } else {
        // With a zero a linear axis is still good while the others do not crowd beside it.
        (decades <= 1.0).then_some(0.0)
    }
}

impl Quantity {
    fn axis(self, curves: &[&Curve<'_>]) -> Axis {
        let points = || curves.iter().flat_map(|curve| curve.points.iter().flatten());
        let ends = points().flat_map(|point| {
            point.range.into_iter().flatten().chain([point.figure]).filter(|&end| is_drawable(end))
        });
        let (low, high) = ends.fold((f64::MAX, 0.0_f64), |(low, high), end| (low.min(end), high.max(end)));
        let wide = high / low > 10.0;
        match self {
            Quantity::Ratio => axis::ratio_between("", low, high),
            Quantity::Throughput if wide => {
                axis::plain("").type_(plotly::layout::AxisType::Log).tick_format("~s")
            }
            Quantity::Throughput => axis::plain("").range_mode(RangeMode::ToZero).tick_format("~s"),
            Quantity::Wait if wide => axis::time("", Some((low, high))),
            Quantity::Wait => axis::time_from_zero("", high),
        }
    }

    fn format(self, figure: f64) -> String {
        match self {
            Quantity::Ratio => format_ratio(figure),
            Quantity::Throughput => format_rate(figure),
            Quantity::Wait => format_ns(figure),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Quantity::Ratio => "Ratio to the baseline",
            Quantity::Throughput => "Throughput",
            Quantity::Wait => "99th percentile of the waits",
        }
    }
}

fn line(quantity: Quantity, knob: &Knob, places: &[f64], curve: &Curve<'_>) -> Scatter<f64, Option<f64>> {
    let series = Series::of(curve.backend);
    let shown: Vec<Option<Point>> =
        curve.points.iter().map(|point| point.filter(|point| is_drawable(point.figure))).collect();
    let figures = shown.iter().map(|point| point.map(|point| rounded(point.figure))).collect();
    let reach = |end: fn(Point) -> f64| {
        shown.iter().map(|point| point.map_or(0.0, |point| rounded(end(point)))).collect()
    };
    let error = ErrorData::new(ErrorType::Data)
        .symmetric(false)
        .array(reach(|point| point.range.map_or(0.0, |[_, high]| (high - point.figure).max(0.0))))
        .array_minus(reach(|point| point.range.map_or(0.0, |[low, _]| (point.figure - low).max(0.0))))
        .color(series.color())
        .thickness(1.0)
        .width(3);
    let texts = knob.labels.iter().zip(&shown).map(|(label, point)| {
        let found = point.map_or_else(|| "–".to_owned(), |point| in_words(quantity, point));
        format!("{}, {} {label}: {found}", curve.backend, knob.name)
    });
    let trace = Scatter::new(places.to_vec(), figures)
        .name(curve.backend)
        .mode(Mode::LinesMarkers)
        .line(Line::new().color(series.color()).width(series.width()).dash(series.dash()))
        .marker(Marker::new().color(series.color()).symbol(series.symbol()).size(8))
        .error_y(error)
        .hover_text_array(texts.collect())
        .hover_info(HoverInfo::Text);
    if series.control { *trace.visible(Visible::LegendOnly) } else { *trace }
}

fn in_words(quantity: Quantity, point: Point) -> String {
    let range = point.range.map_or_else(String::new, |[low, high]| {
        format!(" ({} to {})", quantity.format(low), quantity.format(high))
    });
    format!("{}{range}", quantity.format(point.figure))
}

/// The margin within which a difference does not matter, and the line of the baseline.
fn measure() -> Vec<Shape> {
    let margin = 1.0 + Options::default().margin;
    let across = || Shape::new().x_ref("paper").x0(0).x1(1).y_ref("y").layer(ShapeLayer::Below);
    let band = across()
        .shape_type(ShapeType::Rect)
        .y0(1.0 / margin)
        .y1(margin)
        .fill_color("var(--band-margin)")
        .line(ShapeLine::new().width(0.0));
    let one = across().shape_type(ShapeType::Line).y0(1).y1(1);
    vec![band, one.line(ShapeLine::new().width(1.5).color("var(--ink-2)"))]
}

/// The intervals of the baseline against itself as a band along the knob.
fn noise_floor(places: &[f64], noise: &[Option<[f64; 2]>]) -> Option<Scatter<f64, f64>> {
    let known = places.iter().zip(noise).filter_map(|(&place, ci)| Some((place, (*ci)?)));
    let known: Vec<(f64, [f64; 2])> =
        known.filter(|(_, ci)| ci.iter().all(|end| is_drawable(*end))).collect();
    let forth = known.iter().map(|&(place, [low, _])| (place, low));
    let back = known.iter().rev().map(|&(place, [_, high])| (place, high));
    let (x, y): (Vec<f64>, Vec<f64>) = forth.chain(back).unzip();
    let band = Scatter::new(x, y)
        .name("noise floor")
        .mode(Mode::Lines)
        .line(Line::new().width(0.0).color("var(--band-noise)"))
        .fill(Fill::ToSelf)
        .fill_color("var(--band-noise)")
        .hover_info(HoverInfo::Skip);
    (known.len() > 1).then_some(*band)
}

/// A logarithmic axis has no place for zero, and none for infinity.
fn is_drawable(figure: f64) -> bool {
    figure > 0.0 && figure.is_finite()
}

fn summary(quantity: Quantity, knob: &Knob, curves: &[&Curve<'_>]) -> String {
    let ends = curves.iter().filter(|curve| !Series::of(curve.backend).control).filter_map(|curve| {
        let measured =
            || knob.labels.iter().zip(&curve.points).filter_map(|(label, point)| Some((label, (*point)?)));
        let ((first, from), (last, to)) = (measured().next()?, measured().next_back()?);
        let (from, to) = (quantity.format(from.figure), quantity.format(to.figure));
        Some(format!("{} {from} at {first}, {to} at {last}", curve.backend))
    });
    let ends: Vec<String> = ends.collect();
    format!("{} against {}: {}. All figures stand in the table.", quantity.name(), knob.name, ends.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knob(numbers: &[f64]) -> Knob {
        let labels = numbers.iter().map(f64::to_string).collect();
        Knob { name: "tasks".to_owned(), labels, numbers: Some(numbers.to_vec()) }
    }

    fn curve(backend: &str, figures: &[f64]) -> Curve<'static> {
        let points =
            figures.iter().map(|&figure| Some(Point { figure, range: Some([figure * 0.9, figure * 1.2]) }));
        Curve { backend: String::leak(backend.to_owned()), points: points.collect() }
    }

    #[test]
    fn a_point_stands_at_its_value_with_the_range_of_its_rounds() {
        let chart =
            sweep(Quantity::Throughput, &knob(&[2.0, 4.0, 8.0]), &[curve("sync", &[10.0, 20.0, 30.0])], &[]);
        let trace = &chart.data[0];
        assert_eq!(trace["x"], serde_json::json!([2.0, 4.0, 8.0]));
        assert_eq!(trace["y"], serde_json::json!([10.0, 20.0, 30.0]));
        assert_eq!(trace["error_y"]["array"][1], 4.0);
        assert_eq!(trace["error_y"]["arrayminus"][2], 3.0);
        assert!(chart.summary.contains("sync 10.0 /s at 2, 30.0 /s at 8"), "{}", chart.summary);
    }

    #[test]
    fn an_axis_is_logarithmic_where_its_values_span_more_than_a_decade() {
        let of = |numbers: &[f64]| serde_json::to_value(knob(numbers).axis().1).unwrap()["type"].clone();
        assert_eq!(of(&[2.0, 8.0, 1_000.0]), "log");
        assert!(of(&[2.0, 8.0, 20.0]).is_null());
        let y = |figures: &[f64]| {
            let chart = sweep(Quantity::Throughput, &knob(&[2.0, 4.0]), &[curve("sync", figures)], &[]);
            chart.layout["yaxis"]["type"].clone()
        };
        assert_eq!(y(&[1e3, 1e6]), "log");
        assert!(y(&[1e6, 2e6]).is_null());
    }

    #[test]
    fn values_that_crowd_on_the_axis_are_not_all_named() {
        let squares: Vec<f64> = (1..=20).map(|step| f64::from(step * step)).collect();
        let named = readable(&squares, true);
        assert_eq!(&named[..3], [0, 1, 2], "1, 4 and 9 stand apart");
        assert!(named.len() <= LABELS_LIMIT + 1);
        assert_eq!(readable(&[0.0, 1.0, 2.0], false), [0, 1, 2]);
        assert!(readable(&[], false).is_empty());
    }

    #[test]
    fn names_and_numbers_with_a_zero_are_drawn_in_even_steps() {
        let names =
            Knob { name: "hold mode".to_owned(), labels: vec!["spin".into(), "yield".into()], numbers: None };
        let (places, axis) = names.axis();
        assert_eq!(places, [0.0, 1.0]);
        assert_eq!(serde_json::to_value(axis).unwrap()["ticktext"], serde_json::json!(["spin", "yield"]));
        assert_eq!(knob(&[0.0, 100.0, 10_000.0]).axis().0, [0.0, 1.0, 2.0]);
        assert_eq!(knob(&[0.0, 10.0, 50.0]).axis().0, [0.0, 10.0, 50.0], "nothing crowds: they stay numbers");
    }

    #[test]
    fn a_backend_without_a_case_has_a_gap_there() {
        let mut gap = curve("saa", &[10.0, 20.0, 30.0]);
        gap.points[1] = None;
        gap.points[2] = Some(Point { figure: f64::NAN, range: None });
        let chart = sweep(Quantity::Wait, &knob(&[2.0, 4.0, 8.0]), &[gap], &[]);
        assert_eq!(chart.data[0]["y"], serde_json::json!([10.0, null, null]));
    }

    #[test]
    fn ratios_are_measured_against_the_noise_floor() {
        let noise = [Some([0.98, 1.01]), None, Some([0.99, 1.03])];
        let chart =
            sweep(Quantity::Ratio, &knob(&[2.0, 4.0, 8.0]), &[curve("sync", &[1.5, 1.4, 1.2])], &noise);
        assert_eq!(chart.data[0]["name"], "noise floor");
        assert_eq!(chart.data[0]["x"], serde_json::json!([2.0, 8.0, 8.0, 2.0]));
        assert_eq!(chart.data[0]["y"], serde_json::json!([0.98, 0.99, 1.03, 1.01]));
        assert_eq!(chart.data[1]["name"], "sync");
    }

    #[test]
    fn nothing_measured_is_said_in_the_middle() {
        let chart = sweep(Quantity::Ratio, &knob(&[]), &[], &[]);
        assert_eq!(chart.layout["annotations"][0]["text"], "nothing to draw yet");
    }
}
