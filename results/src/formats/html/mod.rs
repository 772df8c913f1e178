//! A page of its own: one file that needs neither network nor script, for an artifact of a build or a mail.
//!
//! Light or dark as the reader's system is. What the colours say is said in words too, and lines differ by their
//! dashes. Everything from the report goes through [`text`], and the page forbids itself whatever would load or
//! run something. Looked at in Chromium; a browser from before 2024 does not know `light-dark()` and shows it without
//! colours.

mod percentiles;

use std::fmt::Write as _;

use super::Format;
use super::parts::{Costs, Judgements, by_case, judgements};
use crate::compare::is_control_arm;
use crate::{
    Cell, Comparison, ReadError, Report, Status, Verdict, format_count, format_ns, format_rate, format_ratio,
};

pub(super) const FORMAT: Format = Format {
    name: "html",
    extension: "html",
    summary: "a page in one file, without network or script",
    write,
};

const STYLE: &str = include_str!("style.css");

/// Shown where there is no figure.
const NONE: &str = "–";

#[expect(clippy::unnecessary_wraps, reason = "the signature of a format")]
fn write(report: &Report) -> Result<String, ReadError> {
    let mut out = String::new();
    let (judgements, cases, series) = (judgements(report), by_case(report), series(report));
    push_head(&mut out, report);
    push_overview(&mut out, &cases, &judgements);
    for (place, (case, cells)) in cases.iter().enumerate() {
        let _ = writeln!(out, "<section>\n<h2 id=\"case-{place}\">{}</h2>", text(case));
        push_sentences(&mut out, case, cells, &judgements);
        push_figures(&mut out, case, cells, &judgements);
        push_open_loop(&mut out, cells);
        push_costs(&mut out, cells);
        percentiles::push(&mut out, cells, &series);
        out.push_str("</section>\n");
    }
    push_validity(&mut out, report);
    out.push_str("</body>\n</html>\n");
    Ok(out)
}

/// The backends in the order of the report: a backend looks the same in every case.
fn series(report: &Report) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for cell in report.cells.iter().filter(|cell| !is_control_arm(&cell.backend)) {
        if !names.contains(&cell.backend.as_str()) {
            names.push(&cell.backend);
        }
    }
    names
}

fn push_head(out: &mut String, report: &Report) {
    let (run, environment) = (&report.run, &report.environment);
    let id = text(&run.id);
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{id}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{id}</h1>\n"
    );
    let notice = match run.status {
        Status::Complete => None,
        Status::Running => Some("Still running: these figures are not final."),
        Status::Interrupted => Some("Interrupted: fewer rounds than asked for."),
        Status::Invalid => Some("Not valid: a check failed, see the end."),
    };
    if let Some(notice) = notice {
        let _ = writeln!(out, "<p class=\"notice\">{notice}</p>");
    }
    let git = environment.git.as_ref().map_or(String::new(), |git| format!(", commit {}", text(git)));
    let _ = writeln!(
        out,
        "<p class=\"dim\">{}, {:.0} s, seed {}{git}<br>{}, {} cores, {}<br>{}, {}<br>{}; clock: {}; load {:.2} before, \
         {:.2} after</p>",
        text(&run.started_at),
        run.duration_s,
        run.seed,
        text(&environment.cpu),
        environment.cores,
        text(&environment.kernel),
        text(&environment.rustc),
        text(&environment.profile),
        text(&environment.runtime),
        text(&environment.clock),
        environment.load_before,
        environment.load_after,
    );
}

/// Where there are several cases, a list of them with what each came to.
fn push_overview(out: &mut String, cases: &[(String, Vec<&Cell>)], judgements: &Judgements<'_>) {
    if cases.len() < 2 {
        return;
    }
    out.push_str("<nav>\n<ul>\n");
    for (place, (case, cells)) in cases.iter().enumerate() {
        let verdicts: Vec<String> = candidates(case, cells, judgements)
            .map(|comparison| format!("{} {}", text(&comparison.candidate), comparison.verdict.name()))
            .collect();
        let _ = writeln!(
            out,
            "<li><a href=\"#case-{place}\">{}</a> <span class=\"dim\">{}</span></li>",
            text(case),
            verdicts.join(", ")
        );
    }
    out.push_str("</ul>\n</nav>\n");
}

