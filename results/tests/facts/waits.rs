//! Summaries of waits: percentiles that the sample bears, and the histogram inside.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2Serializer};

use crate::common::{Stream, assert_close};
use results::{LatencyRound, ReadError, WaitSummary};

/// Waits of 1, 2, 3 … `count` ns.
fn counted(count: u64) -> Histogram<u64> {
    let mut histogram = Histogram::new(3).unwrap();
    for ns in 1..=count {
        histogram.record(ns).unwrap();
    }
    histogram
}

fn garbage(hdr: impl Into<String>) -> WaitSummary {
    WaitSummary { hdr: hdr.into(), ..WaitSummary::from_histogram(&counted(1)) }
}

#[test]
fn a_percentile_needs_ten_samples_beyond_it() {
    for (count, given) in [
        (19, [false, false, false, false]),
        (20, [true, false, false, false]),
        (99, [true, false, false, false]),
        (100, [true, true, false, false]),
        (999, [true, true, false, false]),
        (1_000, [true, true, true, false]),
        (9_999, [true, true, true, false]),
        (10_000, [true, true, true, true]),
    ] {
        let summary = WaitSummary::from_histogram(&counted(count));
        let found = [summary.p50, summary.p90, summary.p99, summary.p999].map(|p| p.is_some());
        assert_eq!(found, given, "{count} samples");
        let round = LatencyRound::from_histogram(0, &counted(count), None);
        assert_eq!(
            [round.p50_ns, round.p99_ns].map(|p| p.is_some()),
            [given[0], given[2]],
            "{count} samples"
        );
    }
}

#[test]
fn a_thousand_waits_are_summed_up() {
    let summary = WaitSummary::from_histogram(&counted(1_000));
    assert_eq!((summary.count, summary.max), (1_000, 1_000));
    assert_eq!((summary.p50, summary.p90, summary.p99), (Some(500), Some(900), Some(990)));
    assert_close(summary.mean, 500.5, 1e-9);
}

#[test]
fn no_waits_are_summed_up_as_none() {
    let summary = WaitSummary::from_histogram(&counted(0));
    assert_eq!((summary.count, summary.mean, summary.max), (0, 0.0, 0));
    assert_eq!((summary.p50, summary.p999), (None, None));
    assert!(summary.histogram().unwrap().is_empty());
}

#[test]
fn the_histogram_comes_back_as_it_was() {
    let mut stream = Stream::new(21);
    for digits in 1..=3 {
        let mut histogram = Histogram::<u64>::new(digits).unwrap();
        for _ in 0..10_000 {
            histogram.record((stream.unit().ln() * -1e6) as u64 + 1).unwrap();
        }
        histogram.record_n(u64::MAX / 4, 1 << 40).unwrap();
        assert_eq!(WaitSummary::from_histogram(&histogram).histogram().unwrap(), histogram);
    }
}

#[test]
fn what_is_no_histogram_is_an_error_that_says_so() {
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(&counted(100), &mut bytes).unwrap();
    let patched = |at: usize, with: &[u8]| {
        let mut patched = bytes.clone();
        patched[at..at + with.len()].copy_from_slice(with);
        BASE64.encode(patched)
    };
    for (hdr, reason) in [
        (String::new(), "empty"),
        ("not base64!".to_owned(), "base64"),
        ("AAAA".to_owned(), "too few"),
        (BASE64.encode([0; 64]), "V2"),
        (BASE64.encode(&bytes[..bytes.len() - 1]), "announced"),
        // A length of 4 GiB must not be believed.
        (patched(4, &[0xff; 4]), "announced"),
        // Seventeen digits of precision.
        (patched(12, &[0, 0, 0, 17]), "parameters"),
        (patched(8, &[0, 0, 0, 1]), "support"),
    ] {
        let error = garbage(hdr).histogram().expect_err(reason);
        assert!(matches!(error, ReadError::Histogram { .. }));
        assert!(error.to_string().contains(reason), "{error} does not say {reason}");
    }
}

/// An empty histogram with another payload.
fn forged(payload: &[u8]) -> WaitSummary {
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(&counted(0), &mut bytes).unwrap();
    bytes.truncate(40);
    bytes[4..8].copy_from_slice(&u32::try_from(payload.len()).unwrap().to_be_bytes());
    bytes.extend(payload);
    garbage(BASE64.encode(bytes))
}

/// With overflow checks the library would panic at these.
#[test]
fn impossible_runs_and_counts_are_errors_in_every_profile() {
    // Zigzag LEB128 of nine bytes: all ones is i64::MIN, one less is i64::MAX.
    let run = [0xff; 9];
    let count = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    for payload in [run.to_vec(), [&[0x02], &run[..]].concat(), vec![0x80], count.to_vec(), count.repeat(3)] {
        let found = forged(&payload).histogram();
        assert!(matches!(found, Err(ReadError::Histogram { .. })), "{payload:?}");
    }
    // A wait of 0 ns, two of 1 ns, one of 5 ns behind a run of three zeros.
    let histogram = forged(&[0x02, 0x04, 0x05, 0x02]).histogram().unwrap();
    let counts = [0, 1, 2, 5].map(|ns| histogram.count_at(ns));
    assert_eq!((counts, histogram.len()), ([1, 2, 0, 1], 4));
}

/// Thousands of histograms with some bytes changed at random, every other time in the header: read or refused,
/// never a panic.
#[test]
fn a_damaged_histogram_never_panics() {
    let mut stream = Stream::new(22);
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(&counted(300), &mut bytes).unwrap();
    let (mut read, mut refused) = (0, 0);
    for _ in 0..4_000 {
        let mut damaged = bytes.clone();
        let within = if stream.below(2) == 0 { 40 } else { u32::try_from(bytes.len()).unwrap() };
        for _ in 0..=stream.below(4) {
            damaged[stream.below(within) as usize] = stream.next() as u8;
        }
        match garbage(BASE64.encode(damaged)).histogram() {
            Ok(histogram) => {
                let _ = WaitSummary::from_histogram(&histogram).histogram();
                read += 1;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(read > 100 && refused > 100, "{read} read, {refused} refused");
}
