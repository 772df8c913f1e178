//! What a run prints, writes and counts.

use results::{LatencyRound, Report, Status};
use tempfile::TempDir;

use super::support::{only_report, program, short_run, stderr, stdout};

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
fn a_distribution_around_nothing_is_said_to_change_nothing() {
    let folder = TempDir::new().unwrap();
    let output = short_run(folder.path(), &["--workload", "mutex", "--hold-distribution", "uniform"]);
    let note = "--hold-distribution changes nothing where --hold is 0";
    assert!(stderr(&output).contains(note), "{}", stderr(&output));
    let (_, report) = only_report(folder.path());
    assert!(report.cells.iter().all(|cell| !cell.params.contains_key("hold_distribution")));
}

#[test]
fn ours_allocates_nothing_in_a_slot_and_neither_does_the_bench() {
    let folder = TempDir::new().unwrap();
    let output =
        short_run(folder.path(), &["--workload", "mutex,semaphore,event", "--backend", "sync,async-lock"]);
    let (_, report) = only_report(folder.path());
    for cell in &report.cells {
        // A slot of a busy machine may have come to nothing; all of them together have not.
        let total = |figure: fn(&LatencyRound) -> u64| cell.latency_rounds.iter().map(figure).sum::<u64>();
        assert!(total(|slot| slot.ops) > 0 && total(|slot| slot.wall_ns) > 0, "{}", stderr(&output));
        assert!(cell.latency_rounds.iter().all(|slot| slot.allocations.is_some()));
        let allocations = total(|slot| slot.allocations.unwrap_or_default());
        match cell.backend.as_str() {
            "async-lock" if cell.workload == "mutex" => assert!(allocations > 0, "it boxes each wait"),
            "async-lock" => {}
            _ => assert_eq!(allocations, 0, "{} on {}", cell.case(), cell.backend),
        }
    }
    let rounds = report.cells.iter().flat_map(|cell| &cell.rounds);
    assert!(rounds.clone().all(|round| round.involuntary_switches.is_some()));
    assert!(
        rounds.map(|round| round.voluntary_switches.unwrap()).sum::<u64>() > 0,
        "workers sleep now and then"
    );
}

#[test]
fn the_recorders_share_is_in_the_report_and_told() {
    let folder = TempDir::new().unwrap();
    let output = short_run(folder.path(), &["--workload", "mutex"]);
    let (_, report) = only_report(folder.path());
    for cell in &report.cells {
        assert!((0.0..=1.0).contains(&cell.recorder_share.unwrap()), "{:?}", cell.recorder_share);
    }
    assert!(stderr(&output).contains("recorder: "), "{}", stderr(&output));
    assert!(report.validity.iter().any(|check| check.check == "recorder" && check.pass));
}

#[test]
fn pinned_workers_are_in_the_report() {
    for (pin, runtime) in [("--pin", "multi-thread"), ("--pin=0", "current-thread")] {
        let folder = TempDir::new().unwrap();
        let output = short_run(
            folder.path(),
            &["--workload", "mutex", pin, "--runtime", runtime, "--workers", "1", "--hold-mode", "yield"],
        );
        let (_, report) = only_report(folder.path());
        assert_eq!(report.environment.pinned.map(|pins| pins.len()), Some(1), "{}", stderr(&output));
    }
}
