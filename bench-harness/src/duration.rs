//! Durations as people type them: `500ns`, `10us` or `10µs`, `2ms`, `1.5s`.

use std::time::Duration;

/// The longest duration taken: an hour is a typing mistake in every place where we ask for one.
const LIMIT: Duration = Duration::from_secs(3600);

/// The units, the longer suffixes first so that `ms` is not read as `s`.
const UNITS: &[(&str, u64)] =
    &[("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];

/// Reads a duration; digits with at most nine decimals and a unit, or a bare `0`.
///
/// # Errors
/// A sentence that says what is taken.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (number, unit_ns) = UNITS
        .iter()
        .find_map(|&(unit, ns)| text.strip_suffix(unit).map(|number| (number, ns)))
        .ok_or_else(|| String::from("a duration needs a unit: 500ns, 10us, 2ms or 1.5s"))?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.len() > 9 {
        return Err(String::from("expected digits and a unit, such as 500ns, 10us, 2ms or 1.5s"));
    }
    let too_long = || format!("longer than {} s", LIMIT.as_secs());
    let whole: u128 = whole.parse().map_err(|_| too_long())?;
    let fraction: u128 = decimals.parse().map_err(|_| too_long())?;
    let scale = 10_u128.pow(decimals.len() as u32);
    let ns = whole
        .checked_mul(u128::from(unit_ns))
        .and_then(|ns| ns.checked_add(fraction * u128::from(unit_ns) / scale))
        .filter(|&ns| ns <= LIMIT.as_nanos())
        .ok_or_else(too_long)?;
    if ns == 0 && (whole, fraction) != (0, 0) {
        return Err(String::from("shorter than a nanosecond"));
    }
    Ok(Duration::from_nanos(ns as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        for (text, ns) in [
            ("0", 0),
            ("0ns", 0),
            ("500ns", 500),
            ("10us", 10_000),
            ("10µs", 10_000),
            ("10μs", 10_000),
            ("2ms", 2_000_000),
            ("1.5s", 1_500_000_000),
            ("0.25us", 250),
            ("3600s", 3_600_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_nanos(ns)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "5",
            "-5ms",
            "+5ms",
            "ms",
            ".5s",
            "5.s",
            "1e3s",
            "5 ms",
            "five s",
            "nanns",
            "3601s",
            "0.1ns",
            "99999999999999999999999999999999999999999999s",
            "340282366920938463463374607431768211455s",
            "0.1234567891s",
            "٥ms",
        ] {
            assert!(parse(text).is_err(), "{text:?} was taken");
        }
    }
}