/// The judged backends of a case, without the control arm.
fn candidates<'a>(
    case: &'a str,
    cells: &'a [&Cell],
    judgements: &'a Judgements<'_>,
) -> impl Iterator<Item = &'a Comparison> {
    cells
        .iter()
        .filter(|cell| !is_control_arm(&cell.backend))
        .filter_map(move |cell| judgements.get(&(case.to_owned(), cell.backend.as_str())).copied())
}

fn push_sentences(out: &mut String, case: &str, cells: &[&Cell], judgements: &Judgements<'_>) {
    for comparison in candidates(case, cells, judgements) {
        let _ = writeln!(out, "<p>{}</p>", sentence(comparison));
    }
    let control = cells.iter().filter(|cell| is_control_arm(&cell.backend));
    let control = control.filter_map(|cell| judgements.get(&(case.to_owned(), cell.backend.as_str())));
    for comparison in control {
        let _ = writeln!(
            out,
            "<p class=\"dim\">Noise floor: {} against itself came out at {}.</p>",
            text(&comparison.baseline),
            interval(comparison)
        );
    }
    for cell in cells.iter().filter(|cell| !is_control_arm(&cell.backend)) {
        let peer = cell.peer_figure.as_ref();
        let peer = peer.map(|figure| format!("{} in the peer's unit: {figure}.", cell.backend));
        for sentence in cell.composed_sentence().into_iter().chain(peer) {
            let _ = writeln!(out, "<p class=\"dim\">{}</p>", text(&sentence));
        }
    }
}

fn sentence(comparison: &Comparison) -> String {
    let (candidate, baseline) = (text(&comparison.candidate), text(&comparison.baseline));
    let (Some(ratio), Some(_)) = (comparison.ratio, comparison.ci) else {
        return format!(
            "{candidate} against {baseline}: too few rounds ({}) to say anything.",
            comparison.rounds
        );
    };
    let verdict = match comparison.verdict {
        Verdict::Faster => "<b class=\"faster\">faster</b>".to_owned(),
        Verdict::Slower => "<b class=\"slower\">slower</b>".to_owned(),
        Verdict::Equivalent => "<b>no difference that matters</b>".to_owned(),
        Verdict::Inconclusive => {
            let shows = comparison.detectable.map_or(String::new(), |ratio| {
                format!(
                    "; these rounds would have told {} from 1 in four of five repetitions",
                    format_ratio(ratio)
                )
            });
            format!("<b>inconclusive</b>{shows}")
        }
    };
    format!(
        "{candidate} has {} the throughput of {baseline} ({:.0} % interval {}, {} rounds): {verdict}.",
        format_ratio(ratio),
        comparison.confidence * 100.0,
        interval(comparison),
        comparison.rounds,
    )
}

fn interval(comparison: &Comparison) -> String {
    comparison
        .ci
        .map_or(NONE.to_owned(), |[low, high]| format!("{} – {}", format_ratio(low), format_ratio(high)))
}

