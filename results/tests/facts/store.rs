//! A folder of reports.

use std::fs::{self, File};
use std::path::Path;

use crate::common::report;
use results::store::{self, MAX_FILE_BYTES, MAX_ID_BYTES};
use results::{ReadError, Report};

fn put(dir: &Path, name: &str, started_at: &str) -> Report {
    let mut report = report(name, 1, 2);
    report.run.started_at = started_at.to_owned();
    fs::write(dir.join(format!("{name}.json")), report.to_json()).unwrap();
    report
}

#[test]
fn reports_are_listed_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "b", "2026-11-22T19:00:00Z");
    let newest = put(dir.path(), "a", "2026-11-23T08:00:00Z");
    put(dir.path(), "c", "2025-01-01T00:00:00Z");
    put(dir.path(), "bb", "2026-11-22T19:00:00Z");
    let listing = store::list(dir.path()).unwrap();
    let ids: Vec<&str> = listing.reports.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids, ["a", "bb", "b", "c"]);
    assert_eq!(listing.reports[0].report, newest);
    assert_eq!(listing.reports[0].path, dir.path().join("a.json"));
    assert!(listing.problems.is_empty());
}

#[test]
fn what_is_no_report_is_a_problem_and_the_others_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "good", "2026-11-22T19:00:00Z");
    fs::write(dir.path().join("cut.json"), "{\"schema\": \"bench-harness/re").unwrap();
    fs::write(dir.path().join("other.json"), "{\"name\": \"x\"}").unwrap();
    fs::write(dir.path().join("void.json"), "").unwrap();
    let listing = store::list(dir.path()).unwrap();
    assert_eq!(listing.reports.len(), 1);
    let names: Vec<_> =
        listing.problems.iter().map(|problem| problem.path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["cut.json", "other.json", "void.json"]);
    assert!(matches!(listing.problems[0].error, ReadError::CutShort { .. }));
    assert!(matches!(listing.problems[1].error, ReadError::NotAReport { .. }));
    assert!(matches!(listing.problems[2].error, ReadError::Empty));
}

#[test]
fn other_files_hidden_files_and_folders_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), ".half-written", "2026-11-22T19:00:00Z");
    fs::write(dir.path().join("README.md"), "words").unwrap();
    fs::write(dir.path().join("x.json.tmp"), "{").unwrap();
    fs::create_dir(dir.path().join("folder.json")).unwrap();
    let listing = store::list(dir.path()).unwrap();
    assert!(listing.reports.is_empty() && listing.problems.is_empty());
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = store::list(&dir.path().join("none")).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn what_is_listed_is_found_by_its_id() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["20261122T190501Z-semaphore-3f9a", "mein bericht", "Überlauf", "v1.2"] {
        put(dir.path(), name, "2026-11-22T19:00:00Z");
    }
    let listing = store::list(dir.path()).unwrap();
    assert_eq!(listing.reports.len(), 4);
    for entry in &listing.reports {
        assert_eq!(&store::find(dir.path(), &entry.id).unwrap(), entry);
    }
}

#[test]
fn an_id_never_leaves_the_folder() {
    let outside = tempfile::tempdir().unwrap();
    put(outside.path(), "secret", "2026-11-22T19:00:00Z");
    let dir = outside.path().join("reports");
    fs::create_dir_all(dir.join("sub")).unwrap();
    put(&dir, "mine", "2026-11-22T19:00:00Z");
    put(&dir.join("sub"), "inner", "2026-11-22T19:00:00Z");
    put(&dir, ".hidden", "2026-11-22T19:00:00Z");
    assert!(store::find(&dir, "mine").is_ok());

    let absolute = outside.path().join("secret").display().to_string();
    let long = "x".repeat(MAX_ID_BYTES + 1);
    for id in [
        "../secret",
        "..",
        ".",
        "",
        "/",
        "sub/inner",
        "sub/../mine",
        "./mine",
        "mine/",
        "//mine",
        "..\\secret",
        "sub\\inner",
        "mine\0",
        "\0",
        "mi\nne",
        ".hidden",
        "%2e%2e%2fsecret",
        "mine.json",
        "nobody",
        &absolute,
        &long,
    ] {
        let found = store::find(&dir, id);
        assert!(matches!(found, Err(ReadError::NotFound)), "{id:?}: {found:?}");
    }
}

#[test]
fn a_file_that_is_no_report_is_an_error_by_its_id_too() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("odd.json"), "[1]").unwrap();
    assert!(matches!(store::find(dir.path(), "odd"), Err(ReadError::NotAReport { .. })));
}

#[test]
fn a_huge_file_is_refused_by_its_size() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("huge.json");
    // A hole: it takes no room on the disk.
    File::create(&path).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
    let error = store::read(&path).unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { size_bytes, .. } if size_bytes == MAX_FILE_BYTES + 1));
    let listing = store::list(dir.path()).unwrap();
    assert!(matches!(listing.problems[0].error, ReadError::TooLarge { .. }));
}

#[test]
fn a_folder_is_not_read_as_a_report() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(store::read(dir.path()), Err(ReadError::NotAFile)));
    assert!(matches!(store::read(&dir.path().join("none.json")), Err(ReadError::NotFound)));
}

#[cfg(unix)]
#[test]
fn a_link_to_nowhere_is_passed_over_and_a_device_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/nowhere-at-all", dir.path().join("dangling.json")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", dir.path().join("endless.json")).unwrap();
    let listing = store::list(dir.path()).unwrap();
    assert_eq!(listing.problems.len(), 1);
    assert!(matches!(listing.problems[0].error, ReadError::NotAFile));
}
