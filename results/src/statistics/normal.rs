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

#[cfg(test)]
mod tests {
    use super::{upper_quantile, upper_tail};
    use statrs::distribution::{ContinuousCDF, Normal};

    #[test]
    fn tail_agrees_with_statrs_to_ten_digits() {
        let oracle = Normal::standard();
        for step in -400..=400 {
            let z = f64::from(step) / 20.0;
            let (found, expected) = (upper_tail(z), oracle.sf(z));
            assert!((found - expected).abs() <= 1e-10 * expected, "P(Z > {z}) is {found}, not {expected}");
        }
    }

    /// `scipy.stats.norm.sf` of SciPy 1.17.1, which is sharper than statrs.
    #[test]
    fn tail_agrees_with_scipy_to_thirteen_digits() {
        for (z, expected) in [
            (-1.05, 0.8531409436241041),
            (0.5, 0.3085375387259869),
            (1.05, 0.1468590563758959),
            (1.96, 0.024997895148220435),
            (2.9, 0.0018658133003840375),
            (3.1, 0.0009676032132183563),
            (5.0, 2.866515718791933e-07),
            (10.0, 7.61985302416047e-24),
            (30.0, 4.906713927147908e-198),
        ] {
            let found: f64 = upper_tail(z);
            assert!((found - expected).abs() <= 1e-13 * expected, "P(Z > {z}) is {found}, not {expected}");
        }
    }

    #[test]
    fn quantile_agrees_with_statrs() {
        let oracle = Normal::standard();
        for tail in [0.5, 0.25, 0.1, 0.05, 0.025, 0.005, 1e-4, 1e-9] {
            let (found, expected) = (upper_quantile(tail), oracle.inverse_cdf(1.0 - tail));
            assert!((found - expected).abs() <= 1e-6, "{tail} is at {found}, not {expected}");
        }
    }

    #[test]
    fn quantile_turns_the_tail_around() {
        for tail in [0.5, 0.31, 0.1, 0.025, 1e-5, 1e-12, 1e-100] {
            let back = upper_tail(upper_quantile(tail));
            assert!((back - tail).abs() <= 1e-9 * tail, "{back} instead of {tail}");
        }
    }

    #[test]
    fn tail_is_continuous_where_the_methods_meet() {
        let (series, fraction) = (upper_tail(3.0), upper_tail(3.0 + 1e-12));
        assert!((series - fraction).abs() < 1e-14);
    }

    #[test]
    fn ends_of_the_line_have_a_tail_too() {
        assert_eq!((upper_tail(f64::INFINITY), upper_tail(f64::NEG_INFINITY)), (0.0, 1.0));
        assert_eq!((upper_tail(1e300), upper_tail(0.0)), (0.0, 0.5));
    }
}