fn push_figures(out: &mut String, case: &str, cells: &[&Cell], judgements: &Judgements<'_>) {
    let head =
        ["throughput", "range", "ratio", "interval", "verdict", "shows", "wait p50", "p99", "max", "Jain"];
    push_table_head(out, "backend", head.into_iter().chain(["smallest share"]));
    for cell in cells {
        let comparison = judgements.get(&(case.to_owned(), cell.backend.as_str())).copied();
        let (verdict, class) = match comparison {
            Some(_) if is_control_arm(&cell.backend) => ("noise floor", ""),
            Some(comparison) => (comparison.verdict.name(), comparison.verdict.name()),
            None => ("", ""),
        };
        let rate = &cell.throughput_ops_per_s;
        let ratio = |ratio: Option<f64>| ratio.map_or(String::new(), format_ratio);
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{} – {}</td><td>{}</td><td>{}</td><td class=\"words {class}\">{verdict}</td>",
            text(&cell.backend),
            format_rate(rate.median),
            format_rate(rate.min),
            format_rate(rate.max),
            ratio(comparison.and_then(|comparison| comparison.ratio)),
            comparison.map_or(String::new(), interval),
        );
        let _ = writeln!(
            out,
            "<td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.3}</td><td>{:.3}</td></tr>",
            ratio(comparison.and_then(|comparison| comparison.detectable)),
            wait(cell.wait_ns.p50),
            wait(cell.wait_ns.p99),
            wait((cell.wait_ns.count > 0).then_some(cell.wait_ns.max)),
            cell.fairness.jain,
            cell.fairness.smallest_share,
        );
    }
    out.push_str("</tbody></table></div>\n");
    out.push_str(
        "<p class=\"dim\">Ratio above 1: better than the baseline. Shows: the smallest ratio that these rounds would \
         have told from 1 in four of five repetitions.</p>\n",
    );
}

/// What the table above means where operations began by a schedule.
fn push_open_loop(out: &mut String, cells: &[&Cell]) {
    let open: Vec<_> = cells.iter().filter_map(|cell| Some((cell, cell.open_loop.as_ref()?))).collect();
    if open.is_empty() {
        return;
    }
    out.push_str(
        "<p>Open loop: the throughput is what was asked for, and waits count from the intended start.</p>\n",
    );
    push_table_head(out, "backend", ["asked", "achieved", "lag mean", "lag max", "behind"]);
    for (cell, open_loop) in open {
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.1} %</td></tr>",
            text(&cell.backend),
            format_rate(open_loop.rate_ops_per_s),
            format_rate(open_loop.achieved_ops_per_s),
            format_ns(open_loop.lag_mean_ns),
            wait(Some(open_loop.lag_max_ns)),
            open_loop.behind_fraction * 100.0,
        );
    }
    out.push_str("</tbody></table></div>\n");
}

fn push_costs(out: &mut String, cells: &[&Cell]) {
    let head = ["waited", "queue", "CPU an operation", "context switches", "allocations", "futile wake-ups"];
    push_table_head(out, "backend", head);
    for cell in cells {
        let costs = Costs::of(cell);
        let count = |count: Option<f64>| count.map_or(NONE.to_owned(), format_count);
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            text(&cell.backend),
            costs.contended_fraction.map_or(NONE.to_owned(), |share| format!("{:.0} %", share * 100.0)),
            count(costs.queue_depth),
            costs.cpu_ns.map_or(NONE.to_owned(), format_ns),
            count(costs.switches()),
            count(costs.allocations),
            count(costs.futile_wakeups),
        );
    }
    out.push_str("</tbody></table></div>\n");
}

fn push_validity(out: &mut String, report: &Report) {
    if report.validity.is_empty() {
        return;
    }
    out.push_str("<section>\n<h2>Validity</h2>\n");
    push_table_head(out, "check", ["", "seen"]);
    for check in &report.validity {
        let outcome = if check.pass { "passed" } else { "failed" };
        let (name, detail) = (text(&check.check), text(&check.detail));
        let _ = writeln!(
            out,
            "<tr><td>{name}</td><td class=\"words {outcome}\">{outcome}</td><td class=\"long\">{detail}</td></tr>"
        );
    }
    out.push_str("</tbody></table></div>\n</section>\n");
}

fn push_table_head<'a>(out: &mut String, first: &str, columns: impl IntoIterator<Item = &'a str>) {
    let _ = write!(out, "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">{first}</th>");
    for column in columns {
        let class = if ["verdict", "seen"].contains(&column) { " class=\"words\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{column}</th>");
    }
    out.push_str("</tr></thead><tbody>\n");
}

fn wait(ns: Option<u64>) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    ns.map_or(NONE.to_owned(), |ns| format_ns(ns as f64))
}

/// Text from a report, unable to be anything else, in an element or in an attribute.
fn text(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len());
    for character in raw.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            character if character.is_control() => safe.push(' '),
            character => safe.push(character),
        }
    }
    safe
}
