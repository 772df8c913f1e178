//! A recording of finished waits and holds, each with its times: what a timeline in a trace viewer is drawn of.
//!
//! Off, it costs a load where a wait or a hold ends. On, an entry goes to the stripe of its thread, in chunks that are never moved; a
//! stripe that is being looked at by another is not waited for, and what would have gone there is counted. There is room
//! for [`TIMELINE_CHUNKS`] chunks in all stripes together; then each stripe forgets its oldest chunk for a new one, so that what is kept
//! are the latest.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use super::clock::now_ns;
use super::counter::Counter;
use super::figures::{Waited, stripe};
use super::hash;
use super::intake::{EndedWait, number};
use super::limits::{STRIPES, TIMELINE_CHUNK, TIMELINE_CHUNKS};
use super::operations::{Operation, Phase};
use super::rows::RowIndex;
use super::sites::SiteIndex;
use crate::snapshot::WaitOutcome;

/// Chunks that a stripe has at least, whatever the others have.
const CHUNKS_AT_LEAST: usize = 2;

/// Grants that are remembered until their waits end. A power of two.
const GIVERS: usize = 4_096;

/// A wait or a hold that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) op: u64,
    pub(super) object: u64,
    pub(super) task: u64,
    pub(super) permits: u64,
    pub(super) began_ns: u64,
    pub(super) ended_ns: u64,
    /// How long it took, as it is counted.
    pub(super) took_ns: u64,
    pub(super) row: RowIndex,
    pub(super) site: SiteIndex,
    /// Nothing: it is a hold.
    pub(super) wait: Option<Wait>,
}

/// What only a wait has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) outcome: WaitOutcome,
    pub(super) queued_ns: Option<u64>,
    pub(super) wake_ns: Option<u64>,
    /// The operation whose release ended it; zero where that is not known.
    pub(super) given_by: u64,
}

/// The recording.
#[derive(Debug)]
pub(super) struct Timeline {
    on: AtomicBool,
    /// Since when, and until when where it is off.
    since_ns: AtomicU64,
    until_ns: AtomicU64,
    chunks: AtomicUsize,
    stripes: [Mutex<Stripe>; STRIPES],
    /// Of each operation that was given something, who gave it: the number xor'ed with the giver's, and the giver's. Two that
    /// are written at one time do not fit each other, and then nothing is known.
    givers: Box<[[AtomicU64; 2]]>,
    dropped: Counter,
}

/// What a group of threads recorded, the oldest first.
#[derive(Debug, Default)]
struct Stripe {
    full: VecDeque<Arc<Vec<Entry>>>,
    current: Vec<Entry>,
    forgotten: u64,
    /// When the latest that was forgotten had ended.
    forgotten_until_ns: u64,
}

/// A recording as it stands.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub(super) is_on: bool,
    pub(super) since_ns: u64,
    pub(super) until_ns: u64,
    pub(super) entries: Vec<Entry>,
    /// Not recorded, since another looked at the place for it.
    pub(super) dropped: u64,
    /// Recorded, and forgotten for what came later.
    pub(super) forgotten: u64,
    /// From when on nothing is forgotten.
    pub(super) whole_since_ns: u64,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            on: AtomicBool::new(false),
            since_ns: AtomicU64::new(0),
            until_ns: AtomicU64::new(0),
            chunks: AtomicUsize::new(0),
            stripes: [const { Mutex::new(Stripe::NEW) }; STRIPES],
            givers: (0..GIVERS).map(|_| Default::default()).collect(),
            dropped: Counter::default(),
        }
    }
}

