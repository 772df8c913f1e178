//! Hands the program what only its build knows: compiler, profile and commit. Nothing of it is required: a
//! build from an archive, without git, says so by leaving the commit empty.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = output(&rustc, &["--version"]).unwrap_or_else(|| "unknown rustc".into());
    println!("cargo::rustc-env=BENCH_RUSTC={version}");

    let opt_level = env::var("OPT_LEVEL").unwrap_or_default();
    println!("cargo::rustc-env=BENCH_PROFILE={}, opt-level {opt_level}", profile());
    println!("cargo::rustc-env=BENCH_GIT={}", git().unwrap_or_default());

    // A commit, or an edit anywhere in the workspace, changes what the report has to say. A path that does
    // not exist would run this script on every build.
    for path in
        ["../.git/HEAD", "../.git/index", "../sync", "../workloads", "../results", "../dashboard", "src"]
    {
        if Path::new(path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

/// Cargo names the folder of its output after the profile, and calls that of `dev` `debug`.
fn profile() -> String {
    let out_dir = env::var("OUT_DIR").unwrap_or_default();
    let above_build =
        Path::new(&out_dir).ancestors().find(|path| path.file_name().is_some_and(|name| name == "build"));
    match above_build.and_then(Path::parent).and_then(Path::file_name).and_then(|name| name.to_str()) {
        Some("debug") | None => "dev".into(),
        Some(profile) => profile.into(),
    }
}

fn git() -> Option<String> {
    let commit = output("git", &["rev-parse", "--short", "HEAD"])?;
    let status = output("git", &["status", "--porcelain", "--untracked-files=no"])?;
    Some(if status.is_empty() { commit } else { format!("{commit}-dirty") })
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
