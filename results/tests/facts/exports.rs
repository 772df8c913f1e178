//! Exports that other programs read, by the rules of those programs.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use serde::Deserialize;
use serde_json::Value;

use crate::common::{assert_close, open_loop_report, report};
use results::formats::find;
use results::{ReadError, Report, WaitSummary};

fn write(name: &str, report: &Report) -> String {
    (find(name).expect(name).write)(report).expect("written")
}

/// Two cases of tokio and sync, whose control arms no other program is to see.
fn two_cases() -> Report {
    report("20261122T190501Z-semaphore-3f9a", 2, 8)
}

const NAME: &str = "semaphore/pool hold_mode=spin tasks=64 on sync";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metric {
    value: f64,
    lower_value: f64,
    upper_value: f64,
}

fn bmf(report: &Report) -> BTreeMap<String, BTreeMap<String, Metric>> {
    serde_json::from_str(&write("bmf", report)).unwrap()
}

#[test]
fn bencher_gets_throughput_and_latency_within_their_bounds() {
    let report = two_cases();
    let benchmarks = bmf(&report);
    assert_eq!(benchmarks.len(), 2 * 2, "two cases, two backends, no control arm");
    for measures in benchmarks.values() {
        assert_eq!(measures.keys().collect::<Vec<_>>(), ["latency", "throughput"]);
        for Metric { value, lower_value, upper_value } in measures.values() {
            assert!(lower_value <= value && value <= upper_value && *lower_value > 0.0);
        }
    }
    let (found, cell) = (&benchmarks[NAME], &report.cells[2]);
    assert_close(found["throughput"].value, cell.throughput_ops_per_s.median, 0.0);
    assert_close(found["latency"].value, cell.wait_ns.p50.unwrap() as f64, 0.0);
    assert_close(found["throughput"].upper_value, cell.throughput_ops_per_s.max, 0.0);
}

#[test]
fn bencher_gets_no_throughput_that_an_open_loop_set_and_no_zero_for_nothing() {
    let benchmarks = bmf(&open_loop_report());
    assert!(!benchmarks.is_empty());
    assert!(benchmarks.values().all(|measures| measures.keys().eq(["latency"])));
    let mut report = two_cases();
    report.cells.truncate(1);
    report.cells[0].wait_ns.p50 = None;
    report.cells[0].throughput_ops_per_s.median = f64::NAN;
    assert!(bmf(&report).is_empty());
    report.cells[0].throughput_ops_per_s.median = 0.0;
    assert!(bmf(&report).is_empty());
}

#[test]
fn bencher_gets_no_name_longer_than_it_takes() {
    let mut report = two_cases();
    report.cells[0].params.insert("long".to_owned(), "x".repeat(1_024).into());
    assert_eq!(bmf(&report).len(), 3);
}

#[test]
fn the_action_gets_times_with_ranges_that_it_can_convert() {
    let report = two_cases();
    let entries: Vec<BTreeMap<String, Value>> =
        serde_json::from_str(&write("github-action-benchmark", &report)).unwrap();
    assert_eq!(entries.len(), 4 * 3, "time, p50 and p99 of two cases on two backends");
    let mut names: Vec<&str> = entries.iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), entries.len());
    for entry in &entries {
        assert!(entry["value"].as_f64().unwrap() > 0.0);
        let range = entry["range"].as_str().unwrap().strip_prefix("± ").unwrap();
        assert!(range.len() > 1 && range.parse::<f64>().unwrap() >= 0.0, "{range}");
        assert!(["ns", "ns/op"].contains(&entry["unit"].as_str().unwrap()));
        assert!(entry["extra"].as_str().unwrap().contains('\n'));
    }
    let time = entries.iter().find(|entry| entry["name"] == format!("{NAME}: time per operation")).unwrap();
    let expected = 1e9 / report.cells[2].throughput_ops_per_s.median;
    assert_close(time["value"].as_f64().unwrap(), expected, 0.01 * expected);
    let waits: Vec<BTreeMap<String, Value>> =
        serde_json::from_str(&write("github-action-benchmark", &open_loop_report())).unwrap();
    assert!(waits.iter().all(|entry| entry["unit"] == "ns") && !waits.is_empty());
}

/// What critcmp 0.1.8 takes: everything that is not an `Option` here must be there.
mod critcmp {
    use super::{BTreeMap, Deserialize};

    #[derive(Deserialize)]
    pub(super) struct Baseline {
        pub(super) name: String,
        pub(super) benchmarks: BTreeMap<String, Benchmark>,
    }

