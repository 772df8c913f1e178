//! The protobuf format, read back, of snapshots made by hand.

use hdrhistogram::Histogram as Oracle;

use super::super::tests::{row, snapshot};
use super::*;

/// What a reader makes of the bytes.
fn decoded(snapshot: &Snapshot) -> Vec<MetricFamily> {
    let bytes = encode(snapshot);
    let mut rest = bytes.as_slice();
    let mut families = Vec::new();
    while !rest.is_empty() {
        families.push(MetricFamily::decode_length_delimited(&mut rest).unwrap());
    }
    families
}

fn family<'f>(families: &'f [MetricFamily], name: &str) -> &'f MetricFamily {
    families.iter().find(|family| family.name == name).unwrap_or_else(|| panic!("{name} is missing"))
}

fn waits(buckets: Vec<(u64, u64)>) -> Histogram {
    let families = decoded(&snapshot(vec![row("mutex", "cache", buckets)]));
    family(&families, "sync_wait_seconds").metric[0].histogram.clone().unwrap()
}

/// Index and count of each bucket, as a reader of spans and differences finds them.
fn counts(histogram: &Histogram) -> Vec<(i32, i64)> {
    let mut counts = Vec::new();
    let mut deltas = histogram.positive_delta.iter();
    let (mut index, mut count) = (0, 0);
    for span in &histogram.positive_span {
        index += span.offset;
        for _ in 0..span.length {
            count += deltas.next().expect("a difference for each bucket");
            counts.push((index, count));
            index += 1;
        }
    }
    assert_eq!(deltas.next(), None);
    counts
}

fn upper_bound_ns(index: i32) -> f64 {
    (f64::from(index) / 16.0).exp2() * 1e9
}

#[test]
fn powers_of_two_of_a_second_end_a_bucket() {
    assert_eq!(index(1_000_000_000), 0);
    assert_eq!(index(1_000_000_001), 1);
    assert_eq!(index(500_000_000), -16);
    assert_eq!(index(2_000_000_000), 16);
}

#[test]
fn spans_and_differences_give_the_counts_back() {
    let second = 1_000_000_000;
    let buckets = vec![(500_000_000, 7), (second, 3), (second + 1, 9), (2 * second, 1)];
    let histogram = waits(buckets);
    assert_eq!(counts(&histogram), [(-16, 7), (0, 3), (1, 9), (16, 1)]);
    assert_eq!(histogram.positive_span.len(), 3, "what lies side by side is one span");
    assert_eq!((histogram.sample_count, histogram.zero_count), (20, 0));
}

#[test]
fn no_duration_counts_as_shorter_than_it_was_or_as_longer_than_is_promised() {
    let oracle = Oracle::<u64>::new(2).unwrap();
    let mut duration = 1_u64;
    while duration < 1 << 50 {
        let histogram = waits(vec![(oracle.highest_equivalent(duration), 1)]);
        let [(index, 1)] = counts(&histogram)[..] else { panic!("{duration}: {histogram:?}") };
        let ratio = upper_bound_ns(index) / duration as f64;
        assert!(ratio > 1.0 - 1e-12, "{duration} counts as {ratio} of itself");
        assert!(ratio < 1.044_3 * 1.007_9, "{duration} counts as {ratio} of itself");
        duration += duration / 97 + 1;
    }
}

#[test]
fn zero_has_a_bucket_of_its_own() {
    let histogram = waits(vec![(0, 5), (1, 2)]);
    assert_eq!((histogram.zero_count, histogram.sample_count), (5, 7));
    assert_eq!(counts(&histogram), [(index(1), 2)]);
    assert!(upper_bound_ns(index(1) - 1) > histogram.zero_threshold * 1e9, "buckets do not overlap");
}

#[test]
fn a_histogram_without_durations_is_still_a_native_one() {
    let histogram = waits(Vec::new());
    assert!(histogram.zero_threshold > 0.0);
    assert_eq!((histogram.sample_count, histogram.sample_sum), (0, 0.0));
    assert_eq!(counts(&histogram), []);
}

#[test]
fn classic_buckets_are_there_too() {
    let histogram = waits(vec![(100, 1), (300, 1), (20_000_000_000, 2)]);
    let bounds: Vec<_> = histogram.bucket.iter().map(|bucket| bucket.upper_bound).collect();
    assert_eq!((bounds.len(), bounds[0], bounds[24]), (BOUNDS_NS.len(), 1e-7, 10.0));
    let cumulative: Vec<_> = histogram.bucket.iter().map(|bucket| bucket.cumulative_count).collect();
    assert_eq!((cumulative[0], cumulative[1], cumulative[2], cumulative[24]), (1, 1, 2, 2));
    assert_eq!(histogram.sample_count, 4);
}

