//! Median, range and fairness.

use super::student;
use crate::Spread;

/// Median of the finite values; `None` where there are none.
///
/// Of an even number the mean of the middle two.
///
/// # Examples
/// ```
/// assert_eq!(results::statistics::median(&[4.0, 1.0, 2.0]), Some(2.0));
/// ```
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted_finite(values);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(sorted[middle - 1], upper)) }
}

/// Median and range of the finite values; all zero where there are none.
#[must_use]
pub fn spread(values: &[f64]) -> Spread {
    let sorted = sorted_finite(values);
    match (median(&sorted), sorted.first(), sorted.last()) {
        (Some(median), Some(&min), Some(&max)) => Spread { median, min, max },
        _ => Spread { median: 0.0, min: 0.0, max: 0.0 },
    }
}

/// Mean, standard deviation and Student's interval of the mean of the finite values; `None` where there are none.
/// Of a single one the deviation is 0 and the interval a point.
///
/// For formats whose readers want a mean. Comparisons do not rest on it: one slow round would move it.
#[must_use]
pub fn mean_interval(values: &[f64], confidence: f64) -> Option<(f64, f64, [f64; 2])> {
    let values = sorted_finite(values);
    if values.is_empty() {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 rounds")]
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    if values.len() == 1 || !(confidence > 0.0 && confidence < 1.0) {
        return Some((mean, 0.0, [mean; 2]));
    }
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let half_width =
        student::upper_quantile((1.0 - confidence) / 2.0, values.len() - 1) * deviation / n.sqrt();
    Some((mean, deviation, [mean - half_width, mean + half_width]))
}

/// Jain's fairness index of what each task got: `(Σx)² / (n Σx²)`, from 1/n (one got all) to 1 (all the same).
///
/// 1 where nobody got anything: nobody was preferred.
///
/// Jain, Chiu and Hawe, "A Quantitative Measure of Fairness and Discrimination for Resource Allocation in
/// Shared Computer Systems", DEC Research Report TR-301, 1984.
///
/// # Examples
/// ```
/// assert_eq!(results::statistics::jain(&[10, 0]), 0.5);
/// ```
#[must_use]
pub fn jain(shares: &[u64]) -> f64 {
    // Scaled by the largest, squares cannot overflow.
    let largest = shares.iter().copied().max().unwrap_or(0);
    if largest == 0 {
        return 1.0;
    }
    let scaled = shares.iter().map(|&share| float(share) / float(largest));
    let (sum, squares) = scaled.fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
    sum * sum / (count(shares) * squares)
}

/// What the worst-served task got over the mean of all: from 0 (it starved) to 1 (all the same).
///
/// 1 where nobody got anything, as in [`jain`].
///
/// # Examples
/// ```
/// assert_eq!(results::statistics::smallest_share(&[5, 10, 15]), 0.5);
/// ```
#[must_use]
pub fn smallest_share(shares: &[u64]) -> f64 {
    let sum: f64 = shares.iter().copied().map(float).sum();
    let smallest = shares.iter().copied().min().unwrap_or(0);
    if sum == 0.0 { 1.0 } else { float(smallest) * count(shares) / sum }
}

pub(super) fn sorted_finite(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

#[expect(clippy::cast_precision_loss, reason = "counts of operations stay far below 2^53")]
fn float(value: u64) -> f64 {
    value as f64
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 tasks")]
fn count(shares: &[u64]) -> f64 {
    shares.len() as f64
}
