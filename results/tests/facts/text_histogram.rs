//! A distribution in one line of text.

use hdrhistogram::Histogram;
use results::text_histogram;

use crate::common::Stream;

fn of(waits: &[(u64, u64)]) -> Histogram<u64> {
    let mut histogram = Histogram::new(3).unwrap();
    for (ns, count) in waits {
        histogram.record_n(*ns, *count).unwrap();
    }
    histogram
}

#[track_caller]
fn check(waits: &[(u64, u64)], width: usize, bars: &str) {
    let drawn = text_histogram(&of(waits), width).unwrap();
    assert_eq!(drawn.bars, bars);
    assert!(drawn.bars.chars().count() <= width);
}

#[test]
fn blocks_are_as_high_as_their_share_of_the_fullest_column() {
    // Each twice as long as the one before, so that each falls into a column of its own.
    let steps: Vec<(u64, u64)> = (0..8).map(|step| (1_100 << step, (step + 1) * 100)).collect();
    check(&steps, 8, "▁▂▃▄▅▆▇█");
}

#[test]
fn a_column_without_waits_is_a_space_and_one_wait_of_millions_is_seen() {
    check(&[(1_000, 5_000_000), (1_000_000, 1)], 10, "█        ▁");
    check(&[(1, 1 << 50), (1_000_000_000, 1)], 5, "█   ▁");
}

#[test]
fn no_column_is_finer_than_the_histogram() {
    check(&[(7, 3)], 40, "█");
    check(&[(7, 3), (8, 3)], 40, "██");
    check(&[(0, 1)], 40, "█");
    check(&[(0, 1), (1, 2)], 40, "▄█");
}

#[test]
fn a_single_column_holds_everything() {
    check(&[(1, 5), (1_000_000, 1)], 1, "█");
}

#[test]
fn the_ends_are_those_of_the_waits() {
    let histogram = of(&[(90, 4), (5_000, 2), (123_456, 1)]);
    let drawn = text_histogram(&histogram, 12).unwrap();
    assert_eq!((drawn.from_ns, drawn.to_ns), (90, histogram.max()));
    assert!(!drawn.bars.starts_with(' ') && !drawn.bars.ends_with(' '), "{}", drawn.bars);
}

#[test]
fn nothing_is_drawn_without_waits_or_columns() {
    assert_eq!(text_histogram(&of(&[]), 10), None);
    assert_eq!(text_histogram(&of(&[(5, 5)]), 0), None);
}

#[test]
fn an_even_spread_over_the_logarithm_is_flat() {
    let mut stream = Stream::new(31);
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    for _ in 0..400_000 {
        // From 1 µs to 1 ms.
        histogram.record((1e3 * 1e3_f64.powf(stream.unit())) as u64).unwrap();
    }
    let drawn = text_histogram(&histogram, 20).unwrap();
    assert!(drawn.bars.chars().all(|block| block == '█' || block == '▇'), "{}", drawn.bars);
}

#[test]
fn the_longest_waits_that_a_histogram_holds_are_drawn() {
    for digits in 0..=5 {
        let mut histogram = Histogram::<u64>::new(digits).unwrap();
        for ns in [0, 1, u64::from(u32::MAX), 1 << 62, (1 << 63) - 1] {
            histogram.record(ns).unwrap();
            let drawn = text_histogram(&histogram, 60).unwrap();
            assert!(drawn.bars.chars().count() <= 60 && drawn.bars.contains('█'), "{}", drawn.bars);
            assert!(drawn.bars.ends_with(|block| block != ' '), "{}", drawn.bars);
        }
    }
    let histogram = of(&[(5, 1), (1 << 40, 1)]);
    assert!(text_histogram(&histogram, usize::MAX).is_some_and(|drawn| drawn.bars.chars().count() < 100_000));
}
