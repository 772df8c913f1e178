//! Stored reports and recordings, shown on the page.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;

use super::support::{Lines, a_report, interrupt, program, stderr};

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
    let mut lines = Lines::of(&mut child);
    let bad = lines.next();
    assert!(bad.contains("bad.json") && bad.contains("not a report"), "{bad}");
    let serving = lines.next();
    assert!(serving.contains("1 report") && serving.contains("http://127.0.0.1:"), "{serving}");
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn serve_shows_a_recording_and_names_what_is_none_of_it() {
    let folder = TempDir::new().unwrap();
    let recording = folder.path().join("recording");
    let collector = dashboard::Collector::new();
    drop(dashboard::recording::Recorder::start(&collector, &recording, Default::default()).unwrap());
    fs::write(recording.join("bad.hlog"), "not a log\n").unwrap();
    let serve = |recording: &Path| {
        let mut command = program();
        command.arg("serve").arg(folder.path()).arg("--recording").arg(recording);
        command.args(["--listen", "127.0.0.1:0"]).stderr(Stdio::piped());
        command
    };
    let mut child = serve(&recording).spawn().unwrap();
    let mut lines = Lines::of(&mut child);
    let bad = lines.next();
    assert!(bad.contains("bad.hlog") && bad.contains("line 1 is not one of an interval log"), "{bad}");
    let shown = lines.next();
    assert!(shown.contains("0 intervals") && shown.contains("recording"), "{shown}");
    assert!(lines.next().contains("0 reports"));
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));

    let missing = serve(&folder.path().join("nowhere")).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).contains("cannot read --recording"), "{}", stderr(&missing));
}
