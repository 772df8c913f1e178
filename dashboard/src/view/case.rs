//! One case: a workload with its parameters, measured on every backend.

use results::compare::is_control_arm;
use results::{Cell, Comparison, OpenLoop, Report, Verdict};
use serde::Serialize;

use crate::charts::{self, Chart, Row, Series};

use super::words;

/// A case as the page shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Case {
    /// Names the case; stable while a run goes on.
    key: String,
    workload: String,
    variant: String,
    /// Name and value of each parameter, as a person writes them.
    params: Vec<(String, String)>,
    /// Backend compared against, where anything was compared.
    baseline: Option<String>,
    /// What the comparisons of throughput, in an open loop of waits, come to, one sentence each.
    headlines: Vec<Headline>,
    rows: Vec<CellRow>,
    charts: CaseCharts,
}

#[derive(Debug, Serialize)]
struct Headline {
    text: String,
    verdict: Verdict,
    series: usize,
}

#[derive(Debug, Serialize)]
struct CaseCharts {
    comparison: Chart,
    wait_histogram: Chart,
    percentiles: Chart,
    throughput: Chart,
}

/// A backend's line in the table of a case.
#[derive(Debug, Serialize)]
struct CellRow {
    backend: String,
    version: String,
    composed: Option<String>,
    /// The style sheet's `--series-N`.
    series: usize,
    control: bool,
    rounds: usize,
    ops_per_s: Option<f64>,
    ops_per_s_min: f64,
    ops_per_s_max: f64,
    ratio: Option<f64>,
    ci: Option<[f64; 2]>,
    verdict: Option<Verdict>,
    wait_count: u64,
    wait_p50_ns: Option<u64>,
    wait_p99_ns: Option<u64>,
    wait_p999_ns: Option<u64>,
    wait_max_ns: u64,
    /// How the schedule was kept, in an open loop.
    open_loop: Option<OpenLoop>,
    contended_fraction: Option<f64>,
    jain: f64,
    smallest_share: f64,
}

/// The cases of a report in the order of its cells.
pub(super) fn cases(report: &Report) -> Vec<Case> {
    let mut keys: Vec<String> = Vec::new();
    let mut groups: Vec<Vec<&Cell>> = Vec::new();
    for cell in &report.cells {
        let key = cell.case();
        match keys.iter().position(|known| *known == key) {
            Some(place) => groups[place].push(cell),
            None => {
                keys.push(key);
                groups.push(vec![cell]);
            }
        }
    }
    keys.into_iter().zip(groups).map(|(key, cells)| case(report, key, &cells)).collect()
}

fn case(report: &Report, key: String, cells: &[&Cell]) -> Case {
    let of_case = |all: &'_ [Comparison]| -> Vec<usize> {
        (0..all.len()).filter(|&place| all[place].case() == key).collect()
    };
    let comparisons: Vec<&Comparison> =
        of_case(&report.comparisons).into_iter().map(|place| &report.comparisons[place]).collect();
    let controls: Vec<&Comparison> =
        of_case(&report.control).into_iter().map(|place| &report.control[place]).collect();
    let baseline = comparisons.iter().chain(&controls).next().map(|comparison| comparison.baseline.clone());
    let judged_by = words::judged_by(cells);
    let headlines = comparisons.iter().filter(|comparison| comparison.metric == judged_by);
    let headlines = headlines.map(|comparison| Headline {
        text: words::headline(comparison, report),
        verdict: comparison.verdict,
        series: Series::of(&comparison.candidate).index,
    });
    let first = cells.first();
    Case {
        workload: first.map(|cell| cell.workload.clone()).unwrap_or_default(),
        variant: first.map(|cell| cell.variant.clone()).unwrap_or_default(),
        params: first.map(|cell| params(cell)).unwrap_or_default(),
        headlines: headlines.collect(),
        rows: cells.iter().map(|cell| row(cell, &comparisons, &controls)).collect(),
        charts: case_charts(cells, &comparisons, &controls, baseline.as_deref()),
        baseline,
        key,
    }
}

fn case_charts(
    cells: &[&Cell],
    comparisons: &[&Comparison],
    controls: &[&Comparison],
    baseline: Option<&str>,
) -> CaseCharts {
    let judged_by = words::judged_by(cells);
    let noise = controls.iter().find(|control| control.metric == judged_by).copied();
    let rows = words::by_metric(comparisons.iter().chain(controls).copied());
    let rows: Vec<Row<'_>> = rows
        .into_iter()
        .map(|comparison| Row {
            group: words::metric(&comparison.metric),
            backend: &comparison.candidate,
            comparison,
        })
        .collect();
    CaseCharts {
        comparison: charts::comparison(&rows, noise, baseline.unwrap_or("the baseline")),
        wait_histogram: charts::wait_histogram(cells),
        percentiles: charts::percentiles(cells),
        throughput: charts::throughput(cells),
    }
}

