//! Both formats, of snapshots made by hand.

use super::*;
use crate::snapshot::{Overhead, SCHEMA, WaitsFor};

pub(super) fn row(primitive: &str, name: &str, wait_buckets: Vec<(u64, u64)>) -> PrimitiveSnapshot {
    PrimitiveSnapshot {
        id: 1,
        primitive: primitive.to_owned(),
        name: name.to_owned(),
        location: "src/main.rs:1".to_owned(),
        objects: 1,
        acquisitions: 10,
        contended: 4,
        cancelled: 2,
        closed: 1,
        waiters: 3,
        longest_wait_ns: 1_500_000_000,
        holders: Vec::new(),
        holders_count: 5,
        wait_ns: Distribution::from_buckets(wait_buckets),
        hold_ns: Distribution::default(),
        queued_ns: Distribution::from_buckets(vec![(700, 3)]),
        wake_ns: Distribution::from_buckets(vec![(200, 2)]),
        cancelled_wait_ns: Distribution::from_buckets(vec![(9_000, 2)]),
        sites: Vec::new(),
        ..PrimitiveSnapshot::default()
    }
}

pub(super) fn snapshot(primitives: Vec<PrimitiveSnapshot>) -> Snapshot {
    Snapshot {
        schema: SCHEMA.to_owned(),
        uptime_s: 1.0,
        enabled: true,
        primitives,
        waits: Vec::new(),
        alerts: Vec::new(),
        alerts_not_listed: 0,
        alerts_ended: Vec::new(),
        alerts_total: [("deadlock", 2), ("long_wait", 1)]
            .map(|(kind, count)| (kind.to_owned(), count))
            .into(),
        waits_for: WaitsFor::default(),
        recording: None,
        overhead: Overhead {
            spans: 9,
            rows: 7,
            memory_bytes: 4_096,
            malformed: 1,
            durations_dropped: 6,
            ns_per_call: 40.0,
            core_share: 0.25,
            ..Overhead::default()
        },
    }
}

fn sample<'t>(text: &'t str, start: &str) -> Vec<&'t str> {
    text.lines().filter_map(|line| line.strip_prefix(start)).map(str::trim).collect()
}

const FORMATS: [Accept; 2] = [Accept::Prometheus, Accept::OpenMetrics];

#[test]
fn every_metric_of_the_contract_is_there_in_both_formats() {
    let snapshot = snapshot(vec![row("mutex", "cache", vec![(100, 1), (300, 1), (2_000_000_000, 2)])]);
    for accept in FORMATS {
        let (content_type, text) = encode(&snapshot, accept);
        assert_eq!(content_type, accept.content_type());
        let value = |name: &str| sample(&text, &format!("{name}{{primitive=\"mutex\",name=\"cache\"}}"));
        assert_eq!(value("sync_acquisitions_total"), ["10"]);
        assert_eq!(value("sync_contended_total"), ["4"]);
        assert_eq!(value("sync_cancelled_total"), ["2"]);
        assert_eq!(value("sync_waiters"), ["3"]);
        assert_eq!(value("sync_holders"), ["5"]);
        assert_eq!(value("sync_longest_wait_seconds"), ["1.5"]);
        assert_eq!(value("sync_wait_seconds_count"), ["4"]);
        assert_eq!(value("sync_hold_seconds_count"), ["0"]);
        for (metric, count, sum) in [
            ("sync_queued_seconds", "3", "2.1e-6"),
            ("sync_wake_seconds", "2", "4e-7"),
            ("sync_cancelled_wait_seconds", "2", "1.8e-5"),
        ] {
            assert_eq!(value(&format!("{metric}_count")), [count]);
            let summed: f64 = value(&format!("{metric}_sum"))[0].parse().unwrap();
            let sum: f64 = sum.parse().unwrap();
            assert!((summed / sum - 1.0).abs() < 0.004, "{metric}: {summed}");
        }
        let bucket = |bound: &str| {
            sample(
                &text,
                &format!("sync_wait_seconds_bucket{{le=\"{bound}\",primitive=\"mutex\",name=\"cache\"}}"),
            )
        };
        assert_eq!(bucket("1e-7"), ["1"], "{text}");
        assert_eq!(bucket("2.5e-7"), ["1"]);
        assert_eq!(bucket("5e-7"), ["2"]);
        assert_eq!(bucket("1.0"), ["2"]);
        assert_eq!(bucket("2.5"), ["4"]);
        assert_eq!(bucket("10.0"), ["4"]);
        assert_eq!(bucket("+Inf"), ["4"]);
        assert_eq!(sample(&text, "sync_alerts_total{kind=\"deadlock\"}"), ["2"]);
        assert_eq!(sample(&text, "sync_alerts_total{kind=\"long_wait\"}"), ["1"]);
    }
}

#[test]
fn the_collector_tells_what_it_takes_and_what_it_left_out() {
    for accept in FORMATS {
        let (_, text) = encode(&snapshot(Vec::new()), accept);
        let value = |name: &str| sample(&text, &format!("{name} "));
        assert_eq!(value("sync_collector_core_ratio"), ["0.25"], "{text}");
        assert_eq!(value("sync_collector_call_seconds"), ["4e-8"]);
        assert_eq!(value("sync_collector_memory_bytes"), ["4096.0"]);
        assert_eq!(value("sync_collector_rows"), ["7.0"]);
        assert_eq!(value("sync_collector_spans_total"), ["9"]);
        assert_eq!(value("sync_collector_malformed_total"), ["1"]);
        let dropped = |what: &str| sample(&text, &format!("sync_collector_dropped_total{{what=\"{what}\"}}"));
        assert_eq!(dropped("durations"), ["6"]);
        assert_eq!(dropped("rows"), ["0"]);
    }
    let (_, text) = encode(&snapshot(Vec::new()), Accept::OpenMetrics);
    assert_eq!(sample(&text, "# UNIT sync_collector_memory_bytes"), ["bytes"]);
}