impl Timeline {
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        // Ordering: Relaxed, here and below: who records at the moment of a change may do so or not.
        self.on.load(Ordering::Relaxed)
    }

    /// Begins anew, or ends and keeps what there is.
    pub(super) fn set(&self, on: bool) {
        if on {
            self.begin();
        } else if self.on.swap(false, Ordering::Relaxed) {
            self.until_ns.store(now_ns(), Ordering::Relaxed);
        }
    }

    /// Forgets what there is.
    fn begin(&self) {
        for stripe in &self.stripes {
            *lock(stripe) = Stripe::NEW;
        }
        self.chunks.store(0, Ordering::Relaxed);
        self.dropped.reset();
        self.since_ns.store(now_ns(), Ordering::Relaxed);
        self.on.store(true, Ordering::Relaxed);
    }

    /// Begins anew where it is on.
    pub(super) fn reset(&self) {
        if self.is_on() {
            self.begin();
        }
    }

    /// A wait is over.
    #[inline]
    pub(super) fn wait(&self, ended: &EndedWait<'_>, outcome: WaitOutcome) {
        if self.is_on() {
            self.add_wait(ended, outcome);
        }
    }

    #[cold]
    fn add_wait(&self, ended: &EndedWait<'_>, outcome: WaitOutcome) {
        let &EndedWait { op, operation, waited, now_ns, .. } = ended;
        let Waited { queued_ns, wake_ns, .. } = waited;
        // Whoever released a mutex last gave it; of several holders of a semaphore it may have been another.
        let last = ended.blocker.filter(|blocker| blocker.released && !ended.shared);
        let given_by = self.giver_of(op).or(last.map(|last| last.op)).unwrap_or_default();
        let wait = Wait { outcome, queued_ns, wake_ns, given_by };
        let took_ns = waited.total_ns();
        // Where spans tell of it, the clock that ended it is another than the one that measured it: all that is drawn goes by the
        // collector's own, so that what came after each other does not overlap.
        let seen_ns = if waited.seen_ns == 0 { took_ns } else { waited.seen_ns };
        self.add(op, operation, [now_ns.saturating_sub(seen_ns), now_ns, took_ns], Some(wait));
    }

    /// A hold is over.
    #[inline]
    pub(super) fn hold(&self, op: u64, held: &Operation, held_ns: u64, ended_ns: impl FnOnce() -> u64) {
        if self.is_on() {
            let ended_ns = ended_ns();
            let is_known = held.phase == Phase::Holding;
            let began_ns = if is_known { held.since_ns } else { ended_ns.saturating_sub(held_ns) };
            self.add(op, held, [began_ns, ended_ns, held_ns], None);
        }
    }

    /// Somebody gave `op` what it waits for.
    #[inline]
    pub(super) fn handed(&self, op: u64, by: u64) {
        if self.is_on() && by != 0 {
            let [key, giver] = self.giver(op);
            key.store(op ^ by, Ordering::Relaxed);
            giver.store(by, Ordering::Relaxed);
        }
    }

    fn giver_of(&self, op: u64) -> Option<u64> {
        let [key, giver] = self.giver(op);
        let by = giver.load(Ordering::Relaxed);
        (by != 0 && key.load(Ordering::Relaxed) ^ by == op).then_some(by)
    }

    fn giver(&self, op: u64) -> &[AtomicU64; 2] {
        &self.givers[hash::mix(7, op) as usize % GIVERS]
    }

    #[cold]
    fn add(&self, op: u64, operation: &Operation, times: [u64; 3], wait: Option<Wait>) {
        let [began_ns, ended_ns, took_ns] = times;
        let entry = Entry {
            op: number(op),
            object: operation.object,
            task: operation.task,
            permits: operation.permits,
            began_ns,
            ended_ns,
            took_ns,
            row: operation.row,
            site: operation.site,
            wait,
        };
        match self.stripes[stripe()].try_lock() {
            Ok(mut stripe) => self.push(&mut stripe, entry),
            Err(TryLockError::Poisoned(poisoned)) => self.push(&mut poisoned.into_inner(), entry),
            Err(TryLockError::WouldBlock) => self.dropped.add(1),
        }
    }

    fn push(&self, stripe: &mut Stripe, entry: Entry) {
        if stripe.current.len() == stripe.current.capacity() {
            let next = Vec::with_capacity(TIMELINE_CHUNK);
            let full = std::mem::replace(&mut stripe.current, next);
            if !full.is_empty() {
                stripe.full.push_back(Arc::new(full));
            }
            let has_room = self.chunks.fetch_add(1, Ordering::Relaxed) < TIMELINE_CHUNKS;
            if !has_room && stripe.full.len() >= CHUNKS_AT_LEAST {
                stripe.forget_oldest();
                self.chunks.fetch_sub(1, Ordering::Relaxed);
            }
        }
        stripe.current.push(entry);
    }

    /// What was recorded until now. A stripe is locked for the moment of copying its last chunk.
    pub(super) fn recorded(&self) -> Recorded {
        let is_on = self.is_on();
        let since_ns = self.since_ns.load(Ordering::Relaxed);
        let until_ns = if is_on { now_ns() } else { self.until_ns.load(Ordering::Relaxed) };
        let mut recorded = Recorded {
            is_on,
            since_ns,
            until_ns,
            whole_since_ns: since_ns,
            dropped: self.dropped.get(),
            ..Recorded::default()
        };
        for stripe in &self.stripes {
            let (full, current) = {
                let stripe = lock(stripe);
                recorded.forgotten += stripe.forgotten;
                recorded.whole_since_ns = recorded.whole_since_ns.max(stripe.forgotten_until_ns);
                (stripe.full.clone(), stripe.current.clone())
            };
            recorded.entries.extend(full.iter().flat_map(|chunk| chunk.iter()).chain(&current));
        }
        recorded
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let chunk = TIMELINE_CHUNK * size_of::<Entry>();
        size_of_val(&*self.givers) + self.chunks.load(Ordering::Relaxed) * chunk
    }
}

