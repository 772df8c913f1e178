//! Results for a person's eyes: fits 80 columns, grows with the window, and needs no colour to be read.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use comfy_table::{Cell as TableCell, CellAlignment, Color, ContentArrangement, Table, TableStyle, presets};
use results::compare::is_control_arm;
use results::{
    Cell, Comparison, OpenLoop, Params, Report, Round, Spread, Status, Verdict, format_ns, format_rate,
    format_ratio,
};

use crate::overview;

/// Width where there is no terminal to ask.
const PLAIN_WIDTH: u16 = 80;
/// A terminal that says it is narrower does not know its width; some say 0.
const NARROWEST: u16 = 40;
/// From here on a figure and its range fit beside each other.
const WIDE: u16 = 112;

/// What the output can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Screen {
    pub(crate) width: u16,
    pub(crate) colour: bool,
}

impl Screen {
    /// What standard output can show. Colour is for terminals, unless `NO_COLOR` is set.
    pub(crate) fn of_stdout() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let asked = if terminal { Table::new().width() } else { None };
        let width = asked.filter(|width| *width >= NARROWEST).unwrap_or(PLAIN_WIDTH);
        Self { width, colour: terminal && !no_colour }
    }

    /// A table without lines that keeps within the screen.
    pub(crate) fn table(self, header: &[&str]) -> Table {
        let mut table = Table::new();
        table
            .load_style(STYLE)
            .force_no_tty()
            .enforce_styling()
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(self.width)
            .set_header(header);
        table
    }

    /// Breaks a sentence at its spaces; what follows the first line is indented.
    fn wrap(self, sentence: &str) -> String {
        let mut out = String::new();
        let mut column = 0;
        for word in sentence.split_whitespace() {
            let length = word.chars().count();
            if column > 0 && column + 1 + length > usize::from(self.width) {
                out.push_str("\n  ");
                column = 2;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
        out
    }

    /// The verdict's word; the colour only repeats it.
    pub(crate) fn verdict(self, verdict: Verdict) -> TableCell {
        let cell = TableCell::new(verdict.name());
        match verdict {
            Verdict::Faster if self.colour => cell.fg(Color::Green),
            Verdict::Slower if self.colour => cell.fg(Color::Red),
            _ => cell,
        }
    }
}

/// Only a rule below the header.
const STYLE: TableStyle =
    presets::NOTHING.header_separator(comfy_table::LineStyle::none().fill('─').junction('─'));

/// The whole report.
pub(crate) fn render(report: &Report, screen: Screen) -> String {
    let mut out = String::new();
    let mut rest = report.cells.as_slice();
    while let Some(first) = rest.first() {
        let case = first.case();
        let length = rest.iter().take_while(|cell| cell.case() == case).count();
        let (cells, others) = rest.split_at(length);
        push_case(&mut out, report, cells, screen);
        rest = others;
    }
    overview::push(&mut out, report, screen);
    push_status(&mut out, report, screen);
    out
}

const HEADER: &[&str] = &["backend", "ops/s", "ratio", "verdict", "wait p50", "p99", "waited", "Jain"];
const OPEN_LOOP_HEADER: &[&str] =
    &["backend", "asked", "achieved", "wait p50", "p99", "max", "lag (max)", "behind"];
/// What the figures of an open loop mean.
const OPEN_LOOP: &str = "Open loop: operations begin by a schedule, and waits count from the intended start. Lag is \
     the bench's own, of operations whose task was free in time (it is part of their waits); behind are those \
     whose task was still busy.";

fn push_case(out: &mut String, report: &Report, cells: &[Cell], screen: Screen) {
    let first = &cells[0];
    let case = format!("{}.{} · {}", first.workload, first.variant, describe(&first.params));
    let _ = writeln!(out, "{}", screen.wrap(&case));
    let _ = writeln!(out, "{} · {} rounds\n", report.environment.runtime, first.rounds.len());
    let open_loop = first.is_open_loop();
    let (header, right): (&[&str], &[usize]) =
        if open_loop { (OPEN_LOOP_HEADER, &[1, 2, 3, 4, 5, 6, 7]) } else { (HEADER, &[1, 2, 4, 5, 6, 7]) };
    let mut table = screen.table(header);
    for &index in right {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    for cell in cells.iter().filter(|cell| !is_control_arm(&cell.backend)) {
        table.add_row(match &cell.open_loop {
            Some(open_loop) => open_loop_row(cell, open_loop, screen),
            None => row(cell, judged(&report.comparisons, cell), screen),
        });
    }
    let _ = writeln!(out, "{}\n", table.trim_fmt());
    if open_loop {
        let _ = writeln!(out, "{}", screen.wrap(OPEN_LOOP));
    }
    let composed = cells
        .iter()
        .filter(|cell| !is_control_arm(&cell.backend))
        .filter_map(|cell| Some((cell, cell.composed.as_ref()?)));
    for (cell, parts) in composed {
        let _ = writeln!(out, "{} has no {} of its own: {parts}.", cell.backend, cell.workload);
    }
    if let Some(futile) = futile_wakeups(cells) {
        let _ = writeln!(out, "{}", screen.wrap(&futile));
    }
    for cell in cells {
        if let Some(comparison) = judged(&report.comparisons, cell) {
            let _ = writeln!(out, "{}", screen.wrap(&sentence(comparison)));
        }
        if let Some(comparison) = judged(&report.control, cell) {
            let _ = writeln!(out, "{}", screen.wrap(&noise_floor(comparison)));
        }
    }
    out.push('\n');
}

fn row(cell: &Cell, comparison: Option<&Comparison>, screen: Screen) -> Vec<TableCell> {
    let gap = if screen.width >= WIDE { " " } else { "\n" };
    let spread = &cell.throughput_ops_per_s;
    let contended = cell.rounds.iter().map(|round| round.contended_fraction).collect::<Vec<_>>();
    let contended = results::statistics::median(&contended).unwrap_or_default();
    let quantile = |ns: Option<u64>| TableCell::new(ns.map_or_else(|| "–".into(), |ns| format_ns(ns as f64)));
    let (ratio, verdict) = match comparison {
        Some(comparison) => (
            format!("{}{gap}{}", ratio(comparison), interval(comparison).unwrap_or_else(|| "–".into())),
            screen.verdict(comparison.verdict),
        ),
        None => ("1×".into(), TableCell::new("baseline")),
    };
    vec![
        TableCell::new(&cell.backend),
        TableCell::new(format!("{}{gap}{}", format_rate(spread.median), range(spread))),
        TableCell::new(ratio),
        verdict,
        quantile(cell.wait_ns.p50),
        quantile(cell.wait_ns.p99),
        TableCell::new(format!("{:.0} %", contended * 100.0)),
        TableCell::new(format!("{:.3}", cell.fairness.jain)),
    ]
}

fn open_loop_row(cell: &Cell, open_loop: &OpenLoop, screen: Screen) -> Vec<TableCell> {
    let gap = if screen.width >= WIDE { " " } else { "\n" };
    let (lag, longest) = (format_ns(open_loop.lag_mean_ns), format_ns(open_loop.lag_max_ns as f64));
    let wait = |ns: Option<u64>| TableCell::new(ns.map_or_else(|| "–".into(), |ns| format_ns(ns as f64)));
    vec![
        TableCell::new(&cell.backend),
        TableCell::new(format_rate(open_loop.rate_ops_per_s)),
        TableCell::new(format_rate(open_loop.achieved_ops_per_s)),
        wait(cell.wait_ns.p50),
        wait(cell.wait_ns.p99),
        wait((cell.wait_ns.count > 0).then_some(cell.wait_ns.max)),
        TableCell::new(format!("{lag}{gap}({longest})")),
        TableCell::new(format!("{:.1} %", open_loop.behind_fraction * 100.0)),
    ]
}

/// `1.58–1.66`, in the unit in which the median beside it is given.
fn range(spread: &Spread) -> String {
    let median = format_rate(spread.median);
    let unit = median.split_once(' ').map_or("/s", |(_, unit)| unit);
    let scale = [("G/s", 1e9), ("M/s", 1e6), ("k/s", 1e3)].iter().find(|(name, _)| *name == unit);
    let scale = scale.map_or(1.0, |(_, scale)| *scale);
    let number = |ops_per_s: f64| {
        let scaled = ops_per_s / scale;
        if scaled < 10.0 { format!("{scaled:.2}") } else { format!("{scaled:.0}") }
    };
    format!("{}–{}", number(spread.min), number(spread.max))
}

/// How often a task was woken in vain, on each backend whose tasks look for themselves.
fn futile_wakeups(cells: &[Cell]) -> Option<String> {
    let per_operation = |cell: &Cell| {
        let of_round = |round: &Round| Some(round.futile_wakeups? as f64 / round.ops.max(1) as f64);
        results::statistics::median(&cell.rounds.iter().filter_map(of_round).collect::<Vec<_>>())
    };
    let seen: Vec<String> = cells
        .iter()
        .filter(|cell| !is_control_arm(&cell.backend))
        .filter_map(|cell| Some(format!("{} {:.2}", cell.backend, per_operation(cell)?)))
        .collect();
    (!seen.is_empty()).then(|| format!("Futile wake-ups per operation: {}.", seen.join(", ")))
}

/// The comparison that a cell is judged by: throughput, or where an open loop set that, the waits' 99th percentile.
pub(crate) fn judged<'a>(comparisons: &'a [Comparison], cell: &Cell) -> Option<&'a Comparison> {
    let case = cell.case();
    let metric = if cell.is_open_loop() { "wait_p99" } else { "throughput" };
    comparisons.iter().find(|comparison| {
        comparison.metric == metric && comparison.candidate == cell.backend && comparison.case() == case
    })
}

