//! Sweeps: a variant under several parameters, a figure for each knob that was turned.
//!
//! A figure holds all other knobs fixed. Where several were swept, each of their settings is a figure of its own,
//! and the reader chooses.

use std::collections::HashMap;

use results::compare::is_control_arm;
use results::{Cell, Comparison, Verdict, format_ratio};
use serde::Serialize;
use serde_json::Value;

use crate::charts::{self, Chart, Curve, Knob, Point, Quantity, Series};

use super::figures;
use super::groups::Group;
use super::words;

/// The figures that there are of a variant, for the overview.
#[derive(Debug, Serialize)]
pub(crate) struct SweepLine {
    workload: String,
    variant: String,
    figures: Vec<FigureLine>,
}

#[derive(Debug, Serialize)]
struct FigureLine {
    /// Names the figure; stable while a run goes on.
    key: String,
    knob: String,
    /// The other swept knobs with their values.
    fixed: Vec<(String, String)>,
    values: usize,
}

/// A figure as the page shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Sweep {
    key: String,
    knob: String,
    baseline: Option<String>,
    open_loop: bool,
    /// What the comparisons along the knob come to, a sentence for each backend.
    findings: Vec<Finding>,
    charts: SweepCharts,
    rows: Vec<SweepRow>,
}

#[derive(Debug, Serialize)]
struct Finding {
    backend: String,
    series: usize,
    text: String,
}

#[derive(Debug, Serialize)]
struct SweepCharts {
    ratio: Chart,
    throughput: Chart,
    wait_p99: Chart,
}

/// One backend at one value of the knob: the charts in figures.
#[derive(Debug, Serialize)]
struct SweepRow {
    value: String,
    /// The case behind it.
    case: String,
    backend: String,
    series: usize,
    control: bool,
    ops_per_s: Option<f64>,
    ops_per_s_min: f64,
    ops_per_s_max: f64,
    ratio: Option<f64>,
    ci: Option<[f64; 2]>,
    verdict: Option<Verdict>,
    wait_p99_ns: Option<u64>,
}

/// The sweeps of a report, in the order of its cases.
pub(super) fn lines(groups: &[Group<'_>]) -> Vec<SweepLine> {
    variants(groups).into_iter().filter_map(|variant| line(&variant)).collect()
}

/// The figure of that name.
pub(super) fn find(groups: &[Group<'_>], key: &str) -> Option<Sweep> {
    variants(groups).iter().flat_map(|variant| figures(variant)).find(|figure| figure.key() == key).map(sweep)
}

/// Cases of one variant, which differ in their parameters.
struct Variant<'g, 'r> {
    workload: &'r str,
    variant: &'r str,
    groups: Vec<&'g Group<'r>>,
}

/// A knob, what is fixed beside it, and the cases along it.
struct Figure<'g, 'r> {
    workload: &'r str,
    variant: &'r str,
    knob: String,
    fixed: Vec<(String, String)>,
    steps: Vec<Step<'g, 'r>>,
}

struct Step<'g, 'r> {
    label: String,
    number: Option<f64>,
    group: &'g Group<'r>,
}

fn variants<'g, 'r>(groups: &'g [Group<'r>]) -> Vec<Variant<'g, 'r>> {
    let mut variants: Vec<Variant<'g, 'r>> = Vec::new();
    for group in groups {
        let Some(&cell) = group.cells.first() else { continue };
        let same =
            |known: &&mut Variant<'_, '_>| known.workload == cell.workload && known.variant == cell.variant;
        match variants.iter_mut().find(same) {
            Some(known) => known.groups.push(group),
            None => variants.push(Variant {
                workload: &cell.workload,
                variant: &cell.variant,
                groups: vec![group],
            }),
        }
    }
    variants.retain(|variant| variant.groups.len() > 1);
    variants
}

fn line(variant: &Variant<'_, '_>) -> Option<SweepLine> {
    let figures = figures(variant).into_iter().map(|figure| FigureLine {
        key: figure.key(),
        values: figure.steps.len(),
        knob: figure.knob,
        fixed: figure.fixed,
    });
    let figures: Vec<FigureLine> = figures.collect();
    let (workload, variant) = (variant.workload.to_owned(), variant.variant.to_owned());
    (!figures.is_empty()).then_some(SweepLine { workload, variant, figures })
}

/// The figures of a variant, the knob with the most values first. Cases that differ in several knobs at once make
/// no line along any of them; then the cases themselves are the steps.
fn figures<'g, 'r>(variant: &Variant<'g, 'r>) -> Vec<Figure<'g, 'r>> {
    let swept = swept(&variant.groups);
    let mut figures: Vec<Figure<'g, 'r>> =
        swept.iter().flat_map(|knob| along(variant, knob, &swept)).collect();
    figures.sort_by_key(|figure| std::cmp::Reverse(figure.steps.len()));
    if figures.is_empty() {
        let steps = variant.groups.iter().map(|&group| Step {
            label: named(group, &swept)
                .iter()
                .map(|(name, value)| format!("{name} {value}"))
                .collect::<Vec<_>>()
                .join(", "),
            number: None,
            group,
        });
        figures.push(Figure {
            workload: variant.workload,
            variant: variant.variant,
            knob: "case".to_owned(),
            fixed: Vec::new(),
            steps: steps.collect(),
        });
    }
    figures
}

/// Names of the parameters that differ between the cases, in their order.
fn swept<'r>(groups: &[&Group<'r>]) -> Vec<&'r str> {
    let mut names: Vec<&'r str> =
        groups.iter().flat_map(|group| group.cells[0].params.keys()).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| groups.iter().any(|group| parameter(group, name) != parameter(groups[0], name)));
    names
}

