//! Comparisons and parameters in words.

use results::{
    Cell, Comparison, Params, Verdict, format_count, format_difference, format_ns, format_rate, format_ratio,
};

/// What a comparison comes to, in words that say the same whoever wins.
pub(super) fn sentence(comparison: &Comparison) -> String {
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
        Verdict::Inconclusive => format!("{figure}: inconclusive; {}.", next(comparison)),
    }
}

/// What may be done about an open question, and how far from 1 the ratio would have had to be.
fn next(comparison: &Comparison) -> String {
    let Some(detectable) = comparison.detectable else { return "more --rounds may tell".into() };
    let difference = format_difference(detectable);
    format!("this run could have shown a difference of {difference} or more; more --rounds may tell")
}

/// The inconclusive ones of many comparisons in one sentence; `None` where there is none.
pub(super) fn open_questions(comparisons: &[&Comparison]) -> Option<String> {
    let open = comparisons.iter().filter(|comparison| comparison.verdict == Verdict::Inconclusive);
    let named: Vec<String> = open
        .map(|comparison| match comparison.detectable {
            Some(detectable) => format!("{} {}", comparison.candidate, format_difference(detectable)),
            None => comparison.candidate.clone(),
        })
        .collect();
    let names = named.join(", ");
    let known =
        comparisons.iter().any(|found| found.verdict == Verdict::Inconclusive && found.detectable.is_some());
    let seen =
        if known { " (behind each the difference from which on this run could have shown it)" } else { "" };
    (!named.is_empty()).then(|| format!("Inconclusive: {names}{seen}; more --rounds may tell."))
}

pub(super) fn noise_floor(comparison: &Comparison) -> String {
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

/// How often a task was woken in vain, on each backend whose tasks look for themselves.
pub(super) fn futile_wakeups(cells: &[&Cell]) -> Option<String> {
    let of_cell = |cell: &&Cell| {
        let futile = cell.costs().futile_wakeups_per_op?;
        Some(format!("{} {}", cell.backend, format_count(futile)))
    };
    let seen: Vec<String> = cells.iter().filter_map(of_cell).collect();
    (!seen.is_empty()).then(|| format!("Futile wake-ups per operation: {}.", seen.join(", ")))
}

/// What there is to say of the parameters, each on its own.
pub(crate) fn words(params: &Params) -> Vec<String> {
    let number = |key: &str| params.get(key).and_then(serde_json::Value::as_f64);
    let mut words: Vec<String> = Vec::new();
    let counts = [
        ("tasks", "task", "tasks"),
        ("permits", "permit", "permits"),
        ("locks", "lock", "locks"),
        ("weight", "permit a request", "permits a request at most"),
        ("posters", "poster", "posters"),
    ];
    for (key, one, many) in counts {
        words.extend(number(key).map(|count| format!("{count} {}", if count == 1.0 { one } else { many })));
    }
    let text = |key: &str| params.get(key).and_then(serde_json::Value::as_str);
    let distribution = |key: &str| text(key).map(|name| format!(" ({name})")).unwrap_or_default();
    let mode = text("hold_mode").unwrap_or("spin");
    words.extend(number("hold_ns").map(|ns| match (ns, mode) {
        (0.0, "yield") => "one yield while holding".into(),
        (0.0, _) => "no hold".into(),
        (ns, mode) => format!("hold {}{}, {mode}", format_ns(ns), distribution("hold_distribution")),
    }));
    words.extend(
        number("think_ns")
            .filter(|ns| *ns > 0.0)
            .map(|ns| format!("think {}{}", format_ns(ns), distribution("think_distribution"))),
    );
    words.extend(
        number("cancel_percent").filter(|share| *share > 0.0).map(|share| format!("{share} % cancelled")),
    );
    words.extend(number("rate_ops_per_s").map(|rate| format!("open loop, {}", format_rate(rate))));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_questions_of_many_backends_make_one_sentence() {
        let report = super::super::testing::report();
        let mut found: Vec<Comparison> = report.comparisons.into_iter().take(3).collect();
        assert_eq!(open_questions(&found.iter().collect::<Vec<_>>()), None, "all is settled");
        for comparison in &mut found[1..] {
            (comparison.verdict, comparison.detectable) = (Verdict::Inconclusive, None);
        }
        let said = open_questions(&found.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(said, "Inconclusive: sync, sync; more --rounds may tell.");
        found[1].detectable = Some(1.04);
        let said = open_questions(&found.iter().collect::<Vec<_>>()).unwrap();
        assert!(said.starts_with("Inconclusive: sync 4 %, sync (behind each the difference"), "{said}");
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
        (comparison.ci, comparison.verdict) = (Some([0.9, 1.05]), Verdict::Inconclusive);
        assert!(sentence(&comparison).ends_with("inconclusive; more --rounds may tell."));
        comparison.detectable = Some(1.04);
        let said =
            "inconclusive; this run could have shown a difference of 4 % or more; more --rounds may tell.";
        assert!(sentence(&comparison).ends_with(said), "{}", sentence(&comparison));
        (comparison.ci, comparison.rounds) = (None, 3);
        assert!(sentence(&comparison).contains("too few rounds"));
    }
}