    #[derive(Deserialize)]
    pub(super) struct Benchmark {
        pub(super) baseline: String,
        pub(super) fullname: String,
        pub(super) criterion_benchmark_v1: Identity,
        pub(super) criterion_estimates_v1: Estimates,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "what must be there")]
    pub(super) struct Identity {
        group_id: String,
        function_id: Option<String>,
        value_str: Option<String>,
        pub(super) throughput: Option<Throughput>,
        pub(super) full_id: String,
        directory_name: String,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    pub(super) struct Throughput {
        pub(super) bytes: Option<u64>,
        pub(super) elements: Option<u64>,
    }

    #[derive(Deserialize)]
    pub(super) struct Estimates {
        pub(super) mean: Estimate,
        pub(super) median: Estimate,
        pub(super) median_abs_dev: Estimate,
        pub(super) slope: Option<Estimate>,
        pub(super) std_dev: Estimate,
    }

    #[derive(Deserialize)]
    pub(super) struct Estimate {
        pub(super) confidence_interval: Interval,
        pub(super) point_estimate: f64,
        pub(super) standard_error: f64,
    }

    #[derive(Deserialize)]
    pub(super) struct Interval {
        pub(super) confidence_level: f64,
        pub(super) lower_bound: f64,
        pub(super) upper_bound: f64,
    }
}

#[test]
fn critcmp_gets_a_baseline_named_by_the_run() {
    let report = two_cases();
    let baseline: critcmp::Baseline = serde_json::from_str(&write("critcmp", &report)).unwrap();
    assert_eq!((baseline.name.as_str(), baseline.benchmarks.len()), (report.run.id.as_str(), 4));
    for (name, benchmark) in &baseline.benchmarks {
        assert_eq!((&benchmark.criterion_benchmark_v1.full_id, &benchmark.baseline), (name, &baseline.name));
        assert_eq!(benchmark.fullname, format!("{}/{name}", baseline.name));
        let throughput = benchmark.criterion_benchmark_v1.throughput.as_ref().unwrap();
        assert_eq!((throughput.bytes, throughput.elements), (None, Some(1)));
        let estimates = &benchmark.criterion_estimates_v1;
        assert!(estimates.slope.is_none());
        for estimate in [&estimates.mean, &estimates.median, &estimates.median_abs_dev, &estimates.std_dev] {
            let interval = &estimate.confidence_interval;
            assert!((0.0..1.0).contains(&interval.confidence_level) && estimate.standard_error >= 0.0);
            assert!(interval.lower_bound <= estimate.point_estimate);
            assert!(interval.upper_bound >= estimate.point_estimate && estimate.point_estimate > 0.0);
        }
    }
    // 200 ns for tokio, two thirds of that for sync, up to the made-up noise of 2 %.
    let estimates = &baseline.benchmarks[NAME].criterion_estimates_v1;
    assert_close(estimates.mean.point_estimate, 200.0 / 1.5, 4.0);
    assert_close(estimates.std_dev.point_estimate, 0.02 * 200.0 / 1.5, 2.0);
}

#[test]
fn critcmp_gets_the_mean_wait_of_an_open_loop_and_no_throughput() {
    let report = open_loop_report();
    let baseline: critcmp::Baseline = serde_json::from_str(&write("critcmp", &report)).unwrap();
    let benchmark = &baseline.benchmarks[NAME];
    assert!(benchmark.criterion_benchmark_v1.throughput.is_none());
    let mean = report.cells[2].wait_ns.mean;
    assert_close(benchmark.criterion_estimates_v1.mean.point_estimate, mean, 0.02 * mean);
}

/// Value, percentile, count and the last column of each line of a section.
fn percentiles(section: &str) -> Vec<(f64, f64, u64, Option<f64>)> {
    let figures = section.lines().filter(|line| line.trim_start().starts_with(|c: char| c.is_ascii_digit()));
    figures
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let number = |at: usize| words.get(at).map(|word| word.parse::<f64>().unwrap());
            (number(0).unwrap(), number(1).unwrap(), words[2].parse().unwrap(), number(3))
        })
        .collect()
}

#[test]
fn a_percentile_file_of_one_cell_is_what_hdrhistogram_prints() {
    let mut report = two_cases();
    report.cells.truncate(1);
    let text = write("hgrm", &report);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "       Value     Percentile TotalCount 1/(1-Percentile)");
    assert_eq!(lines[1], "");
    let waits = report.cells[0].wait_ns.histogram().unwrap();
    let found = percentiles(&text);
    assert!(found.len() > 30);
    for (value, percentile, count, inverse) in &found {
        let up_to_here = waits.iter_recorded().take_while(|step| step.value_iterated_to() <= *value as u64);
        assert_eq!(*count, up_to_here.map(|step| step.count_at_value()).sum::<u64>());
        assert!(*count as f64 >= percentile * waits.len() as f64 - 1e-6, "{count} at {percentile}");
        match inverse {
            Some(inverse) => assert_close(*inverse, 1.0 / (1.0 - percentile), 0.005 + 1e-6 * inverse),
            None => assert_close(*percentile, 1.0, 0.0),
        }
    }
    assert_eq!(found.last().unwrap().2, waits.len());
    assert_eq!(found.iter().filter(|line| line.3.is_none()).count(), 1);
    let footer = &lines[lines.len() - 3..];
    assert!(
        footer[0].starts_with("#[Mean    =") && footer[0].contains(", StdDeviation   ="),
        "{}",
        footer[0]
    );
    assert_eq!(
        footer[1],
        format!("#[Max     = {:>12.3}, Total count    = {:>12}]", waits.max() as f64, waits.len())
    );
    assert!(footer[2].ends_with("SubBuckets     =         2048]"), "{}", footer[2]);
}