fn parameter<'r>(group: &Group<'r>, name: &str) -> Option<&'r Value> {
    group.cells[0].params.get(name)
}

fn named(group: &Group<'_>, names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|name| (words::knob(name), shown(group, name))).collect()
}

fn shown(group: &Group<'_>, name: &str) -> String {
    parameter(group, name).map_or_else(|| "none".to_owned(), |value| words::value(name, value))
}

/// A figure for each setting of the other knobs under which this one has more than one value.
fn along<'g, 'r>(variant: &Variant<'g, 'r>, knob: &str, swept: &[&str]) -> Vec<Figure<'g, 'r>> {
    let others: Vec<&str> = swept.iter().copied().filter(|other| *other != knob).collect();
    let mut places: HashMap<Vec<(String, String)>, usize> = HashMap::new();
    let mut figures: Vec<Figure<'g, 'r>> = Vec::new();
    for &group in &variant.groups {
        let place = *places.entry(named(group, &others)).or_insert_with_key(|fixed| {
            figures.push(Figure {
                workload: variant.workload,
                variant: variant.variant,
                knob: words::knob(knob),
                fixed: fixed.clone(),
                steps: Vec::new(),
            });
            figures.len() - 1
        });
        let number = parameter(group, knob).and_then(Value::as_f64);
        figures[place].steps.push(Step { label: shown(group, knob), number, group });
    }
    figures.retain(|figure| figure.steps.len() > 1);
    for figure in &mut figures {
        if figure.steps.iter().all(|step| step.number.is_some()) {
            figure.steps.sort_by(|a, b| a.number.partial_cmp(&b.number).unwrap_or(std::cmp::Ordering::Equal));
        }
    }
    figures
}

impl<'r> Figure<'_, 'r> {
    fn key(&self) -> String {
        let fixed = self.fixed.iter().map(|(name, value)| format!(" {name} {value}")).collect::<String>();
        format!("{}/{} {}{fixed}", self.workload, self.variant, self.knob)
    }

    /// The backends in the order of first sight.
    fn backends(&self) -> Vec<&'r str> {
        let mut backends: Vec<&'r str> = Vec::new();
        for cell in self.steps.iter().flat_map(|step| &step.group.cells) {
            if !backends.contains(&cell.backend.as_str()) {
                backends.push(&cell.backend);
            }
        }
        backends
    }

    fn knob(&self) -> Knob {
        Knob {
            name: self.knob.clone(),
            labels: self.steps.iter().map(|step| step.label.clone()).collect(),
            numbers: self.steps.iter().map(|step| step.number).collect(),
        }
    }

    fn curves(&self, point: impl Fn(&Group<'r>, &'r Cell) -> Option<Point>) -> Vec<Curve<'r>> {
        let at = |step: &Step<'_, 'r>, backend| {
            let cell = step.group.cells.iter().find(|cell| cell.backend == backend)?;
            point(step.group, cell)
        };
        let backends = self.backends().into_iter();
        backends
            .map(|backend| Curve {
                backend,
                points: self.steps.iter().map(|step| at(step, backend)).collect(),
            })
            .collect()
    }
}

