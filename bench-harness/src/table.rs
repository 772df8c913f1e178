//! Results for a person's eyes: fits 80 columns, grows with the window, and needs no colour to be read.

mod columns;
mod histograms;
mod judged;
mod screen;
mod summary;
#[cfg(test)]
mod testing;
mod words;

use std::fmt::Write as _;

use results::compare::is_control_arm;
use results::{Cell, Report, Status};

use crate::overview;

use columns::Line;
pub(crate) use judged::Judged;
pub(crate) use screen::Screen;
pub(crate) use words::{describe, interval, ratio, words};

/// More backends than these are not spoken of one by one: the table says it already.
const SPOKEN_OF_LIMIT: usize = 3;
/// Cases of which the histograms are drawn, and of which the tables are printed; of more the page is the place.
const DRAWN_LIMIT: usize = 12;
const PRINTED_LIMIT: usize = 60;

/// What the figures of an open loop mean.
const OPEN_LOOP: &str = "Open loop: operations begin by a schedule, and waits count from the intended start. Lag is \
     the bench's own, of operations whose task was free in time (it is part of their waits); behind are those \
     whose task was still busy.";

/// The whole report.
pub(crate) fn render(report: &Report, screen: Screen) -> String {
    let mut out = String::new();
    let judged = Judged::of(report);
    let cases = cases(&report.cells);
    if cases.len() <= PRINTED_LIMIT {
        for cells in &cases {
            push_case(&mut out, report, &judged, cells, cases.len() <= DRAWN_LIMIT, screen);
        }
    } else {
        let left_out = format!(
            "{} cases: the table of each is on the dashboard's page, and `export` writes them.",
            cases.len()
        );
        let _ = writeln!(out, "{}\n", screen.wrap(&left_out));
    }
    if candidates(&report.cells) <= SPOKEN_OF_LIMIT {
        overview::push(&mut out, report, &judged, screen);
    }
    summary::push(&mut out, &cases, &judged, screen);
    push_status(&mut out, report, screen);
    out
}

/// The cells of each case together, in the order of the report.
fn cases(cells: &[Cell]) -> Vec<&[Cell]> {
    let mut cases = Vec::new();
    let mut rest = cells;
    while let Some(first) = rest.first() {
        let same = |cell: &&Cell| {
            (&cell.workload, &cell.variant, &cell.params) == (&first.workload, &first.variant, &first.params)
        };
        let (case, others) = rest.split_at(rest.iter().take_while(same).count());
        cases.push(case);
        rest = others;
    }
    cases
}

/// Backends that are compared with the baseline.
fn candidates(cells: &[Cell]) -> usize {
    let mut backends: Vec<&str> =
        cells.iter().map(|cell| cell.backend.as_str()).filter(|backend| !is_control_arm(backend)).collect();
    backends.sort_unstable();
    backends.dedup();
    backends.len().saturating_sub(1)
}

fn push_case(
    out: &mut String,
    report: &Report,
    judged: &Judged<'_>,
    cells: &[Cell],
    drawn: bool,
    screen: Screen,
) {
    let first = &cells[0];
    let case = format!("{}.{} · {}", first.workload, first.variant, describe(&first.params));
    let _ = writeln!(out, "{}", screen.wrap(&case));
    let _ = writeln!(out, "{} · {} rounds\n", report.environment.runtime, first.rounds.len());
    let arms: Vec<&Cell> = cells.iter().filter(|cell| !is_control_arm(&cell.backend)).collect();
    let lines: Vec<Line<'_>> = arms.iter().map(|cell| Line::new(cell, judged.candidate(cell))).collect();
    let _ = writeln!(out, "{}\n", columns::table(&lines, screen));
    if drawn {
        histograms::push(out, &arms, screen);
    }
    if first.is_open_loop() {
        let _ = writeln!(out, "{}", screen.wrap(OPEN_LOOP));
    }
    for cell in &arms {
        if let Some(figure) = &cell.peer_figure {
            let sentence = format!("{} in the peer's unit: {figure}.", cell.backend);
            let _ = writeln!(out, "{}", screen.wrap(&sentence));
        }
    }
    if let Some(futile) = words::futile_wakeups(&arms) {
        let _ = writeln!(out, "{}", screen.wrap(&futile));
    }
    for cell in &arms {
        if let Some(sentence) = cell.composed_sentence() {
            let _ = writeln!(out, "{}", screen.wrap(&sentence));
        }
    }
    push_sentences(out, judged, &arms, screen);
    for control in cells.iter().filter_map(|cell| judged.control(cell)) {
        let _ = writeln!(out, "{}", screen.wrap(&words::noise_floor(control)));
    }
    out.push('\n');
}

/// Few backends in a sentence each; of many only those whose question is open, with what could have been seen.
fn push_sentences(out: &mut String, judged: &Judged<'_>, arms: &[&Cell], screen: Screen) {
    let compared: Vec<_> = arms.iter().filter_map(|cell| judged.candidate(cell)).collect();
    if compared.len() <= SPOKEN_OF_LIMIT {
        for comparison in &compared {
            let _ = writeln!(out, "{}", screen.wrap(&words::sentence(comparison)));
        }
    } else if let Some(sentence) = words::open_questions(&compared) {
        let _ = writeln!(out, "{}", screen.wrap(&sentence));
    }
}

fn push_status(out: &mut String, report: &Report, screen: Screen) {
    match report.run.status {
        Status::Interrupted => {
            let _ = writeln!(out, "Interrupted: this is what was measured until then.");
        }
        Status::Invalid => {
            let _ = writeln!(out, "NOT VALID: do not rely on these figures.");
        }
        Status::Complete | Status::Running => {}
    }
    for check in report.validity.iter().filter(|check| !check.pass) {
        let _ = writeln!(out, "{}", screen.wrap(&format!("{}: {}", check.check, check.detail)));
    }
}
