//! What a comparison could have found: the smallest difference that its rounds would probably have shown.
//!
//! On the logarithm the half-width w of an interval is about q(c) standard errors, where q(c) is the quantile of
//! Student's distribution that an interval of that confidence reaches. An effect is found in 80 of 100
//! repetitions where it lies q(c) + q(80 %) standard errors from nothing, so that
//!
//! > ln(detectable) = w · (1 + q(80 %) / q(c))
//!
//! which is 1.43 w for many rounds and 95 %. Quantiles of Student's distribution and not the normal one, because
//! with few rounds the spread is uncertain too: of six rounds Wilcoxon's interval is their whole range. The
//! interval is taken and not the standard deviation, so that a slow round spoils it no more than the interval.
//!
//! Bloom, "Minimum Detectable Effects: A Simple Way to Report the Statistical Power of Experimental Designs",
//! Evaluation Review 19, 1995, which multiplies a standard error by the same sum of quantiles.

use super::student;

/// How often a difference of that size would have been found.
pub const POWER: f64 = 0.80;

/// The smallest ratio above 1 that a comparison with such an interval would have told from 1 in [`POWER`] of
/// its repetitions.
///
/// `attained` is the confidence of the interval, `degrees` its degrees of freedom: one less than there are pairs, two less
/// than there are rounds in two samples. `None` where the interval is none, or rests on too little to have a spread.
///
/// # Examples
/// ```
/// use results::statistics::detectable;
///
/// // An interval of ±2 % would have shown 3 %.
/// let found = detectable(Some([1.0 / 1.02, 1.02]), 0.95, 19).unwrap();
/// assert!(1.028 < found && found < 1.030);
/// ```
#[must_use]
pub fn detectable(ci: Option<[f64; 2]>, attained: f64, degrees: usize) -> Option<f64> {
    let [low, high] = ci?;
    if degrees == 0 || !(attained > 0.0 && attained < 1.0) {
        return None;
    }
    let half_width = (high.ln() - low.ln()) / 2.0;
    let reached = student::upper_quantile((1.0 - attained) / 2.0, degrees);
    let wanted = student::upper_quantile(1.0 - POWER, degrees);
    let ratio = (half_width * (1.0 + wanted / reached)).exp();
    ratio.is_finite().then_some(ratio)
}
