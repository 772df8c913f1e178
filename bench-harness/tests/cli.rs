//! The command line as users and scripts meet it: the real program, its exit codes and its files.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use results::{Report, Status, store};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_bench-harness"))
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

/// A run that takes a second or two, into a folder of its own.
fn short_run(folder: &Path, more: &[&str]) -> Output {
    let short = ["--rounds", "6", "--slot", "10ms", "--exit", "--no-dashboard", "--seed", "7", "--out"];
    program().args(short).arg(folder).args(more).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn only_report(folder: &Path) -> (PathBuf, Report) {
    let names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 1, "the report and nothing else: {names:?}");
    let path = folder.join(&names[0]);
    let report = store::read(&path).unwrap();
    (path, report)
}

/// A report of a run that was made once, for the tests that only read one.
fn a_report(folder: &Path) -> PathBuf {
    short_run(folder, &["--workload", "mutex"]);
    only_report(folder).0
}

#[test]
fn bad_values_are_refused_before_anything_runs_naming_option_and_value() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let below_a_file = file.join("reports");
    let cases: &[(&[&str], &[&str])] = &[
        (&["--workload", "mutexx"], &["--workload", "'mutexx'", "mutex", "semaphore", "condition", "event"]),
        (&["--workload", "mutex.nope"], &["--workload", "'nope'", "exclusive"]),
        (&["--backend", "tokyo"], &["--backend", "'tokyo'", "sync", "tokio"]),
        (&["--backend", "sync,"], &["--backend", "''"]),
        (&["--tasks", "0"], &["--tasks", "'0'"]),
        (&["--tasks", "-3"], &["--tasks", "'-3'"]),
        (&["--tasks", "1000001"], &["--tasks", "'1000001'"]),
        (&["--permits", "0"], &["--permits", "'0'"]),
        (&["--locks", "0"], &["--locks", "'0'"]),
        (&["--locks", "10000001"], &["--locks", "'10000001'", "10000000"]),
        (&["--weight", "0"], &["--weight", "'0'"]),
        (
            &["--workload", "semaphore.weighted", "--permits", "4", "--weight", "5"],
            &["--weight", "cannot be 5", "1 to 4, the number of permits"],
        ),
        (
            &["--workload", "semaphore.weighted", "--sweep", "permits=8,2"],
            &["--weight", "cannot be 4", "1 to 2, the number of permits"],
        ),
        (&["--posters", "0"], &["--posters", "'0'"]),
        (&["--hold-distribution", "normal"], &["--hold-distribution", "'normal'", "exponential", "bimodal"]),
        (&["--think-distribution", ""], &["--think-distribution", "constant", "uniform"]),
        (&["--peer-unit", "furlongs"], &["--peer-unit", "'furlongs'", "time-per-N", "khz-per-task"]),
        (&["--peer-unit", "time-per-0"], &["--peer-unit", "'time-per-0'"]),
        (&["--rounds", "0"], &["--rounds", "'0'"]),
        (&["--hold", "soon"], &["--hold", "'soon'"]),
        (&["--hold", "-1ms"], &["--hold"]),
        (&["--hold", "1h"], &["--hold", "'1h'"]),
        (&["--hold", "1s"], &["--hold", "1s", "--slot"]),
        (&["--think", "99999999999999999999s"], &["--think"]),
        (&["--slot", "0"], &["--slot", "'0'"]),
        (&["--cancel", "101"], &["--cancel", "'101'"]),
        (&["--cancel", "NaN"], &["--cancel", "'NaN'"]),
        (&["--rate", "0"], &["--rate", "'0'"]),
        (&["--rate", "-1"], &["--rate", "'-1'"]),
        (&["--rate", "NaN"], &["--rate", "'NaN'"]),
        (&["--rate", "inf"], &["--rate", "'inf'"]),
        (&["--rate", "1e12"], &["--rate", "'1e12'", "1e9"]),
        (
            &["--rate", "1000", "--workload", "event"],
            &["--rate", "event.broadcast", "mutex.exclusive", "semaphore.pool"],
        ),
        (
            &["--rate", "1000", "--workload", "mutex,condition"],
            &["--rate", "condition.bounded-buffer", "semaphore.pool"],
        ),
        (&["--seed", "-1"], &["--seed"]),
        (&["--workers", "0"], &["--workers", "'0'"]),
        (&["--runtime", "current-thread", "--workers", "2"], &["--workers", "--runtime"]),
        (&["--hold-mode", "wish"], &["--hold-mode", "'wish'", "spin"]),
        (&["--sweep", "tasks"], &["--sweep", "'tasks'", "KEY=A,B,C", "permits"]),
        (&["--sweep", "task=1,2"], &["--sweep", "'task'", "tasks", "hold-mode"]),
        (&["--sweep", "tasks=1,0"], &["--sweep", "tasks", "'0'"]),
        (&["--sweep", "tasks=1,,2"], &["--sweep", "tasks", "empty"]),
        (&["--sweep", "tasks=1,2", "--tasks", "3"], &["--sweep tasks=1,2", "--tasks 3"]),
        (&["--sweep", "tasks=1,2", "--sweep", "tasks=3"], &["--sweep tasks=1,2", "--sweep tasks=3"]),
        (&["--sweep", "hold=1us,1s"], &["--sweep hold", "1s", "--slot"]),
        (&["--sweep", "hold=11s", "--slot", "60s"], &["--sweep hold", "11000000000"]),
        (&["--workload", "event", "--sweep", "permits=1,2"], &["--sweep permits=1,2", "permits"]),
        (&["--preset", "hammer"], &["--preset", "'hammer'", "lockhammer", "notify-waiters"]),
        (&["--preset", "lockhammer", "--scenario", "mine.toml"], &["--preset", "--scenario"]),
        (&["--scenario", "missing.toml"], &["--scenario", "'missing.toml'"]),
        (&["--format", "xml"], &["--format", "'xml'", "json"]),
        (&["--listen", "here"], &["--listen", "'here'"]),
        (&["--listen", "127.0.0.1:0", "--no-dashboard"], &["--listen", "--no-dashboard"]),
        (&["--stay", "--exit"], &["--stay", "--exit"]),
        (&["--out", below_a_file.to_str().unwrap()], &["--out", below_a_file.to_str().unwrap()]),
    ];
    for (arguments, mentioned) in cases {
        let output = run(arguments);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        for word in *mentioned {
            assert!(message.contains(word), "{arguments:?} does not mention {word}: {message}");
        }
    }
}

