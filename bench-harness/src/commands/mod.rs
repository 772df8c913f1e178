//! One file for each subcommand, each with a `run`; and how they find a stored report.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use results::{ReadError, Report, store};

use crate::exit::Usage;
use crate::writer;

pub(crate) mod calibrate;
pub(crate) mod compare;
pub(crate) mod export;
pub(crate) mod list;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod serve;

/// Ids of stored reports that a message lists at most.
const IDS_LISTED: usize = 8;

/// Reads a report by its path or by its id in the folder.
fn find_report(wanted: &str, folder: Option<&PathBuf>) -> anyhow::Result<Report> {
    let path = Path::new(wanted);
    if path.exists() {
        return store::read(path).with_context(|| format!("'{wanted}'"));
    }
    let folder = folder.cloned().unwrap_or_else(writer::default_folder);
    match store::find(&folder, wanted) {
        Ok(entry) => Ok(entry.report),
        Err(ReadError::NotFound) => Err(Usage::error(not_found(wanted, &folder))),
        Err(error) => {
            Err(error).with_context(|| format!("'{}'", folder.join(format!("{wanted}.json")).display()))
        }
    }
}

fn not_found(wanted: &str, folder: &Path) -> String {
    let reports = store::list(folder).map(|listing| listing.reports).unwrap_or_default();
    let ids: Vec<&str> = reports.iter().map(|entry| entry.id.as_str()).take(IDS_LISTED).collect();
    let known = match (ids.as_slice(), reports.len()) {
        ([], _) => "which has no reports".to_owned(),
        (ids, count) if count > ids.len() => format!("whose newest of {count} are {}", ids.join(", ")),
        (ids, _) => format!("which has {}", ids.join(", ")),
    };
    format!(
        "there is no report '{wanted}', neither as a file nor by its id in '{}', {known}",
        folder.display()
    )
}

/// Writes a result to standard output. A reader that has seen enough, as `head` has, is no failure.
fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;

    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}
