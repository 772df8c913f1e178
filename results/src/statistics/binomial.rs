//! A share of trials, and how sure it is: the interval of Clopper and Pearson.
//!
//! Its bounds are the shares under which what was seen, or more of it, has just the probability that is left on that
//! side. It never covers less than it says, whatever the true share is.
//!
//! Clopper and Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial", Biometrika
//! 26, 1934.

/// The interval of a share that was seen `successes` times in `trials`; all of 0 to 1 where there were no trials.
///
/// # Examples
/// ```
/// // None of a hundred: fewer than four in a hundred, at 95 %.
/// let [low, high] = results::statistics::share_interval(0, 100, 0.95);
/// assert!(low == 0.0 && (0.036..0.037).contains(&high));
/// ```
#[must_use]
pub fn share_interval(successes: u64, trials: u64, confidence: f64) -> [f64; 2] {
    let successes = successes.min(trials);
    let tail = (1.0 - confidence.clamp(0.0, 1.0)) / 2.0;
    let low = match successes {
        0 => 0.0,
        // So many or more: rises with the share.
        _ => rising_to(tail, |share| 1.0 - at_most(successes - 1, trials, share)),
    };
    let high = match trials - successes {
        0 => 1.0,
        // So many or fewer: falls with it.
        _ => rising_to(1.0 - tail, |share| 1.0 - at_most(successes, trials, share)),
    };
    [low, high]
}

/// Where a rising function of a share reaches the value; by bisection, as it is not asked for often.
fn rising_to(value: f64, function: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if function(middle) < value {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Probability of at most so many successes. Each term follows from the one before; on the logarithm, since the first
/// of many trials is too small for a float.
fn at_most(successes: u64, trials: u64, share: f64) -> f64 {
    if share <= 0.0 {
        return 1.0;
    }
    if share >= 1.0 {
        return if successes >= trials { 1.0 } else { 0.0 };
    }
    #[expect(clippy::cast_precision_loss, reason = "nobody makes 2^53 trials")]
    let float = |count: u64| count as f64;
    let odds_ln = share.ln() - (-share).ln_1p();
    let mut term_ln = float(trials) * (-share).ln_1p();
    let mut sum = term_ln.exp();
    for success in 1..=successes.min(trials) {
        term_ln += (float(trials - success + 1) / float(success)).ln() + odds_ln;
        sum += term_ln.exp();
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::share_interval;
    use statrs::distribution::{Beta, ContinuousCDF};

    #[test]
    fn interval_is_that_of_the_beta_distribution() {
        for (successes, trials) in [(1, 5), (10, 200), (17, 200), (200, 400), (1, 10_000), (9_990, 10_000)] {
            for confidence in [0.5, 0.9, 0.95, 0.99] {
                let [low, high] = share_interval(successes, trials, confidence);
                let (tail, k, n) = ((1.0 - confidence) / 2.0, successes as f64, trials as f64);
                // The tails of the bounds rather than the bounds: statrs inverts to few digits.
                let below = Beta::new(k, n - k + 1.0).unwrap().cdf(low);
                let above = Beta::new(k + 1.0, n - k).unwrap().sf(high);
                for found in [below, above] {
                    assert!(
                        (found - tail).abs() < 1e-7,
                        "{successes} of {trials}: {found} instead of {tail}"
                    );
                }
            }
        }
    }

    /// `scipy.stats.binomtest(10, 200).proportion_ci(method="exact")`.
    #[test]
    fn ten_of_two_hundred_are_between_two_and_nine_per_cent() {
        let [low, high] = share_interval(10, 200, 0.95);
        assert!((low - 0.024_234).abs() < 5e-5 && (high - 0.090_027).abs() < 5e-5, "{low}–{high}");
    }

    #[test]
    fn ends_are_closed_and_turning_the_share_around_turns_the_interval_around() {
        assert_eq!(share_interval(0, 0, 0.95), [0.0, 1.0]);
        assert_eq!(share_interval(0, 50, 0.95)[0], 0.0);
        assert_eq!(share_interval(50, 50, 0.95)[1], 1.0);
        for successes in 0..=50 {
            let ([low, high], [back_low, back_high]) =
                (share_interval(successes, 50, 0.95), share_interval(50 - successes, 50, 0.95));
            assert!((low - (1.0 - back_high)).abs() < 1e-12 && (high - (1.0 - back_low)).abs() < 1e-12);
            let share = successes as f64 / 50.0;
            assert!(low <= share && share <= high, "{share} is outside {low}–{high}");
        }
    }
}
