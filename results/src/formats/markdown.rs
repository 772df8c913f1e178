//! Tables for a pull request or an issue.

use std::fmt::Write as _;

use super::Format;
use super::parts::{Costs, Judgements, by_case, judgements};
use crate::compare::is_control_arm;
use crate::{
    Cell, Comparison, ReadError, Report, Status, Verdict, format_count, format_ns, format_rate, format_ratio,
};

pub(super) const FORMAT: Format =
    Format { name: "markdown", extension: "md", summary: "tables for a pull request or an issue", write };

#[expect(clippy::unnecessary_wraps, reason = "the signature of a format")]
fn write(report: &Report) -> Result<String, ReadError> {
    let mut out = String::new();
    push_head(&mut out, report);
    let (judgements, cases) = (judgements(report), by_case(report));
    push_overview(&mut out, &cases, &judgements);
    for (case, cells) in &cases {
        push_case(&mut out, case, cells, &judgements);
    }
    push_validity(&mut out, report);
    Ok(out)
}

fn push_head(out: &mut String, report: &Report) {
    let (run, environment) = (&report.run, &report.environment);
    line(out, &format!("# {}", text(&run.id)));
    line(out, "");
    match run.status {
        Status::Complete => {}
        Status::Running => line(out, "**Still running: these figures are not final.**\n"),
        Status::Interrupted => line(out, "**Interrupted: fewer rounds than asked for.**\n"),
        Status::Invalid => line(out, "**Not valid: a check failed, see the end.**\n"),
    }
    line(
        out,
        &format!(
            "{}, {} cores, {}; {}, {}; {}; seed {}.",
            text(&environment.cpu),
            environment.cores,
            text(&environment.kernel),
            text(&environment.rustc),
            text(&environment.profile),
            text(&environment.runtime),
            run.seed,
        ),
    );
}

/// Where there are several cases, who won where.
fn push_overview(out: &mut String, cases: &[(String, Vec<&Cell>)], judgements: &Judgements<'_>) {
    if cases.len() < 2 {
        return;
    }
    let mut backends: Vec<&str> = Vec::new();
    for cell in cases.iter().flat_map(|(_, cells)| cells).filter(|cell| !is_control_arm(&cell.backend)) {
        if !backends.contains(&cell.backend.as_str()) {
            backends.push(&cell.backend);
        }
    }
    line(out, "\nThroughput as a ratio to the baseline: ▲ faster, ▼ slower, = equivalent, ? inconclusive.\n");
    let head: String = backends.iter().map(|backend| format!(" {} |", text(backend))).collect();
    line(out, &format!("| case |{head}"));
    line(out, &format!("|---|{}", "--:|".repeat(backends.len())));
    for (case, cells) in cases {
        let ratios: String = backends
            .iter()
            .map(|backend| {
                let measured = cells.iter().any(|cell| cell.backend == *backend);
                let comparison = judgements.get(&(case.clone(), *backend)).copied();
                format!(" {} |", if measured { overview_of(comparison) } else { String::new() })
            })
            .collect();
        line(out, &format!("| {} |{ratios}", text(short(case, cases))));
    }
}

/// Workload and variant, where no other case has the same.
fn short<'a>(case: &'a str, cases: &[(String, Vec<&Cell>)]) -> &'a str {
    let variant = |case: &'a str| case.split_once(' ').map_or(case, |(variant, _)| variant);
    let same = |other: &&(String, Vec<&Cell>)| other.0.split(' ').next() == Some(variant(case));
    if cases.iter().filter(same).count() == 1 { variant(case) } else { case }
}

/// A cell of the overview; what nobody is compared with is the baseline, or has no throughput to compare.
fn overview_of(comparison: Option<&Comparison>) -> String {
    let Some(comparison) = comparison else { return "–".to_owned() };
    let sign = match comparison.verdict {
        Verdict::Faster => "▲",
        Verdict::Slower => "▼",
        Verdict::Equivalent => "=",
        Verdict::Inconclusive => "?",
    };
    comparison.ratio.map_or_else(|| sign.to_owned(), |ratio| format!("{} {sign}", format_ratio(ratio)))
}

