//! Writes reports so that nobody ever sees half of one: under a hidden temporary name, then renamed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use results::Report;

use crate::exit::Usage;

/// The folder for reports where none is named: `results/reports` of the checkout that built this program while
/// that exists, else of the current folder.
pub(crate) fn default_folder() -> PathBuf {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(|checkout| checkout.join("results"));
    results.filter(|results| results.is_dir()).unwrap_or_else(|| PathBuf::from("results")).join("reports")
}

/// Makes the folder where it is missing, and sees that a file can be written there.
///
/// # Errors
/// A [`Usage`] that names the folder.
pub(crate) fn prepare(folder: &Path) -> anyhow::Result<()> {
    let probe = folder.join(format!(".probe-{}.tmp", std::process::id()));
    fs::create_dir_all(folder)
        .and_then(|()| File::create(&probe))
        .and_then(|_| fs::remove_file(&probe))
        .map_err(|error| Usage::error(format!("cannot write to --out '{}': {error}", folder.display())))
}

/// Writes a report into the folder; gives its path.
///
/// # Errors
/// Where the disk is full, the folder is gone and the like; then no file of ours is left.
pub(crate) fn write(folder: &Path, report: &Report) -> anyhow::Result<PathBuf> {
    let path = folder.join(format!("{}.json", report.run.id));
    let temporary = folder.join(format!(".{}.json.tmp", report.run.id));
    let written = write_synced(&temporary, report.to_json().as_bytes())
        .and_then(|()| fs::rename(&temporary, &path))
        .and_then(|()| File::open(folder)?.sync_all());
    written
        .inspect_err(|_| drop(fs::remove_file(&temporary)))
        .with_context(|| format!("cannot write the report to '{}'", path.display()))?;
    Ok(path)
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
