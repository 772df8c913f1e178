//! Comparisons by the cell that they are about, found without looking through all of them.

use std::collections::HashMap;

use results::{Cell, Comparison, Report};

/// Case, candidate and metric.
type Key<'a> = (String, &'a str, &'a str);

/// The comparison that each cell is judged by: throughput, or where an open loop set that, the waits' 99th
/// percentile.
pub(crate) struct Judged<'a> {
    candidates: HashMap<Key<'a>, &'a Comparison>,
    controls: HashMap<Key<'a>, &'a Comparison>,
}

impl<'a> Judged<'a> {
    pub(crate) fn of(report: &'a Report) -> Self {
        let indexed = |comparisons: &'a [Comparison]| {
            let key = |found: &'a Comparison| (found.case(), found.candidate.as_str(), found.metric.as_str());
            comparisons.iter().map(|found| (key(found), found)).collect()
        };
        Self { candidates: indexed(&report.comparisons), controls: indexed(&report.control) }
    }

    /// Against the baseline; none for the baseline itself.
    pub(crate) fn candidate(&self, cell: &Cell) -> Option<&'a Comparison> {
        self.candidates.get(&key(cell)).copied()
    }

    /// The control arm against the baseline.
    pub(crate) fn control(&self, cell: &Cell) -> Option<&'a Comparison> {
        self.controls.get(&key(cell)).copied()
    }
}

fn key(cell: &Cell) -> Key<'_> {
    let metric = if cell.is_open_loop() { "wait_p99" } else { "throughput" };
    (cell.case(), &cell.backend, metric)
}
