//! Mid-ranks.

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
