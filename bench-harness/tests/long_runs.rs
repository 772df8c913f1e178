//! Long runs as their users meet them: interrupted and gone on with, spread over processes, pinned; and what a slot
//! costs the system. The real program, its exit codes and its files.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use results::{LatencyRound, Report, Status, store};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_bench-harness"))
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

/// A run of a second or two, into a folder of its own.
fn short_run(folder: &Path, more: &[&str]) -> Output {
    let short =
        ["--workload", "mutex", "--rounds", "6", "--slot", "10ms", "--exit", "--no-dashboard", "--out"];
    program().args(short).arg(folder).args(more).output().unwrap()
}

/// So many rounds that it goes on until it is ended.
const ENDLESS: [&str; 4] = ["--rounds", "10000", "--slot", "4ms"];

/// A run that was begun, and its standard error.
fn begun(folder: &Path, options: &[&str]) -> (Child, Lines) {
    let mut child = program()
        .args(["--workload", "mutex", "--no-dashboard", "--out"])
        .arg(folder)
        .args(options)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = Lines(BufReader::new(child.stderr.take().unwrap()));
    (child, lines)
}

struct Lines(BufReader<std::process::ChildStderr>);

impl Lines {
    /// Reads on until a line has the word.
    fn until(&mut self, word: &str) -> String {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "it ended without {word:?}: {all}");
            if line.contains(word) {
                return line;
            }
            all.push_str(&line);
        }
    }
}

fn interrupt(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
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
    let output = short_run(folder.path(), &[]);
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
        let output =
            short_run(folder.path(), &[pin, "--runtime", runtime, "--workers", "1", "--hold-mode", "yield"]);
        let (_, report) = only_report(folder.path());
        assert_eq!(report.environment.pinned.map(|pins| pins.len()), Some(1), "{}", stderr(&output));
    }
}

#[test]
fn processors_that_are_not_there_are_refused() {
    for (arguments, mentioned) in [
        (["--pin=4000", "--workers=1"], ["--pin", "no processor 4000"]),
        (["--pin=0", "--workers=2"], ["--pin=0", "--workers 1"]),
        (["--pin=0,0", "--workers=2"], ["--pin", "named twice"]),
        (["--pin=first", "--workers=1"], ["--pin", "0,1"]),
        (["--pin", "--workers=1024"], ["--pin", "--workers"]),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        for word in mentioned {
            assert!(stderr(&output).contains(word), "no {word} in {}", stderr(&output));
        }
    }
}

#[test]
fn rounds_of_several_processes_make_one_report() {
    let folder = TempDir::new().unwrap();
    let options = ["--forks", "3", "--rounds", "2", "--slot", "10ms", "--sweep", "tasks=3,5", "--seed", "5"];
    let (child, mut lines) = begun(folder.path(), &[options.as_slice(), &["--format", "json"]].concat());
    lines.until("process 3 of 3");
    let output = child.wait_with_output().unwrap();
    let (_, report) = only_report(folder.path());
    assert_eq!(Report::from_json(&output.stdout).unwrap(), report);
    assert_eq!((report.run.forks, report.run.rounds_planned, report.run.seed), (Some(3), Some(2), 5));
    let cases: Vec<_> = report.cells.iter().map(|cell| cell.params["tasks"].as_u64().unwrap()).collect();
    assert_eq!(cases, [3, 3, 3, 5, 5, 5]);
    for cell in &report.cells {
        let forks: Vec<_> = cell.rounds.iter().map(|round| round.fork.unwrap()).collect();
        assert_eq!(forks, [0, 0, 1, 1, 2, 2]);
        let forks: Vec<_> = cell.latency_rounds.iter().map(|round| round.fork.unwrap()).collect();
        assert_eq!(forks, [0, 0, 1, 1, 2, 2]);
        let waits: u64 = cell.latency_rounds.iter().map(|round| round.count).sum();
        assert_eq!(cell.wait_ns.count, waits, "the waits of all processes");
        assert_eq!(cell.wait_ns.histogram().unwrap().len(), waits);
    }
    let rounds = report.validity.iter().find(|check| check.check == "rounds").unwrap();
    assert!(!rounds.pass && rounds.detail.contains("--forks"), "{}", rounds.detail);
}

#[test]
fn ctrl_c_keeps_what_the_processes_have_measured() {
    let folder = TempDir::new().unwrap();
    let (child, mut lines) = begun(folder.path(), &["--forks", "2", "--rounds", "40", "--slot", "4ms"]);
    lines.until("process 2 of 2");
    interrupt(&child);
    lines.until("--resume");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    let (_, report) = only_report(folder.path());
    assert_eq!(report.run.status, Status::Interrupted);
    assert!(report.cells.iter().all(|cell| cell.rounds.len() >= 40), "the first process was done");
}

#[test]
fn a_process_that_dies_ends_the_run_and_is_named() {
    let folder = TempDir::new().unwrap();
    let (child, mut lines) = begun(folder.path(), &[["--forks", "2"].as_slice(), &ENDLESS].concat());
    lines.until("process 1 of 2");
    kill_process(child_of(&child), Signal::KILL).unwrap();
    let error = lines.until("error: ");
    assert!(error.contains("process 1 of 2 was killed by signal 9"), "{error}");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(1));
    assert_eq!(only_report(folder.path()).1.run.status, Status::Interrupted);
}

