//! Which objects were seen, and in which row each belongs.
//!
//! Objects do not announce their end, so the table keeps those that are gone, up to its bound. Before it stands
//! a small memory of each thread: an uncontended lock that is taken again and again is looked up there.

use std::cell::Cell;
use std::sync::atomic::AtomicBool;

use super::hash;
use super::in_flight::{Inserted, Table};
use super::limits::OBJECTS;
use super::rows::RowIndex;

/// Entries of a thread's memory. A power of two.
const REMEMBERED: usize = 64;

/// An object that a thread saw lately.
#[derive(Clone, Copy)]
struct Seen {
    collector: u64,
    object: u64,
    /// Key of the row: an object whose number went to another line is not taken for the old one.
    key: u64,
    row: RowIndex,
}

thread_local! {
    static SEEN: [Cell<Seen>; REMEMBERED] =
        const { [const { Cell::new(Seen { collector: 0, object: 0, key: 0, row: 0 }) }; REMEMBERED] };
}

/// Where an object came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sighting {
    Known,
    /// Seen for the first time in its row.
    New,
    /// Not kept: there are too many.
    Dropped,
}

/// The objects seen.
#[derive(Debug)]
pub(super) struct Objects {
    rows: Table<RowIndex>,
}

impl Default for Objects {
    fn default() -> Self {
        Self { rows: Table::new(OBJECTS) }
    }
}

impl Objects {
    /// The row of an object, if this thread saw it lately under the same key.
    #[inline]
    pub(super) fn recall(&self, collector: u64, object: u64, key: u64) -> Option<RowIndex> {
        // A span may come from a destructor of another thread-local, when ours is gone already.
        let seen = SEEN.try_with(|seen| seen[slot(object)].get()).ok()?;
        (seen.collector == collector && seen.object == object && seen.key == key).then_some(seen.row)
    }

    /// Notes the row of an object.
    pub(super) fn note(
        &self,
        collector: u64,
        object: u64,
        key: u64,
        row: RowIndex,
        enabled: &AtomicBool,
    ) -> Sighting {
        let _ = SEEN.try_with(|seen| seen[slot(object)].set(Seen { collector, object, key, row }));
        if self.row(object) == Some(row) {
            return Sighting::Known;
        }
        match self.rows.insert(object, row, enabled) {
            Inserted::Fresh | Inserted::Replaced(_) => Sighting::New,
            Inserted::Full => Sighting::Dropped,
            Inserted::Off => Sighting::Known,
        }
    }

    /// The row of an object, if it is known.
    pub(super) fn row(&self, object: u64) -> Option<RowIndex> {
        self.rows.update(object, |row| *row)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes()
    }
}

#[inline]
fn slot(object: u64) -> usize {
    hash::mix(1, object) as usize % REMEMBERED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_new_once_and_its_number_may_go_to_another_row() {
        let objects = Objects::default();
        let on = AtomicBool::new(true);
        assert_eq!(objects.note(1, 7, 100, 0, &on), Sighting::New);
        assert_eq!(objects.note(1, 7, 100, 0, &on), Sighting::Known);
        assert_eq!(objects.recall(1, 7, 100), Some(0));
        assert_eq!(objects.recall(1, 7, 200), None, "the number now belongs to another line");
        assert_eq!(objects.recall(2, 7, 100), None, "another collector has rows of its own");
        assert_eq!(objects.note(1, 7, 200, 3, &on), Sighting::New);
        assert_eq!(objects.row(7), Some(3));
    }

    #[test]
    fn a_million_objects_stay_within_the_bound() {
        let objects = Objects::default();
        let on = AtomicBool::new(true);
        let new =
            (0..1_000_000).filter(|&object| objects.note(1, object, 1, 0, &on) == Sighting::New).count();
        assert!(new <= OBJECTS, "{new}");
        assert!(new > OBJECTS / 2, "{new}");
    }
}