#[test]
fn a_percentile_file_of_several_cells_names_each_section() {
    let report = two_cases();
    let text = write("hgrm", &report);
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# ")).collect();
    assert_eq!(names.len(), report.cells.len());
    assert_eq!(names[2], format!("{NAME}, waits in ns"));
    assert_eq!(text.matches("1/(1-Percentile)").count(), report.cells.len());
}

#[test]
fn waits_of_hours_keep_their_columns_apart() {
    let mut report = two_cases();
    report.cells.truncate(1);
    let mut waits = Histogram::new(3).unwrap();
    waits.record_n(u64::MAX / 4, 1 << 50).unwrap();
    report.cells[0].wait_ns = WaitSummary::from_histogram(&waits);
    let found = percentiles(&write("hgrm", &report));
    assert_eq!(found.last().unwrap().2, 1 << 50);
}

/// The log's entries after its head, decoded.
fn intervals(log: &str) -> Vec<(String, Duration, Duration, Histogram<u64>)> {
    let entries = IntervalLogIterator::new(log.as_bytes()).map(|entry| entry.expect("a line of a log"));
    let intervals = entries.filter_map(|entry| match entry {
        LogEntry::Interval(interval) => Some(interval),
        LogEntry::StartTime(_) | LogEntry::BaseTime(_) => None,
    });
    intervals
        .map(|interval| {
            let bytes = BASE64.decode(interval.encoded_histogram()).unwrap();
            let histogram = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
            let tag = interval.tag().expect("a tag").to_string();
            (tag, interval.start_timestamp(), interval.duration(), histogram)
        })
        .collect()
}

#[test]
fn every_histogram_comes_back_from_an_interval_log() {
    let report = two_cases();
    let log = write("hlog", &report);
    assert!(log.starts_with("#[Histogram log format version 1.3]\n"));
    let found = intervals(&log);
    assert_eq!(found.len(), report.cells.len());
    for ((tag, start, length, histogram), cell) in found.iter().zip(&report.cells) {
        assert_eq!(*tag, cell.full_name().replace(' ', "_"));
        assert_eq!((*start, *length), (Duration::ZERO, Duration::from_millis(12_500)));
        assert_eq!(histogram, &cell.wait_ns.histogram().unwrap());
    }
    let times: Vec<LogEntry<'_>> =
        IntervalLogIterator::new(log.as_bytes()).take(2).map(Result::unwrap).collect();
    // 2026-11-22T19:05:01Z
    let started_at = Duration::from_secs(1_795_374_301);
    assert_eq!(times, [LogEntry::StartTime(started_at), LogEntry::BaseTime(started_at)]);
}

#[test]
fn an_interval_log_survives_odd_names_and_times() {
    let mut report = two_cases();
    report.run.id = "two\nlines\r".to_owned();
    report.run.started_at = "yesterday".to_owned();
    report.run.duration_s = -1.0;
    report.cells[0].backend = "a, b\nc\u{a0}d".to_owned();
    let found = intervals(&write("hlog", &report));
    assert_eq!(found.len(), report.cells.len());
    assert!(found[0].0.ends_with("on_a;_b_c_d"), "{}", found[0].0);
}

#[test]
fn a_histogram_that_cannot_be_read_is_an_error_where_it_is_needed() {
    let mut report = two_cases();
    report.cells[1].wait_ns.hdr = "????".to_owned();
    for name in ["hgrm", "hlog"] {
        let error = (find(name).unwrap().write)(&report).unwrap_err();
        assert!(matches!(error, ReadError::Histogram { .. }), "{name}: {error}");
    }
    for name in ["bmf", "critcmp", "csv", "markdown"] {
        assert!((find(name).unwrap().write)(&report).is_ok(), "{name}");
    }
}

#[test]
fn of_a_name_that_occurs_twice_the_first_is_exported() {
    let mut report = two_cases();
    let mut twin = report.cells[2].clone();
    twin.throughput_ops_per_s.median *= 2.0;
    report.cells.push(twin);
    assert_close(bmf(&report)[NAME]["throughput"].value, report.cells[2].throughput_ops_per_s.median, 0.0);
}