#[test]
fn every_metric_of_the_text_is_there_with_its_type_its_labels_and_its_value() {
    let snapshot = snapshot(vec![row("mutex", "cache", vec![(100, 1)])]);
    let families = decoded(&snapshot);
    let (_, text) = super::super::encode(&snapshot, Accept::Prometheus);
    let types: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let ours = families.iter().map(|family| format!("{} {}", family.name, kind(family)));
    assert_eq!(ours.collect::<Vec<_>>(), types);

    let labels = [("primitive", "mutex"), ("name", "cache")];
    for (name, value) in [
        ("sync_acquisitions_total", 10.0),
        ("sync_contended_total", 4.0),
        ("sync_cancelled_total", 2.0),
        ("sync_waiters", 3.0),
        ("sync_holders", 5.0),
        ("sync_longest_wait_seconds", 1.5),
    ] {
        let [metric] = &family(&families, name).metric[..] else { panic!("{name} is not one series") };
        assert_eq!(metric.label, Metric::new(&labels).label, "{name}");
        assert_eq!(metric.counter.as_ref().or(metric.gauge.as_ref()).unwrap().value, value, "{name}");
    }
    for (name, value) in [("sync_collector_core_ratio", 0.25), ("sync_collector_spans_total", 9.0)] {
        let [metric] = &family(&families, name).metric[..] else { panic!("{name} is not one series") };
        assert_eq!(metric.label, []);
        assert_eq!(metric.counter.as_ref().or(metric.gauge.as_ref()).unwrap().value, value, "{name}");
    }
    let queued = &family(&families, "sync_queued_seconds").metric[0];
    assert_eq!(counts(queued.histogram.as_ref().unwrap()), [(index(700), 3)]);
    let alerts = &family(&families, "sync_alerts_total").metric;
    assert_eq!(alerts[0], Metric::counter(&[("kind", "deadlock")], 2));
}

fn kind(family: &MetricFamily) -> &'static str {
    match family.kind() {
        MetricType::Counter => "counter",
        MetricType::Gauge => "gauge",
        MetricType::Histogram => "histogram",
    }
}

#[test]
fn rows_of_one_kind_and_name_are_one_native_histogram() {
    let rows = [vec![(300, 1)], vec![(300, 2), (9_000, 1)]].map(|buckets| row("mutex", "cache", buckets));
    let families = decoded(&snapshot(rows.to_vec()));
    let [metric] = &family(&families, "sync_wait_seconds").metric[..] else { panic!("not one series") };
    assert_eq!(counts(metric.histogram.as_ref().unwrap()), [(index(300), 3), (index(9_000), 1)]);
}

#[test]
fn a_snapshot_that_contradicts_itself_is_still_written_in_protobuf() {
    let mut odd = row("mutex", "", vec![(u64::MAX, u64::MAX), (0, u64::MAX), (u64::MAX, u64::MAX)]);
    odd.wait_ns.mean = f64::NAN;
    let families = decoded(&snapshot(vec![odd.clone(), odd]));
    let histogram = family(&families, "sync_wait_seconds").metric[0].histogram.clone().unwrap();
    assert_eq!(counts(&histogram), [(index(u64::MAX), i64::MAX)]);
    assert!(histogram.sample_sum.is_finite());
    assert!(histogram.bucket.iter().all(|bucket| bucket.cumulative_count <= histogram.sample_count));
}

#[test]
fn the_accept_header_prefers_protobuf_or_text() {
    const OURS: &str =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    for (rest, preferred) in [
        ("", true),
        (";q=0.9,application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5,*/*;q=0.1", true),
        (";q=0.2,text/plain;version=0.0.4;q=0.9", false),
        (";q=0", false),
        (";q=NaN", false),
    ] {
        assert_eq!(is_preferred(&format!("{OURS}{rest}")), preferred, "{rest}");
    }
    for header in [
        "",
        "*/*",
        "application/vnd.google.protobuf",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
        "application/vnd.google.protobuf;proto=other.Family;encoding=delimited",
    ] {
        assert!(!is_preferred(header), "{header}");
    }
}
