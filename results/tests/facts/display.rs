//! Figures as people read them.

use results::{format_count, format_difference, format_ns, format_rate, format_ratio};

#[test]
fn durations_have_three_digits_and_the_fitting_unit() {
    for (ns, shown) in [
        (0.0, "0 ns"),
        (-0.0, "0 ns"),
        (0.25, "0.250 ns"),
        (1.0, "1.00 ns"),
        (12.34, "12.3 ns"),
        (123.4, "123 ns"),
        (999.4, "999 ns"),
        (999.6, "1.00 µs"),
        (1_234.0, "1.23 µs"),
        (45_600_000.0, "45.6 ms"),
        (7_890_000_000.0, "7.89 s"),
        (3.6e12, "3600 s"),
        (-1_500.0, "-1.50 µs"),
    ] {
        assert_eq!(format_ns(ns), shown);
    }
}

#[test]
fn rates_have_three_digits_and_the_fitting_unit() {
    for (rate, shown) in [
        (0.0, "0 /s"),
        (0.5, "0.500 /s"),
        (950.0, "950 /s"),
        (9_995.0, "10.0 k/s"),
        (12_345.0, "12.3 k/s"),
        (12_345_678.0, "12.3 M/s"),
        (1.5e9, "1.50 G/s"),
    ] {
        assert_eq!(format_rate(rate), shown);
    }
}

#[test]
fn ratios_have_three_digits() {
    for (ratio, shown) in [
        (0.9844, "0.984×"),
        (0.99949, "0.999×"),
        (0.9996, "1.00×"),
        (1.0, "1.00×"),
        (1.234, "1.23×"),
        (12.34, "12.3×"),
        (1234.5, "1234×"),
    ] {
        assert_eq!(format_ratio(ratio), shown);
    }
}

#[test]
fn counts_have_three_digits_and_no_empty_ones() {
    for (count, shown) in [
        (0.0, "0"),
        (1e-9, "0"),
        (0.000_123_4, "0.000123"),
        (0.5, "0.5"),
        (1.0, "1"),
        (1.5, "1.5"),
        (1.999, "2"),
        (12.34, "12.3"),
        (100.0, "100"),
        (12_345.6, "12346"),
    ] {
        assert_eq!(format_count(count), shown);
    }
    assert_eq!([f64::NAN, f64::INFINITY].map(format_count), ["–", "–"]);
}

#[test]
fn a_difference_is_in_percent_until_it_is_a_factor() {
    for (ratio, shown) in [
        (1.0, "0.0 %"),
        (1.003, "0.3 %"),
        (1.04, "4 %"),
        (1.0 / 1.04, "4 %"),
        (1.25, "25 %"),
        (1.99, "99 %"),
        (2.3, "a factor of 2.3"),
        (0.0, "–"),
        (f64::NAN, "–"),
    ] {
        assert_eq!(format_difference(ratio), shown);
    }
}

#[test]
fn what_is_no_figure_is_a_dash() {
    for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!([format_ns(odd), format_rate(odd), format_ratio(odd)], ["–", "–", "–"]);
    }
}

#[test]
fn the_largest_and_smallest_numbers_are_shown_too() {
    for odd in [f64::MAX, f64::MIN, f64::MIN_POSITIVE, -0.0] {
        assert!(!format_ns(odd).is_empty() && !format_rate(odd).is_empty() && !format_ratio(odd).is_empty());
    }
}
