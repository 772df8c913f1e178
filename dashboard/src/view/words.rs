//! Verdicts in words. They firm up as rounds come, and never claim more than the interval does.

use std::collections::HashSet;

use results::{Cell, Comparison, Report, Status, Verdict, format_difference, format_ratio};
use serde_json::Value;

use crate::charts;

/// The metric that headlines are about …
const THROUGHPUT: &str = "throughput";
/// … and where an open loop set the throughput.
const WAIT_P99: &str = "wait_p99";

/// The metric by which the cells of a case are judged.
pub(super) fn judged_by(cells: &[&Cell]) -> &'static str {
    if cells.iter().any(|cell| cell.is_open_loop()) { WAIT_P99 } else { THROUGHPUT }
}

/// The comparisons that their cases are judged by.
pub(super) fn judging(all: &[Comparison]) -> impl Iterator<Item = &Comparison> {
    let capacity = all.iter().filter(|comparison| comparison.metric == THROUGHPUT);
    let capacity: HashSet<String> = capacity.map(Comparison::case).collect();
    all.iter().filter(move |comparison| match comparison.metric.as_str() {
        THROUGHPUT => true,
        WAIT_P99 => !capacity.contains(&comparison.case()),
        _ => false,
    })
}

/// A parameter as the command line calls it: `hold` for `hold_ns`.
pub(super) fn knob(name: &str) -> String {
    name.strip_suffix("_ns").unwrap_or(name).replace('_', " ")
}

/// The value of a parameter with its unit.
pub(super) fn value(name: &str, value: &Value) -> String {
    match (name.ends_with("_ns"), value.as_f64()) {
        (true, Some(ns)) => charts::tick_ns(ns),
        _ => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    }
}

/// A comparison in a sentence: `sync does 1.42× the throughput of tokio (95 % interval 1.35× to 1.50×): faster`.
pub(super) fn headline(comparison: &Comparison, report: &Report) -> String {
    let running = report.run.status == Status::Running;
    // Throughput goes without saying.
    let what = match comparison.metric.as_str() {
        THROUGHPUT => String::new(),
        other => format!("by {}, ", metric(other)),
    };
    format!("{}{what}{}", rounds(comparison.rounds, report, running), finding(comparison, running))
}

/// The same for a list, where the workload must be said and the rounds need not.
pub(super) fn verdict_line(comparison: &Comparison) -> String {
    let ratio = comparison.ratio.map_or_else(|| "–".to_owned(), format_ratio);
    let verdict = comparison.verdict.name();
    format!("{}: {} {ratio} {}, {verdict}", comparison.workload, comparison.candidate, comparison.baseline)
}

/// A metric as a person calls it.
pub(super) fn metric(name: &str) -> String {
    match name {
        THROUGHPUT => "throughput".to_owned(),
        "wait_p50" => "wait p50".to_owned(),
        "wait_p99" => "wait p99".to_owned(),
        other => other.replace('_', " "),
    }
}

/// Comparisons with those of one metric together, in the order in which the metrics first come.
pub(super) fn by_metric<'a>(comparisons: impl Iterator<Item = &'a Comparison>) -> Vec<&'a Comparison> {
    let mut ordered: Vec<&Comparison> = comparisons.collect();
    let metrics: Vec<String> = ordered.iter().map(|comparison| comparison.metric.clone()).collect();
    ordered.sort_by_key(|comparison| metrics.iter().position(|metric| *metric == comparison.metric));
    ordered
}

fn rounds(done: usize, report: &Report, running: bool) -> String {
    let noun = if done == 1 { "round" } else { "rounds" };
    match report.run.rounds_planned {
        Some(planned) if running && planned > done => format!("After {done} of {planned} rounds: "),
        _ if running => format!("After {done} {noun}: "),
        _ => format!("{done} {noun}: "),
    }
}

fn finding(comparison: &Comparison, running: bool) -> String {
    let (candidate, baseline) = (&comparison.candidate, &comparison.baseline);
    let (Some(ratio), Some([low, high])) = (comparison.ratio, comparison.ci) else {
        return if running {
            format!("too early to compare {candidate} with {baseline}")
        } else {
            format!("{candidate} and {baseline} cannot be compared: raise --rounds")
        };
    };
    let percent = 100.0 * comparison.confidence;
    let (low, high) = (format_ratio(low), format_ratio(high));
    let figures = format!("{} ({percent:.0} % interval {low} to {high})", format_ratio(ratio));
    match (comparison.verdict, running) {
        (Verdict::Faster, _) => format!("{candidate} is faster than {baseline}, {figures}"),
        (Verdict::Slower, _) => format!("{candidate} is slower than {baseline}, {figures}"),
        (Verdict::Equivalent, _) => {
            format!("no difference that matters between {candidate} and {baseline}, {figures}")
        }
        (Verdict::Inconclusive, true) => format!("not settled between {candidate} and {baseline}, {figures}"),
        (Verdict::Inconclusive, false) => {
            format!("inconclusive between {candidate} and {baseline}, {figures}; {}", next(comparison))
        }
    }
}

/// What may be done about an open question, and how far from 1 the ratio would have had to be.
fn next(comparison: &Comparison) -> String {
    let Some(detectable) = comparison.detectable else { return "more --rounds may tell".to_owned() };
    let difference = format_difference(detectable);
    format!("this run could have shown a difference of {difference} or more; more --rounds may tell")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn comparison(verdict: Verdict) -> Comparison {
        Comparison { verdict, ..testing::comparison("sync", "tokio", 1.42, [1.35, 1.5], 7) }
    }

    #[test]
    fn a_running_comparison_says_after_how_many_rounds() {
        let mut report = testing::report(7, Status::Running);
        let text = headline(&comparison(Verdict::Faster), &report);
        assert_eq!(
            text,
            "After 7 of 20 rounds: sync is faster than tokio, 1.42× (95 % interval 1.35× to 1.50×)"
        );
        report.run.rounds_planned = None;
        assert!(headline(&comparison(Verdict::Faster), &report).starts_with("After 7 rounds: "));
    }

    #[test]
    fn an_inconclusive_end_says_what_could_have_been_seen_and_what_to_do() {
        let report = testing::report(7, Status::Complete);
        let mut open = comparison(Verdict::Inconclusive);
        assert!(headline(&open, &report).ends_with("; more --rounds may tell"));
        open.detectable = Some(1.04);
        let said = headline(&open, &report);
        assert!(said.contains("could have shown a difference of 4 % or more; more --rounds"), "{said}");
        let report = testing::report(7, Status::Running);
        assert!(!headline(&open, &report).contains("--rounds"), "it goes on by itself");
    }

    #[test]
    fn one_round_claims_nothing() {
        let report = testing::report(1, Status::Running);
        let one = Comparison { ratio: None, ci: None, rounds: 1, ..comparison(Verdict::Inconclusive) };
        assert_eq!(headline(&one, &report), "After 1 of 20 rounds: too early to compare sync with tokio");
    }
}
