//! The folder of a recording: names of its files, which order them by time, and the bound on all of them together.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Ending of the files.
pub(super) const ENDING: &str = "hlog";

/// A file that a recorder may have written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Recorded {
    /// Names are those of moments, so that they sort by time.
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    /// Nothing where the system does not tell.
    pub(super) modified: Option<SystemTime>,
}

/// The name of the `number`th file of this process.
pub(super) fn name(begun: Duration, number: u64) -> String {
    format!("sync-{:010}-{}-{number:06}.{ENDING}", begun.as_secs(), std::process::id())
}

/// The files that recorders have written, the oldest first.
pub(super) fn recorded(folder: &Path) -> io::Result<Vec<Recorded>> {
    let is_ours = |path: &Path| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("sync-"))
    };
    Ok(logs(folder)?.into_iter().filter(|file| is_ours(&file.path)).collect())
}

/// All files that end as logs do, by name.
pub(super) fn logs(folder: &Path) -> io::Result<Vec<Recorded>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_log = path.extension().is_some_and(|ending| ending == ENDING);
        // One that is gone again is not part of it.
        if let (true, Ok(metadata)) = (is_log, fs::metadata(&path))
            && metadata.is_file()
        {
            files.push(Recorded { path, bytes: metadata.len(), modified: metadata.modified().ok() });
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Removes the oldest files until all together take no more than `total_bytes`; the one at `current` stays. Returns how
/// many went, and how many stay with how many bytes.
pub(super) fn trim(folder: &Path, total_bytes: u64, current: &Path) -> io::Result<(u64, u64, u64)> {
    let files = recorded(folder)?;
    let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
    let (mut removed, mut count) = (0, files.len() as u64);
    for file in files {
        if bytes <= total_bytes {
            break;
        }
        if file.path != current {
            fs::remove_file(&file.path)?;
            bytes -= file.bytes;
            removed += 1;
            count -= 1;
        }
    }
    Ok((removed, count, bytes))
}
