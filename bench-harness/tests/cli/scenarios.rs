//! Scenario files, and the presets among them.

use std::fs;

use tempfile::TempDir;

use super::support::{only_report, program, run, short_run, stderr, stdout};

#[test]
fn a_scenario_sets_the_options_and_what_is_typed_wins() {
    let folder = TempDir::new().unwrap();
    let scenario = folder.path().join("mine.toml");
    fs::write(&scenario, "workload = \"mutex\"\ntasks = 6\n[sweep]\nthink = [0, \"1us\"]\n").unwrap();
    let out = folder.path().join("out");
    let output = short_run(&out, &["--scenario", scenario.to_str().unwrap(), "--backend", "sync"]);
    let (_, report) = only_report(&out);
    let thinks: Vec<_> = report.cells.iter().map(|cell| cell.params["think_ns"].as_u64().unwrap()).collect();
    assert_eq!(thinks, [0, 0, 1_000, 1_000], "{}", stderr(&output));
    for cell in &report.cells {
        assert_eq!((cell.workload.as_str(), cell.params["tasks"].as_u64()), ("mutex", Some(6)));
        assert!(cell.backend.starts_with("sync"), "{}", cell.backend);
    }
}

#[test]
fn a_scenario_that_makes_no_sense_is_refused_with_file_and_line() {
    let folder = TempDir::new().unwrap();
    let scenario = folder.path().join("mine.toml");
    let path = scenario.to_str().unwrap();
    for (text, mentioned) in [
        ("# mine\ntaks = 4\n", ["line 2", "unknown key taks", "hold-mode"]),
        ("tasks = 4\nhold = 10\n", ["line 2", "hold", "10us"]),
        ("hold = \"1s\"\n", ["line 1", "--hold 1s", "--slot"]),
        ("runtime = \"current-thread\"\nworkers = 2\n", ["line 2", "--workers", "--runtime"]),
        ("workload = \"mutexx\"\n", ["line 1", "'mutexx'", "semaphore"]),
        ("\ntasks = [\n", ["line 2", "not TOML", "array"]),
    ] {
        fs::write(&scenario, text).unwrap();
        let output = run(&["--scenario", path, "--out", folder.path().to_str().unwrap()]);
        let message = stderr(&output);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""), "{text}: {message}");
        assert!(message.contains(path), "{text}: {message}");
        for word in mentioned {
            assert!(message.contains(word), "{text} does not mention {word}: {message}");
        }
    }
    fs::write(&scenario, b"tasks = \xff\n").unwrap();
    let output = run(&["--scenario", path]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(path) && stderr(&output).contains("UTF-8"), "{}", stderr(&output));
    let output = run(&["--scenario", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("not a file"), "{}", stderr(&output));
}

#[test]
fn the_example_scenario_and_every_preset_count_right() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../workloads/scenarios/example.toml");
    let presets = workloads::SCENARIOS.iter().map(|preset| ["--preset", preset.name]);
    for source in presets.chain([["--scenario", example]]) {
        let folder = TempDir::new().unwrap();
        let short = ["--rounds", "1", "--slot", "4ms", "--exit", "--no-dashboard", "--out"];
        let output = program().args(source).args(short).arg(folder.path()).output().unwrap();
        let (_, report) = only_report(folder.path());
        let counts = report.validity.iter().find(|check| check.check == "counts").unwrap();
        assert!(counts.pass && !report.cells.is_empty(), "{source:?}: {}", stderr(&output));
    }
}

#[test]
fn a_preset_gives_every_figure_in_its_authors_unit_too() {
    let folder = TempDir::new().unwrap();
    let output = short_run(folder.path(), &["--preset", "lockhammer"]);
    let (_, report) = only_report(folder.path());
    let words = stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    for cell in &report.cells {
        let figure = cell.peer_figure.as_ref().expect(&cell.backend);
        assert_eq!(figure.unit, "ns of CPU per operation, less hold and think");
        assert!(figure.min <= figure.median && figure.median <= figure.max, "{figure}");
        let told = words.contains(&format!("{} in the peer's unit: {figure}.", cell.backend));
        assert_eq!(told, !cell.backend.ends_with("(control)"), "{words}");
    }
}
