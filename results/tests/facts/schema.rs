//! The JSON Schema describes what is really written.
//!
//! A validator off the shelf takes two minutes to build; the few keywords that our schema uses are checked
//! here in fifty lines, and any other keyword fails the test instead of being passed over.

use serde_json::{Value, json};

use crate::common::report;
use results::{Report, SCHEMA};

/// What is wrong with a value, first fault first.
fn fault(root: &Value, schema: &Value, value: &Value, place: &str) -> Option<String> {
    let Some(keywords) = schema.as_object() else {
        return (schema == &Value::Bool(false)).then(|| format!("{place}: nothing is allowed"));
    };
    keywords.iter().find_map(|(keyword, rule)| {
        let ok = match keyword.as_str() {
            "$schema" | "title" | "description" | "format" | "$defs" | "default" => true,
            "$ref" => {
                let target =
                    root.pointer(rule.as_str()?.trim_start_matches('#')).expect("a known definition");
                return fault(root, target, value, place);
            }
            "const" => value == rule,
            "enum" => rule.as_array()?.contains(value),
            "type" => match rule {
                Value::Array(types) => types.iter().any(|name| is_type(name, value)),
                name => is_type(name, value),
            },
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().expect("a number")),
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= rule.as_u64().unwrap()),
            "required" => rule.as_array()?.iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
            "oneOf" | "anyOf" => {
                rule.as_array()?.iter().any(|option| fault(root, option, value, place).is_none())
            }
            "properties" => {
                return rule.as_object()?.iter().find_map(|(name, rule)| {
                    fault(root, rule, value.get(name)?, &format!("{place}.{name}"))
                });
            }
            "additionalProperties" => {
                let known = keywords.get("properties").and_then(Value::as_object);
                return value.as_object()?.iter().find_map(|(name, value)| {
                    let other = known.is_none_or(|known| !known.contains_key(name));
                    other.then(|| fault(root, rule, value, &format!("{place}.{name}")))?
                });
            }
            "items" => {
                return value
                    .as_array()?
                    .iter()
                    .enumerate()
                    .find_map(|(index, value)| fault(root, rule, value, &format!("{place}[{index}]")));
            }
            unknown => panic!("{place}: the keyword {unknown} is not checked"),
        };
        (!ok).then(|| format!("{place}: {keyword} {rule}"))
    })
}

fn is_type(name: &Value, value: &Value) -> bool {
    match name.as_str().expect("a name") {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("the type {unknown}"),
    }
}

fn check(value: &Value) -> Option<String> {
    let schema = Report::json_schema();
    fault(&schema, &schema, value, "report")
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
