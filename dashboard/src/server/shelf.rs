//! What was read of the folder of reports lately: a sweep's file is tens of megabytes, and its page asks again for
//! each case that is opened.
//!
//! A file that has changed since is read again; what was read is never older than the file.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use results::ReadError;
use results::store::{self, Entry, Listing};

use super::reports::ReportList;

/// Reports kept: a comparison needs two.
const KEPT: usize = 2;

/// The newest of what was read.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    entries: Mutex<Vec<(Stamp, Arc<Entry>)>>,
    list: Mutex<Option<(FolderStamp, Arc<ReportList>)>>,
}

/// Tells two states of a file apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stamp {
    modified: SystemTime,
    bytes: u64,
}

/// Files and folders in it by name, with their states.
type FolderStamp = Vec<(PathBuf, Stamp)>;

impl Shelf {
    /// As [`store::find`], but a file that is as it was is not read again.
    pub(crate) fn find(&self, folder: &Path, id: &str) -> Result<Arc<Entry>, ReadError> {
        if let Some(entry) = self.kept(folder, id) {
            return Ok(entry);
        }
        let entry = Arc::new(store::find(folder, id)?);
        if let Some(stamp) = Stamp::of(&entry.path) {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            entries.retain(|(_, kept)| kept.path != entry.path);
            entries.insert(0, (stamp, Arc::clone(&entry)));
            entries.truncate(KEPT);
        }
        Ok(entry)
    }

    /// An id is only ever found here after the store has taken it for a plain name.
    fn kept(&self, folder: &Path, id: &str) -> Option<Arc<Entry>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let of_id = |(_, kept): &(Stamp, Arc<Entry>)| kept.id == id && kept.path.parent() == Some(folder);
        let place = entries.iter().position(of_id)?;
        let found = entries.remove(place);
        if Stamp::of(&found.1.path)? != found.0 {
            return None;
        }
        entries.insert(0, found.clone());
        Some(found.1)
    }

    /// The list of a folder; made anew where a file has come, gone or changed.
    pub(crate) fn list(
        &self,
        folder: &Path,
        make: impl FnOnce(&Listing) -> ReportList,
    ) -> std::io::Result<Arc<ReportList>> {
        let stamp = folder_stamp(folder)?;
        let mut kept = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, list)) = &*kept
            && *known == stamp
        {
            return Ok(Arc::clone(list));
        }
        let list = Arc::new(make(&store::list(folder)?));
        *kept = Some((stamp, Arc::clone(&list)));
        Ok(list)
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self { modified: metadata.modified().ok()?, bytes: metadata.len() })
    }
}

fn folder_stamp(folder: &Path) -> std::io::Result<FolderStamp> {
    let mut stamps = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // One that is gone again is not part of the list either.
        if let Some(stamp) = Stamp::of(&path) {
            stamps.push((path, stamp));
        }
    }
    stamps.sort();
    Ok(stamps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use results::Status;

    fn write(folder: &Path, id: &str, rounds: usize) {
        let report = testing::report(rounds, Status::Complete);
        fs::write(folder.join(format!("{id}.json")), report.to_json()).unwrap();
    }

    #[test]
    fn a_file_is_read_once_until_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::default();
        write(folder.path(), "one", 3);
        let first = shelf.find(folder.path(), "one").unwrap();
        assert!(Arc::ptr_eq(&first, &shelf.find(folder.path(), "one").unwrap()));
        write(folder.path(), "one", 4);
        let second = shelf.find(folder.path(), "one").unwrap();
        assert_eq!(second.report.cells[0].rounds.len(), 4);
    }

    #[test]
    fn a_file_that_is_gone_is_not_found_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::default();
        write(folder.path(), "one", 3);
        shelf.find(folder.path(), "one").unwrap();
        fs::remove_file(folder.path().join("one.json")).unwrap();
        assert!(matches!(shelf.find(folder.path(), "one"), Err(ReadError::NotFound)));
    }

    #[test]
    fn only_the_newest_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::default();
        for id in ["one", "two", "three"] {
            write(folder.path(), id, 2);
            shelf.find(folder.path(), id).unwrap();
        }
        let entries = shelf.entries.lock().unwrap();
        let ids: Vec<_> = entries.iter().map(|(_, entry)| entry.id.as_str()).collect();
        assert_eq!(ids, ["three", "two"]);
    }

    #[test]
    fn the_same_name_in_another_folder_is_another_report() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let shelf = Shelf::default();
        write(here.path(), "one", 2);
        shelf.find(here.path(), "one").unwrap();
        assert!(matches!(shelf.find(there.path(), "one"), Err(ReadError::NotFound)));
    }
}
