//! The columns of a case's table: those that always stand there, and those for which a wider window has room.

use comfy_table::{Cell as TableCell, CellAlignment};
use results::{Cell, Comparison, Costs, Spread, format_ns, format_rate};

use super::screen::Screen;
use super::words::{interval, ratio};

/// From here on a figure and its range fit beside each other.
const WIDE: u16 = 112;
/// Shown where there is no figure.
const NONE: &str = "–";

/// What a line of the table is made from.
pub(super) struct Line<'a> {
    pub(super) cell: &'a Cell,
    pub(super) comparison: Option<&'a Comparison>,
    costs: Costs,
}

impl<'a> Line<'a> {
    pub(super) fn new(cell: &'a Cell, comparison: Option<&'a Comparison>) -> Self {
        Self { cell, comparison, costs: cell.costs() }
    }
}

/// A column; the text of a line may have two rows, a figure and its range.
struct Column {
    title: &'static str,
    text: fn(&Line<'_>) -> String,
}

const NAME: Column = Column { title: "backend", text: |line| line.cell.backend.clone() };
const VERDICT: &str = "verdict";

/// What a closed loop is about.
const CLOSED_LOOP: &[Column] = &[
    NAME,
    Column { title: "ops/s", text: throughput },
    Column { title: "ratio", text: compared },
    Column { title: VERDICT, text: verdict },
    Column { title: "wait p50", text: |line| wait(line.cell.wait_ns.p50) },
    Column { title: "p99", text: |line| wait(line.cell.wait_ns.p99) },
    Column { title: "waited", text: contended },
    Column { title: "Jain", text: |line| format!("{:.3}", line.cell.fairness.jain) },
];

/// An open loop is about how the schedule was kept.
const OPEN_LOOP: &[Column] = &[
    NAME,
    Column { title: "asked", text: |line| open(line, |open| format_rate(open.rate_ops_per_s)) },
    Column { title: "achieved", text: |line| open(line, |open| format_rate(open.achieved_ops_per_s)) },
    Column { title: "wait p50", text: |line| wait(line.cell.wait_ns.p50) },
    Column { title: "p99", text: |line| wait(line.cell.wait_ns.p99) },
    Column {
        title: "max",
        text: |line| wait((line.cell.wait_ns.count > 0).then_some(line.cell.wait_ns.max)),
    },
    Column {
        title: "lag (max)",
        text: |line| {
            let lag =
                |open: &results::OpenLoop| (format_ns(open.lag_mean_ns), format_ns(open.lag_max_ns as f64));
            open(line, |open| format!("{}\n({})", lag(open).0, lag(open).1))
        },
    },
    Column {
        title: "behind",
        text: |line| open(line, |open| format!("{:.1} %", open.behind_fraction * 100.0)),
    },
];

/// For a wider window, the most wanted first. A column without any figure is left out.
const MORE: &[Column] = &[
    Column { title: "p99.9", text: |line| wait(line.cell.wait_ns.p999) },
    Column { title: "CPU/op", text: |line| line.costs.cpu_ns_per_op.map_or_else(none, format_ns) },
    Column {
        title: "least share",
        text: |line| format!("{:.0} %", line.cell.fairness.smallest_share * 100.0),
    },
    Column {
        title: "longest wait",
        text: |line| wait((line.cell.wait_ns.count > 0).then_some(line.cell.fairness.longest_wait_ns)),
    },
    Column { title: "queue", text: |line| count(line.costs.queue_depth) },
    Column { title: "sleeps/op", text: |line| count(line.costs.voluntary_switches_per_op) },
    Column { title: "preempted/op", text: |line| count(line.costs.involuntary_switches_per_op) },
    Column { title: "allocs/op", text: |line| count(line.costs.allocations_per_op) },
    Column { title: "futile/op", text: |line| count(line.costs.futile_wakeups_per_op) },
    Column {
        title: "recorder",
        text: |line| line.cell.recorder_share.map_or_else(none, |share| format!("{:.0} %", share * 100.0)),
    },
    Column {
        title: "forced yields/op",
        text: |line| count(line.costs.forced_yields_per_op.filter(|yields| *yields > 0.0)),
    },
];

/// The table of a case, as wide as the screen allows and no wider than it has to say.
pub(super) fn table(lines: &[Line<'_>], screen: Screen) -> String {
    let open_loop = lines.iter().any(|line| line.cell.is_open_loop());
    let always = if open_loop { OPEN_LOOP } else { CLOSED_LOOP };
    let gap = if screen.width >= WIDE { " " } else { "\n" };
    let filled = |column: &Column| -> Vec<String> {
        lines.iter().map(|line| (column.text)(line).replace('\n', gap)).collect()
    };
    let mut columns: Vec<(&Column, Vec<String>)> =
        always.iter().map(|column| (column, filled(column))).collect();
    let mut width: usize = columns.iter().map(|(column, texts)| needs(column, texts)).sum();
    let tight = width > usize::from(screen.width);
    if tight {
        let (column, names) = &mut columns[0];
        let before = needs(column, names);
        names.iter_mut().for_each(|name| *name = in_two_rows(name));
        width -= before - needs(column, names) + columns.len();
    }
    let gap_saved = usize::from(tight);
    for column in MORE {
        let texts = filled(column);
        let needed = needs(column, &texts) - gap_saved;
        if texts.iter().any(|text| text != NONE) && width + needed <= usize::from(screen.width) {
            width += needed;
            columns.push((column, texts));
        }
    }

    let header: Vec<&str> = columns.iter().map(|(column, _)| column.title).collect();
    let mut table = screen.table(&header);
    for (index, (column, _)) in columns.iter().enumerate() {
        let Some(shown) = table.column_mut(index) else { continue };
        shown.set_padding((0, u16::from(!tight)));
        if column.title != NAME.title && column.title != VERDICT {
            shown.set_cell_alignment(CellAlignment::Right);
        }
    }
    for (place, line) in lines.iter().enumerate() {
        let cells = columns.iter().map(|(column, texts)| match line.comparison {
            Some(comparison) if column.title == VERDICT => screen.verdict(comparison.verdict),
            _ => TableCell::new(&texts[place]),
        });
        table.add_row(cells.collect::<Vec<_>>());
    }
    table.trim_fmt()
}

/// A long name is broken where it has a hyphen, rather than where the column ends.
fn in_two_rows(name: &str) -> String {
    const LONG: usize = 13;
    match name.rsplit_once('-') {
        Some((front, back)) if name.chars().count() > LONG => format!("{front}-\n{back}"),
        _ => name.to_owned(),
    }
}

/// Columns of the screen that a column of the table takes, with the two spaces behind it.
fn needs(column: &Column, texts: &[String]) -> usize {
    let rows = texts.iter().flat_map(|text| text.lines()).chain([column.title]);
    rows.map(|row| row.chars().count()).max().unwrap_or_default() + 2
}

fn throughput(line: &Line<'_>) -> String {
    let spread = &line.cell.throughput_ops_per_s;
    format!("{}\n{}", format_rate(spread.median), range(spread))
}

fn compared(line: &Line<'_>) -> String {
    line.comparison.map_or_else(
        || "1×".into(),
        |comparison| format!("{}\n{}", ratio(comparison), interval(comparison).unwrap_or_else(none)),
    )
}

fn verdict(line: &Line<'_>) -> String {
    line.comparison.map_or_else(|| "baseline".into(), |comparison| comparison.verdict.name().into())
}

fn contended(line: &Line<'_>) -> String {
    let contended: Vec<f64> = line.cell.rounds.iter().map(|round| round.contended_fraction).collect();
    format!("{:.0} %", results::statistics::median(&contended).unwrap_or_default() * 100.0)
}

fn wait(ns: Option<u64>) -> String {
    ns.map_or_else(none, |ns| format_ns(ns as f64))
}

fn open(line: &Line<'_>, text: impl Fn(&results::OpenLoop) -> String) -> String {
    line.cell.open_loop.as_ref().map_or_else(none, text)
}

/// A count for an operation; what is rarer than one in a thousand is said to be so.
fn count(count: Option<f64>) -> String {
    match count {
        None => none(),
        Some(0.0) => "0".into(),
        Some(count) if count < 0.001 => "<0.001".into(),
        Some(count) if count < 10.0 => format!("{count:.3}"),
        Some(count) => format!("{count:.1}"),
    }
}

fn none() -> String {
    NONE.into()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_in_the_unit_of_its_median() {
        let range = |min, median, max| range(&Spread { min, median, max });
        assert_eq!(range(9e5, 1.5e6, 2.25e6), "0.90–2.25");
        assert_eq!(range(142e3, 247e3, 360e3), "142–360");
        assert_eq!(range(0.0, 0.0, 0.0), "0.00–0.00");
    }

    #[test]
    fn a_rare_event_is_not_rounded_to_never() {
        assert_eq!(
            [None, Some(0.0), Some(1e-5), Some(0.25), Some(37.0)].map(count),
            ["–", "0", "<0.001", "0.250", "37.0"]
        );
    }

    #[test]
    fn no_word_is_cut_in_eighty_columns_with_the_longest_names() {
        let mut report = super::super::testing::report();
        for (cell, name) in
            report.cells.iter_mut().zip(["tokio-unconstrained", "futures-intrusive", "async-lock"])
        {
            cell.backend = name.to_owned();
            cell.throughput_ops_per_s = Spread { median: 247e3, min: 142e3, max: 360e3 };
        }
        let mut comparison = report.comparisons.remove(0);
        comparison.verdict = results::Verdict::Inconclusive;
        (comparison.ratio, comparison.ci) = (Some(0.183), Some([0.079, 0.273]));
        let cells = report.cells.iter().take(3);
        let lines: Vec<Line<'_>> = cells.map(|cell| Line::new(cell, Some(&comparison))).collect();
        let table = table(&lines, Screen { width: 80, colour: false });
        for word in [
            "tokio-",
            "unconstrained",
            "futures-",
            "intrusive",
            "async-lock",
            "inconclusive",
            "0.079–0.273",
            "142–360",
        ] {
            assert!(table.split_whitespace().any(|shown| shown == word), "no {word} in {table}");
        }
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    }

    #[test]
    fn a_wider_window_shows_more_and_a_narrow_one_still_fits() {
        let report = super::super::testing::report();
        let lines: Vec<Line<'_>> = report.cells.iter().map(|cell| Line::new(cell, None)).collect();
        let at = |width| table(&lines, Screen { width, colour: false });
        let (narrow, wide) = (at(80), at(200));
        assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
        assert!(!narrow.contains("least share"), "{narrow}");
        assert!(wide.contains("CPU/op") && wide.contains("least share"), "{wide}");
        assert!(wide.lines().all(|line| line.chars().count() <= 200), "{wide}");
        assert!(!wide.contains("allocs/op"), "nobody counted them: {wide}");
    }
}