fn push_case(out: &mut String, case: &str, cells: &[&Cell], judgements: &Judgements<'_>) {
    line(out, &format!("\n## {}\n", text(case)));
    line(
        out,
        "| backend | throughput | range | ratio | interval | verdict | shows | wait p50 | p99 | max | Jain | smallest share |",
    );
    line(out, "|---|--:|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|");
    for cell in cells {
        let throughput = &cell.throughput_ops_per_s;
        let comparison = judgements.get(&(case.to_owned(), cell.backend.as_str()));
        let verdict = match comparison {
            Some(_) if is_control_arm(&cell.backend) => "noise floor",
            Some(comparison) => comparison.verdict.name(),
            None => "",
        };
        let interval = comparison.and_then(|comparison| comparison.ci);
        line(
            out,
            &format!(
                "| {} | {} | {} – {} | {} | {} | {verdict} | {} | {} | {} | {} | {:.3} | {:.3} |",
                text(&cell.backend),
                format_rate(throughput.median),
                format_rate(throughput.min),
                format_rate(throughput.max),
                comparison.and_then(|comparison| comparison.ratio).map_or(String::new(), format_ratio),
                interval.map_or(String::new(), |[low, high]| {
                    format!("{} – {}", format_ratio(low), format_ratio(high))
                }),
                comparison.and_then(|comparison| comparison.detectable).map_or(String::new(), format_ratio),
                wait(cell.wait_ns.p50),
                wait(cell.wait_ns.p99),
                wait((cell.wait_ns.count > 0).then_some(cell.wait_ns.max)),
                cell.fairness.jain,
                cell.fairness.smallest_share,
            ),
        );
    }
    push_open_loop(out, cells);
    push_costs(out, cells);
    push_remarks(out, cells);
    if let Some(baseline) =
        cells.iter().find_map(|cell| judgements.get(&(case.to_owned(), cell.backend.as_str())))
    {
        line(
            out,
            &format!(
                "\nRatio above 1: more operations in a second than {}. Shows: the smallest ratio that these rounds \
                 would have told from 1 in four of five repetitions.",
                text(&baseline.baseline)
            ),
        );
    }
}

/// What the table above means where operations began by a schedule.
fn push_open_loop(out: &mut String, cells: &[&Cell]) {
    let open = || cells.iter().filter_map(|cell| Some((cell, cell.open_loop.as_ref()?)));
    if open().next().is_none() {
        return;
    }
    line(
        out,
        "\nOpen loop: the throughput is what was asked for, and waits count from the intended start.\n",
    );
    line(out, "| backend | asked | achieved | lag mean | lag max | behind |");
    line(out, "|---|--:|--:|--:|--:|--:|");
    for (cell, open_loop) in open() {
        line(
            out,
            &format!(
                "| {} | {} | {} | {} | {} | {:.1} % |",
                text(&cell.backend),
                format_rate(open_loop.rate_ops_per_s),
                format_rate(open_loop.achieved_ops_per_s),
                format_ns(open_loop.lag_mean_ns),
                wait(Some(open_loop.lag_max_ns)),
                open_loop.behind_fraction * 100.0,
            ),
        );
    }
}

/// What an operation cost the machine, as far as it was counted.
fn push_costs(out: &mut String, cells: &[&Cell]) {
    type Figure = fn(&Costs) -> Option<f64>;
    let columns: [(&str, Figure); 4] = [
        ("CPU", |costs| costs.cpu_ns),
        ("context switches", Costs::switches),
        ("allocations", |costs| costs.allocations),
        ("futile wake-ups", |costs| costs.futile_wakeups),
    ];
    let costs: Vec<Costs> = cells.iter().map(|cell| Costs::of(cell)).collect();
    let counted: Vec<&(&str, Figure)> =
        columns.iter().filter(|(_, figure)| costs.iter().any(|costs| figure(costs).is_some())).collect();
    if counted.is_empty() {
        return;
    }
    line(out, "\nFor each operation (the bench's own share included), median of the rounds:\n");
    let head: String = counted.iter().map(|(name, _)| format!(" {name} |")).collect();
    line(out, &format!("| backend |{head}"));
    line(out, &format!("|---|{}", "--:|".repeat(counted.len())));
    for (cell, costs) in cells.iter().zip(&costs) {
        let figures: String = counted
            .iter()
            .map(|(name, figure)| match figure(costs) {
                None => " – |".to_owned(),
                Some(ns) if *name == "CPU" => format!(" {} |", format_ns(ns)),
                Some(count) => format!(" {} |", format_count(count)),
            })
            .collect();
        line(out, &format!("| {} |{figures}", text(&cell.backend)));
    }
}

/// What is to be known of single backends.
fn push_remarks(out: &mut String, cells: &[&Cell]) {
    for cell in cells.iter().filter(|cell| !is_control_arm(&cell.backend)) {
        let peer = cell.peer_figure.as_ref();
        let peer = peer.map(|figure| format!("{} in the peer's unit: {figure}.", cell.backend));
        for sentence in cell.composed_sentence().into_iter().chain(peer) {
            line(out, &format!("\n{}", text(&sentence)));
        }
    }
}

fn push_validity(out: &mut String, report: &Report) {
    if report.validity.is_empty() {
        return;
    }
    line(out, "\n## Validity\n");
    line(out, "| check | | seen |");
    line(out, "|---|---|---|");
    for check in &report.validity {
        let outcome = if check.pass { "passed" } else { "**failed**" };
        line(out, &format!("| {} | {outcome} | {} |", text(&check.check), text(&check.detail)));
    }
}

fn wait(ns: Option<u64>) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    ns.map_or("–".to_owned(), |ns| format_ns(ns as f64))
}

/// Text from a report, unable to end a cell or to start markup.
fn text(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len());
    for character in raw.chars() {
        match character {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' => safe.extend(['\\', character]),
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            character if character.is_control() => safe.push(' '),
            character => safe.push(character),
        }
    }
    safe
}

fn line(out: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}
