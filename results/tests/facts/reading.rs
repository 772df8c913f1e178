//! JSON to a report and back; every kind of broken input.

use crate::common::{Stream, report};
use results::{ReadError, Report};

fn error(json: impl AsRef<[u8]>) -> ReadError {
    Report::from_json(json.as_ref()).expect_err("not a report")
}

/// A report as a value, changed.
fn changed(change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut value = serde_json::to_value(report("r", 1, 6)).unwrap();
    change(&mut value);
    value.to_string()
}

#[test]
fn a_report_comes_back_as_it_was() {
    let report = report("r", 3, 20);
    assert_eq!(Report::from_json(report.to_json().as_bytes()).unwrap(), report);
}

#[test]
fn figures_come_back_to_the_last_bit() {
    let mut stream = Stream::new(31);
    let mut report = report("r", 1, 2);
    for _ in 0..1_000 {
        let figure = f64::from_bits(stream.next());
        if figure.is_finite() {
            report.run.duration_s = figure;
            let back = Report::from_json(report.to_json().as_bytes()).unwrap();
            assert_eq!(back.run.duration_s.to_bits(), figure.to_bits());
        }
    }
}

#[test]
fn json_is_indented_and_ends_with_a_line_feed() {
    let json = report("r", 1, 2).to_json();
    assert!(json.starts_with("{\n  \"schema\": \"bench-harness/report/v1\",\n"));
    assert!(json.ends_with("}\n"));
}

#[test]
fn a_report_without_latency_rounds_is_read() {
    let json = changed(|value| {
        let cell = value["cells"][0].as_object_mut().unwrap();
        cell.remove("latency_rounds");
        cell["rounds"][0].as_object_mut().unwrap().remove("smallest_share");
    });
    let report = Report::from_json(json.as_bytes()).unwrap();
    assert!(report.cells[0].latency_rounds.is_empty());
}

#[test]
fn unknown_fields_are_passed_over() {
    let json = changed(|value| value["environment"]["governor"] = "performance".into());
    assert!(Report::from_json(json.as_bytes()).is_ok());
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let json = format!("\u{feff}{}", report("r", 1, 2).to_json());
    assert!(Report::from_json(json.as_bytes()).is_ok());
}

#[test]
fn nothing_is_called_empty() {
    for nothing in ["", " \n\t", "\u{feff}"] {
        assert!(matches!(error(nothing), ReadError::Empty));
    }
}

#[test]
fn what_is_not_json_is_named_with_line_and_column() {
    let found = error("{\n  \"schema\": oops\n}");
    assert!(matches!(found, ReadError::NotJson { line: 2, column: 13, .. }), "{found:?}");
    assert!(found.to_string().contains("line 2 column 13"), "{found}");
    for other in ["# A heading", "\0\0\0\0", "{\"schema\": NaN}", "{} {}", "{\"schema\": 1e999}"] {
        assert!(matches!(error(other), ReadError::NotJson { .. }), "{other}");
    }
    assert!(matches!(error(b"{\"schema\": \"\xff\xfe\"}"), ReadError::NotJson { .. }));
}

#[test]
fn json_of_something_else_is_not_a_report() {
    for (json, says) in [
        ("{}", "no `schema`"),
        ("{\"schema\": null}", "no `schema`"),
        ("{\"name\": \"left-pad\"}", "no `schema`"),
        ("{\"schema\": 1}", "is 1"),
        ("{\"schema\": \"https://json-schema.org\"}", "json-schema.org"),
        ("{\"schema\": \"bench-harness/report/v1\", \"schema\": 2}", "duplicate"),
        ("[]", "expected struct"),
        ("[\"bench-harness/report/v1\"]", "a list"),
        ("12", "integer"),
        ("\"text\"", "string"),
        ("null", "null"),
    ] {
        let found = error(json);
        assert!(matches!(found, ReadError::NotAReport { .. }), "{json}: {found:?}");
        assert!(found.to_string().contains(says), "{json}: {found} does not say {says}");
    }
}

#[test]
fn a_foreign_schema_is_quoted_in_part() {
    let found = error(format!("{{\"schema\": \"{}\"}}", "ä".repeat(10_000)));
    assert!(found.to_string().len() < 300);
}

#[test]
fn another_version_is_called_another_version() {
    let json = changed(|value| value["schema"] = "bench-harness/report/v2".into());
    let found = error(json);
    assert!(matches!(&found, ReadError::OtherVersion { found } if found == "bench-harness/report/v2"));
    assert!(found.to_string().contains("bench-harness/report/v1"));
}

#[test]
fn a_report_cut_short_anywhere_is_an_error() {
    let json = report("r", 1, 2).to_json();
    let end = json.trim_end().len();
    for at in 1..end {
        let found = error(&json.as_bytes()[..at]);
        // Cut within a word or a number it may be no JSON instead.
        let known = matches!(found, ReadError::CutShort { .. } | ReadError::NotJson { .. });
        assert!(known, "cut at {at}: {found:?}");
    }
    assert!(matches!(error(&json.as_bytes()[..end / 2]), ReadError::CutShort { .. }));
}

