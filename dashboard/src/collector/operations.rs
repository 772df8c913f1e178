//! Operations that wait or hold, found by their number.
//!
//! One line of the processor's cache for each, claimed by the number of its operation and changed without a lock: who
//! changes an operation is the one task that it belongs to, or whoever was handed its guard, so that there is never more than one.
//! A foreign crate that breaks this mixes up figures and nothing else, since all of it is atomic.
//!
//! `sync` hands out numbers in blocks of 1,024, each to one thread. A block has a region of a few slots, so that a
//! thread goes round among lines that are in its cache, and two threads seldom meet. Where a region is full of those that hold for
//! long, the rest goes to a table with locks.
//!
//! When the collector is switched off everything is forgotten. Who enters an operation looks at the switch once more
//! after it: both write before they look, so either the emptying sees the entry, or the entry's owner the switch.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::clock::MAX_NS;
use super::hash;
use super::in_flight::{Inserted, Table};
use super::limits::OPERATIONS;
use super::queues::{GENERATION_BITS, Mark};
use super::rows::RowIndex;
use super::sites::SiteIndex;

/// An operation that waits, holds, or is between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operation {
    pub(super) row: RowIndex,
    pub(super) site: SiteIndex,
    pub(super) phase: Phase,
    /// Its `acquire` is open.
    pub(super) acquiring: bool,
    /// Its wait ended without a grant.
    pub(super) failed: bool,
    pub(super) object: u64,
    pub(super) task: u64,
    /// Asked for; beyond `u32::MAX` it counts as that.
    pub(super) permits: u64,
    /// Waiters ahead when it joined; as `permits`.
    pub(super) queue: u64,
    /// When it began to wait or to hold, by the collector's clock.
    pub(super) since_ns: u64,
    /// Where the waiting of others stood when it began to hold.
    pub(super) mark: Mark,
    /// Of one that waits, as [`Operations::for_each`] shows it.
    pub(super) turn: Turn,
}

/// What came to a wait before its task has taken note.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Turn {
    #[default]
    None,
    /// It waits for a condition no longer but for its lock, since then.
    Notified(u64),
    /// It has what it asked for, since then.
    Granted(u64),
}

/// What an operation is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its `acquire` is open and it does not wait.
    Asking,
    Waiting,
    Holding,
}

/// log₂ of the numbers in a block of `sync`.
const BLOCK_BITS: u32 = 10;
/// Slots of a region.
const REGION: usize = 64;
/// Regions.
const REGIONS: usize = 64;
/// Slots that a number may be in.
const STEPS: usize = 4;

/// In [`Slot::key`]: claimed, and its words are being written.
const BUSY: u64 = 1 << 63;

/// One operation. Free where its key is zero.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Slot {
    key: AtomicU64,
    /// `since_ns << 4`, and the four bits of phase, `acquiring` and `failed`: what changes together.
    state: AtomicU64,
    /// `generation << 40 | row << 8 | site`, the generation being that of the mark.
    place: AtomicU64,
    object: AtomicU64,
    task: AtomicU64,
    /// `permits << 32 | queue`
    amounts: AtomicU64,
    /// The integral of the mark.
    integral: AtomicU64,
    /// A [`Turn`], see [`pack`]: the only word that others than the operation's owner write.
    turn: AtomicU64,
}

const _: () = assert!(size_of::<Slot>() == 64, "one line of the processor's cache");
const _: () = assert!(GENERATION_BITS + 40 <= u64::BITS);

/// All of them.
#[derive(Debug)]
pub(super) struct Operations {
    slots: Box<[Slot]>,
    overflow: Table<Operation>,
}

impl Operations {
    pub(super) fn new() -> Self {
        let slots = (0..REGION * REGIONS).map(|_| Slot::default()).collect();
        Self { slots, overflow: Table::new(OPERATIONS) }
    }

    /// The slots that a number may be in.
    #[inline]
    fn candidates(&self, op: u64) -> impl Iterator<Item = &Slot> {
        let region = (op >> BLOCK_BITS) as usize % REGIONS * REGION;
        (0..STEPS)
            .map(move |step| &self.slots[region + (op as usize % REGION + step * (REGION / STEPS)) % REGION])
    }

    #[inline]
    fn slot_of(&self, op: u64) -> Option<&Slot> {
        // Ordering: Relaxed; who asks for an operation had it handed over, and so sees what was written.
        self.candidates(op).find(|slot| slot.key.load(Ordering::Relaxed) == op)
    }

