//! Two backends in the same rounds: Hodges–Lehmann estimate with Wilcoxon's interval.
//!
//! What disturbs a round (clock speed, neighbours, drift) disturbs both slots of it, so each round is a
//! ratio of its own and only the ratios are compared. On the logarithm, where twice as fast and half as fast
//! are equally far from 1:
//!
//! - the *estimate* is the median of all Walsh averages, the means of two rounds (a round with itself
//!   included). A slow round moves it little, yet it is nearly as sharp as the mean where all is well.
//! - the *interval* runs from the k-th smallest Walsh average to the k-th largest, k by the exact
//!   distribution of the signed-rank statistic: as sure as asked for or a little surer, never less. Six
//!   rounds are the fewest that give 95 %.
//! - the *p-value* is that of the signed-rank test, two-sided, given the ranks that are there. Equal distances
//!   share the mean of their ranks. Rounds without any difference take part in the ranking and then fall
//!   out (Pratt): left out beforehand, as in Wilcoxon's paper, a tie would count as if it had not happened,
//!   though it speaks for equality.
//!
//! With ties the interval is a little wider than need be, never too narrow.
//!
//! Up to [`EXACT_UP_TO`] rounds the distribution is exact; above, the normal approximation with correction
//! for continuity stands in: for a p-value of 5 % it then says at most 5.1 %.
//!
//! Hodges and Lehmann, "Estimates of Location Based on Rank Tests", Annals of Mathematical Statistics 34,
//! 1963. Wilcoxon, "Individual Comparisons by Ranking Methods", Biometrics Bulletin 1, 1945. Pratt, "Remarks
//! on Zeros and Ties in the Wilcoxon Signed Rank Procedures", Journal of the American Statistical Association
//! 54, 1959.

use super::normal;
use super::pairwise::Pairs;
use super::ranks::{doubled_midranks, rounded};
use super::summary::sorted_finite;

/// Rounds up to which the distribution is exact: sums of ranks are few enough to count them in microseconds.
pub const EXACT_UP_TO: usize = 50;

/// Ratio of two backends over paired rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedEstimate {
    /// Hodges–Lehmann estimate of the ratio; `None` with fewer than two rounds.
    pub ratio: Option<f64>,
    /// Interval of the ratio; `None` where so few rounds cannot be as sure as was asked for.
    pub ci: Option<[f64; 2]>,
    /// Confidence that the interval attains, 0 to 1; 0 without an interval.
    pub attained: f64,
    /// Two-sided p-value of "no difference"; `None` with fewer than two rounds.
    pub p: Option<f64>,
    /// Rounds used.
    pub rounds: usize,
    /// Whether interval and p-value are exact, not approximated.
    pub exact: bool,
}

/// Estimates a ratio from those of the rounds, candidate over baseline so that more than 1 is better.
///
/// Ratios that have no logarithm (zero, negative, not finite) are left out. A `confidence` that is not
/// between 0 and 1 gives no interval.
///
/// # Examples
/// ```
/// use results::statistics::paired::estimate;
///
/// let found = estimate(&[1.12, 1.31, 1.01, 1.22, 1.05, 1.18], 0.95);
/// assert_eq!(found.ci.map(|[low, high]| (low > 1.0, high < 1.32)), Some((true, true)));
/// assert_eq!(found.p, Some(2.0 / 64.0));
/// ```
#[must_use]
pub fn estimate(ratios: &[f64], confidence: f64) -> PairedEstimate {
    let positive: Vec<f64> = ratios.iter().filter(|ratio| **ratio > 0.0).map(|ratio| ratio.ln()).collect();
    let logs = sorted_finite(&positive);
    let rounds = logs.len();
    let exact = rounds <= EXACT_UP_TO;
    if rounds < 2 {
        return PairedEstimate { ratio: None, ci: None, attained: 0.0, p: None, rounds, exact };
    }
    let walsh = Pairs::Walsh(&logs);
    let ratio = location(&logs).map(f64::exp);
    let bound = bound(rounds, confidence);
    let ci = bound
        .map(|(k, _)| [walsh.kth_sum(k), walsh.kth_sum(walsh.len() + 1 - k)].map(|sum| (sum / 2.0).exp()));
    let attained = bound.map_or(0.0, |(_, attained)| attained);
    PairedEstimate { ratio, ci, attained, p: Some(p_value(&logs)), rounds, exact }
}

/// Hodges–Lehmann estimate of where the logarithms, which ascend, lie; `None` where there are none.
pub(super) fn location(logs: &[f64]) -> Option<f64> {
    // `Pairs` sums, a Walsh average is half of it.
    Pairs::Walsh(logs).median().map(|sum| sum / 2.0)
}

/// Which Walsh average from either end bounds the interval, and the confidence that it attains.
fn bound(rounds: usize, confidence: f64) -> Option<(usize, f64)> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    if rounds > EXACT_UP_TO {
        return bound_by_normal(rounds, confidence);
    }
    let ranks: Vec<usize> = (1..=rounds).collect();
    super::largest_bound(&null_distribution(&ranks), confidence)
}

fn bound_by_normal(rounds: usize, confidence: f64) -> Option<(usize, f64)> {
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 rounds")]
    let n = rounds as f64;
    let mean = n * (n + 1.0) / 4.0;
    let deviation = (n * (n + 1.0) * (2.0 * n + 1.0) / 24.0).sqrt();
    normal::bound(mean, deviation, confidence)
}

/// Two-sided p-value of the signed-rank test.
fn p_value(logs: &[f64]) -> f64 {
    let mut distances: Vec<f64> = logs.iter().copied().map(rounded).collect();
    distances.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
    let sizes: Vec<f64> = distances.iter().map(|distance| distance.abs()).collect();

    let ranked = distances.iter().zip(doubled_midranks(&sizes)).filter(|(distance, _)| **distance != 0.0);
    let (mut scores, mut positive) = (Vec::new(), 0);
    for (distance, rank) in ranked {
        scores.push(rank);
        positive += if *distance > 0.0 { rank } else { 0 };
    }
    if logs.len() > EXACT_UP_TO {
        p_by_normal(&scores, positive)
    } else {
        super::two_sided(&null_distribution(&scores), positive)
    }
}

/// The statistic is a sum of independent coin tosses, each worth its score: mean and variance are exact, with
/// whatever ties and zeros, and only the shape is approximated.
fn p_by_normal(scores: &[usize], positive: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "ranks stay far below 2^53")]
    let float = |score: usize| score as f64;
    let mean = scores.iter().map(|&score| float(score)).sum::<f64>() / 2.0;
    let variance = scores.iter().map(|&score| float(score) * float(score)).sum::<f64>() / 4.0;
    // Scores are doubled, so a half of the statistic is 1 here.
    normal::two_sided(float(positive), mean, variance.sqrt(), 1.0)
}

/// Probability of each sum of scores where each counts or not by the toss of a coin.
fn null_distribution(scores: &[usize]) -> Vec<f64> {
    let mut probability = vec![0.0; scores.iter().sum::<usize>() + 1];
    probability[0] = 1.0;
    let mut highest = 0;
    for &score in scores {
        highest += score;
        for sum in (0..=highest).rev() {
            let with = if sum >= score { probability[sum - score] } else { 0.0 };
            probability[sum] = 0.5 * (probability[sum] + with);
        }
    }
    probability
}
