//! What the page shows of a report, put together on this side: tables, words and charts of each case.
//!
//! Pure functions of a [`results::Report`]; the script only places what it gets. A run under way and a stored
//! report look the same, because they are the same. The page asks for the overview first, and for a case or a
//! figure of a sweep where somebody looks at it: all at once, a sweep of hundreds of cases would take seconds.

mod case;
mod compare;
mod figures;
mod groups;
mod sweep;
mod words;

use results::{Check, Environment, Report, Run, Verdict};
use serde::Serialize;

use crate::charts::Series;
use crate::run::{Progress, RunView};

pub(crate) use case::{Case, CaseLine};
pub(crate) use compare::ComparePage;
pub(crate) use sweep::{Sweep, SweepLine};

/// A report with all its cases and charts: `/api/v1/run`, `/api/v1/reports/{id}/view` and the events named `run`.
#[derive(Debug, Serialize)]
pub(crate) struct RunPage {
    /// How far it has come; null for a stored report.
    progress: Option<Progress>,
    run: Run,
    environment: Environment,
    validity: Vec<Check>,
    cases: Vec<Case>,
}

impl RunPage {
    /// A run under way.
    pub(crate) fn live(view: &RunView) -> Self {
        Self { progress: Some(view.progress.clone()), ..Self::stored(&view.report) }
    }

    /// A report that is written.
    pub(crate) fn stored(report: &Report) -> Self {
        let groups = groups::groups(report);
        Self {
            progress: None,
            run: report.run.clone(),
            environment: report.environment.clone(),
            validity: report.validity.clone(),
            cases: groups.iter().map(|group| case::case(report, group)).collect(),
        }
    }
}

/// A report without what one opens in it: `/api/v1/run/overview`, `/api/v1/reports/{id}/overview` and the events
/// named `overview`.
#[derive(Debug, Serialize)]
pub(crate) struct Overview {
    /// How far it has come; null for a stored report.
    progress: Option<Progress>,
    run: Run,
    environment: Environment,
    validity: Vec<Check>,
    sweeps: Vec<SweepLine>,
    cases: Vec<CaseLine>,
    /// How each backend did over all cases.
    tallies: Vec<Tally>,
}

impl Overview {
    /// Of a run under way.
    pub(crate) fn live(view: &RunView) -> Self {
        Self { progress: Some(view.progress.clone()), ..Self::stored(&view.report) }
    }

    /// Of a report that is written.
    pub(crate) fn stored(report: &Report) -> Self {
        let groups = groups::groups(report);
        Self {
            progress: None,
            run: report.run.clone(),
            environment: report.environment.clone(),
            validity: report.validity.clone(),
            sweeps: sweep::lines(&groups),
            cases: groups.iter().map(case::line).collect(),
            tallies: tallies(report),
        }
    }
}

/// The case of that name, as [`results::Cell::case`] names it.
pub(crate) fn case(report: &Report, key: &str) -> Option<Case> {
    let groups = groups::groups(report);
    groups.iter().find(|group| group.key == key).map(|group| case::case(report, group))
}

/// The figure of a sweep of that name, one of the overview.
pub(crate) fn sweep(report: &Report, key: &str) -> Option<Sweep> {
    sweep::find(&groups::groups(report), key)
}

/// One line about a report, for lists: the verdicts of its cases, by throughput or, in an open loop, by waits.
pub(crate) fn verdict_summary(report: &Report) -> Vec<String> {
    words::judging(&report.comparisons).map(words::verdict_line).collect()
}

/// A backend against the baseline over all cases: how often which verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Tally {
    backend: String,
    series: usize,
    baseline: String,
    faster: usize,
    slower: usize,
    equivalent: usize,
    inconclusive: usize,
}

/// The verdicts of a report counted, a line for each backend and baseline.
pub(crate) fn tallies(report: &Report) -> Vec<Tally> {
    let mut tallies: Vec<Tally> = Vec::new();
    for found in words::judging(&report.comparisons) {
        let same = |tally: &Tally| tally.backend == found.candidate && tally.baseline == found.baseline;
        let place = tallies.iter().position(same).unwrap_or_else(|| {
            tallies.push(Tally {
                backend: found.candidate.clone(),
                series: Series::of(&found.candidate).index,
                baseline: found.baseline.clone(),
                faster: 0,
                slower: 0,
                equivalent: 0,
                inconclusive: 0,
            });
            tallies.len() - 1
        });
        let tally = &mut tallies[place];
        match found.verdict {
            Verdict::Faster => tally.faster += 1,
            Verdict::Slower => tally.slower += 1,
            Verdict::Equivalent => tally.equivalent += 1,
            Verdict::Inconclusive => tally.inconclusive += 1,
        }
    }
    tallies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use results::Status;
    use serde_json::json;

    #[test]
    fn an_overview_lists_cases_and_sweeps_without_their_charts() {
        let report = testing::sweep(&[("tasks", &[json!(2), json!(8), json!(32)])]);
        let overview = Overview::stored(&report);
        assert_eq!((overview.cases.len(), overview.sweeps.len()), (3, 1));
        let text = serde_json::to_string(&overview).unwrap();
        assert!(!text.contains("\"charts\""), "{text}");
    }

    #[test]
    fn every_case_of_the_overview_is_found_by_its_name() {
        let report = testing::report(3, Status::Complete);
        for cell in &report.cells {
            assert!(case(&report, &cell.case()).is_some());
        }
        assert!(case(&report, "semaphore/pool").is_none());
    }

    #[test]
    fn verdicts_are_counted_over_the_cases() {
        let report = testing::report(8, Status::Complete);
        let tallies = tallies(&report);
        assert_eq!(tallies[0].backend, "sync");
        assert_eq!((tallies[0].faster, tallies[0].slower), (2, 0));
        let judged: usize = tallies.iter().map(|t| t.faster + t.slower + t.equivalent + t.inconclusive).sum();
        assert_eq!(judged, verdict_summary(&report).len());
    }
}