/// What a comparison comes to, in words that say the same whoever wins.
fn sentence(comparison: &Comparison) -> String {
    let Comparison { baseline, candidate, rounds, .. } = comparison;
    let (Some(_), Some(interval)) = (comparison.ratio, interval(comparison)) else {
        return format!("{candidate} against {baseline}: too few rounds ({rounds}) to say anything.");
    };
    let sure = format!("{:.0} % interval {interval}, {rounds} rounds", comparison.confidence * 100.0);
    let ratio = ratio(comparison);
    let figure = match comparison.metric.as_str() {
        "throughput" => format!("{candidate} has {ratio} the throughput of {baseline} ({sure})"),
        _ => format!("99th percentile of the waits, {baseline} over {candidate}: {ratio} ({sure})"),
    };
    match comparison.verdict {
        Verdict::Faster => format!("{figure}: faster."),
        Verdict::Slower => format!("{figure}: slower."),
        Verdict::Equivalent => format!("{figure}: no difference that matters."),
        Verdict::Inconclusive => format!("{figure}: inconclusive; more --rounds may tell."),
    }
}

fn noise_floor(comparison: &Comparison) -> String {
    let interval = interval(comparison).unwrap_or_else(|| "no interval".into());
    format!("Noise floor: {} against itself came out at {interval} in this run.", comparison.baseline)
}

