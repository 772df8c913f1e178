//! Open spans, and the table that they lie in.
//!
//! It is one from an id to a small record, in shards of a lock each, so that two threads seldom meet. A
//! lock is held for one look-up and never while anything else is called. Each shard has its bound.
//!
//! When the collector is switched off it is emptied. Who adds an entry asks for the switch once more under
//! the shard's lock: either the emptying comes later and takes the entry along, or the switch is seen off.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::fields::{End, Stage};
use super::hash::{self, BuildIdHasher};
use super::limits::SHARDS;
use super::operations::{Operation, Phase, Turn};
use super::queues::Mark;
use super::rows::RowIndex;
use super::sites::SiteIndex;

/// An open `acquire` or `wait`.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenSpan {
    pub(super) stage: Stage,
    /// Key of the operation in its table.
    pub(super) op: u64,
    pub(super) row: RowIndex,
    pub(super) site: SiteIndex,
    /// Of a `wait`: whether an `acquire` is open around it, which will count the acquisition.
    pub(super) inside_acquire: bool,
    /// Of a `wait`: when it began.
    pub(super) since_ns: u64,
    pub(super) end: End,
}

impl OpenSpan {
    /// What is known of its operation by the span alone.
    pub(super) fn operation(&self) -> Operation {
        Operation {
            row: self.row,
            site: self.site,
            phase: Phase::Waiting,
            acquiring: false,
            failed: false,
            object: 0,
            task: 0,
            permits: 1,
            queue: 0,
            since_ns: self.since_ns,
            mark: Mark::default(),
            turn: Turn::None,
        }
    }
}

/// A table from ids to records.
#[derive(Debug)]
pub(super) struct Table<T> {
    shards: Box<[Shard<T>]>,
    shard_limit: usize,
}

/// Alone on its cache lines, so that neighbours do not slow each other.
#[derive(Debug)]
#[repr(align(128))]
struct Shard<T> {
    entries: Mutex<HashMap<u64, T, BuildIdHasher>>,
    /// Entries, so that the close of a foreign span need not take the lock of an empty shard.
    len: AtomicUsize,
}

/// What [`Table::insert`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inserted<T> {
    Fresh,
    /// The id was there already, with this record.
    Replaced(T),
    /// The shard is full.
    Full,
    /// The collector was switched off meanwhile.
    Off,
}

impl<T> Table<T> {
    pub(super) fn new(limit: usize) -> Self {
        let shard = || Shard { entries: Mutex::default(), len: AtomicUsize::new(0) };
        Self { shards: (0..SHARDS).map(|_| shard()).collect(), shard_limit: limit / SHARDS }
    }

    #[inline]
    fn shard(&self, id: u64) -> &Shard<T> {
        // The map inside uses the low bits of a hash of the whole.
        &self.shards[(hash::mix(0, hash::place(id)) >> 32) as usize % SHARDS]
    }

    /// Enters a record, unless `enabled` was switched off.
    #[inline]
    pub(super) fn insert(&self, id: u64, record: T, enabled: &AtomicBool) -> Inserted<T> {
        let shard = self.shard(id);
        let mut entries = shard.lock();
        // Ordering: Relaxed, the shard's lock orders it: see the top of the file.
        if !enabled.load(Ordering::Relaxed) {
            return Inserted::Off;
        }
        let len = entries.len();
        match entries.entry(id) {
            Entry::Occupied(mut occupied) => Inserted::Replaced(occupied.insert(record)),
            Entry::Vacant(_) if len >= self.shard_limit => Inserted::Full,
            Entry::Vacant(vacant) => {
                vacant.insert(record);
                shard.publish_len(len + 1);
                Inserted::Fresh
            }
        }
    }

    /// Enters a record, whatever the switch says; false where there is no room.
    pub(super) fn insert_always(&self, id: u64, record: T) -> bool {
        static ON: AtomicBool = AtomicBool::new(true);
        !matches!(self.insert(id, record, &ON), Inserted::Full)
    }

