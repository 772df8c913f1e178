//! A report case by case: cells and comparisons of the same case together, found in one pass.
//!
//! A sweep has hundreds of cases and thousands of comparisons; looking for each among all would take seconds.

use std::collections::HashMap;

use results::{Cell, Comparison, Report};

/// What a report has of one case.
#[derive(Debug)]
pub(super) struct Group<'r> {
    /// As [`Cell::case`] names it.
    pub(super) key: String,
    pub(super) cells: Vec<&'r Cell>,
    pub(super) comparisons: Vec<&'r Comparison>,
    pub(super) controls: Vec<&'r Comparison>,
}

impl Group<'_> {
    /// Backend compared against, where anything was compared.
    pub(super) fn baseline(&self) -> Option<&str> {
        let compared = self.comparisons.iter().chain(&self.controls).next();
        compared.map(|comparison| comparison.baseline.as_str())
    }
}

/// The cases in the order of the report's cells.
pub(super) fn groups(report: &Report) -> Vec<Group<'_>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for cell in &report.cells {
        let key = cell.case();
        let place = *places.entry(key).or_insert_with_key(|key| {
            groups.push(Group {
                key: key.clone(),
                cells: Vec::new(),
                comparisons: Vec::new(),
                controls: Vec::new(),
            });
            groups.len() - 1
        });
        groups[place].cells.push(cell);
    }
    for comparison in &report.comparisons {
        if let Some(&place) = places.get(&comparison.case()) {
            groups[place].comparisons.push(comparison);
        }
    }
    for control in &report.control {
        if let Some(&place) = places.get(&control.case()) {
            groups[place].controls.push(control);
        }
    }
    groups
}
