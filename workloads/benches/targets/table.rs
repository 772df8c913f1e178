//! From figures of rounds to the rows of a table, in Markdown.

use results::statistics::paired::{PairedEstimate, estimate};

use crate::Bound;
use crate::operations::BACKENDS;
use crate::rounds::Cell;

const CONFIDENCE: f64 = 0.95;
const NONE: &str = "–";
/// Times from here on are written in a larger unit.
const LARGE_NS: f64 = 10_000.0;

/// Estimate and interval; an estimate without its interval says too much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    pub(crate) value: f64,
    pub(crate) interval: [f64; 2],
}

impl Figure {
    /// Of one round each; Hodges and Lehmann's estimate on the logarithm, with Wilcoxon's interval.
    pub(crate) fn of(rounds: &[f64]) -> Option<Self> {
        let PairedEstimate { ratio: Some(value), ci, .. } = estimate(rounds, CONFIDENCE) else { return None };
        Some(Self { value, interval: ci.unwrap_or([0.0, f64::INFINITY]) })
    }

    /// Of the ratios round by round.
    pub(crate) fn of_ratio(of: &Cell, to: &Cell) -> Option<Self> {
        let ratios: Vec<f64> = of.ns.iter().zip(&to.ns).map(|(of, to)| of / to).collect();
        Self::of(&ratios)
    }

    fn text(self, digits: usize) -> String {
        let Self { value, interval: [low, high] } = self;
        format!("{value:.digits$} [{low:.digits$}, {high:.digits$}]")
    }

    /// Whether it keeps below the bound, as far as this run can tell.
    fn verdict(self, bound: f64) -> &'static str {
        match self.interval {
            [_, high] if high <= bound => "yes",
            [low, _] if low > bound => "no",
            _ => "undecided",
        }
    }
}

/// The heading of the table.
pub(crate) fn head() -> String {
    let rivals: Vec<String> = BACKENDS[1..]
        .iter()
        .map(|backend| format!("{}{}", backend.name, if backend.fair { "" } else { " (unfair)" }))
        .collect();
    let columns = 7 + rivals.len();
    format!(
        "| ns an operation | limit | sync | sync / limit | sync / itself | {} | target | met |\n|{}\n",
        rivals.join(" | "),
        "---|".repeat(columns)
    )
}

/// One row: the arms of a group, in any order.
pub(crate) fn row(title: &str, arms: &[Cell], limit: Option<&str>, bound: Option<Bound>) -> String {
    let find = |name: &str| arms.iter().find(|cell| cell.operation.arm == name && !cell.again);
    let (ours, again) = (find("sync"), arms.iter().find(|cell| cell.again));
    let limit = limit.and_then(find).or_else(|| arms.iter().find(|cell| cell.operation.is_limit));
    let Some(ours) = ours else { return String::new() };

    let mut row = vec![title.to_owned()];
    row.push(limit.map_or(NONE.to_owned(), |cell| match Figure::of(&cell.ns) {
        Some(figure) => format!("{:.1} ({})", figure.value, cell.operation.arm),
        None => NONE.to_owned(),
    }));
    let figure = Figure::of(&ours.ns);
    let to_limit = limit.and_then(|limit| Figure::of_ratio(ours, limit));
    let to_itself = again.and_then(|again| Figure::of_ratio(again, ours));
    row.push(figure.map_or(NONE.to_owned(), |figure| figure.text(1)));
    row.push(to_limit.map_or(NONE.to_owned(), |ratio| ratio.text(2)));
    row.push(to_itself.map_or(NONE.to_owned(), |ratio| ratio.text(2)));
    for backend in &BACKENDS[1..] {
        row.push(find(backend.name).map_or(NONE.to_owned(), |rival| beside(rival, ours)));
    }
    let (target, met) = match bound {
        None => (NONE.to_owned(), NONE),
        Some(Bound::Ns(ns)) => (format!("≤ {ns}"), figure.map_or(NONE, |figure| figure.verdict(ns))),
        Some(Bound::TimesLimit(times)) => {
            let name = limit.map_or("limit", |limit| limit.operation.arm);
            (format!("≤ {times} × {name}"), to_limit.map_or(NONE, |ratio| ratio.verdict(times)))
        }
    };
    row.extend([target, met.to_owned()]);
    format!("| {} |\n", row.join(" | "))
}

/// A rival's time, how many times ours it is (or ≈, where this run cannot tell them apart), and * where its primitive
/// is composed.
fn beside(rival: &Cell, ours: &Cell) -> String {
    let (Some(Figure { value: ns, .. }), Some(ratio)) =
        (Figure::of(&rival.ns), Figure::of_ratio(rival, ours))
    else {
        return NONE.to_owned();
    };
    let time = if ns < LARGE_NS { format!("{ns:.1}") } else { results::format_ns(ns) };
    let [low, high] = ratio.interval;
    let times = if low <= 1.0 && 1.0 <= high { "≈".to_owned() } else { results::format_ratio(ratio.value) };
    let mark = if rival.operation.composed.is_some() { "*" } else { "" };
    format!("{time} ({times}){mark}")
}

/// What the rivals' stars stand for.
pub(crate) fn composed(cells: &[Cell]) -> String {
    let mut notes: Vec<String> = Vec::new();
    for Cell { operation, .. } in cells {
        if let Some(parts) = operation.composed {
            let note = format!("{}'s {} of {parts}", operation.arm, operation.family());
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    format!("\n\\* composed, as users of the library do: {}.\n", notes.join("; "))
}

/// What being watched adds to a call.
pub(crate) fn difference(
    title: &str,
    watched: &[f64],
    unwatched: &[f64],
    calls: f64,
    bound_ns: f64,
) -> String {
    // A difference has no logarithm where it is negative: the estimate is of the ratio, from which the difference
    // follows.
    let ratios: Vec<f64> = watched.iter().zip(unwatched).map(|(with, without)| with / without).collect();
    let (Some(ratio), Some(without)) = (Figure::of(&ratios), Figure::of(unwatched)) else {
        return String::new();
    };
    let added = |ratio: f64| (ratio - 1.0) * without.value / calls;
    let added = Figure { value: added(ratio.value), interval: ratio.interval.map(added) };
    format!("| {title} | {} | ≤ {bound_ns} | {} |\n", added.text(2), added.verdict(bound_ns))
}
