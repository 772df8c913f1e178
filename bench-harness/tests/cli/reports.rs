//! Stored reports: compared, exported, checked.

use std::fs;

use results::store;
use tempfile::TempDir;

use super::support::{a_report, only_report, run, short_run, stderr, stdout};

#[test]
fn a_report_compared_with_itself_is_no_regression() {
    let folder = TempDir::new().unwrap();
    let path = a_report(folder.path());
    let id = path.file_stem().unwrap().to_str().unwrap();
    let output = run(&[
        "compare",
        path.to_str().unwrap(),
        id,
        "--out",
        folder.path().to_str().unwrap(),
        "--format",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["baseline"], id);
    let comparisons = json["comparisons"].as_array().unwrap();
    assert_eq!(comparisons.len(), 2 * 3, "backends times metrics");
    assert!(comparisons.iter().filter(|it| it["metric"] == "throughput").all(|it| it["ratio"] == 1.0));
}

#[test]
fn a_slower_report_is_a_regression_beyond_the_threshold_alone() {
    let folder = TempDir::new().unwrap();
    let path = a_report(folder.path());
    let mut slower = store::read(&path).unwrap();
    // Alike but for one backend, so that nothing else can be called slower.
    let mut base = slower.clone();
    for (report, ops) in [(&mut base, 10_000), (&mut slower, 5_000)] {
        report.cells.retain(|cell| cell.backend == "sync");
        for (index, round) in report.cells[0].rounds.iter_mut().enumerate() {
            (round.ops, round.wall_ns) = (ops + index as u64, 1_000_000);
        }
    }
    let [base_path, slower_path] = ["base.json", "slower.json"].map(|name| folder.path().join(name));
    fs::write(&base_path, base.to_json()).unwrap();
    fs::write(&slower_path, slower.to_json()).unwrap();
    let compare = |more: &[&str]| {
        let paths = [base_path.to_str().unwrap(), slower_path.to_str().unwrap()];
        run(&[&["compare"], paths.as_slice(), more].concat())
    };
    let output = compare(&[]);
    assert_eq!(output.status.code(), Some(99), "{}", stderr(&output));
    assert!(stdout(&output).contains("slower"), "{}", stdout(&output));
    let markdown = compare(&["--format", "markdown"]);
    assert!(stdout(&markdown).contains("| sync"), "{}", stdout(&markdown));
    let tolerant = compare(&["--threshold", "100"]);
    assert_eq!(tolerant.status.code(), Some(0), "{}", stdout(&tolerant));
}

#[test]
fn reports_of_different_machines_are_compared_only_by_force() {
    let folder = TempDir::new().unwrap();
    let path = a_report(folder.path());
    let mut elsewhere = store::read(&path).unwrap();
    elsewhere.environment.cpu = "Imaginary 9000".to_owned();
    let other = folder.path().join("elsewhere.json");
    fs::write(&other, elsewhere.to_json()).unwrap();
    let arguments = ["compare", path.to_str().unwrap(), other.to_str().unwrap()];
    let refused = run(&arguments);
    assert_eq!((refused.status.code(), stdout(&refused).as_str()), (Some(2), ""));
    for word in ["elsewhere.json", "cpu", "Imaginary 9000", "--force"] {
        assert!(stderr(&refused).contains(word), "no {word} in {}", stderr(&refused));
    }
    let forced = run(&[arguments.as_slice(), &["--force"]].concat());
    assert_eq!(forced.status.code(), Some(0), "{}", stderr(&forced));
    assert!(stdout(&forced).contains("differs: cpu") && stdout(&forced).contains("Shows:"));
    let text = stdout(&forced);
    let (_, table) = text.split_once("\n\n").unwrap();
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn export_takes_one_cell_of_many() {
    let folder = TempDir::new().unwrap();
    let path = a_report(folder.path());
    let export = |cell: &str| run(&["export", path.to_str().unwrap(), "--to", "hgrm", "--cell", cell]);
    let one = stdout(&export(" on sync"));
    assert_eq!(one.matches("1/(1-Percentile)").count(), 1, "{one}");
    assert!(one.trim_start().starts_with("Value"), "the only section needs no name: {one}");
    let none = export("on nobody");
    assert_eq!(none.status.code(), Some(2));
    assert!(stderr(&none).contains("'on nobody'") && stderr(&none).contains("on tokio"), "{}", stderr(&none));
}

#[test]
fn what_is_no_report_is_named_with_what_is_wrong() {
    let folder = TempDir::new().unwrap();
    let broken = folder.path().join("broken.json");
    fs::write(&broken, "{\"schema\": \"bench-harness/report/v1\", \"run\"").unwrap();
    let output = run(&["compare", broken.to_str().unwrap(), broken.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("broken.json") && stderr(&output).contains("cut short"),
        "{}",
        stderr(&output)
    );

    let output = run(&["compare", "nothing", "nothing", "--out", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("'nothing'"), "{}", stderr(&output));
}

#[test]
fn export_writes_every_format_and_lists_them_for_an_unknown_one() {
    let folder = TempDir::new().unwrap();
    let path = a_report(folder.path());
    let path = path.to_str().unwrap();
    for format in results::formats::FORMATS {
        let output = run(&["export", path, "--to", format.name]);
        assert_eq!(output.status.code(), Some(0), "{}: {}", format.name, stderr(&output));
        assert!(!output.stdout.is_empty(), "{}", format.name);
    }
    let output = run(&["export", path, "--to", "xml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("'xml'") && stderr(&output).contains("markdown"), "{}", stderr(&output));
}

#[test]
fn what_runs_write_is_valid_by_the_schema_that_is_printed() {
    let schema: serde_json::Value = serde_json::from_slice(&run(&["schema"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let runs: [&[&str]; 3] = [
        &["--workload", "condition,event", "--backend", "all"],
        &["--workload", "mutex", "--rate", "20000"],
        &["--preset", "lockhammer", "--forks", "2"],
    ];
    for arguments in runs {
        let folder = TempDir::new().unwrap();
        let output = short_run(folder.path(), arguments);
        let (path, _) = only_report(folder.path());
        let mut report: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        if let Err(fault) = validator.validate(&report) {
            panic!("{arguments:?}, {}: {fault}\n{}", fault.instance_path(), stderr(&output));
        }
        report["cells"][0]["rounds"][0]["ops"] = (-1).into();
        assert!(!validator.is_valid(&report));
    }
}
