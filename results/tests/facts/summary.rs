//! Median, range, fairness and Holm's adjustment, by hand.

use crate::common::assert_close;
use results::Spread;
use results::statistics::{holm, jain, median, smallest_share, spread};

#[test]
fn median_is_the_middle_or_the_mean_of_the_middle_two() {
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    assert_eq!(median(&[7.0]), Some(7.0));
    assert_eq!(median(&[]), None);
}

#[test]
fn what_is_not_finite_takes_no_part() {
    assert_eq!(median(&[f64::NAN, 1.0, f64::INFINITY, 3.0]), Some(2.0));
    assert_eq!(median(&[f64::NAN]), None);
    assert_eq!(spread(&[f64::NEG_INFINITY, 5.0]), Spread { median: 5.0, min: 5.0, max: 5.0 });
}

#[test]
fn median_of_the_largest_numbers_does_not_overflow() {
    assert_eq!(median(&[f64::MAX, f64::MAX]), Some(f64::MAX));
}

#[test]
fn spread_is_median_and_range() {
    assert_eq!(spread(&[2.0, 9.0, 4.0]), Spread { median: 4.0, min: 2.0, max: 9.0 });
    assert_eq!(spread(&[]), Spread { median: 0.0, min: 0.0, max: 0.0 });
}

#[test]
fn jains_index_runs_from_one_over_n_to_one() {
    assert_close(jain(&[5, 5, 5, 5]), 1.0, 1e-15);
    assert_close(jain(&[9, 0, 0, 0]), 0.25, 1e-15);
    // (1 + 2 + 3)² / (3 · (1 + 4 + 9)).
    assert_close(jain(&[1, 2, 3]), 36.0 / 42.0, 1e-15);
    assert_close(jain(&[u64::MAX, u64::MAX]), 1.0, 1e-15);
}

#[test]
fn smallest_share_is_of_the_mean() {
    assert_close(smallest_share(&[5, 5]), 1.0, 1e-15);
    assert_close(smallest_share(&[0, 10]), 0.0, 1e-15);
    assert_close(smallest_share(&[1, 2, 3]), 0.5, 1e-15);
    assert_close(smallest_share(&[u64::MAX, u64::MAX]), 1.0, 1e-15);
}

#[test]
fn nobody_was_preferred_where_nobody_got_anything() {
    for shares in [&[][..], &[0], &[0, 0, 0]] {
        assert_eq!((jain(shares), smallest_share(shares)), (1.0, 1.0));
    }
}

#[test]
fn holm_multiplies_by_what_is_left_and_never_descends() {
    // 0.01 · 4; 0.02 · 3; 0.03 · 2 = 0.06 as well; 0.04 · 1 stays at its predecessor's 0.06.
    let adjusted = holm(&[Some(0.03), Some(0.01), Some(0.04), Some(0.02)]);
    for (found, expected) in adjusted.iter().zip([0.06, 0.04, 0.06, 0.06]) {
        assert_close(found.unwrap(), expected, 1e-15);
    }
}

#[test]
fn holm_stops_at_one() {
    assert_eq!(holm(&[Some(0.9), Some(0.4), Some(0.6)]), [Some(1.0), Some(1.0), Some(1.0)]);
}

#[test]
fn what_was_not_tested_is_not_counted() {
    let adjusted = holm(&[None, Some(0.02), Some(f64::NAN), Some(0.01)]);
    assert_eq!((adjusted[0], adjusted[2]), (None, None));
    assert_close(adjusted[1].unwrap(), 0.02, 1e-15);
    assert_close(adjusted[3].unwrap(), 0.02, 1e-15);
    assert_eq!(holm(&[]), []);
}
