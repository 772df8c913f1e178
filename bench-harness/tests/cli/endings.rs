//! Runs that end before their time: what they keep, and how they go on.

use std::fs;
use std::io::Write as _;
use std::process::{Output, Stdio};

use results::{Report, Status};
use tempfile::TempDir;

use super::support::{ENDLESS, Lines, begun, interrupt, only_report, program, run, stderr};

#[test]
fn ctrl_c_keeps_what_was_measured_and_marks_it() {
    let folder = TempDir::new().unwrap();
    let (child, mut lines) = begun(folder.path(), &[ENDLESS.as_slice(), &["--format", "json"]].concat());
    // The first line says that the warm-up begins, so the handler is installed by then.
    lines.until("warm-up");
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let (_, report) = only_report(folder.path());
    assert_eq!(report.run.status, Status::Interrupted);
    assert_eq!(Report::from_json(&output.stdout).unwrap(), report);
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
    let mut lines = Lines::of(&mut child);
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
fn ctrl_c_after_the_run_speaks_of_no_slot() {
    let folder = TempDir::new().unwrap();
    let mut child = program()
        .args([
            "--workload",
            "mutex",
            "--rounds",
            "6",
            "--slot",
            "10ms",
            "--stay",
            "--listen",
            "127.0.0.1:0",
            "--out",
        ])
        .arg(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = Lines::of(&mut child);
    lines.until("the dashboard stays at");
    interrupt(&child);
    assert_eq!(lines.next(), "", "nothing more is said");
    assert_ne!(child.wait().unwrap().code(), Some(130), "the run was over");
    only_report(folder.path());
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
fn a_report_that_cannot_be_written_goes_to_standard_output() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("reports");
    let (child, mut lines) = begun(&out, &ENDLESS);
    lines.until("warm-up");
    // The folder was there when the run began, and is a file when it ends.
    fs::remove_dir(&out).unwrap();
    fs::write(&out, "").unwrap();
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(Report::from_json(&output.stdout).unwrap().run.status, Status::Interrupted);
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
