//! One case: a workload with its parameters, measured on every backend.

use results::{Cell, Report, Verdict};
use serde::Serialize;

use crate::charts::{self, Chart, Row, Series};

use super::figures::{self, CellRow};
use super::groups::Group;
use super::words;

/// A case as the page shows it where it is opened.
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

/// A case in the list of all: what its comparisons come to, without charts and figures.
#[derive(Debug, Serialize)]
pub(crate) struct CaseLine {
    key: String,
    workload: String,
    variant: String,
    params: Vec<(String, String)>,
    baseline: Option<String>,
    open_loop: bool,
    results: Vec<CaseResult>,
}

/// A backend's line in a [`CaseLine`].
#[derive(Debug, Serialize)]
struct CaseResult {
    backend: String,
    series: usize,
    ratio: Option<f64>,
    verdict: Verdict,
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

/// A case with all that there is to it.
pub(super) fn case(report: &Report, group: &Group<'_>) -> Case {
    let judged_by = words::judged_by(&group.cells);
    let headlines = group.comparisons.iter().filter(|comparison| comparison.metric == judged_by);
    let headlines = headlines.map(|comparison| Headline {
        text: words::headline(comparison, report),
        verdict: comparison.verdict,
        series: Series::of(&comparison.candidate).index,
    });
    let first = group.cells.first();
    Case {
        key: group.key.clone(),
        workload: first.map(|cell| cell.workload.clone()).unwrap_or_default(),
        variant: first.map(|cell| cell.variant.clone()).unwrap_or_default(),
        params: first.map(|cell| params(cell)).unwrap_or_default(),
        baseline: group.baseline().map(str::to_owned),
        headlines: headlines.collect(),
        rows: figures::rows(group),
        charts: case_charts(group),
    }
}

/// A case for the list.
pub(super) fn line(group: &Group<'_>) -> CaseLine {
    let judged_by = words::judged_by(&group.cells);
    let judging = group.comparisons.iter().filter(|comparison| comparison.metric == judged_by);
    let results = judging.map(|comparison| CaseResult {
        backend: comparison.candidate.clone(),
        series: Series::of(&comparison.candidate).index,
        ratio: comparison.ratio,
        verdict: comparison.verdict,
    });
    let first = group.cells.first();
    CaseLine {
        key: group.key.clone(),
        workload: first.map(|cell| cell.workload.clone()).unwrap_or_default(),
        variant: first.map(|cell| cell.variant.clone()).unwrap_or_default(),
        params: first.map(|cell| params(cell)).unwrap_or_default(),
        baseline: group.baseline().map(str::to_owned),
        open_loop: first.is_some_and(|cell| cell.is_open_loop()),
        results: results.collect(),
    }
}

fn case_charts(group: &Group<'_>) -> CaseCharts {
    let judged_by = words::judged_by(&group.cells);
    let noise = group.controls.iter().find(|control| control.metric == judged_by).copied();
    let rows = words::by_metric(group.comparisons.iter().chain(&group.controls).copied());
    let rows: Vec<Row<'_>> = rows
        .into_iter()
        .map(|comparison| Row {
            group: words::metric(&comparison.metric),
            backend: &comparison.candidate,
            comparison,
        })
        .collect();
    CaseCharts {
        comparison: charts::comparison(&rows, noise, group.baseline().unwrap_or("the baseline")),
        wait_histogram: charts::wait_histogram(&group.cells),
        percentiles: charts::percentiles(&group.cells),
        throughput: charts::throughput(&group.cells),
    }
}

/// Parameters as a person reads them: `hold_ns: 2000` is `hold 2 µs`.
fn params(cell: &Cell) -> Vec<(String, String)> {
    cell.params.iter().map(|(name, value)| (words::knob(name), words::value(name, value))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::groups::groups;
    use super::*;
    use crate::testing;
    use results::OpenLoop;
    use results::Status;
    use results::compare::{Options, control, within_run};

    fn cases(report: &Report) -> Vec<Case> {
        groups(report).iter().map(|group| case(report, group)).collect()
    }

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