#[test]
fn the_text_format_types_counters_by_their_whole_name_and_has_no_end_mark() {
    let (_, text) = encode(&snapshot(Vec::new()), Accept::Prometheus);
    assert_eq!(sample(&text, "# TYPE sync_acquisitions_total"), ["counter"]);
    assert_eq!(sample(&text, "# TYPE sync_alerts_total"), ["counter"]);
    assert_eq!(sample(&text, "# TYPE sync_wait_seconds"), ["histogram"]);
    assert!(!text.contains("# UNIT") && !text.contains("# EOF") && !text.contains("_total_total"));
}

#[test]
fn open_metrics_types_counters_without_their_suffix_names_units_and_ends() {
    let (_, text) = encode(&snapshot(Vec::new()), Accept::OpenMetrics);
    assert_eq!(sample(&text, "# TYPE sync_acquisitions "), ["counter"]);
    assert_eq!(sample(&text, "# UNIT sync_wait_seconds"), ["seconds"]);
    assert_eq!(sample(&text, "# TYPE sync_longest_wait_seconds"), ["gauge"]);
    assert!(text.ends_with("# EOF\n"));
    assert_eq!(text.matches("# EOF").count(), 1);
}

#[test]
fn rows_of_one_kind_and_name_are_one_series() {
    let mut longer = row("mutex", "cache", vec![(300, 2)]);
    longer.longest_wait_ns = 3_000_000_000;
    let rows = vec![row("mutex", "cache", vec![(300, 1)]), longer, row("semaphore", "cache", Vec::new())];
    let (_, text) = encode(&snapshot(rows), Accept::Prometheus);
    assert_eq!(sample(&text, "sync_acquisitions_total{primitive=\"mutex\",name=\"cache\"}"), ["20"]);
    assert_eq!(sample(&text, "sync_longest_wait_seconds{primitive=\"mutex\",name=\"cache\"}"), ["3.0"]);
    assert_eq!(sample(&text, "sync_wait_seconds_count{primitive=\"mutex\",name=\"cache\"}"), ["3"]);
    assert_eq!(sample(&text, "sync_acquisitions_total{primitive=\"semaphore\",name=\"cache\"}"), ["10"]);
    assert_eq!(text.lines().filter(|line| line.starts_with("sync_acquisitions_total")).count(), 2);
}

#[test]
fn labels_are_escaped() {
    for accept in FORMATS {
        let (_, text) = encode(&snapshot(vec![row("mutex", "a\"b\\c\nd", Vec::new())]), accept);
        assert_eq!(sample(&text, r#"sync_waiters{primitive="mutex",name="a\"b\\c\nd"}"#), ["3"], "{text}");
    }
}

#[test]
fn the_sum_is_that_of_the_waits_in_seconds() {
    let (_, text) = encode(&snapshot(vec![row("event", "", vec![(100, 1), (200, 2)])]), Accept::Prometheus);
    assert_eq!(sample(&text, "sync_wait_seconds_sum{primitive=\"event\",name=\"\"}"), ["5e-7"]);
}

#[test]
fn a_snapshot_that_contradicts_itself_is_still_written() {
    let mut odd = row("mutex", "", vec![(u64::MAX, u64::MAX), (u64::MAX, u64::MAX)]);
    odd.wait_ns.mean = f64::NAN;
    odd.acquisitions = u64::MAX;
    for accept in FORMATS {
        let (_, text) = encode(&snapshot(vec![odd.clone(), odd.clone()]), accept);
        assert!(!text.contains("NaN"));
        assert_eq!(
            sample(&text, "sync_acquisitions_total{primitive=\"mutex\",name=\"\"}"),
            [u64::MAX.to_string()]
        );
    }
}

#[test]
fn the_accept_header_decides() {
    for (header, accept) in [
        ("", Accept::Prometheus),
        ("*/*", Accept::Prometheus),
        ("text/plain", Accept::Prometheus),
        ("application/openmetrics-text", Accept::OpenMetrics),
        ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.4,*/*;q=0.1", Accept::OpenMetrics),
        ("application/openmetrics-text;q=0.2, text/plain;version=0.0.4;q=0.9", Accept::Prometheus),
        ("application/openmetrics-text;q=0", Accept::Prometheus),
        ("application/openmetrics-text;q=NaN", Accept::Prometheus),
        (";;,,q=;", Accept::Prometheus),
    ] {
        assert_eq!(Accept::from_header(header), accept, "{header}");
    }
}

#[test]
fn bounds_rise_from_a_hundred_nanoseconds_to_ten_seconds() {
    assert_eq!((BOUNDS_NS[0], BOUNDS_NS[24]), (100, 10_000_000_000));
    assert_eq!(BOUNDS_NS[..6], [100, 250, 500, 1_000, 2_500, 5_000]);
    assert!(BOUNDS_NS.is_sorted());
}