    /// Changes a record, if it is there.
    #[inline]
    pub(super) fn update<R>(&self, id: u64, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.shard(id).lock().get_mut(&id).map(change)
    }

    /// Whether an id that the caller had handed over cannot be there, told without a lock.
    #[inline]
    pub(super) fn is_surely_without(&self, id: u64) -> bool {
        // Ordering: Relaxed; who records on a span or closes it had it handed over, and so sees what its opening wrote.
        self.shard(id).len.load(Ordering::Relaxed) == 0
    }

    /// Takes a record out, if it is there and `wanted`.
    #[inline]
    pub(super) fn remove_if(&self, id: u64, wanted: impl FnOnce(&mut T) -> bool) -> Option<T> {
        if self.is_surely_without(id) {
            return None;
        }
        let shard = self.shard(id);
        let mut entries = shard.lock();
        let Entry::Occupied(mut occupied) = entries.entry(id) else { return None };
        if !wanted(occupied.get_mut()) {
            return None;
        }
        let removed = occupied.remove();
        shard.publish_len(entries.len());
        Some(removed)
    }

    #[inline]
    pub(super) fn remove(&self, id: u64) -> Option<T> {
        self.remove_if(id, |_| true)
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        for shard in &self.shards {
            *shard.lock() = HashMap::default();
            shard.publish_len(0);
        }
    }

    /// Changes every record, a shard at a time. `change` must not call out: a lock is held meanwhile.
    pub(super) fn change_each(&self, mut change: impl FnMut(&mut T)) {
        self.shards.iter().for_each(|shard| shard.lock().values_mut().for_each(&mut change));
    }

    /// Shows every record, a shard at a time. `see` must not call out: a lock is held meanwhile.
    pub(super) fn for_each(&self, mut see: impl FnMut(u64, &T)) {
        for shard in &self.shards {
            for (&id, record) in shard.lock().iter() {
                see(id, record);
            }
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let entry = size_of::<(u64, T)>() + 1;
        let entries = |shard: &Shard<T>| shard.lock().capacity() * entry;
        self.shards.iter().map(|shard| size_of::<Shard<T>>() + entries(shard)).sum()
    }
}

impl<T> Shard<T> {
    /// A poisoned lock is taken all the same: a record is whole after each step.
    #[inline]
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, T, BuildIdHasher>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn publish_len(&self, len: usize) {
        // Ordering: Relaxed, see `is_surely_without`.
        self.len.store(len, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static ON: AtomicBool = AtomicBool::new(true);

    #[test]
    fn a_full_shard_takes_no_more_and_an_emptied_one_does() {
        let table = Table::new(SHARDS);
        let entered = (0..1_000).filter(|&id| table.insert(id, 0_u8, &ON) == Inserted::Fresh).count();
        assert_eq!(entered, SHARDS);
        assert_eq!((0..1_000).filter(|&id| table.remove(id).is_some()).count(), SHARDS);
        assert_eq!(table.insert(1, 0, &ON), Inserted::Fresh);
        assert_eq!(table.insert(1, 9, &ON), Inserted::Replaced(0));
    }

    #[test]
    fn nothing_enters_once_the_switch_is_off() {
        let table = Table::new(SHARDS);
        assert_eq!(table.insert(1, 0_u8, &AtomicBool::new(false)), Inserted::Off);
        assert_eq!(table.remove(1), None);
    }

    #[test]
    fn a_record_that_is_not_wanted_stays_with_its_changes() {
        let table = Table::new(SHARDS);
        table.insert(1, 0_u8, &ON);
        let change = |record: &mut u8| {
            *record += 1;
            *record == 2
        };
        assert_eq!(table.remove_if(1, change), None);
        assert_eq!(table.remove_if(1, change), Some(2));
    }

    #[test]
    fn a_poisoned_shard_goes_on() {
        let table = Table::new(SHARDS);
        table.insert(1, 0_u8, &ON);
        let poison = || table.update(1, |_| panic!("on purpose"));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(poison)).is_err());
        assert_eq!(table.remove(1), Some(0));
    }
}
