//! The normal distribution, for samples too large for the exact ones.

use std::f64::consts::TAU;

/// P(Z > z) of the standard normal distribution.
///
/// Near the middle by the Taylor series of Φ − ½, in the tail by Laplace's continued fraction: each converges
/// to full precision where it is used.
pub(super) fn upper_tail(z: f64) -> f64 {
    const SERIES_UP_TO: f64 = 3.0;
    if z < 0.0 {
        1.0 - upper_tail(-z)
    } else if z <= SERIES_UP_TO {
        0.5 - density(z) * central_series(z)
    } else {
        density(z) / continued_fraction(z)
    }
}

/// The z with P(Z > z) = `tail`, for a tail of at most one half; by bisection, as it is not asked for often.
pub(super) fn upper_quantile(tail: f64) -> f64 {
    // Beyond 40 the tail is 0 in an f64.
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        if upper_tail(middle) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / TAU.sqrt()
}

/// z + z³/3 + z⁵/(3·5) + z⁷/(3·5·7) + …
fn central_series(z: f64) -> f64 {
    let (mut sum, mut term, mut odd) = (z, z, 1.0);
    while term > sum * f64::EPSILON {
        odd += 2.0;
        term *= z * z / odd;
        sum += term;
    }
    sum
}

/// z + 1/(z + 2/(z + 3/(z + …))), from the inside out.
fn continued_fraction(z: f64) -> f64 {
    const DEPTH: u32 = 150;
    (1..=DEPTH).rev().fold(z, |inner, k| z + f64::from(k) / inner)
}

/// As [`largest_bound`](super::largest_bound), by approximation.
pub(super) fn bound(mean: f64, deviation: f64, confidence: f64) -> Option<(usize, f64)> {
    let z = upper_quantile((1.0 - confidence) / 2.0);
    // P(statistic < k) is about Φ((k − ½ − mean) / deviation).
    let k = (mean - z * deviation + 0.5).floor();
    if k < 1.0 {
        return None;
    }
    let attained = 1.0 - 2.0 * upper_tail((mean + 0.5 - k) / deviation);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and at least 1")]
    let k = k as usize;
    Some((k, attained))
}

/// As [`two_sided`](super::two_sided), by approximation with correction for continuity: `half_step` is half
/// of the distance between values of the statistic.
pub(super) fn two_sided(observed: f64, mean: f64, deviation: f64, half_step: f64) -> f64 {
    let distance = (observed - mean).abs() - half_step;
    // Without deviation all values are the same, and nothing speaks against equality.
    if distance <= 0.0 || deviation <= 0.0 { 1.0 } else { (2.0 * upper_tail(distance / deviation)).min(1.0) }
}
