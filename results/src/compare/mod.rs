//! Backends against each other: within a run round by round, between two reports as independent samples.
//!
//! Above 1 is always better: throughput is candidate over baseline, waits are baseline over candidate.

mod between_reports;
mod metric;
mod within_run;

use crate::Verdict;
use metric::Metric;

pub use between_reports::{BetweenReports, between_reports};
pub use within_run::{control, control_arm, is_control_arm, within_run};

/// How sure to be, and what still counts as the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Confidence of the intervals, above 0 and below 1.
    pub confidence: f64,
    /// Margin of equivalence: with 0.02 a ratio from 1/1.02 to 1.02 is no difference that anyone cares about.
    pub margin: f64,
}

impl Default for Options {
    fn default() -> Self {
        Options { confidence: 0.95, margin: 0.02 }
    }
}

impl Options {
    /// What an interval of a ratio comes to.
    ///
    /// The interval decides, not the p-value: a difference may be certain and too small to matter, or large
    /// and not certain.
    #[must_use]
    pub fn verdict(&self, ci: Option<[f64; 2]>) -> Verdict {
        let upper = 1.0 + self.margin;
        let lower = 1.0 / upper;
        match ci {
            Some([low, _]) if low > upper => Verdict::Faster,
            Some([_, high]) if high < lower => Verdict::Slower,
            Some([low, high]) if low >= lower && high <= upper => Verdict::Equivalent,
            _ => Verdict::Inconclusive,
        }
    }
}

/// How an estimate was found, for a report.
fn method(name: &str, exact: bool) -> String {
    let interval = if exact { "exact" } else { "normal approximation" };
    format!("{name}, {interval}")
}