    /// Enters an operation, unless `enabled` was switched off. Its number is neither zero nor [`BUSY`].
    #[inline]
    pub(super) fn insert(&self, op: u64, operation: &Operation, enabled: &AtomicBool) -> Inserted<Operation> {
        if let Some(slot) = self.slot_of(op) {
            let before = slot.read();
            slot.write(operation);
            return Inserted::Replaced(before);
        }
        self.enter(op, operation, enabled)
    }

    /// As [`insert`](Self::insert), where it is known that the number is not there.
    #[inline]
    pub(super) fn enter(&self, op: u64, operation: &Operation, enabled: &AtomicBool) -> Inserted<Operation> {
        for slot in self.candidates(op) {
            // Ordering: SeqCst, as the look at the switch below and its change are: see the top of the file.
            let free = slot.key.load(Ordering::Relaxed) == 0;
            if free && slot.key.compare_exchange(0, op | BUSY, Ordering::SeqCst, Ordering::Relaxed).is_ok() {
                slot.write(operation);
                // Ordering: Release pairs with the Acquire in `for_each`.
                slot.key.store(op, Ordering::Release);
                // Ordering: SeqCst, as above.
                if !enabled.load(Ordering::SeqCst) {
                    slot.key.store(0, Ordering::Relaxed);
                    return Inserted::Off;
                }
                return Inserted::Fresh;
            }
        }
        self.overflow.insert(op, *operation, enabled)
    }

    /// Changes an operation, if it is there.
    #[inline]
    pub(super) fn update<R>(&self, op: u64, change: impl FnOnce(&mut Operation) -> R) -> Option<R> {
        let Some(slot) = self.slot_of(op) else { return self.overflow.update(op, change) };
        let mut operation = slot.read();
        let result = change(&mut operation);
        slot.write(&operation);
        Some(result)
    }

    /// Notes what came to a wait, for whoever brought it about. Returns the operation as it stands.
    pub(super) fn note_turn(&self, op: u64, turn: Turn) -> Option<Operation> {
        let Some(slot) = self.slot_of(op) else {
            return self.overflow.update(op, |operation| {
                operation.turn = turn;
                *operation
            });
        };
        // Ordering: Relaxed, here and where it is read: nothing else is published by it.
        let known = unpack(op, slot.turn.load(Ordering::Relaxed), slot.read().since_ns);
        if !matches!((known, turn), (Turn::Granted(_), Turn::Notified(_))) {
            slot.turn.store(pack(op, turn), Ordering::Relaxed);
        }
        Some(slot.read())
    }

    /// Takes an operation out, if it is there and `wanted`.
    #[inline]
    pub(super) fn remove_if(
        &self,
        op: u64,
        wanted: impl FnOnce(&mut Operation) -> bool,
    ) -> Option<Operation> {
        let Some(slot) = self.slot_of(op) else { return self.overflow.remove_if(op, wanted) };
        let mut operation = slot.read();
        if !wanted(&mut operation) {
            slot.write(&operation);
            return None;
        }
        // Ordering: Release, so that who claims the slot next writes after we have read.
        slot.key.store(0, Ordering::Release);
        Some(operation)
    }

    /// Forgets who holds; who waits stays.
    pub(super) fn forget_holders(&self) {
        let mut held = Vec::new();
        self.for_each(|op, operation| {
            if operation.phase == Phase::Holding {
                held.push(op);
            }
        });
        for op in held {
            self.remove_if(op, |operation| operation.phase == Phase::Holding && !operation.acquiring);
        }
    }

    /// Forgets everything. The switch was turned off before.
    pub(super) fn clear(&self) {
        for slot in &self.slots {
            // Ordering: SeqCst, see the top of the file. A claim whose words are still being written looks at the switch after.
            let key = slot.key.load(Ordering::SeqCst);
            if key & BUSY == 0 {
                slot.key.store(0, Ordering::Relaxed);
            }
        }
        self.overflow.clear();
    }

