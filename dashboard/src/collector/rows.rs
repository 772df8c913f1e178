//! Rows: the figures of all objects that were made at one line under one name.
//!
//! The table only grows, up to its bound, so finding a row takes no lock. A row is told by a hash of what makes
//! it one; the texts behind it are copied once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::counter::Counter;
use super::fields::{Fields, Kind, Texts};
use super::figures::{Line, Together};
use super::hash;
use super::limits::{ROW_SLOTS, ROWS};
use super::sites::{SiteIndex, Sites};
use super::worst::WorstWaits;

/// A row's place in [`Rows`].
pub(super) type RowIndex = u32;

/// All objects made at one place under one name.
#[derive(Debug)]
pub(super) struct Row {
    key: u64,
    /// Counted from one, in the order of appearance.
    pub(super) id: u64,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) location: String,
    pub(super) objects: Counter,
    /// What came from lines that have no place of their own.
    elsewhere: Line,
    pub(super) worst: WorstWaits,
    pub(super) sites: Sites,
    lends: AtomicBool,
}

impl Row {
    fn new(key: u64, id: u64, kind: Kind, name: String, location: String) -> Self {
        Self {
            key,
            id,
            kind,
            name,
            location,
            objects: Counter::default(),
            elsewhere: Line::default(),
            worst: WorstWaits::default(),
            sites: Sites::default(),
            lends: AtomicBool::new(false),
        }
    }

    /// Whether what is acquired of it at a line may be held by another task than the one that acquired it.
    pub(super) fn lends(&self, site: SiteIndex) -> bool {
        // Ordering: Relaxed, here and below: a mark that guards nothing, and only comes.
        self.lends.load(Ordering::Relaxed) || self.sites.get(site).is_none_or(|site| site.lends())
    }

    #[inline]
    pub(super) fn mark_as_lending(&self) {
        // Looked at first: threads share the line.
        if !self.lends.load(Ordering::Relaxed) {
            self.lends.store(true, Ordering::Relaxed);
        }
    }

    /// Where what happens at a line is counted.
    #[inline]
    pub(super) fn line(&self, site: SiteIndex) -> &Line {
        self.sites.get(site).map_or(&self.elsewhere, |site| &site.line)
    }

    /// The figures of all lines together.
    pub(super) fn together(&self) -> Together<'_> {
        self.sites.iter().map(|site| &site.line).chain([&self.elsewhere]).flat_map(Line::parts).collect()
    }

    /// Forgets the figures, keeps who it is.
    pub(super) fn reset(&self) {
        self.elsewhere.reset();
        self.sites.reset();
        self.worst.reset();
    }

    /// Bytes, the heap included.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.name.capacity()
            + self.location.capacity()
            + self.elsewhere.heap_bytes()
            + self.sites.heap_bytes()
    }
}

/// What makes a row: kind, name and the line that made the object.
pub(super) fn key(kind: Kind, fields: &Fields) -> u64 {
    let place = hash::mix(fields.made_file_hash, fields.made_line);
    hash::mix(hash::mix(fields.name_hash, kind as u64), place)
}

/// All rows.
#[derive(Debug)]
pub(super) struct Rows {
    /// Open addressing from the key; a slot is written once.
    slots: Box<[OnceLock<Box<Row>>]>,
    /// Where objects go when the table is full, one row for each kind.
    overflow: [OnceLock<Box<Row>>; Kind::ALL.len()],
    /// Rows made so far, in both. Whoever makes one holds the lock, so that a key is not entered twice.
    made: Mutex<usize>,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            slots: (0..ROW_SLOTS).map(|_| OnceLock::new()).collect(),
            overflow: [const { OnceLock::new() }; Kind::ALL.len()],
            made: Mutex::new(0),
        }
    }
}

impl Rows {
    #[inline]
    pub(super) fn get(&self, index: RowIndex) -> Option<&Row> {
        let index = index as usize;
        let slot = self.slots.get(index).or_else(|| self.overflow.get(index - ROW_SLOTS))?;
        slot.get().map(|row| &**row)
    }

    /// The rows and their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (RowIndex, &Row)> {
        let slots = self.slots.iter().chain(&self.overflow).enumerate();
        slots.filter_map(|(index, slot)| Some((index as RowIndex, &**slot.get()?)))
    }

    /// Whether a place is one for what found no row of its own.
    pub(super) fn is_overflow(index: RowIndex) -> bool {
        index as usize >= ROW_SLOTS
    }

    /// The row of a key; made when it is new, with texts that only then are asked for.
    pub(super) fn find(
        &self,
        key: u64,
        kind: Kind,
        made_line: u64,
        texts: impl FnOnce() -> Texts,
    ) -> RowIndex {
        match self.probe(key) {
            Some((index, true)) => index,
            _ => self.insert(key, kind, made_line, texts),
        }
    }

    /// The slot of a key and whether it is taken by it; `None` when the table has no room.
    fn probe(&self, key: u64) -> Option<(RowIndex, bool)> {
        for step in 0..ROW_SLOTS {
            let index = (key as usize).wrapping_add(step) % ROW_SLOTS;
            match self.slots[index].get() {
                Some(row) if row.key == key => return Some((index as RowIndex, true)),
                Some(_) => {}
                None => return Some((index as RowIndex, false)),
            }
        }
        None
    }

    #[cold]
    fn insert(&self, key: u64, kind: Kind, made_line: u64, texts: impl FnOnce() -> Texts) -> RowIndex {
        // Before the lock: reading the texts runs the visitor of whoever made the span.
        let texts = texts();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        match self.probe(key) {
            Some((index, true)) => index,
            Some((index, false)) if *made < ROWS => {
                let location = place(&texts.made_file, made_line);
                self.slots[index as usize].get_or_init(|| {
                    *made += 1;
                    Box::new(Row::new(key, *made as u64, kind, texts.name, location))
                });
                index
            }
            _ => {
                self.overflow[kind as usize].get_or_init(|| {
                    *made += 1;
                    Box::new(Row::new(key, *made as u64, kind, OVERFLOW_NAME.to_owned(), String::new()))
                });
                (ROW_SLOTS + kind as usize) as RowIndex
            }
        }
    }
}

/// Name of the rows for what found no row of its own.
const OVERFLOW_NAME: &str = "(others)";

/// A line of a file, as a person writes it; empty when the file is not known.
fn place(file: &str, line: u64) -> String {
    if file.is_empty() { String::new() } else { format!("{file}:{line}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(rows: &Rows, key: u64) -> RowIndex {
        rows.find(key, Kind::Mutex, 7, || Texts { made_file: "a.rs".to_owned(), ..Texts::default() })
    }

    #[test]
    fn one_key_is_one_row() {
        let rows = Rows::default();
        let index = find(&rows, 5);
        assert_eq!(find(&rows, 5), index);
        assert_eq!(rows.get(index).unwrap().location, "a.rs:7");
        // Another key that starts at the same slot goes to the next one.
        assert_ne!(find(&rows, 5 + ROW_SLOTS as u64), index);
        assert_eq!(rows.iter().count(), 2);
    }

    #[test]
    fn beyond_the_bound_rows_share_one() {
        let rows = Rows::default();
        let indices: Vec<_> = (0..ROWS as u64 + 10).map(|key| find(&rows, hash::mix(1, key))).collect();
        assert_eq!(indices.iter().filter(|&&index| Rows::is_overflow(index)).count(), 10);
        assert_eq!(rows.iter().count(), ROWS + 1);
        assert_eq!(rows.get(*indices.last().unwrap()).unwrap().name, OVERFLOW_NAME);
        assert!(rows.get(RowIndex::MAX).is_none());
    }
}
