//! Two runs, whose rounds have nothing in common: Hodges–Lehmann shift with the interval of Mann and Whitney.
//!
//! Weaker than [`paired`](super::paired): what differed between the two runs (clock speed, temperature,
//! neighbours) is in the estimate and cannot be told from a change of the program. On logarithms:
//!
//! - the *estimate* is the median of all differences of a round of one and a round of the other,
//! - the *interval* runs from the k-th smallest of these differences to the k-th largest, k by the exact
//!   distribution of the rank-sum statistic: as sure as asked for or a little surer. Four rounds each are the
//!   fewest that give 95 %.
//! - the *p-value* is that of the rank-sum test, two-sided, given the ranks that are there; equal values
//!   share the mean of their ranks.
//!
//! Up to [`EXACT_UP_TO`] rounds on either side the distribution is exact; above, the normal approximation with
//! correction for continuity stands in.
//!
//! Hodges and Lehmann, "Estimates of Location Based on Rank Tests", Annals of Mathematical Statistics 34,
//! 1963. Mann and Whitney, "On a Test of Whether One of Two Random Variables is Stochastically Larger than the
//! Other", Annals of Mathematical Statistics 18, 1947.

use super::normal;
use super::pairwise::Pairs;
use super::ranks::{doubled_midranks, rounded};
use super::summary::sorted_finite;

/// Rounds of the larger sample up to which the distribution is exact.
pub const EXACT_UP_TO: usize = 30;

/// Ratio of two independent samples of rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnpairedEstimate {
    /// Hodges–Lehmann estimate of candidate over base; `None` with fewer than two rounds on a side.
    pub ratio: Option<f64>,
    /// Interval of the ratio; `None` where so few rounds cannot be as sure as was asked for.
    pub ci: Option<[f64; 2]>,
    /// Confidence that the interval attains, 0 to 1; 0 without an interval.
    pub attained: f64,
    /// Two-sided p-value of "no difference"; `None` with fewer than two rounds on a side.
    pub p: Option<f64>,
    /// Rounds used, of base and candidate.
    pub rounds: [usize; 2],
    /// Whether interval and p-value are exact, not approximated.
    pub exact: bool,
}

/// Estimates the ratio candidate over base.
///
/// Values that have no logarithm (zero, negative, not finite) are left out. A `confidence` that is not
/// between 0 and 1 gives no interval.
///
/// # Examples
/// ```
/// use results::statistics::unpaired::estimate;
///
/// let found = estimate(&[1.0, 1.1, 1.2, 1.3], &[1.45, 1.62, 1.55, 1.91], 0.95);
/// assert!(found.ratio.is_some_and(|ratio| 1.42 < ratio && ratio < 1.44));
/// assert!(found.ci.is_some_and(|[low, _]| low > 1.0));
/// ```
#[must_use]
pub fn estimate(base: &[f64], candidate: &[f64], confidence: f64) -> UnpairedEstimate {
    // Of base the negative logarithms, so that sums of the two are the differences.
    let base: Vec<f64> = base.iter().filter(|value| **value > 0.0).map(|value| -value.ln()).collect();
    let candidate: Vec<f64> =
        candidate.iter().filter(|value| **value > 0.0).map(|value| value.ln()).collect();
    let (base, candidate) = (sorted_finite(&base), sorted_finite(&candidate));
    let sizes = [base.len(), candidate.len()];
    let exact = sizes[0].max(sizes[1]) <= EXACT_UP_TO;
    if sizes[0].min(sizes[1]) < 2 {
        return UnpairedEstimate { ratio: None, ci: None, attained: 0.0, p: None, rounds: sizes, exact };
    }
    let differences = Pairs::Cross(&base, &candidate);
    let ratio = differences.median().map(f64::exp);
    let bound = bound(sizes, confidence);
    let ci = bound
        .map(|(k, _)| [differences.kth_sum(k), differences.kth_sum(differences.len() + 1 - k)].map(f64::exp));
    let attained = bound.map_or(0.0, |(_, attained)| attained);
    UnpairedEstimate { ratio, ci, attained, p: Some(p_value(&base, &candidate)), rounds: sizes, exact }
}

