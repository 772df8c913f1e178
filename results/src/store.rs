//! Reads a folder of reports. Writing is left to commands.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use crate::{ReadError, Report};

/// Largest file that is read: a report of a thousand cells with their histograms has a tenth of it.
pub const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// Longest id: file systems allow 255 bytes for a name, and `.json` and a temporary ending are to fit too.
pub const MAX_ID_BYTES: usize = 200;

const EXTENSION: &str = "json";

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Listing {
    /// The reports, newest first.
    pub reports: Vec<Entry>,
    /// Files that look like reports by their name, and are none; by path.
    pub problems: Vec<Problem>,
}

/// A report in a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Name of the file without `.json`; under it [`find`] finds the report again.
    pub id: String,
    /// Where it lies.
    pub path: PathBuf,
    /// What it says.
    pub report: Report,
}

/// A file that could not be read as a report.
#[derive(Debug)]
pub struct Problem {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub error: ReadError,
}

/// Reads one report.
///
/// # Errors
/// Where there is no such file, it is too large, is not a regular file or does not hold a report.
pub fn read(path: &Path) -> Result<Report, ReadError> {
    let metadata = fs::metadata(path).map_err(io_error)?;
    // A pipe would block, a device might never end.
    if !metadata.is_file() {
        return Err(ReadError::NotAFile);
    }
    check_size(metadata.len(), MAX_FILE_BYTES)?;
    let mut bytes = Vec::new();
    // One byte more than allowed shows a file that grew meanwhile.
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(io_error)?;
    check_size(bytes.len().try_into().unwrap_or(u64::MAX), MAX_FILE_BYTES)?;
    Report::from_json(&bytes)
}

/// Reads all `*.json` of a folder; not of the folders in it, and no hidden files, which are temporary ones of
/// a run that is just being written.
///
/// # Errors
/// Where the folder itself cannot be read. A file that cannot be is among the [`Listing::problems`].
pub fn list(dir: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let Some(id) = id_of(&path) else { continue };
        if path.is_dir() {
            continue;
        }
        match read(&path) {
            Ok(report) => listing.reports.push(Entry { id, path, report }),
            // Removed since the folder was read.
            Err(ReadError::NotFound) => {}
            Err(error) => listing.problems.push(Problem { path, error }),
        }
    }
    listing
        .reports
        .sort_by(|a, b| b.report.run.started_at.cmp(&a.report.run.started_at).then_with(|| b.id.cmp(&a.id)));
    listing.problems.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(listing)
}

/// Finds a report in a folder by its id, which may come from anywhere: it names a file in this folder or
/// nothing.
///
/// # Errors
/// [`ReadError::NotFound`] where there is none or the id is not a plain name; else as [`read`].
pub fn find(dir: &Path, id: &str) -> Result<Entry, ReadError> {
    if !is_plain_name(id) {
        return Err(ReadError::NotFound);
    }
    let path = dir.join(format!("{id}.{EXTENSION}"));
    let report = read(&path)?;
    Ok(Entry { id: id.to_owned(), path, report })
}

/// The id of a file; `None` where its name is not that of a report.
fn id_of(path: &Path) -> Option<String> {
    if path.extension()? != EXTENSION {
        return None;
    }
    path.file_stem()?.to_str().filter(|id| is_plain_name(id)).map(str::to_owned)
}

/// Whether an id is the name of a visible file and nothing else: no way up, no other folder, no drive.
fn is_plain_name(id: &str) -> bool {
    let mut components = Path::new(id).components();
    let whole = matches!(components.next(), Some(Component::Normal(name)) if name == id);
    whole
        && components.next().is_none()
        && id.len() <= MAX_ID_BYTES
        && !id.starts_with('.')
        && !id.contains(['/', '\\'])
        && !id.contains(char::is_control)
}

fn check_size(size_bytes: u64, limit_bytes: u64) -> Result<(), ReadError> {
    if size_bytes > limit_bytes { Err(ReadError::TooLarge { size_bytes, limit_bytes }) } else { Ok(()) }
}

fn io_error(error: io::Error) -> ReadError {
    if error.kind() == io::ErrorKind::NotFound { ReadError::NotFound } else { ReadError::Io(error) }
}
