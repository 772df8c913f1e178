//! The JSON Schema describes what is really written: checked with a validator that others use too.

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::common::report;
use results::{Report, SCHEMA};

fn validator() -> Validator {
    jsonschema::validator_for(&Report::json_schema()).expect("a schema")
}

/// What is wrong with a value, first fault first.
fn check(value: &Value) -> Option<String> {
    let fault = validator().validate(value).err()?;
    Some(format!("{}: {fault}", fault.instance_path()))
}

#[test]
fn the_schema_is_one_by_its_own_meta_schema() {
    jsonschema::meta::validate(&Report::json_schema()).unwrap();
}

#[test]
fn a_stored_report_validates() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/reference.json");
    let stored: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(check(&stored), None);
}

#[test]
fn a_report_validates() {
    let mut report = report("r", 2, 6);
    assert_eq!(check(&serde_json::to_value(&report).unwrap()), None);
    report.cells[0].rounds[0].hold_ns = None;
    report.cells[0].composed = Some("Notify + Mutex".to_owned());
    report.comparisons[0].ci = None;
    report.environment.git = Some("3f9a2c1-dirty".to_owned());
    assert_eq!(check(&serde_json::to_value(&report).unwrap()), None);
}

#[test]
fn what_is_odd_does_not_validate() {
    type Change = fn(&mut Value);
    let changes: [Change; 8] = [
        |report| report["schema"] = json!("bench-harness/report/v2"),
        |report| drop(report.as_object_mut().unwrap().remove("cells")),
        |report| report["run"]["status"] = json!("splendid"),
        |report| report["cells"][1]["rounds"][0]["ops"] = json!(-1),
        |report| report["cells"][1]["wait_ns"]["p50"] = json!("fast"),
        |report| report["comparisons"][0]["ci"] = json!([1.0]),
        |report| report["comparisons"][0]["verdict"] = json!("best"),
        |report| report["environment"]["debug_assertions"] = json!(0),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut value = serde_json::to_value(report("r", 1, 2)).unwrap();
        change(&mut value);
        assert!(check(&value).is_some(), "change {index}");
    }
}

#[test]
fn the_schema_names_itself_and_requires_every_part() {
    let schema = Report::json_schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["properties"]["schema"]["const"], SCHEMA);
    let required = schema["required"].as_array().unwrap();
    for part in ["schema", "run", "environment", "cells", "comparisons", "control", "validity"] {
        assert!(required.contains(&json!(part)), "{part}");
    }
}

#[test]
fn every_field_of_the_contract_is_written() {
    let value = serde_json::to_value(report("r", 1, 2)).unwrap();
    for (part, fields) in [
        ("/run", "id started_at duration_s argv seed status"),
        (
            "/environment",
            "cpu cores memory_bytes kernel rustc profile debug_assertions git runtime clock load_before load_after",
        ),
        (
            "/cells/0",
            "workload variant backend backend_version params rounds throughput_ops_per_s wait_ns fairness",
        ),
        (
            "/cells/0/rounds/0",
            "order ops wall_ns cpu_ns contended_fraction jain hold_ns forced_yields cancelled",
        ),
        ("/cells/0/throughput_ops_per_s", "median min max"),
        ("/cells/0/wait_ns", "count mean p50 p90 p99 p999 max hdr"),
        (
            "/comparisons/0",
            "workload variant params metric baseline candidate ratio ci confidence method rounds p_adjusted verdict",
        ),
        ("/control/0", "ratio ci verdict"),
        ("/validity/0", "check pass detail"),
    ] {
        let part_of = value.pointer(part).unwrap_or_else(|| panic!("{part}"));
        for field in fields.split(' ') {
            assert!(part_of.get(field).is_some(), "{part}/{field}");
        }
    }
}