impl Stripe {
    const NEW: Self =
        Self { full: VecDeque::new(), current: Vec::new(), forgotten: 0, forgotten_until_ns: 0 };

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.full.pop_front() else { return };
        self.forgotten += oldest.len() as u64;
        let latest = oldest.iter().map(|entry| entry.ended_ns).max().unwrap_or_default();
        self.forgotten_until_ns = self.forgotten_until_ns.max(latest);
    }
}

/// A poisoned stripe is taken all the same: it is whole after each step.
fn lock(stripe: &Mutex<Stripe>) -> MutexGuard<'_, Stripe> {
    stripe.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::operations::Turn;
    use super::super::queues::Mark;
    use super::*;

    fn held() -> Operation {
        Operation {
            row: 3,
            site: 2,
            phase: Phase::Holding,
            acquiring: false,
            failed: false,
            object: 11,
            task: 7,
            permits: 1,
            queue: 0,
            since_ns: 100,
            mark: Mark::default(),
            turn: Turn::None,
        }
    }

    #[test]
    fn off_nothing_is_kept_and_on_begins_anew() {
        let timeline = Timeline::default();
        timeline.hold(1, &held(), 5, || panic!("nobody wants to know"));
        assert_eq!(timeline.recorded().entries.len(), 0);
        timeline.set(true);
        timeline.hold(2, &held(), 5, || 105);
        timeline.set(false);
        timeline.hold(3, &held(), 5, || 106);
        let recorded = timeline.recorded();
        assert!(!recorded.is_on && recorded.until_ns >= recorded.since_ns);
        let [entry] = recorded.entries[..] else { panic!("{:?}", recorded.entries) };
        assert_eq!((entry.op, entry.began_ns, entry.ended_ns), (2, 100, 105));
        timeline.set(true);
        assert_eq!(timeline.recorded().entries.len(), 0);
    }

    #[test]
    fn past_its_bound_the_latest_are_kept_and_the_rest_is_counted() {
        let timeline = Timeline::default();
        timeline.set(true);
        let count = ((TIMELINE_CHUNKS + 3) * TIMELINE_CHUNK) as u64;
        (1..=count).for_each(|op| timeline.hold(op, &held(), 1, || op));
        let recorded = timeline.recorded();
        assert_eq!(recorded.entries.len() as u64 + recorded.forgotten, count);
        assert!(recorded.entries.len() <= TIMELINE_CHUNKS * TIMELINE_CHUNK, "{}", recorded.entries.len());
        assert!(recorded.entries.len() > (TIMELINE_CHUNKS - 2) * TIMELINE_CHUNK);
        let first = recorded.entries[0].op;
        assert!(recorded.entries.iter().map(|entry| entry.op).eq(first..=count));
        assert!(recorded.whole_since_ns >= first - 1, "{} {first}", recorded.whole_since_ns);
        // Threads that come late have room all the same.
        std::thread::scope(|scope| {
            scope.spawn(|| timeline.hold(count + 1, &held(), 1, || count + 1));
        });
        assert_eq!(timeline.recorded().entries.iter().filter(|entry| entry.op == count + 1).count(), 1);
    }

    #[test]
    fn who_finds_its_stripe_taken_goes_on_and_is_counted() {
        let timeline = Timeline::default();
        timeline.set(true);
        let taken: Vec<_> = timeline.stripes.iter().map(lock).collect();
        timeline.hold(1, &held(), 1, || 1);
        drop(taken);
        let recorded = timeline.recorded();
        assert_eq!((recorded.entries.len(), recorded.dropped), (0, 1));
    }

    #[test]
    fn a_giver_is_known_until_another_takes_its_place() {
        let timeline = Timeline::default();
        timeline.handed(1, 2);
        assert_eq!(timeline.giver_of(1), None, "it is off");
        timeline.set(true);
        timeline.handed(1, 2);
        assert_eq!(timeline.giver_of(1), Some(2));
        let same_place = (2..).find(|&op| std::ptr::eq(timeline.giver(op), timeline.giver(1))).unwrap();
        timeline.handed(same_place, 9);
        assert_eq!((timeline.giver_of(1), timeline.giver_of(same_place)), (None, Some(9)));
        // Half of what one wrote and half of what another did fits neither.
        timeline.giver(1)[0].store(1 ^ 2, Ordering::Relaxed);
        assert_eq!((timeline.giver_of(1), timeline.giver_of(same_place)), (None, None));
    }
}
