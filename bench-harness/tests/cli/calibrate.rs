//! The false alarms of the comparison.

use std::process::Stdio;

use super::support::{Lines, interrupt, program, run, stderr};

#[test]
fn a_calibration_counts_its_comparisons_and_prints_nothing_else() {
    let short = ["calibrate", "--comparisons", "12", "--rounds", "6", "--slot", "1ms", "--seed", "3"];
    let output = run(&[short.as_slice(), &["--format", "json"]].concat());
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["schema"], "bench-harness/calibration/v1");
    assert_eq!((&json["seed"], &json["complete"]), (&3.into(), &true.into()), "{}", stderr(&output));
    let throughput = &json["figures"][0];
    assert_eq!(throughput["metric"], "throughput");
    // A slot of a millisecond may see no operation on a busy machine, and its comparison then has no interval.
    assert!((1..=12).contains(&throughput["comparisons"].as_u64().unwrap()), "{throughput}");
    assert!((throughput["nominal"].as_f64().unwrap() - 0.03125).abs() < 0.02, "{throughput}");
    let table = String::from_utf8(run(&short).stdout).unwrap();
    for word in ["tokio against itself", "throughput", "wait_p99", "nominal", "exclude 1"] {
        assert!(table.contains(word), "no {word} in {table}");
    }
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
}

#[test]
fn a_calibration_that_is_interrupted_gives_the_figures_until_then() {
    let mut child = program()
        .args(["calibrate", "--comparisons", "100000", "--rounds", "6", "--slot", "1ms", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = Lines::of(&mut child);
    lines.until("comparison 1 of 100000");
    interrupt(&child);
    lines.until("interrupted");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["complete"], &json["comparisons_planned"]), (&false.into(), &100_000.into()));
}

#[test]
fn a_calibration_is_of_one_case_with_enough_rounds() {
    for (arguments, word) in [
        (["calibrate", "--workload", "all"], "--workload all"),
        (["calibrate", "--backend", "all"], "--backend all"),
        (["calibrate", "--rounds", "5"], "6 to 10,000"),
        (["calibrate", "--comparisons", "0"], "--comparisons"),
    ] {
        let output = run(&arguments);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
        assert!(stderr(&output).contains(word), "no {word} in {}", stderr(&output));
    }
}
