//! The program, begun and ended.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use results::{Report, store};
use rustix::process::{Pid, Signal, kill_process};

pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_bench-harness"))
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

/// A run that takes a second or two, into a folder of its own.
pub(crate) fn short_run(folder: &Path, more: &[&str]) -> Output {
    let short = ["--rounds", "6", "--slot", "10ms", "--exit", "--no-dashboard", "--seed", "7", "--out"];
    program().args(short).arg(folder).args(more).output().unwrap()
}

/// So many rounds that it goes on until it is ended.
pub(crate) const ENDLESS: [&str; 4] = ["--rounds", "10000", "--slot", "4ms"];

/// A run that was begun, and its standard error.
pub(crate) fn begun(folder: &Path, options: &[&str]) -> (Child, Lines) {
    let mut child = program()
        .args(["--workload", "mutex", "--no-dashboard", "--out"])
        .arg(folder)
        .args(options)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = Lines::of(&mut child);
    (child, lines)
}

pub(crate) struct Lines(BufReader<std::process::ChildStderr>);

impl Lines {
    pub(crate) fn of(child: &mut Child) -> Self {
        Self(BufReader::new(child.stderr.take().unwrap()))
    }

    pub(crate) fn next(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    /// Reads on until a line has the word.
    pub(crate) fn until(&mut self, word: &str) -> String {
        let mut all = String::new();
        loop {
            let line = self.next();
            assert!(!line.is_empty(), "it ended without {word:?}: {all}");
            if line.contains(word) {
                return line;
            }
            all.push_str(&line);
        }
    }
}

pub(crate) fn interrupt(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) fn only_report(folder: &Path) -> (PathBuf, Report) {
    let names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 1, "the report and nothing else: {names:?}");
    let path = folder.join(&names[0]);
    let report = store::read(&path).unwrap();
    (path, report)
}

/// A report of a run that was made once, for the tests that only read one.
pub(crate) fn a_report(folder: &Path) -> PathBuf {
    short_run(folder, &["--workload", "mutex"]);
    only_report(folder).0
}
