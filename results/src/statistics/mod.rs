//! Statistics of rounds: plain numbers in, plain numbers out.
//!
//! | module | for |
//! |---|---|
//! | `summary` | median, range, fairness |
//! | [`paired`] | two backends in the same rounds |
//! | [`forks`] | two backends in the same rounds of several processes |
//! | [`unpaired`] | two runs, whose rounds have nothing in common |
//! | `holm` | many p-values at once |
//! | `power` | the difference that a comparison would have found |
//! | `binomial` | a share of trials and its exact interval |
//! | `pairwise` | order statistics of all pairs' sums without making the pairs |
//! | `ranks`, `normal`, `student` | mid-ranks, the normal and Student's distribution, under the above |
//!
//! A round is the replicate: what happens within one is never pooled with another, because operations of one
//! slot share its scheduler, its clock speed and its neighbours, and are not independent of each other. Where a run was
//! spread over several processes it is the process, for the same reason.

mod binomial;
pub mod forks;
mod holm;
mod normal;
pub mod paired;
mod pairwise;
mod power;
mod ranks;
mod student;
mod summary;
pub mod unpaired;

pub use binomial::share_interval;
pub use forks::ForkEstimate;
pub use holm::holm;
pub use paired::PairedEstimate;
pub use power::{POWER, detectable};
pub use summary::{jain, mean_interval, median, smallest_share, spread};
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
