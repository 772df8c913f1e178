//! Statistics of rounds: plain numbers in, plain numbers out.
//!
//! | module | for |
//! |---|---|
//! | `summary` | median, range, fairness |
//! | [`paired`] | two backends in the same rounds |
//! | [`unpaired`] | two runs, whose rounds have nothing in common |
//! | `holm` | many p-values at once |
//! | `binomial` | a share of trials and its exact interval |
//! | `pairwise` | order statistics of all pairs' sums without making the pairs |
//! | `ranks`, `normal` | mid-ranks and the normal distribution, under the above |
//!
//! A round is the replicate: what happens within one is never pooled with another, because operations of one
//! slot share its scheduler, its clock speed and its neighbours, and are not independent of each other.

mod binomial;
mod holm;
mod normal;
pub mod paired;
mod pairwise;
mod ranks;
mod summary;
pub mod unpaired;

pub use binomial::share_interval;
pub use holm::holm;
pub use paired::PairedEstimate;
pub use summary::{jain, median, smallest_share, spread};
pub use unpaired::UnpairedEstimate;

/// The largest k, from 1, for which the interval from the k-th smallest to the k-th largest of all pairs is at
/// least as sure as `confidence`; with what it attains. `None` where even the outermost is not.
///
/// `probability` is that of a symmetric whole statistic counted from 0: the interval misses on one side when
/// the statistic is below k.
fn largest_bound(probability: &[f64], confidence: f64) -> Option<(usize, f64)> {
    // Rounding must not cost a step where the confidence asked for is attained exactly.
    const SLACK: f64 = 1e-12;
    let mut best = None;
    let mut below = 0.0;
    for (k, p) in (1..).zip(&probability[..probability.len() / 2]) {
        below += p;
        let attained = 1.0 - 2.0 * below;
        if attained < confidence - SLACK {
            break;
        }
        best = Some((k, attained));
    }
    best
}

/// Twice the smaller tail at `observed`, at most 1.
fn two_sided(probability: &[f64], observed: usize) -> f64 {
    let lower: f64 = probability[..=observed].iter().sum();
    let upper: f64 = probability[observed..].iter().sum();
    (2.0 * lower.min(upper)).min(1.0)
}
