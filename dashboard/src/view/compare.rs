//! Two reports side by side: `/api/v1/compare`.

use std::collections::HashMap;

use results::compare::{Options, between_reports};
use results::{Comparison, Report, Run};
use serde::Serialize;

use crate::charts::{self, Chart, Row, Series};

use super::words;

/// What two reports say about each other.
#[derive(Debug, Serialize)]
pub(crate) struct ComparePage {
    baseline: Side,
    candidate: Side,
    comparisons: Vec<Comparison>,
    /// Cases that only the baseline has.
    only_in_baseline: Vec<String>,
    /// Cases that only the candidate has.
    only_in_candidate: Vec<String>,
    /// What differs between the machines and builds: reasons not to believe the figures.
    differences: Vec<String>,
    /// The comparisons case by case, with their chart.
    cases: Vec<ComparedCase>,
}

#[derive(Debug, Serialize)]
struct Side {
    id: String,
    run: Run,
}

#[derive(Debug, Serialize)]
struct ComparedCase {
    case: String,
    rows: Vec<ComparedRow>,
    chart: Chart,
}

#[derive(Debug, Serialize)]
struct ComparedRow {
    backend: String,
    series: usize,
    metric: String,
    comparison: Comparison,
}

impl ComparePage {
    /// Compares the reports found under the two ids.
    pub(crate) fn of(baseline: (&str, &Report), candidate: (&str, &Report)) -> Self {
        let between = between_reports(baseline.1, candidate.1, &Options::default());
        let side = |(id, report): (&str, &Report)| Side { id: id.to_owned(), run: report.run.clone() };
        Self {
            baseline: side(baseline),
            candidate: side(candidate),
            cases: cases(&between.comparisons),
            comparisons: between.comparisons,
            only_in_baseline: between.only_in_base,
            only_in_candidate: between.only_in_candidate,
            differences: between.differences,
        }
    }
}

fn cases(comparisons: &[Comparison]) -> Vec<ComparedCase> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut cases: Vec<(String, Vec<&Comparison>)> = Vec::new();
    for comparison in comparisons {
        let place = *places.entry(comparison.case()).or_insert_with_key(|name| {
            cases.push((name.clone(), Vec::new()));
            cases.len() - 1
        });
        cases[place].1.push(comparison);
    }
    cases.into_iter().map(|(name, found)| compared_case(name, &found)).collect()
}

fn compared_case(case: String, found: &[&Comparison]) -> ComparedCase {
    let of_case = words::by_metric(found.iter().copied());
    let chart_rows: Vec<Row<'_>> = of_case.iter().map(|comparison| chart_row(comparison)).collect();
    let chart = charts::comparison(&chart_rows, None, "the baseline run");
    let rows = of_case.iter().map(|&comparison| {
        let backend = backend_of(&comparison.candidate);
        ComparedRow {
            backend: backend.to_owned(),
            series: Series::of(backend).index,
            metric: words::metric(&comparison.metric),
            comparison: comparison.clone(),
        }
    });
    ComparedCase { rows: rows.collect(), chart, case }
}

fn chart_row(comparison: &Comparison) -> Row<'_> {
    let backend = backend_of(&comparison.candidate);
    Row { group: words::metric(&comparison.metric), backend, comparison }
}

/// Between reports a side is named `id/backend`.
fn backend_of(side: &str) -> &str {
    side.rsplit_once('/').map_or(side, |(_, backend)| backend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use results::Status;

    #[test]
    fn two_reports_are_compared_case_by_case() {
        let (old, new) = (testing::report(8, Status::Complete), testing::report(8, Status::Complete));
        let page = ComparePage::of(("old", &old), ("new", &new));
        assert_eq!(page.cases.len(), 2);
        assert!(page.cases[0].rows.iter().any(|row| row.backend == "tokio" && row.metric == "throughput"));
        assert_eq!(page.cases[0].chart.data.len(), page.cases[0].rows.len());
        assert!(page.differences.is_empty(), "{:?}", page.differences);
    }

    #[test]
    fn differences_of_the_machines_are_told() {
        let (old, mut new) = (testing::report(8, Status::Complete), testing::report(8, Status::Complete));
        new.environment.cpu = "another one".to_owned();
        let page = ComparePage::of(("old", &old), ("new", &new));
        assert!(page.differences.iter().any(|line| line.contains("another one")), "{:?}", page.differences);
    }
}