/// Which difference from either end bounds the interval, and the confidence that it attains.
fn bound(sizes: [usize; 2], confidence: f64) -> Option<(usize, f64)> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    if sizes[0].max(sizes[1]) > EXACT_UP_TO {
        let [m, n] = sizes.map(float);
        return normal::bound(m * n / 2.0, (m * n * (m + n + 1.0) / 12.0).sqrt(), confidence);
    }
    // Rank sums start at 1 + 2 + … + n; Mann and Whitney's U starts at 0.
    let ranks: Vec<usize> = (1..=sizes[0] + sizes[1]).collect();
    let smallest = sizes[1] * (sizes[1] + 1) / 2;
    super::largest_bound(&null_distribution(&ranks, sizes[1])[smallest..], confidence)
}

/// Two-sided p-value of the rank-sum test. `base` holds negative logarithms.
fn p_value(base: &[f64], candidate: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> = base
        .iter()
        .map(|log| (rounded(-log), false))
        .chain(candidate.iter().map(|log| (rounded(*log), true)))
        .collect();
    all.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
    let values: Vec<f64> = all.iter().map(|(value, _)| *value).collect();
    let scores = doubled_midranks(&values);
    let sum: usize =
        all.iter().zip(&scores).filter_map(|((_, is_candidate), score)| is_candidate.then_some(*score)).sum();

    if base.len().max(candidate.len()) > EXACT_UP_TO {
        return p_by_normal(&scores, candidate.len(), sum);
    }
    // Without ties all doubled ranks are even, and half of the sums would be impossible.
    let step = if scores.iter().all(|score| score % 2 == 0) { 2 } else { 1 };
    let scores: Vec<usize> = scores.iter().map(|score| score / step).collect();
    super::two_sided(&null_distribution(&scores, candidate.len()), sum / step)
}

/// The statistic is the sum of a sample without replacement: mean and variance are exact, with whatever ties,
/// and only the shape is approximated.
fn p_by_normal(scores: &[usize], drawn: usize, sum: usize) -> f64 {
    let (total, drawn) = (float(scores.len()), float(drawn));
    let mean = scores.iter().map(|&score| float(score)).sum::<f64>() / total;
    let squares = scores.iter().map(|&score| (float(score) - mean).powi(2)).sum::<f64>();
    let variance = drawn * (total - drawn) / (total * (total - 1.0)) * squares;
    // Scores are doubled, so a half of the statistic is 1 here.
    normal::two_sided(float(sum), drawn * mean, variance.sqrt(), 1.0)
}

/// Probability of each sum of `drawn` of the scores, which ascend, all draws being equally likely.
///
/// Counts of draws are added up in f64: above 2^53 they lose their last digits, not more.
fn null_distribution(scores: &[usize], drawn: usize) -> Vec<f64> {
    // below[i]: sum of the i smallest. So the sums of j of the first i lie between below[j] and
    // below[i] - below[i - j], and nothing outside of that is ever touched.
    let mut below = vec![0];
    below.extend(scores.iter().scan(0, |sum, score| {
        *sum += score;
        Some(*sum)
    }));
    let highest = below[scores.len()] - below[scores.len() - drawn];
    // ways[j][s]: draws of j of the scores seen that sum up to s.
    let mut ways = vec![vec![0.0_f64; highest + 1]; drawn + 1];
    ways[0][0] = 1.0;
    for (seen, &score) in scores.iter().enumerate() {
        let left = scores.len() - seen - 1;
        // Draws too small to be completed by what is left need no counting.
        let fewest = drawn.saturating_sub(left).max(1);
        for taken in (fewest..=drawn.min(seen + 1)).rev() {
            let (low, high) = (below[taken - 1], below[seen] - below[seen + 1 - taken]);
            let (fewer, more) = ways.split_at_mut(taken);
            let from = &fewer[taken - 1][low..=high];
            for (to, from) in more[0][low + score..=high + score].iter_mut().zip(from) {
                *to += from;
            }
        }
    }
    let all: f64 = ways[drawn].iter().sum();
    let mut probability = ways.swap_remove(drawn);
    for way in &mut probability {
        *way /= all;
    }
    probability
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 rounds")]
fn float(count: usize) -> f64 {
    count as f64
}