#[test]
fn a_busy_port_that_was_asked_for_is_refused() {
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    let folder = TempDir::new().unwrap();
    let output = run(&["--listen", &address, "--out", folder.path().to_str().unwrap(), "--exit"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("--listen") && stderr(&output).contains(&address),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_run_prints_its_report_alone_and_keeps_the_same_in_the_folder() {
    let folder = TempDir::new().unwrap();
    let output = short_run(folder.path(), &["--format", "json", "--tasks", "4"]);
    let printed = Report::from_json(&output.stdout).unwrap();
    let (path, kept) = only_report(folder.path());
    assert_eq!(printed, kept);
    assert_eq!(path.file_stem().unwrap().to_str().unwrap(), kept.run.id);
    // A noisy machine may fail the noise floor; exit code and status then say the same.
    let expected = match kept.run.status {
        Status::Complete => 0,
        Status::Invalid => 3,
        status => panic!("{status:?}: {}", stderr(&output)),
    };
    assert_eq!(output.status.code(), Some(expected), "{}", stderr(&output));
    let backends: Vec<&str> = kept.cells.iter().map(|cell| cell.backend.as_str()).collect();
    assert_eq!(backends, ["sync", "tokio", "tokio (control)"]);
    for cell in &kept.cells {
        assert_eq!((cell.workload.as_str(), cell.variant.as_str()), ("semaphore", "pool"));
        assert_eq!((cell.rounds.len(), cell.latency_rounds.len()), (6, 6));
        assert_eq!(cell.params["tasks"], 4);
        assert!(cell.throughput_ops_per_s.min > 0.0 && cell.wait_ns.count > 0);
        assert!(!cell.is_open_loop());
    }
    assert!(kept.validity.iter().any(|check| check.check == "counts" && check.pass), "{:?}", kept.validity);
    assert_eq!(kept.run.seed, 7);
    assert!(kept.run.argv.contains(&"--slot".to_owned()));
}

#[test]
fn an_open_loop_tells_asked_from_achieved_and_compares_no_throughput() {
    let folder = TempDir::new().unwrap();
    let more = ["--rate", "20000", "--slot", "40ms", "--workload", "mutex,semaphore", "--format", "json"];
    let arguments = ["--rounds", "6", "--exit", "--no-dashboard", "--seed", "7", "--out"];
    let output = program().args(arguments).arg(folder.path()).args(more).output().unwrap();
    let report = Report::from_json(&output.stdout).unwrap();
    assert_eq!(report.cells.len(), 2 * 3, "{}", stderr(&output));
    for cell in &report.cells {
        let open_loop = cell.open_loop.expect("an open loop");
        assert_eq!((open_loop.rate_ops_per_s, &cell.params["rate_ops_per_s"]), (2e4, &2e4.into()));
        assert!(open_loop.achieved_ops_per_s > 0.0 && (0.0..=1.0).contains(&open_loop.behind_fraction));
        assert!(open_loop.lag_mean_ns <= open_loop.lag_max_ns as f64);
        assert_eq!((cell.rounds.len(), cell.latency_rounds.len()), (6, 6));
    }
    assert!(report.comparisons.iter().all(|comparison| comparison.metric.starts_with("wait_")));
    // Whether a busy machine keeps the rate is its own affair; that it was looked at is ours.
    let rate = report.validity.iter().find(|check| check.check == "rate").unwrap();
    assert!(rate.detail.contains("20.0 k/s"), "{}", rate.detail);

    let table = stdout(&short_run(folder.path(), &["--rate", "20000", "--backend", "all"]));
    for word in ["20.0 k/s", "Open loop:", "asked", "achieved", "lag", "behind", "sync-traced"] {
        assert!(table.contains(word), "no {word} in {table}");
    }
    assert!(!table.contains("throughput"), "{table}");
    for line in table.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
}

#[test]
fn every_workload_counts_right_on_every_backend() {
    let folder = TempDir::new().unwrap();
    let output = short_run(folder.path(), &["--workload", "all.all", "--backend", "all"]);
    let (_, report) = only_report(folder.path());
    let counts = report.validity.iter().find(|check| check.check == "counts").unwrap();
    assert!(counts.pass, "{}", counts.detail);
    for workload in ["mutex", "semaphore", "condition", "event"] {
        for backend in ["sync", "sync-traced", "tokio"] {
            let found = report.cells.iter().any(|cell| cell.workload == workload && cell.backend == backend);
            assert!(found, "{workload} on {backend}: {}", stderr(&output));
        }
    }
}

#[test]
fn an_uncontended_run_is_not_valid_and_says_what_to_change() {
    let folder = TempDir::new().unwrap();
    let output = short_run(folder.path(), &["--tasks", "1"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("contended") && stderr(&output).contains("--tasks"));
    assert_eq!(only_report(folder.path()).1.run.status, Status::Invalid);
}

#[test]
fn a_sweep_makes_a_case_of_each_combination_and_tells_them_apart() {
    let folder = TempDir::new().unwrap();
    let output = short_run(folder.path(), &["--sweep", "tasks=4,8", "--sweep", "permits=1,2"]);
    let (_, report) = only_report(folder.path());
    let mut cases: Vec<(u64, u64)> = report
        .cells
        .iter()
        .map(|cell| (cell.params["tasks"].as_u64().unwrap(), cell.params["permits"].as_u64().unwrap()))
        .collect();
    cases.dedup();
    assert_eq!(cases, [(4, 1), (4, 2), (8, 1), (8, 2)]);
    assert_eq!(report.cells.len(), 4 * 3, "sync, tokio and the control arm in each");
    let throughput = report.comparisons.iter().filter(|it| it.metric == "throughput");
    assert_eq!(throughput.count(), 4, "a comparison for each case");
    for case in ["4 tasks · 1 permit", "4 tasks · 2 permits", "8 tasks · 1 permit", "8 tasks · 2 permits"]
    {
        let heading = format!("semaphore.pool · {case} · one yield");
        assert_eq!(stdout(&output).matches(&heading).count(), 1, "{heading}: {}", stdout(&output));
    }
    let table = stdout(&output);
    let (_, overview) = table.split_once("semaphore.pool · all cases with one yield while holding").unwrap();
    let lines =
        overview.lines().filter(|line| line.starts_with(['4', '8']) && line.contains(" tasks · ")).count();
    assert_eq!(lines, 4, "a line for each case: {overview}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(stderr(&output).contains("4 cases, about"), "{}", stderr(&output));
    assert!(stderr(&output).contains("semaphore.pool (tasks=4, permits=1)"), "{}", stderr(&output));
}

#[test]
fn more_cases_than_a_run_may_have_are_refused_naming_the_limit() {
    let values = |key: &str| format!("{key}={}", Vec::from_iter((1..=32).map(|it| it.to_string())).join(","));
    let output = run(&["--sweep", &values("tasks"), "--sweep", &values("permits")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("1024 cases") && stderr(&output).contains("1000"),
        "{}",
        stderr(&output)
    );
}

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
fn the_table_fits_eighty_columns_and_names_the_noise_floor() {
    let folder = TempDir::new().unwrap();
    let output = short_run(folder.path(), &["--workload", "mutex", "--backend", "sync,sync-traced,tokio"]);
    let table = stdout(&output);
    for line in table.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
    for word in ["mutex.exclusive", "sync-traced", "Noise floor: tokio against itself", "Jain"] {
        assert!(table.contains(word), "no {word} in {table}");
    }
    assert!(!table.contains('\u{1b}'), "no colour outside a terminal");
}

#[test]
fn ctrl_c_keeps_what_was_measured_and_marks_it() {
    let folder = TempDir::new().unwrap();
    let mut child = program()
        .args(["--rounds", "10000", "--slot", "4ms", "--no-dashboard", "--format", "json", "--out"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first line says that the warm-up begins, so the handler is installed by then.
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.contains("warm-up"), "{line}");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let (_, report) = only_report(folder.path());
    assert_eq!(report.run.status, Status::Interrupted);
    assert_eq!(Report::from_json(&output.stdout).unwrap(), report);
}

#[test]
fn a_report_that_cannot_be_written_goes_to_standard_output() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("reports");
    let mut child = program()
        .args(["--rounds", "10000", "--slot", "4ms", "--no-dashboard", "--out"])
        .arg(&out)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stderr.read_line(&mut String::new()).unwrap();
    // The folder was there when the run began, and is a file when it ends.
    fs::remove_dir(&out).unwrap();
    fs::write(&out, "").unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(Report::from_json(&output.stdout).unwrap().run.status, Status::Interrupted);
}

#[test]
fn list_names_workloads_and_backends() {
    let text = stdout(&run(&["list"]));
    for name in ["mutex.exclusive", "alias lock", "semaphore.pool", "sync-traced", "tokio", "--tasks"] {
        assert!(text.contains(name), "no {name} in {text}");
    }
    let json: serde_json::Value = serde_json::from_slice(&run(&["list", "--format", "json"]).stdout).unwrap();
    let names: Vec<&str> =
        json["workloads"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["mutex", "semaphore", "condition", "event", "barrier", "mix"]);
    for preset in workloads::SCENARIOS {
        assert!(text.contains(preset.name), "no {} in {text}", preset.name);
        assert!(json["presets"].as_array().unwrap().iter().any(|it| it["name"] == preset.name));
    }
}

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

#[test]
fn serve_names_bad_files_serves_the_others_and_ends_with_ctrl_c() {
    let folder = TempDir::new().unwrap();
    a_report(folder.path());
    fs::write(folder.path().join("bad.json"), "[]").unwrap();
    let mut child = program()
        .arg("serve")
        .arg(folder.path())
        .args(["--listen", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let bad = lines.next().unwrap();
    assert!(bad.contains("bad.json") && bad.contains("not a report"), "{bad}");
    let serving = lines.next().unwrap();
    assert!(serving.contains("1 report") && serving.contains("http://127.0.0.1:"), "{serving}");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn serve_shows_a_recording_and_names_what_is_none_of_it() {
    let folder = TempDir::new().unwrap();
    let recording = folder.path().join("recording");
    let collector = dashboard::Collector::new();
    drop(dashboard::recording::Recorder::start(&collector, &recording, Default::default()).unwrap());
    fs::write(recording.join("bad.hlog"), "not a log\n").unwrap();
    let serve = |recording: &std::path::Path| {
        let mut command = program();
        command.arg("serve").arg(folder.path()).arg("--recording").arg(recording);
        command.args(["--listen", "127.0.0.1:0"]).stderr(Stdio::piped());
        command
    };
    let mut child = serve(&recording).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let bad = lines.next().unwrap();
    assert!(bad.contains("bad.hlog") && bad.contains("line 1 is not one of an interval log"), "{bad}");
    let shown = lines.next().unwrap();
    assert!(shown.contains("0 intervals") && shown.contains("recording"), "{shown}");
    assert!(lines.next().unwrap().contains("0 reports"));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));

    let missing = serve(&folder.path().join("nowhere")).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).contains("cannot read --recording"), "{}", stderr(&missing));
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

#[test]
fn a_distribution_around_nothing_is_said_to_change_nothing() {
    let folder = TempDir::new().unwrap();
    let output = short_run(folder.path(), &["--workload", "mutex", "--hold-distribution", "uniform"]);
    let note = "--hold-distribution changes nothing where --hold is 0";
    assert!(stderr(&output).contains(note), "{}", stderr(&output));
    let (_, report) = only_report(folder.path());
    assert!(report.cells.iter().all(|cell| !cell.params.contains_key("hold_distribution")));
}