fn row(cell: &Cell, comparisons: &[&Comparison], controls: &[&Comparison]) -> CellRow {
    let judged_by = words::judged_by(&[cell]);
    let compared = comparisons
        .iter()
        .chain(controls)
        .find(|comparison| comparison.candidate == cell.backend && comparison.metric == judged_by);
    let measured = !cell.rounds.is_empty();
    let contended: f64 = cell.rounds.iter().map(|round| round.contended_fraction).sum();
    CellRow {
        backend: cell.backend.clone(),
        version: cell.backend_version.clone(),
        composed: cell.composed.clone(),
        series: Series::of(&cell.backend).index,
        control: is_control_arm(&cell.backend),
        rounds: cell.rounds.len(),
        ops_per_s: measured.then_some(cell.throughput_ops_per_s.median),
        ops_per_s_min: cell.throughput_ops_per_s.min,
        ops_per_s_max: cell.throughput_ops_per_s.max,
        ratio: compared.and_then(|comparison| comparison.ratio),
        ci: compared.and_then(|comparison| comparison.ci),
        verdict: compared.map(|comparison| comparison.verdict),
        wait_count: cell.wait_ns.count,
        wait_p50_ns: cell.wait_ns.p50,
        wait_p99_ns: cell.wait_ns.p99,
        wait_p999_ns: cell.wait_ns.p999,
        wait_max_ns: cell.wait_ns.max,
        open_loop: cell.open_loop,
        contended_fraction: measured.then(|| contended / cell.rounds.len() as f64),
        jain: cell.fairness.jain,
        smallest_share: cell.fairness.smallest_share,
    }
}

/// Parameters as the command line takes them: `hold_ns: 2000` is `hold 2 µs`.
fn params(cell: &Cell) -> Vec<(String, String)> {
    let readable = cell.params.iter().map(|(name, value)| {
        let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match (name.strip_suffix("_ns"), value.as_f64()) {
            (Some(name), Some(ns)) => (name.to_owned(), charts::tick_ns(ns)),
            _ => (name.replace('_', " "), plain),
        }
    });
    readable.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use results::Status;
    use results::compare::{Options, control, within_run};

    #[test]
    fn a_case_has_a_row_for_each_backend_and_all_its_charts() {
        let report = testing::report(7, Status::Running);
        let cases = cases(&report);
        assert_eq!(cases.len(), 2, "the synthetic report measures two workloads");
        let case = &cases[0];
        let backends: Vec<_> = case.rows.iter().map(|row| row.backend.as_str()).collect();
        assert_eq!(backends, ["sync", "sync-traced", "tokio", "tokio (control)"]);
        assert_eq!(case.baseline.as_deref(), Some("tokio"));
        assert_eq!(case.charts.wait_histogram.data.len(), 4);
        assert_eq!(case.charts.percentiles.data.len(), 4);
        assert_eq!(case.charts.throughput.data[0]["y"].as_array().unwrap().len(), 7);
    }

    #[test]
    fn a_row_carries_the_figures_of_its_cell_and_comparison() {
        let report = testing::report(7, Status::Complete);
        let cases = cases(&report);
        let (row, cell) = (&cases[0].rows[0], &report.cells[0]);
        let comparison = report.comparisons.iter().find(|c| c.candidate == "sync").unwrap();
        assert_eq!(row.ops_per_s, Some(cell.throughput_ops_per_s.median));
        assert_eq!(row.ratio, comparison.ratio);
        assert_eq!(row.wait_p99_ns, cell.wait_ns.p99);
        assert!(cases[0].rows[2].ratio.is_none(), "the baseline is not compared with itself");
        assert!(cases[0].rows[3].control && cases[0].rows[3].ratio.is_some());
    }

    #[test]
    fn an_open_loop_is_judged_by_its_waits() {
        let mut report = testing::report(7, Status::Complete);
        for cell in &mut report.cells {
            cell.params.insert("rate_ops_per_s".to_owned(), 20_000.into());
            cell.open_loop = Some(OpenLoop {
                rate_ops_per_s: 20_000.0,
                achieved_ops_per_s: 19_990.0,
                lag_mean_ns: 120.0,
                lag_max_ns: 3_000,
                behind_fraction: 0.01,
            });
        }
        report.comparisons = within_run(&report.cells, "tokio", &Options::default());
        report.control = control(&report.cells, "tokio", &Options::default());
        let cases = cases(&report);
        let case = &cases[0];
        assert!(case.headlines.iter().all(|headline| headline.text.contains("wait p99")));
        assert_eq!(case.headlines.len(), 2, "sync and sync-traced");
        let judged = report.comparisons.iter().find(|found| found.metric == "wait_p99").unwrap();
        assert_eq!((case.rows[0].backend.as_str(), case.rows[0].ratio), ("sync", judged.ratio));
        assert_eq!(case.rows[0].open_loop, report.cells[0].open_loop);
        assert_eq!(case.charts.throughput.data[0]["y"].as_array().unwrap().len(), 7);
        assert!(!case.charts.comparison.data.is_empty());
        assert_eq!(crate::view::verdict_summary(&report).len(), 4, "two cases, two candidates");
    }

    #[test]
    fn durations_among_the_parameters_have_units() {
        let report = testing::report(2, Status::Complete);
        let params = params(&report.cells[0]);
        assert!(params.contains(&("hold".to_owned(), "2 µs".to_owned())), "{params:?}");
        assert!(params.contains(&("tasks".to_owned(), "64".to_owned())), "{params:?}");
    }

    #[test]
    fn a_report_without_cells_and_one_with_broken_figures_are_shown_too() {
        let mut report = testing::report(3, Status::Interrupted);
        for cell in &mut report.cells {
            cell.rounds.clear();
            cell.wait_ns.hdr = "not a histogram".to_owned();
        }
        report.comparisons[0].ratio = Some(f64::NAN);
        report.comparisons[0].ci = Some([0.0, f64::INFINITY]);
        let broken = cases(&report);
        assert!(broken[0].charts.wait_histogram.data.is_empty());
        assert_eq!(broken[0].rows[0].ops_per_s, None);
        report.cells.clear();
        assert!(cases(&report).is_empty());
    }
}
