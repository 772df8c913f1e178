//! Two backends in the same rounds of several processes: the process is the replicate.
//!
//! Where a program lies in memory, how its tables were seeded and which pages it was given stays the same for
//! all rounds of a process and differs in the next. Rounds of one process share that luck, however many they
//! are, so that an interval over all rounds of all processes is too narrow, and grows narrower with rounds that
//! tell nothing new. Hence each process comes to one ratio, the Hodges–Lehmann estimate of its rounds, and only
//! these are compared:
//!
//! - as [`paired`] compares rounds, exactly, where they are enough for the confidence asked for:
//!   six give 95 %.
//! - by Student's t on their logarithms where they are fewer, two at least. That takes them for normally
//!   distributed, which for medians of many rounds is bearable and without which so few could say nothing.
//!
//! Kalibera and Jones, "Rigorous Benchmarking in Reasonable Time", ISMM 2013, on why the highest level that
//! varies must be repeated. Student, "The Probable Error of a Mean", Biometrika 6, 1908.

use std::collections::BTreeMap;

use super::paired::{self, PairedEstimate};
use super::student;
use super::summary::sorted_finite;

/// Ratio of two backends over several processes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ForkEstimate {
    /// Over the processes: its `rounds` are their number.
    pub over_forks: PairedEstimate,
    /// Whether the interval is Student's, the processes being too few for Wilcoxon's.
    pub student: bool,
    /// Pairs of rounds used, of all processes.
    pub rounds: usize,
}

/// Estimates a ratio from those of the rounds, each with the process that measured it.
///
/// Ratios that have no logarithm are left out, and with its last ratio a process. Fewer than two processes give
/// no estimate.
///
/// # Examples
/// ```
/// use results::statistics::forks::estimate;
///
/// // Within a process a round is like the other; between the two lie 20 %.
/// let rounds = [(0, 1.10), (0, 1.11), (0, 1.12), (1, 1.31), (1, 1.32), (1, 1.33)];
/// let found = estimate(&rounds, 0.95);
/// assert_eq!((found.over_forks.rounds, found.student), (2, true));
/// assert!(found.over_forks.ci.is_some_and(|[low, _]| low < 1.0));
/// ```
#[must_use]
pub fn estimate<Fork: Ord + Copy>(ratios: &[(Fork, f64)], confidence: f64) -> ForkEstimate {
    let mut by_fork: BTreeMap<Fork, Vec<f64>> = BTreeMap::new();
    for (fork, ratio) in ratios.iter().filter(|(_, ratio)| *ratio > 0.0 && ratio.is_finite()) {
        by_fork.entry(*fork).or_default().push(ratio.ln());
    }
    let rounds = by_fork.values().map(Vec::len).sum();
    let logs: Vec<f64> = by_fork.values().filter_map(|logs| paired::location(&sorted_finite(logs))).collect();
    let ratios: Vec<f64> = logs.iter().map(|log| log.exp()).collect();
    let exact = paired::estimate(&ratios, confidence);
    let student = exact.ci.is_none();
    let over_forks = if student { by_student(&logs, confidence) } else { exact };
    ForkEstimate { over_forks, student, rounds }
}

fn by_student(logs: &[f64], confidence: f64) -> PairedEstimate {
    let forks = logs.len();
    if forks < 2 {
        return PairedEstimate { ratio: None, ci: None, attained: 0.0, p: None, rounds: forks, exact: true };
    }
    #[expect(clippy::cast_precision_loss, reason = "nobody starts 2^53 processes")]
    let n = forks as f64;
    let mean = logs.iter().sum::<f64>() / n;
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let error = (variance / n).sqrt();
    let sure = confidence > 0.0 && confidence < 1.0;
    let half_width = sure.then(|| error * student::upper_quantile((1.0 - confidence) / 2.0, forks - 1));
    PairedEstimate {
        ratio: Some(mean.exp()),
        ci: half_width.map(|half_width| [mean - half_width, mean + half_width].map(f64::exp)),
        attained: if sure { confidence } else { 0.0 },
        p: Some(p_by_student(mean, error, forks - 1)),
        rounds: forks,
        exact: true,
    }
}

fn p_by_student(mean: f64, error: f64, degrees: usize) -> f64 {
    // Without any spread the least difference is certain, and none is none.
    match (mean == 0.0, error == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        (false, false) => 2.0 * student::upper_tail((mean / error).abs(), degrees),
    }
}
