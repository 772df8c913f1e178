//! A sweep at a glance: after the tables of its cases, one line for each case and backend, with what differs.

use std::fmt::Write as _;

use comfy_table::{Cell as TableCell, CellAlignment};
use results::compare::is_control_arm;
use results::{Cell, Report, format_rate};

use crate::table::{Judged, Screen, interval, ratio, words};

/// Appends an overview of each variant that the report has under several parameters.
pub(crate) fn push(out: &mut String, report: &Report, judged: &Judged<'_>, screen: Screen) {
    let mut names: Vec<(&str, &str)> = Vec::new();
    for cell in &report.cells {
        let name = (cell.workload.as_str(), cell.variant.as_str());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for (workload, variant) in names {
        let of_variant = |cell: &&Cell| cell.workload == workload && cell.variant == variant;
        let cells: Vec<&Cell> = report.cells.iter().filter(of_variant).collect();
        if cells.iter().any(|cell| cell.params != cells[0].params) {
            push_variant(out, judged, &cells, screen);
        }
    }
}

fn push_variant(out: &mut String, judged: &Judged<'_>, cells: &[&Cell], screen: Screen) {
    let common = common_words(cells);
    let _ = writeln!(out, "{}.{} · {}\n", cells[0].workload, cells[0].variant, heading(&common));
    let mut table = screen.table(&["case", "backend", "ops/s", "ratio", "interval", "verdict"]);
    for index in [2, 3, 4] {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    let mut last = None;
    for cell in cells.iter().filter(|cell| !is_control_arm(&cell.backend)) {
        let first_of_case = last != Some(&cell.params);
        last = Some(&cell.params);
        let case = if first_of_case { differing(cell, &common) } else { String::new() };
        let (ratio, interval, verdict) = match judged.candidate(cell) {
            Some(comparison) => (
                ratio(comparison),
                interval(comparison).unwrap_or_else(|| "–".into()),
                screen.verdict(comparison.verdict),
            ),
            None => ("1×".into(), String::new(), TableCell::new("baseline")),
        };
        table.add_row(vec![
            TableCell::new(case),
            TableCell::new(&cell.backend),
            TableCell::new(format_rate(cell.throughput_ops_per_s.median)),
            TableCell::new(ratio),
            TableCell::new(interval),
            verdict,
        ]);
    }
    let _ = writeln!(out, "{}\n", table.trim_fmt());
}

/// What the parameters of all cells have in common.
fn common_words(cells: &[&Cell]) -> Vec<String> {
    let mut common = words(&cells[0].params);
    for cell in cells {
        let own = words(&cell.params);
        common.retain(|word| own.contains(word));
    }
    common
}

fn heading(common: &[String]) -> String {
    if common.is_empty() { "all cases".into() } else { format!("all cases with {}", common.join(" · ")) }
}

/// What this case has alone. A word may be left out where its value is none, as of no think time.
fn differing(cell: &Cell, common: &[String]) -> String {
    let own: Vec<String> = words(&cell.params).into_iter().filter(|word| !common.contains(word)).collect();
    if own.is_empty() { "none of it".into() } else { own.join(" · ") }
}