    /// Shows every operation. What changes meanwhile is seen as before or as after.
    pub(super) fn for_each(&self, mut see: impl FnMut(u64, &Operation)) {
        for slot in &self.slots {
            // Ordering: Acquire pairs with the Release in `insert`.
            let key = slot.key.load(Ordering::Acquire);
            if key == 0 || key & BUSY != 0 {
                continue;
            }
            let mut operation = slot.read_acquire();
            operation.turn = unpack(key, slot.turn.load(Ordering::Acquire), operation.since_ns);
            // Ordering: Relaxed; the Acquire loads before keep it from being done earlier.
            if slot.key.load(Ordering::Relaxed) == key {
                see(key, &operation);
            }
        }
        self.overflow.for_each(see);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.slots) + self.overflow.memory_bytes()
    }
}

impl Slot {
    #[inline]
    fn write(&self, operation: &Operation) {
        let phase = operation.phase as u64;
        let flags = phase | u64::from(operation.acquiring) << 2 | u64::from(operation.failed) << 3;
        let narrow = |value: u64| value.min(u64::from(u32::MAX));
        // Ordering: Relaxed, published by the key; a change under the same key is one store of one word.
        self.state.store(operation.since_ns.min(MAX_NS) << 4 | flags, Ordering::Relaxed);
        let place = u64::from(operation.row) << 8 | u64::from(operation.site);
        let place = u64::from(operation.mark.generation) << 40 | place;
        self.place.store(place, Ordering::Relaxed);
        self.object.store(operation.object, Ordering::Relaxed);
        self.task.store(operation.task, Ordering::Relaxed);
        self.amounts.store(narrow(operation.permits) << 32 | narrow(operation.queue), Ordering::Relaxed);
        self.integral.store(operation.mark.integral, Ordering::Relaxed);
    }

    #[inline]
    fn read(&self) -> Operation {
        self.read_with(Ordering::Relaxed)
    }

    fn read_acquire(&self) -> Operation {
        self.read_with(Ordering::Acquire)
    }

    #[inline]
    fn read_with(&self, ordering: Ordering) -> Operation {
        let (state, place) = (self.state.load(ordering), self.place.load(ordering));
        let amounts = self.amounts.load(ordering);
        Operation {
            row: (place >> 8) as RowIndex,
            site: place as SiteIndex,
            phase: match state & 3 {
                0 => Phase::Asking,
                1 => Phase::Waiting,
                _ => Phase::Holding,
            },
            acquiring: state & 4 != 0,
            failed: state & 8 != 0,
            object: self.object.load(ordering),
            task: self.task.load(ordering),
            permits: amounts >> 32,
            queue: amounts & u64::from(u32::MAX),
            since_ns: state >> 4,
            mark: Mark { generation: (place >> 40) as u32, integral: self.integral.load(ordering) },
            turn: Turn::None,
        }
    }
}

/// Bits of a packed turn that hold its time, in steps of 16 ns: 18 years.
const TIME_BITS: u32 = 55;

/// How much earlier than a wait its turn may be: who brings it about looks at the clock before it takes the queue's lock.
const EARLY_NS: u64 = 10_000;

/// A turn in a word: eight bits of its operation's number, whether it was granted, and when. A slot's next operation does
/// not clear it, which would cost those that never wait: it is told from an old one by its time, and from one that comes too
/// late by the number.
fn pack(op: u64, turn: Turn) -> u64 {
    let (granted, at_ns) = match turn {
        Turn::None => return 0,
        Turn::Notified(at_ns) => (0, at_ns),
        Turn::Granted(at_ns) => (1, at_ns),
    };
    tag(op) << (TIME_BITS + 1) | granted << TIME_BITS | ((at_ns >> 4) & ((1 << TIME_BITS) - 1))
}

fn unpack(op: u64, word: u64, since_ns: u64) -> Turn {
    let at_ns = (word & ((1 << TIME_BITS) - 1)) << 4;
    if word == 0 || word >> (TIME_BITS + 1) != tag(op) || at_ns + EARLY_NS < since_ns {
        Turn::None
    } else if word >> TIME_BITS & 1 == 1 {
        Turn::Granted(at_ns)
    } else {
        Turn::Notified(at_ns)
    }
}