/// The one process that another has started.
fn child_of(parent: &Child) -> Pid {
    let is_child = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name before it is in parentheses and may contain anything.
        let fields = stat.rsplit_once(") ").map(|(_, fields)| fields).unwrap_or_default();
        fields.split(' ').nth(1) == Some(&parent.id().to_string())
    };
    let pids =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Pid::from_raw(pids.into_iter().find(is_child).expect("it has started a process")).unwrap()
}

#[test]
fn an_interrupted_sweep_goes_on_where_it_was() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().to_str().unwrap();
    let sweep = ["--sweep", "tasks=3,5,7", "--rounds", "6", "--slot", "40ms", "--seed", "11"];
    let (child, mut lines) = begun(folder.path(), &sweep);
    lines.until("tasks=7");
    interrupt(&child);
    let last_words = lines.until("--resume");
    child.wait_with_output().unwrap();
    let (path, before) = only_report(folder.path());
    assert!(last_words.contains(path.to_str().unwrap()), "{last_words}");
    assert_eq!(before.run.status, Status::Interrupted);

    let resume = |report: &str, more: &[&str]| run(&[&["--resume", report, "--exit"], more].concat());
    let id = before.run.id.clone();
    let output = resume(&id, &["--out", out, "--format", "json"]);
    let (_, after) = only_report(folder.path());
    assert_eq!(Report::from_json(&output.stdout).unwrap(), after, "{}", stderr(&output));
    assert!(stderr(&output).contains("2 cases measured before, 1 to go"), "{}", stderr(&output));
    assert_eq!((after.run.id.as_str(), after.run.seed, &after.run.argv), (id.as_str(), 11, &before.run.argv));
    assert!(matches!(after.run.status, Status::Complete | Status::Invalid), "{:?}", after.run.status);
    assert!(after.run.duration_s > before.run.duration_s);
    assert_eq!(after.cells.len(), 3 * 3);
    assert_eq!(after.cells[..6], before.cells[..6], "what was whole is kept as it is");
    assert!(after.cells.iter().all(|cell| cell.rounds.len() == 6 && cell.latency_rounds.len() == 6));
    assert_eq!(after.comparisons.iter().filter(|it| it.metric == "throughput").count(), 3);

    let refused = |output: Output, words: &[&str]| {
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        for word in words {
            assert!(stderr(&output).contains(word), "no {word} in {}", stderr(&output));
        }
    };
    refused(resume(path.to_str().unwrap(), &[]), &["--resume", "complete"]);
    let written = |change: &dyn Fn(&mut Report)| {
        let mut report = before.clone();
        change(&mut report);
        fs::write(&path, report.to_json()).unwrap();
        resume(path.to_str().unwrap(), &[])
    };
    refused(
        written(&|report| report.environment.cpu = "Made Up 9000".into()),
        &["elsewhere", "processor Made Up 9000 there"],
    );
    refused(
        written(&|report| report.environment.profile = "release, opt-level 3".into()),
        &["profile release, opt-level 3 there"],
    );
    refused(written(&|report| report.cells[0].backend_version = "0.0.1".into()), &["sync 0.0.1"]);
    refused(written(&|report| report.run.argv.push("--taskz".into())), &["no longer understood", "--taskz"]);
    let other_cases = |report: &mut Report| {
        let sweep = report.run.argv.iter_mut().find(|word| word.starts_with("tasks=")).unwrap();
        *sweep = "tasks=3,7".into();
    };
    refused(written(&other_cases), &["no longer mean", "tasks=5"]);
    refused(resume(path.to_str().unwrap(), &["--tasks", "3"]), &["--tasks", "--format"]);
    refused(resume("nothing", &["--out", out]), &["'nothing'"]);
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let folder = TempDir::new().unwrap();
    // A pipe that is full and that nobody reads: the program hangs where it prints its report.
    let (reader, mut filler) = std::io::pipe().unwrap();
    let writer = filler.try_clone().unwrap();
    let filling = std::thread::spawn(move || while filler.write_all(&[b' '; 4096]).is_ok() {});
    let mut child = program()
        .args(["--workload", "mutex", "--no-dashboard", "--out"])
        .arg(folder.path())
        .args(ENDLESS)
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = Lines(BufReader::new(child.stderr.take().unwrap()));
    lines.until("warm-up");
    interrupt(&child);
    lines.until("Ctrl-C again ends at once");
    lines.until("report: ");
    assert!(child.try_wait().unwrap().is_none(), "it hangs at its standard output");
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(reader);
    filling.join().unwrap();
}

#[test]
fn a_folder_that_vanished_leaves_the_report_on_standard_output() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("reports");
    let (child, mut lines) = begun(&out, &ENDLESS);
    lines.until("warm-up");
    fs::remove_dir(&out).unwrap();
    interrupt(&child);
    let error = lines.until("error: ");
    assert!(error.contains(out.to_str().unwrap()) && error.contains("standard output"), "{error}");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(Report::from_json(&output.stdout).unwrap().run.status, Status::Interrupted);
}

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
    let mut lines = Lines(BufReader::new(child.stderr.take().unwrap()));
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