pub(crate) fn ratio(comparison: &Comparison) -> String {
    comparison.ratio.map_or_else(|| "–".into(), format_ratio)
}

/// `1.58–1.66`
pub(crate) fn interval(comparison: &Comparison) -> Option<String> {
    let [low, high] = comparison.ci?.map(format_ratio);
    Some(format!("{}–{}", low.trim_end_matches('×'), high.trim_end_matches('×')))
}

/// `64 tasks · 16 permits · hold 1 µs, spin`
pub(crate) fn describe(params: &Params) -> String {
    words(params).join(" · ")
}

/// What there is to say of the parameters, each on its own.
pub(crate) fn words(params: &Params) -> Vec<String> {
    let number = |key: &str| params.get(key).and_then(serde_json::Value::as_f64);
    let mut words: Vec<String> = Vec::new();
    for (key, one, many) in [("tasks", "task", "tasks"), ("permits", "permit", "permits")] {
        words.extend(number(key).map(|count| format!("{count} {}", if count == 1.0 { one } else { many })));
    }
    let mode = params.get("hold_mode").and_then(serde_json::Value::as_str).unwrap_or("spin");
    words.extend(number("hold_ns").map(|ns| match (ns, mode) {
        (0.0, "yield") => "one yield while holding".into(),
        (0.0, _) => "no hold".into(),
        (ns, mode) => format!("hold {}, {mode}", format_ns(ns)),
    }));
    words.extend(number("think_ns").filter(|ns| *ns > 0.0).map(|ns| format!("think {}", format_ns(ns))));
    words.extend(
        number("cancel_percent").filter(|share| *share > 0.0).map(|share| format!("{share} % cancelled")),
    );
    words.extend(number("rate_ops_per_s").map(|rate| format!("open loop, {}", format_rate(rate))));
    words
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_broken_at_spaces_and_keep_every_word() {
        let screen = Screen { width: 20, colour: false };
        let sentence = "sync has 1.62× the throughput of tokio (95 % interval 1.58–1.66, 20 rounds): faster.";
        let wrapped = screen.wrap(sentence);
        assert!(wrapped.lines().all(|line| line.chars().count() <= 20), "{wrapped}");
        assert_eq!(
            wrapped.split_whitespace().collect::<Vec<_>>(),
            sentence.split_whitespace().collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_range_is_in_the_unit_of_its_median() {
        let range = |min, median, max| range(&Spread { min, median, max });
        assert_eq!(range(9e5, 1.5e6, 2.25e6), "0.90–2.25");
        assert_eq!(range(142e3, 247e3, 360e3), "142–360");
        assert_eq!(range(0.0, 0.0, 0.0), "0.00–0.00");
    }

    #[test]
    fn a_verdict_reads_the_same_whoever_wins() {
        let mut comparison = Comparison {
            workload: "mutex".into(),
            variant: "exclusive".into(),
            params: Params::new(),
            metric: "throughput".into(),
            baseline: "tokio".into(),
            candidate: "sync".into(),
            ratio: Some(1.62),
            ci: Some([1.58, 1.66]),
            confidence: 0.95,
            method: String::new(),
            rounds: 20,
            p_adjusted: None,
            detectable: None,
            verdict: Verdict::Faster,
        };
        assert_eq!(
            sentence(&comparison),
            "sync has 1.62× the throughput of tokio (95 % interval 1.58–1.66, 20 rounds): faster."
        );
        (comparison.ratio, comparison.ci, comparison.verdict) =
            (Some(0.8), Some([0.75, 0.85]), Verdict::Slower);
        assert_eq!(
            sentence(&comparison),
            "sync has 0.800× the throughput of tokio (95 % interval 0.750–0.850, 20 rounds): slower."
        );
        (comparison.ci, comparison.rounds) = (None, 3);
        assert!(sentence(&comparison).contains("too few rounds"));
    }
}