fn tag(op: u64) -> u64 {
    hash::mix(4, op) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;

    static ON: AtomicBool = AtomicBool::new(true);

    fn operation(task: u64) -> Operation {
        Operation {
            row: 7,
            site: 3,
            phase: Phase::Holding,
            acquiring: true,
            failed: false,
            object: 11,
            task,
            permits: 2,
            queue: 5,
            since_ns: 1_000,
            mark: Mark { generation: (1 << GENERATION_BITS) - 1, integral: u64::MAX },
            turn: Turn::None,
        }
    }

    fn seen(operations: &Operations) -> Vec<Turn> {
        let mut seen = Vec::new();
        operations.for_each(|_, operation| seen.push(operation.turn));
        seen
    }

    #[test]
    fn a_turn_stays_with_its_wait_and_a_grant_is_not_taken_back() {
        let operations = Operations::new();
        let waits = Operation { phase: Phase::Waiting, ..operation(1) };
        for op in [1_025, 1_025 + REGION as u64 * 4] {
            operations.insert(op, &waits, &ON);
            assert_eq!(seen(&operations), [Turn::None], "the turn of the one before");
            operations.note_turn(op, Turn::Notified(1_600));
            assert_eq!(seen(&operations), [Turn::Notified(1_600)]);
            operations.note_turn(op, Turn::Granted(3_200));
            operations.note_turn(op, Turn::Notified(4_800));
            assert_eq!(seen(&operations), [Turn::Granted(3_200)]);
            operations.remove_if(op, |_| true);
        }
        assert_eq!(operations.note_turn(1_025, Turn::Granted(1)), None);
    }

    #[test]
    fn a_turn_from_before_a_wait_is_not_of_that_wait() {
        let operations = Operations::new();
        operations.insert(9, &operation(1), &ON);
        operations.note_turn(9, Turn::Granted(1_600));
        operations.remove_if(9, |_| true);
        operations.insert(9, &Operation { since_ns: 1_000_000, ..operation(2) }, &ON);
        assert_eq!(seen(&operations), [Turn::None]);
    }

    #[test]
    fn an_operation_comes_out_as_it_went_in() {
        let operations = Operations::new();
        let failed = Operation { failed: true, acquiring: false, phase: Phase::Waiting, ..operation(1) };
        for entered in [operation(1), failed, Operation { phase: Phase::Asking, ..operation(2) }] {
            assert_eq!(operations.insert(1_025, &entered, &ON), Inserted::Fresh);
            assert_eq!(operations.update(1_025, |operation| *operation), Some(entered));
            assert_eq!(operations.remove_if(1_025, |_| true), Some(entered));
            assert_eq!(operations.remove_if(1_025, |_| true), None);
        }
    }

    #[test]
    fn numbers_of_one_region_beyond_its_slots_are_kept_all_the_same() {
        let operations = Operations::new();
        let numbers: Vec<u64> = (1..=500).collect();
        for &op in &numbers {
            assert_eq!(operations.insert(op, &operation(op), &ON), Inserted::Fresh);
        }
        let mut seen: Vec<u64> = Vec::new();
        operations.for_each(|op, operation| {
            assert_eq!(operation.task, op);
            seen.push(op);
        });
        seen.sort_unstable();
        assert_eq!(seen, numbers);
        for op in numbers {
            assert_eq!(operations.remove_if(op, |_| true).map(|operation| operation.task), Some(op));
        }
    }

    #[test]
    fn nothing_enters_once_the_switch_is_off_and_clearing_forgets() {
        let operations = Operations::new();
        assert_eq!(operations.insert(1, &operation(1), &AtomicBool::new(false)), Inserted::Off);
        assert_eq!(operations.remove_if(1, |_| true), None);
        for op in 1..200 {
            operations.insert(op, &operation(op), &ON);
        }
        operations.clear();
        operations.for_each(|op, _| panic!("{op} was not forgotten"));
    }

    #[test]
    fn an_operation_that_is_not_wanted_stays_with_its_changes() {
        let operations = Operations::new();
        operations.insert(1, &operation(1), &ON);
        let change = |operation: &mut Operation| {
            operation.since_ns += 1;
            operation.since_ns == 1_002
        };
        assert_eq!(operations.remove_if(1, change), None);
        assert_eq!(operations.remove_if(1, change).map(|operation| operation.since_ns), Some(1_002));
    }

    #[test]
    fn a_number_that_comes_twice_replaces_what_was_there() {
        let operations = Operations::new();
        operations.insert(9, &operation(1), &ON);
        assert_eq!(operations.insert(9, &operation(2), &ON), Inserted::Replaced(operation(1)));
        assert_eq!(operations.remove_if(9, |_| true).map(|operation| operation.task), Some(2));
    }
}
