//! After many figures the few that one asks for: who won where, and where we did not.

use std::fmt::Write as _;

use comfy_table::{Cell as TableCell, CellAlignment};
use results::compare::is_control_arm;
use results::{Cell, Verdict, format_ratio};

use super::judged::Judged;
use super::screen::Screen;
use super::words;

/// Whose place is told.
const OURS: &str = "sync";
/// Cases that are named in a sentence; more are counted.
const NAMED_LIMIT: usize = 6;

/// A case in a line.
struct Place<'a> {
    case: String,
    /// Backends with their ratios to the baseline, the best first.
    ranking: Vec<(&'a str, f64)>,
    /// What our comparison with the baseline came to.
    ours: Option<Verdict>,
}

/// Appends the summary where there is more than one case and more than two backends.
pub(super) fn push(out: &mut String, cases: &[&[Cell]], judged: &Judged<'_>, screen: Screen) {
    let places: Vec<Place<'_>> = cases.iter().filter_map(|cells| place(cells, cases, judged)).collect();
    if places.len() < 2 || places.iter().all(|place| place.ranking.len() < 3) {
        return;
    }
    let _ = writeln!(out, "Who won where, by the ratio to the baseline\n");
    let mut table = screen.table(&["case", "first", "ratio", "second", "ratio", OURS, "place"]);
    for index in [2, 4, 5, 6] {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    for place in &places {
        table.add_row(row(place));
    }
    let _ = writeln!(out, "{}\n", table.trim_fmt());
    for sentence in sentences(&places) {
        let _ = writeln!(out, "{}", screen.wrap(&sentence));
    }
    out.push('\n');
}

fn place<'a>(cells: &'a [Cell], cases: &[&[Cell]], judged: &Judged<'_>) -> Option<Place<'a>> {
    let mut ranking: Vec<(&str, f64)> = cells
        .iter()
        .filter(|cell| !is_control_arm(&cell.backend))
        .filter_map(|cell| match judged.candidate(cell) {
            Some(comparison) => Some((cell.backend.as_str(), comparison.ratio?)),
            None => Some((cell.backend.as_str(), 1.0)),
        })
        .collect();
    ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
    let first = cells.first()?;
    let ours = cells.iter().find(|cell| cell.backend == OURS).and_then(|cell| judged.candidate(cell));
    let twins = |other: &&&[Cell]| other[0].workload == first.workload && other[0].variant == first.variant;
    let name = format!("{}.{}", first.workload, first.variant);
    let case = match cases.iter().filter(twins).count() {
        1 => name,
        _ => format!("{name} · {}", words::describe(&first.params)),
    };
    (!ranking.is_empty()).then_some(Place { case, ranking, ours: ours.map(|comparison| comparison.verdict) })
}

impl Place<'_> {
    /// From 1.
    fn ours(&self) -> Option<(usize, f64)> {
        let place = self.ranking.iter().position(|(backend, _)| *backend == OURS)?;
        Some((place + 1, self.ranking[place].1))
    }
}

fn row(place: &Place<'_>) -> Vec<TableCell> {
    let at = |rank: usize| {
        place.ranking.get(rank).map_or_else(
            || ["–".to_owned(), String::new()],
            |(backend, ratio)| [(*backend).to_owned(), format_ratio(*ratio)],
        )
    };
    let ours = place.ours().map_or_else(
        || ["–".to_owned(), "–".to_owned()],
        |(rank, ratio)| [format_ratio(ratio), format!("{rank} of {}", place.ranking.len())],
    );
    let cells = [place.case.clone()].into_iter().chain(at(0)).chain(at(1)).chain(ours);
    cells.map(TableCell::new).collect()
}

fn sentences(places: &[Place<'_>]) -> Vec<String> {
    let ranked: Vec<(&Place<'_>, usize)> =
        places.iter().filter_map(|place| Some((place, place.ours()?.0))).collect();
    if ranked.is_empty() {
        return Vec::new();
    }
    let won = ranked.iter().filter(|(_, rank)| *rank == 1).count();
    // What speaks against ours stands first.
    let mut sentences = Vec::new();
    let behind: Vec<&str> =
        ranked.iter().filter(|(_, rank)| *rank > 1).map(|(place, _)| place.case.as_str()).collect();
    let slower: Vec<&str> = ranked
        .iter()
        .filter(|(place, _)| place.ours == Some(Verdict::Slower))
        .map(|(place, _)| place.case.as_str())
        .collect();
    if !behind.is_empty() {
        sentences.push(format!("Another is ahead of {OURS} in {}.", named(&behind)));
    }
    if !slower.is_empty() {
        sentences.push(format!("{OURS} is slower than the baseline in {}.", named(&slower)));
    }
    sentences.push(format!("{OURS} comes first in {won} of {} cases.", ranked.len()));
    sentences
}

fn named(cases: &[&str]) -> String {
    let named = cases.iter().take(NAMED_LIMIT).copied().collect::<Vec<_>>().join("; ");
    match cases.len().saturating_sub(NAMED_LIMIT) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{cases, testing};
    use super::*;

    fn summary(report: &results::Report) -> String {
        let mut out = String::new();
        push(&mut out, &cases(&report.cells), &Judged::of(report), Screen { width: 80, colour: false });
        out
    }

    #[test]
    fn the_winner_of_each_case_and_our_losses_are_named() {
        let text = summary(&testing::report());
        assert!(text.contains("sync comes first in 1 of 2 cases."), "{text}");
        assert!(text.contains("Another is ahead of sync in mutex.many."), "{text}");
        assert!(text.contains("sync is slower than the baseline in mutex.many."), "{text}");
        let row = text.lines().find(|line| line.starts_with("mutex.many")).unwrap();
        assert!(row.contains("saa") && row.ends_with("3 of 3"), "{row}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn one_case_or_two_backends_need_no_summary() {
        let mut report = testing::report();
        report.cells.retain(|cell| cell.variant == "many");
        assert_eq!(summary(&report), "");
        let mut report = testing::report();
        report.cells.retain(|cell| cell.backend != "saa");
        assert_eq!(summary(&report), "");
    }

    #[test]
    fn many_losses_are_counted() {
        let cases: Vec<&str> = ["a", "b", "c", "d", "e", "f", "g", "h"].into();
        assert_eq!(named(&cases), "a; b; c; d; e; f; and 2 more");
    }
}
