//! What the page shows of a report, put together on this side: tables, words and charts of each case.
//!
//! Pure functions of a [`results::Report`]; the script only places what it gets. A run under way and a stored
//! report look the same, because they are the same.

mod case;
mod compare;
mod words;

use results::{Check, Environment, Report, Run};
use serde::Serialize;

use crate::run::{Progress, RunView};

pub(crate) use case::Case;
pub(crate) use compare::ComparePage;

/// A report as the page shows it: `/api/v1/run`, `/api/v1/reports/{id}/view` and the events named `run`.
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
        Self {
            progress: None,
            run: report.run.clone(),
            environment: report.environment.clone(),
            validity: report.validity.clone(),
            cases: case::cases(report),
        }
    }
}

/// One line about a report, for lists: the verdicts of its cases, by throughput or, in an open loop, by waits.
pub(crate) fn verdict_summary(report: &Report) -> Vec<String> {
    let judging = report.comparisons.iter().filter(|found| words::judges(found, &report.comparisons));
    judging.map(words::verdict_line).collect()
}
