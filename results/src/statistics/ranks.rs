//! Mid-ranks, and what counts as a tie.

/// Twice the mid-rank of each value, values in ascending order: equal ones share the mean of the places they
/// take, and twice that is a whole number.
pub(super) fn doubled_midranks(sorted: &[f64]) -> Vec<usize> {
    let mut ranks = Vec::with_capacity(sorted.len());
    for group in sorted.chunk_by(|a, b| a == b) {
        let first = ranks.len() + 1;
        let last = ranks.len() + group.len();
        ranks.resize(last, first + last);
    }
    ranks
}

/// Takes away what the last bits of a logarithm add, before ranks are given: 3 and 1/3 are equally far from 1,
/// and what differs by less than a billionth of a per mille is tied.
pub(super) fn rounded(log: f64) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 40) as f64;
    (log / STEP).round() * STEP
}