#[test]
fn a_missing_or_odd_field_is_named_with_its_place() {
    type Change = fn(&mut serde_json::Value);
    let cases: [(Change, &str, &str); 8] = [
        (|report| drop(report.as_object_mut().unwrap().remove("cells")), ".", "missing field `cells`"),
        (|report| drop(report["run"].as_object_mut().unwrap().remove("id")), "run", "missing field `id`"),
        (|report| report["cells"] = "none".into(), "cells", "string"),
        (|report| report["cells"][2]["rounds"][5]["ops"] = (-3).into(), "cells[2].rounds[5].ops", "-3"),
        (|report| report["environment"]["cores"] = 1.5.into(), "environment.cores", "1.5"),
        (|report| report["run"]["status"] = "splendid".into(), "run.status", "splendid"),
        (|report| report["cells"][0]["fairness"]["jain"] = ().into(), "cells[0].fairness.jain", "null"),
        (|report| report["comparisons"][1]["ci"] = vec![1.0].into(), "comparisons[1].ci", "length 1"),
    ];
    for (change, place, says) in cases {
        let found = error(changed(change));
        let ReadError::Field { path, reason } = &found else { panic!("{place}: {found:?}") };
        assert!(path.starts_with(place), "{path} instead of {place}");
        assert!(reason.contains(says), "{reason} does not say {says}");
        let shown = if place == "." { "its top level" } else { place };
        assert!(found.to_string().contains(shown), "{found}");
    }
}

#[test]
fn deep_nesting_is_an_error() {
    for json in [
        format!("{{\"schema\": {}", "[".repeat(1_000_000)),
        format!("{{\"deep\": {}", "{\"a\":".repeat(1_000_000)),
        changed(|_| ()).replacen("\"spin\"", &format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)), 1),
    ] {
        assert!(Report::from_json(json.as_bytes()).is_err());
    }
}

#[test]
fn absurd_figures_are_read_and_survived() {
    let json = changed(|value| {
        value["cells"][0]["rounds"][0]["wall_ns"] = 0.into();
        value["cells"][0]["rounds"][0]["ops"] = u64::MAX.into();
        value["cells"][0]["rounds"][1]["jain"] = (-1e308).into();
        value["cells"][0]["wait_ns"]["hdr"] = "garbage".into();
        value["cells"][1]["latency_rounds"][0]["p50_ns"] = 0.into();
        value["cells"][2]["throughput_ops_per_s"]["median"] = 1e308.into();
        value["comparisons"][0]["ratio"] = (-4).into();
        value["comparisons"][0]["ci"] = vec![9.0, -9.0].into();
        value["run"]["started_at"] = "yesterday".into();
        value["run"]["duration_s"] = (-1).into();
    });
    let report = Report::from_json(json.as_bytes()).unwrap();
    let options = results::compare::Options::default();
    assert_eq!(results::compare::within_run(&report.cells, "tokio", &options).len(), 3);
    assert_eq!(results::compare::between_reports(&report, &report, &options).comparisons.len(), 6);
    assert!(report.cells[0].wait_ns.histogram().is_err());
    for format in results::formats::FORMATS {
        match (format.write)(&report) {
            Ok(text) => assert!(!text.is_empty()),
            Err(error) => assert!(matches!(error, ReadError::Histogram { .. }), "{}: {error}", format.name),
        }
    }
}

#[test]
fn figures_that_are_none_do_not_panic_on_the_way_out() {
    let mut report = report("r", 1, 6);
    report.environment.load_before = f64::NAN;
    report.cells[0].fairness.jain = f64::INFINITY;
    report.comparisons[0].ratio = Some(f64::NAN);
    for format in results::formats::FORMATS {
        assert!(!(format.write)(&report).unwrap().is_empty());
    }
    let found = error(report.to_json());
    assert!(matches!(&found, ReadError::Field { path, .. } if path == "environment.load_before"), "{found}");
}

#[test]
fn a_hundred_thousand_cells_are_read_and_compared() {
    let mut report = report("r", 1, 2);
    let (base, candidate) = (report.cells[0].clone(), report.cells[2].clone());
    let slim = |cell: &results::Cell, tasks: u32| {
        let mut cell = cell.clone();
        cell.params.insert("tasks".to_owned(), tasks.into());
        cell.wait_ns.hdr.clear();
        cell
    };
    report.cells = (0..50_000).flat_map(|tasks| [slim(&base, tasks), slim(&candidate, tasks)]).collect();
    let back = Report::from_json(report.to_json().as_bytes()).unwrap();
    assert_eq!(back, report);
    let options = results::compare::Options::default();
    assert_eq!(results::compare::within_run(&back.cells, "tokio", &options).len(), 150_000);
}

/// Some bytes changed at random: read or refused, never a panic.
#[test]
fn a_damaged_report_never_panics() {
    let mut stream = Stream::new(32);
    let json = report("r", 1, 2).to_json().into_bytes();
    let (mut read, mut refused) = (0, 0);
    for _ in 0..3_000 {
        let mut damaged = json.clone();
        for _ in 0..=stream.below(3) {
            let at = stream.below(u32::try_from(damaged.len()).unwrap()) as usize;
            damaged[at] = stream.next() as u8;
        }
        match Report::from_json(&damaged) {
            Ok(report) => {
                for cell in &report.cells {
                    let _ = cell.wait_ns.histogram();
                }
                read += 1;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        }
    }
    assert!(read > 100 && refused > 100, "{read} read, {refused} refused");
}
