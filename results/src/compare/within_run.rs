//! Backends of one run against its baseline, round by round.

use std::collections::HashMap;

use super::{Metric, Options, method};
use crate::statistics::{ForkEstimate, PairedEstimate, detectable, forks, holm, paired};
use crate::{Cell, Comparison};

/// What the control arm's backend has behind the baseline's name.
const CONTROL_SUFFIX: &str = " (control)";

/// Name of the control arm: the baseline measured a second time.
#[must_use]
pub fn control_arm(baseline: &str) -> String {
    format!("{baseline}{CONTROL_SUFFIX}")
}

/// Whether a backend's name is that of a control arm.
#[must_use]
pub fn is_control_arm(backend: &str) -> bool {
    backend.ends_with(CONTROL_SUFFIX)
}

/// Every backend against the baseline, case by case, on throughput (not in an open loop), median wait
/// and 99th percentile.
///
/// The n-th round of one is paired with the n-th of the other; a round that lacks the figure on either side is
/// left out. Where the rounds are of several processes, each process comes to one ratio and these are compared
/// ([`statistics::forks`](crate::statistics::forks)). p-values are adjusted over all that is returned. A case without the baseline has no comparisons;
/// where a case and backend occurs twice, the first counts as the baseline. Control arms are left to
/// [`control`].
#[must_use]
pub fn within_run(cells: &[Cell], baseline: &str, options: &Options) -> Vec<Comparison> {
    paired(cells, baseline, options, |backend| backend != baseline && !is_control_arm(backend))
}

/// The baseline against its control arm: how far from 1 the ratio of two equal things lies in this run.
#[must_use]
pub fn control(cells: &[Cell], baseline: &str, options: &Options) -> Vec<Comparison> {
    let arm = control_arm(baseline);
    paired(cells, baseline, options, |backend| backend == arm)
}

fn paired(
    cells: &[Cell],
    baseline: &str,
    options: &Options,
    is_candidate: impl Fn(&str) -> bool,
) -> Vec<Comparison> {
    let mut baselines = HashMap::new();
    for cell in cells.iter().filter(|cell| cell.backend == baseline) {
        baselines.entry(cell.case()).or_insert(cell);
    }
    let mut comparisons = Vec::new();
    for candidate in cells.iter().filter(|cell| is_candidate(&cell.backend)) {
        if let Some(base) = baselines.get(&candidate.case()) {
            comparisons
                .extend(Metric::of(base, candidate).map(|metric| compare(base, candidate, metric, options)));
        }
    }
    adjust(&mut comparisons);
    comparisons
}

fn compare(base: &Cell, candidate: &Cell, metric: Metric, options: &Options) -> Comparison {
    let ratios: Vec<(Option<usize>, f64)> = metric
        .merits(base)
        .iter()
        .zip(metric.merits(candidate))
        // Rounds of different processes make no pair.
        .filter(|(base, candidate)| base.fork == candidate.fork)
        .map(|(base, candidate)| (candidate.fork, candidate.value / base.value))
        .collect();
    let Found { estimate, rounds, method } = estimate(&ratios, options.confidence);
    Comparison {
        workload: candidate.workload.clone(),
        variant: candidate.variant.clone(),
        params: candidate.params.clone(),
        metric: metric.name().to_owned(),
        baseline: base.backend.clone(),
        candidate: candidate.backend.clone(),
        ratio: estimate.ratio,
        ci: estimate.ci,
        confidence: estimate.attained,
        method,
        rounds,
        p_adjusted: estimate.p,
        detectable: detectable(estimate.ci, estimate.attained, estimate.rounds.saturating_sub(1)),
        verdict: options.verdict(estimate.ci),
    }
}

/// An estimate over rounds or over processes, the pairs of rounds in it, and what it is called.
struct Found {
    estimate: PairedEstimate,
    rounds: usize,
    method: String,
}

/// Over the processes where there were several, else over the rounds.
fn estimate(ratios: &[(Option<usize>, f64)], confidence: f64) -> Found {
    let first = ratios.first().map(|(fork, _)| *fork);
    if ratios.iter().all(|(fork, _)| Some(*fork) == first) {
        let ratios: Vec<f64> = ratios.iter().map(|(_, ratio)| *ratio).collect();
        let estimate = paired::estimate(&ratios, confidence);
        let name = "paired log-ratio Hodges–Lehmann, Wilcoxon signed-rank interval";
        return Found { estimate, rounds: estimate.rounds, method: method(name, estimate.exact) };
    }
    let ForkEstimate { over_forks, student, rounds } = forks::estimate(ratios, confidence);
    let name = format!("paired log-ratio Hodges–Lehmann in each of {} processes", over_forks.rounds);
    let method = if student {
        format!("{name}, Student's t interval over these")
    } else {
        method(&format!("{name}, Wilcoxon signed-rank interval over these"), over_forks.exact)
    };
    Found { estimate: over_forks, rounds, method }
}

/// Turns the plain p-values into adjusted ones.
pub(super) fn adjust(comparisons: &mut [Comparison]) {
    let plain: Vec<Option<f64>> = comparisons.iter().map(|comparison| comparison.p_adjusted).collect();
    for (comparison, adjusted) in comparisons.iter_mut().zip(holm(&plain)) {
        comparison.p_adjusted = adjusted;
    }
}
