//! Figures as people read them: three significant digits and a unit. Table and page share them.

/// Shown where there is no figure.
const NONE: &str = "–";

/// A duration: `12.3 ns`, `1.23 µs`, `45.6 ms`, `7.89 s`.
///
/// What is not finite becomes a dash.
///
/// # Examples
/// ```
/// assert_eq!(results::format_ns(1_234.0), "1.23 µs");
/// ```
#[must_use]
pub fn format_ns(ns: f64) -> String {
    scaled(ns, &[(1e9, " s"), (1e6, " ms"), (1e3, " µs"), (1.0, " ns")])
}

/// Operations in a second: `950 /s`, `12.3 k/s`, `12.3 M/s`.
///
/// What is not finite becomes a dash.
///
/// # Examples
/// ```
/// assert_eq!(results::format_rate(12_345_678.0), "12.3 M/s");
/// ```
#[must_use]
pub fn format_rate(ops_per_s: f64) -> String {
    scaled(ops_per_s, &[(1e9, " G/s"), (1e6, " M/s"), (1e3, " k/s"), (1.0, " /s")])
}

/// A ratio: `0.984×`, `1.02×`, `12.3×`.
///
/// What is not finite becomes a dash.
///
/// # Examples
/// ```
/// assert_eq!(results::format_ratio(1.234), "1.23×");
/// ```
#[must_use]
pub fn format_ratio(ratio: f64) -> String {
    if ratio.is_finite() { format!("{}×", three_digits(ratio)) } else { NONE.to_owned() }
}

/// A count for each operation: `0`, `0.002`, `1.5`, `12`.
///
/// Three significant digits, fewer where they would be zeros; what is not finite becomes a dash.
///
/// # Examples
/// ```
/// assert_eq!(results::format_count(0.001_234), "0.00123");
/// ```
#[must_use]
pub fn format_count(count: f64) -> String {
    const SMALLEST: f64 = 1e-6;
    if !count.is_finite() {
        return NONE.to_owned();
    }
    if count.abs() < SMALLEST {
        return "0".to_owned();
    }
    // The place of the first digit: 0 for 1 to 9, -1 for a tenth.
    let first = count.abs().log10().floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 8")]
    let decimals = (2.0 - first).clamp(0.0, 8.0) as usize;
    let text = format!("{count:.decimals$}");
    if decimals == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

/// How far a ratio lies from 1: `4 %` for 1.04, `0.3 %` for 1.003, `a factor of 2.3` where percents mislead.
///
/// A ratio below 1 is as far as its inverse; what is not finite or not above 0 becomes a dash.
///
/// # Examples
/// ```
/// assert_eq!(results::format_difference(1.04), "4 %");
/// ```
#[must_use]
pub fn format_difference(ratio: f64) -> String {
    if !ratio.is_finite() || ratio <= 0.0 {
        return NONE.to_owned();
    }
    let factor = ratio.max(ratio.recip());
    let percent = 100.0 * (factor - 1.0);
    match percent {
        _ if factor >= 1.995 => format!("a factor of {factor:.1}"),
        percent if percent < 0.95 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// Picks the largest unit that leaves at least 1 in front, after rounding: 999.6 ns is 1.00 µs.
fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    const ROUNDS_TO_ONE: f64 = 0.9995;
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let fits = units.iter().find(|(scale, _)| value.abs() / scale >= ROUNDS_TO_ONE);
    match fits.or(units.last()) {
        Some((scale, unit)) => format!("{}{unit}", three_digits(value / scale)),
        None => three_digits(value),
    }
}

/// Three significant digits, never scientific. Below a thousandth more zeros would only pretend.
fn three_digits(value: f64) -> String {
    // A negative zero loses its sign.
    let value = value + 0.0;
    let size = value.abs();
    let decimals = if size >= 99.95 {
        0
    } else if size >= 9.995 {
        1
    } else if size >= 0.9995 {
        2
    } else if size == 0.0 {
        0
    } else {
        3
    };
    format!("{value:.decimals$}")
}
