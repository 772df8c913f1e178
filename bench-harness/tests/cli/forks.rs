//! Rounds spread over processes.

use std::fs;
use std::process::Child;

use results::{Report, Status};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::support::{ENDLESS, begun, interrupt, only_report};

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