fn sweep(figure: Figure<'_, '_>) -> Sweep {
    let knob = figure.knob();
    let noise: Vec<Option<[f64; 2]>> = figure.steps.iter().map(|step| noise(step.group)).collect();
    let chart = |quantity, curves: &[Curve<'_>]| charts::sweep(quantity, &knob, curves, &noise);
    let ratios = figure.curves(ratio);
    Sweep {
        key: figure.key(),
        knob: figure.knob.clone(),
        baseline: figure.steps.iter().find_map(|step| step.group.baseline()).map(str::to_owned),
        open_loop: figure.steps.iter().any(|step| step.group.cells[0].is_open_loop()),
        findings: findings(&figure),
        charts: SweepCharts {
            ratio: chart(Quantity::Ratio, &ratios),
            throughput: chart(Quantity::Throughput, &figure.curves(|_, cell| throughput(cell))),
            wait_p99: chart(Quantity::Wait, &figure.curves(|_, cell| wait_p99(cell))),
        },
        rows: figure.steps.iter().flat_map(rows).collect(),
    }
}

fn ratio(group: &Group<'_>, cell: &Cell) -> Option<Point> {
    let judged = figures::judged(group, cell)?;
    Some(Point { figure: judged.ratio?, range: judged.ci })
}

fn noise(group: &Group<'_>) -> Option<[f64; 2]> {
    let judged_by = words::judged_by(&group.cells);
    group.controls.iter().find(|control| control.metric == judged_by)?.ci
}

fn throughput(cell: &Cell) -> Option<Point> {
    let spread = cell.throughput_ops_per_s;
    (!cell.rounds.is_empty())
        .then_some(Point { figure: spread.median, range: Some([spread.min, spread.max]) })
}

/// The percentile over all rounds, in the range of those of the rounds.
fn wait_p99(cell: &Cell) -> Option<Point> {
    let rounds = cell.latency_rounds.iter().filter_map(|round| round.p99_ns).map(|ns| ns as f64);
    let range = rounds.fold(None, |range: Option<[f64; 2]>, ns| {
        Some(range.map_or([ns, ns], |[low, high]| [low.min(ns), high.max(ns)]))
    });
    Some(Point { figure: cell.wait_ns.p99? as f64, range })
}

fn rows(step: &Step<'_, '_>) -> Vec<SweepRow> {
    let rows = step.group.cells.iter().map(|cell| {
        let judged = figures::judged(step.group, cell);
        SweepRow {
            value: step.label.clone(),
            case: step.group.key.clone(),
            backend: cell.backend.clone(),
            series: Series::of(&cell.backend).index,
            control: is_control_arm(&cell.backend),
            ops_per_s: (!cell.rounds.is_empty()).then_some(cell.throughput_ops_per_s.median),
            ops_per_s_min: cell.throughput_ops_per_s.min,
            ops_per_s_max: cell.throughput_ops_per_s.max,
            ratio: judged.and_then(|comparison| comparison.ratio),
            ci: judged.and_then(|comparison| comparison.ci),
            verdict: judged.map(|comparison| comparison.verdict),
            wait_p99_ns: cell.wait_ns.p99,
        }
    });
    rows.collect()
}

fn findings(figure: &Figure<'_, '_>) -> Vec<Finding> {
    let backends = figure.backends().into_iter().filter(|backend| !is_control_arm(backend));
    backends.filter_map(|backend| finding(figure, backend)).collect()
}

/// `faster at 5 of 6 values of tasks, slower at 64; ratios from 0.91× (64) to 1.72× (2)`.
fn finding(figure: &Figure<'_, '_>, backend: &str) -> Option<Finding> {
    let found: Vec<(&str, &Comparison, f64)> = figure
        .steps
        .iter()
        .filter_map(|step| {
            let cell = step.group.cells.iter().find(|cell| cell.backend == backend)?;
            let judged = figures::judged(step.group, cell)?;
            Some((step.label.as_str(), judged, judged.ratio?))
        })
        .collect();
    let lowest = found.iter().min_by(|a, b| a.2.total_cmp(&b.2))?;
    let highest = found.iter().max_by(|a, b| a.2.total_cmp(&b.2))?;
    let at = |verdict: Verdict| -> Vec<&str> {
        found.iter().filter(|(_, judged, _)| judged.verdict == verdict).map(|(label, _, _)| *label).collect()
    };
    let words = [
        (Verdict::Faster, "faster"),
        (Verdict::Slower, "slower"),
        (Verdict::Equivalent, "no difference that matters"),
        (Verdict::Inconclusive, "inconclusive"),
    ];
    let said: Vec<String> = words
        .into_iter()
        .map(|(verdict, word)| (word, at(verdict)))
        .filter(|(_, labels)| !labels.is_empty())
        .map(|(word, labels)| places(word, &labels, found.len()))
        .collect();
    let text = format!(
        "{}; {} at {} {} to {} at {}",
        said.join(", "),
        format_ratio(lowest.2),
        figure.knob,
        lowest.0,
        format_ratio(highest.2),
        highest.0
    );
    Some(Finding { backend: backend.to_owned(), series: Series::of(backend).index, text })
}

/// Few places are named, many counted.
fn places(word: &str, labels: &[&str], of: usize) -> String {
    const NAMED_LIMIT: usize = 3;
    match labels.len() {
        all if all == of => format!("{word} at all {of} values"),
        few if few <= NAMED_LIMIT => format!("{word} at {}", labels.join(", ")),
        many => format!("{word} at {many} of {of} values"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::groups::groups;
    use super::*;
    use crate::testing;
    use results::Report;
    use serde_json::json;

    fn keys(report: &Report) -> Vec<String> {
        lines(&groups(report)).into_iter().flat_map(|line| line.figures).map(|figure| figure.key).collect()
    }

    #[test]
    fn a_report_of_single_cases_has_no_sweep() {
        assert!(lines(&groups(&testing::report(3, results::Status::Complete))).is_empty());
    }

    #[test]
    fn each_knob_has_a_figure_for_each_setting_of_the_others() {
        let report = testing::sweep(&[
            ("tasks", &[json!(2), json!(8), json!(32)]),
            ("permits", &[json!(1), json!(4)]),
        ]);
        assert_eq!(
            keys(&report),
            [
                "semaphore/pool tasks permits 1",
                "semaphore/pool tasks permits 4",
                "semaphore/pool permits tasks 2",
                "semaphore/pool permits tasks 8",
                "semaphore/pool permits tasks 32",
            ]
        );
    }

    #[test]
    fn a_figure_carries_what_the_cells_say() {
        let report = testing::sweep(&[("tasks", &[json!(32), json!(2), json!(8)])]);
        let found = find(&groups(&report), "semaphore/pool tasks").unwrap();
        let trace = |chart: &Chart, name: &str| {
            chart.data.iter().find(|trace| trace["name"] == name).cloned().unwrap_or_default()
        };
        let throughput = trace(&found.charts.throughput, "sync");
        assert_eq!(throughput["x"], json!([2.0, 8.0, 32.0]), "in the order of the values, not of the run");
        let cell =
            report.cells.iter().find(|cell| cell.params["tasks"] == 2 && cell.backend == "sync").unwrap();
        let drawn = throughput["y"][0].as_f64().unwrap();
        assert!((drawn / cell.throughput_ops_per_s.median - 1.0).abs() < 1e-3);
        assert!(trace(&found.charts.ratio, "tokio").is_null(), "the baseline is the line at 1");
        assert_eq!(trace(&found.charts.ratio, "sync")["y"].as_array().unwrap().len(), 3);
        assert_eq!(found.rows.len(), report.cells.len());
        assert_eq!(found.rows[0].value, "2");
        assert!(found.findings[0].text.starts_with("faster at all 3 values; "), "{}", found.findings[0].text);
        assert!(find(&groups(&report), "semaphore/pool permits").is_none());
    }

    #[test]
    fn names_are_categories_in_the_order_of_the_run() {
        let report = testing::sweep(&[("hold_mode", &[json!("spin"), json!("sleep"), json!("yield")])]);
        let found = find(&groups(&report), "semaphore/pool hold mode").unwrap();
        assert_eq!(found.charts.ratio.layout["xaxis"]["ticktext"], json!(["spin", "sleep", "yield"]));
    }

    #[test]
    fn cases_that_differ_in_everything_are_steps_themselves() {
        let mut report = testing::sweep(&[("tasks", &[json!(2), json!(8)])]);
        for part in report.cells.iter_mut().map(|cell| &mut cell.params) {
            let tasks = part["tasks"].as_u64().unwrap();
            part.insert("hold_ns".to_owned(), json!(tasks * 1000));
        }
        assert_eq!(keys(&report), ["semaphore/pool case"]);
        let found = find(&groups(&report), "semaphore/pool case").unwrap();
        assert_eq!(found.rows[0].value, "hold 2 µs, tasks 2");
    }

    #[test]
    fn a_backend_that_lacks_a_case_and_cells_without_rounds_are_shown_too() {
        let mut report = testing::sweep(&[("tasks", &[json!(2), json!(8)])]);
        report.cells.retain(|cell| cell.backend != "sync-traced" || cell.params["tasks"] == 2);
        for cell in report.cells.iter_mut().filter(|cell| cell.backend == "tokio") {
            cell.rounds.clear();
            cell.wait_ns.p99 = None;
        }
        report.comparisons.iter_mut().for_each(|found| found.ratio = None);
        let found = find(&groups(&report), "semaphore/pool tasks").unwrap();
        assert!(found.charts.throughput.data.iter().all(|trace| trace["name"] != "tokio"));
        assert!(found.findings.is_empty());
    }
}
