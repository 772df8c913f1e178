//! Student's t distribution with a whole number of degrees of freedom.

use std::f64::consts::{PI, TAU};

use super::normal;

/// From here on the normal distribution stands in: quantiles differ by less than 0.03 %.
const NORMAL_FROM: usize = 5_000;

/// P(T > t) for a t of at least 0, with at least one degree of freedom.
///
/// Near the middle by the finite sum over the angle (Abramowitz and Stegun, 26.7.3 and 26.7.4), in the tail by
/// the continued fraction of the incomplete beta function (26.5.8), which keeps its digits where the sum would
/// subtract nearly equal numbers.
pub(super) fn upper_tail(t: f64, degrees: usize) -> f64 {
    const SUM_UP_TO: f64 = 2.0;
    if degrees >= NORMAL_FROM {
        normal::upper_tail(t)
    } else if t <= SUM_UP_TO {
        0.5 - 0.5 * within(t, degrees)
    } else {
        0.5 * beyond(t, degrees)
    }
}

/// The t with P(T > t) = `tail`, for a tail of at most one half; by bisection over its logarithm, as with one
/// degree of freedom it may be anywhere.
pub(super) fn upper_quantile(tail: f64, degrees: usize) -> f64 {
    let (mut low, mut high) = (1e-9_f64.ln(), 1e15_f64.ln());
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if upper_tail(middle.exp(), degrees) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high).exp()
}

/// P(|T| ≤ t).
fn within(t: f64, degrees: usize) -> f64 {
    let n = float(degrees);
    let angle = (t / n.sqrt()).atan();
    let (sine, cosine) = angle.sin_cos();
    let odd = degrees % 2 == 1;
    let (mut power, mut sum) = (if odd { cosine } else { 1.0 }, 0.0);
    let mut k = if odd { 1.0 } else { 0.0 };
    while k <= n - 2.0 {
        sum += power;
        k += 2.0;
        power *= cosine * cosine * (k - 1.0) / k;
    }
    if odd { (angle + sine * sum) * 2.0 / PI } else { sine * sum }
}

/// P(|T| > t): the incomplete beta function at x = n / (n + t²) with the parameters n/2 and 1/2.
fn beyond(t: f64, degrees: usize) -> f64 {
    let n = float(degrees);
    // The fraction needs as many steps as the root of its parameters, and a few more.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
    let depth = 24 + 2 * n.sqrt() as u32;
    let (a, b) = (n / 2.0, 0.5);
    let x = n / (n + t * t);
    // 1/(1 + d₁/(1 + d₂/(1 + …))), from the inside out.
    let fraction = (1..=depth).rev().fold(1.0, |inner, step| {
        let m = f64::from(step / 2);
        let d = if step % 2 == 1 {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        } else {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        };
        1.0 + d / inner
    });
    // 1 − x, without the digits that a difference would lose.
    let rest = 1.0 / (1.0 + n / (t * t));
    x.powf(a) * rest.sqrt() / (a * beta_with_half(degrees) * fraction)
}

/// B(n/2, 1/2), upwards from B(1/2, 1/2) = π and B(1, 1/2) = 2.
fn beta_with_half(degrees: usize) -> f64 {
    let odd = degrees % 2 == 1;
    let (mut beta, mut a) = if odd { (TAU / 2.0, 0.5) } else { (2.0, 1.0) };
    while a + 0.75 < float(degrees) / 2.0 {
        beta *= a / (a + 0.5);
        a += 1.0;
    }
    beta
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 rounds")]
fn float(degrees: usize) -> f64 {
    degrees as f64
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{ContinuousCDF, StudentsT};

    use super::{upper_quantile, upper_tail};

    #[test]
    fn tail_agrees_with_statrs() {
        for degrees in (1..=40).chain([99, 100, 499, 1_000]) {
            let oracle = StudentsT::new(0.0, 1.0, degrees as f64).unwrap();
            for step in 0..=160 {
                let t = f64::from(step) / 8.0;
                let (found, expected) = (upper_tail(t, degrees), oracle.sf(t));
                let close = (found - expected).abs() <= 1e-9 * expected;
                assert!(close || expected < 1e-100, "P(T > {t}) with {degrees} is {found}, not {expected}");
            }
        }
    }

    /// The table that every textbook has, to its three digits.
    #[test]
    fn quantiles_are_those_of_the_table() {
        for (degrees, at_90, at_975, at_995) in [
            (1, 3.078, 12.706, 63.657),
            (2, 1.886, 4.303, 9.925),
            (3, 1.638, 3.182, 5.841),
            (4, 1.533, 2.776, 4.604),
            (5, 1.476, 2.571, 4.032),
            (10, 1.372, 2.228, 3.169),
            (30, 1.310, 2.042, 2.750),
            (120, 1.289, 1.980, 2.617),
        ] {
            for (tail, expected) in [(0.1, at_90), (0.025, at_975), (0.005, at_995)] {
                let found = upper_quantile(tail, degrees);
                assert!((found - expected).abs() < 6e-4, "{degrees}, {tail}: {found}, not {expected}");
            }
        }
    }

    #[test]
    fn quantile_turns_the_tail_around() {
        for degrees in [1, 2, 3, 7, 50, 4_999, 5_000, 1_000_000] {
            for tail in [0.49, 0.2, 0.025, 1e-5, 1e-12] {
                let back = upper_tail(upper_quantile(tail, degrees), degrees);
                assert!((back - tail).abs() <= 1e-8 * tail, "{degrees}: {back} instead of {tail}");
            }
        }
    }

    #[test]
    fn tail_is_continuous_where_the_methods_meet() {
        for degrees in [1, 2, 3, 10, 11, 1_000, 4_999] {
            let (sum, fraction) = (upper_tail(2.0, degrees), upper_tail(2.0 + 1e-13, degrees));
            assert!((sum - fraction).abs() < 1e-12, "{degrees}: {sum} and {fraction}");
        }
        let (own, normal) = (upper_tail(1.96, 4_999), upper_tail(1.96, 5_000));
        assert!((own - normal).abs() < 2e-3 * normal, "{own} and {normal}");
    }

    #[test]
    fn ends_of_the_line_have_a_tail_too() {
        for degrees in [1, 2, 9, 10_000] {
            assert_eq!((upper_tail(0.0, degrees), upper_tail(f64::INFINITY, degrees)), (0.5, 0.0));
        }
    }
}
