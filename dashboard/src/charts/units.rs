//! Durations and ratios as axes are labelled: `results` writes `1.00 µs`, a tick is `1 µs`.

/// A duration without needless zeros.
pub(crate) fn tick_ns(ns: f64) -> String {
    without_zeros(&results::format_ns(ns))
}

/// A ratio without needless zeros.
pub(super) fn tick_ratio(ratio: f64) -> String {
    without_zeros(&results::format_ratio(ratio))
}

fn without_zeros(text: &str) -> String {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number =
        if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    format!("{number}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_has_no_needless_zeros() {
        assert_eq!(tick_ns(1_000.0), "1 µs");
        assert_eq!(tick_ns(200e6), "200 ms");
        assert_eq!(tick_ns(100.0), "100 ns");
        assert_eq!(tick_ratio(1.0), "1×");
        assert_eq!(tick_ratio(1.25), "1.25×");
    }
}
