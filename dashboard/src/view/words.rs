//! Verdicts in words. They firm up as rounds come, and never claim more than the interval does.

use results::{Cell, Comparison, Report, Status, Verdict, format_ratio};

/// The metric that headlines are about …
const THROUGHPUT: &str = "throughput";
/// … and where an open loop set the throughput.
const WAIT_P99: &str = "wait_p99";

/// The metric by which the cells of a case are judged.
pub(super) fn judged_by(cells: &[&Cell]) -> &'static str {
    if cells.iter().any(|cell| cell.is_open_loop()) { WAIT_P99 } else { THROUGHPUT }
}

/// Whether a comparison is one that its case is judged by.
pub(super) fn judges(comparison: &Comparison, all: &[Comparison]) -> bool {
    let same_case = |other: &Comparison| other.case() == comparison.case();
    match comparison.metric.as_str() {
        THROUGHPUT => true,
        WAIT_P99 => !all.iter().any(|other| other.metric == THROUGHPUT && same_case(other)),
        _ => false,
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
            format!("inconclusive between {candidate} and {baseline}, {figures}; raise --rounds")
        }
    }
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
    fn an_inconclusive_end_says_what_to_do() {
        let report = testing::report(7, Status::Complete);
        assert!(headline(&comparison(Verdict::Inconclusive), &report).ends_with("raise --rounds"));
        let report = testing::report(7, Status::Running);
        assert!(!headline(&comparison(Verdict::Inconclusive), &report).contains("raise"));
    }

    #[test]
    fn one_round_claims_nothing() {
        let report = testing::report(1, Status::Running);
        let one = Comparison { ratio: None, ci: None, rounds: 1, ..comparison(Verdict::Inconclusive) };
        assert_eq!(headline(&one, &report), "After 1 of 20 rounds: too early to compare sync with tokio");
    }
}
