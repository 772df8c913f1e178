//! Blame: how much of the waiting at an object is charged to each who holds it.
//!
//! For an object that has waiters the integral of their number over time is kept, divided by the permits held: nanoseconds of waiting
//! for each permit. A hold is charged what the integral grew by from its beginning to its end, times its permits.
//! So all waiting that went on while somebody held is charged once, and holders of a semaphore share it. What
//! goes on while nobody holds, between a grant and its task's resuming, is charged to nobody.
//!
//! Only objects that waiters were seen at have a queue here. A hold of any other one pays a load at its end and one at its beginning.
//! There are [`QUEUES`]; a new one takes the place of one that nobody waits at, and where there is none the waiting is not
//! charged, and counted.
//!
//! A queue that changes hands gets another generation, so that a hold which began before does not take the new integral
//! for a growth of the old one. Q1: a queue's tag is the object in its state, or the state is about to be written by whoever holds `claims`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::counter::Counter;
use super::hash;
use super::limits::QUEUES;
use super::sites::SiteIndex;

/// Queues that an object may be in.
const WAYS: usize = 4;
const BUCKETS: usize = QUEUES / WAYS;

/// Bits of the integral behind the nanosecond: many holders share little waiting.
const FRACTION_BITS: u32 = 8;

/// Permits held are counted anew where waiting begins, unless they were within so long: it is a look at all operations.
const RECOUNT_NS: u64 = 100_000_000;

/// Generations are counted in as many bits; none is zero.
pub(super) const GENERATION_BITS: u32 = 24;

/// Where the integral stood when a hold began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// Zero: the object had no queue.
    pub(super) generation: u32,
    pub(super) integral: u64,
}

/// Who holds an object, or was the last to release it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocker {
    pub(super) op: u64,
    pub(super) task: u64,
    pub(super) site: SiteIndex,
    pub(super) released: bool,
}

/// The queues of all objects that were waited for lately.
#[derive(Debug)]
pub(super) struct Queues {
    /// The object of each queue; zero where there is none yet, and behind it none in the same bucket.
    tags: Box<[AtomicU64]>,
    queues: Box<[Queue]>,
    /// Held by whoever gives a queue to an object; holds the last generation.
    claims: Mutex<u32>,
    /// Waits that are not charged, since there was no queue for them.
    pub(super) dropped: Counter,
}

#[derive(Debug, Default)]
#[repr(align(128))]
struct Queue(Mutex<State>);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    object: u64,
    generation: u32,
    waiters: u64,
    /// Permits held.
    held: u64,
    /// Whether several may hold at once.
    shared: bool,
    /// When the permits were last counted.
    counted_ns: u64,
    integral: u64,
    /// Until when the integral is known.
    since_ns: u64,
    last: Option<Blocker>,
}

impl State {
    /// Brings the integral up to now.
    fn advance(&mut self, now_ns: u64) {
        if self.waiters != 0 {
            // A clock that stepped back adds nothing.
            let passed_ns = now_ns.saturating_sub(self.since_ns);
            let waited = (u128::from(passed_ns) * u128::from(self.waiters)) << FRACTION_BITS;
            let growth = u64::try_from(waited / u128::from(self.held.max(1))).unwrap_or(u64::MAX);
            self.integral = self.integral.wrapping_add(growth);
        }
        self.since_ns = self.since_ns.max(now_ns);
    }

    /// Another holder of so many permits.
    fn take(&mut self, permits: u64, holder: Blocker) {
        self.held = if self.shared { self.held.saturating_add(permits) } else { 1 };
        self.last = Some(holder);
    }

    /// One holder less.
    fn give_back(&mut self, permits: u64, holder: Blocker) {
        self.held = if self.shared { self.held.saturating_sub(permits) } else { 0 };
        self.last = Some(Blocker { released: true, ..holder });
    }

    /// Whether the count of permits may be off and is worth a look, which is taken where waiting begins.
    fn needs_counting(&mut self, now_ns: u64) -> bool {
        let old = now_ns.saturating_sub(self.counted_ns) > RECOUNT_NS;
        let needs = self.shared && self.waiters == 1 && old;
        if needs {
            self.counted_ns = now_ns;
        }
        needs
    }

    fn mark(&self) -> Mark {
        Mark { generation: self.generation, integral: self.integral }
    }

    /// What grew since a hold of so many permits began.
    fn charge_ns(&self, since: Mark, permits: u64) -> u64 {
        // Where the queue is younger than the hold, all of it grew meanwhile.
        let from = if since.generation == self.generation { since.integral } else { 0 };
        let growth = u128::from(self.integral.wrapping_sub(from)) * u128::from(permits);
        u64::try_from(growth >> FRACTION_BITS).unwrap_or(u64::MAX)
    }
}

impl Default for Queues {
    fn default() -> Self {
        Self {
            tags: (0..QUEUES).map(|_| AtomicU64::new(0)).collect(),
            queues: (0..QUEUES).map(|_| Queue::default()).collect(),
            claims: Mutex::new(0),
            dropped: Counter::default(),
        }
    }
}

impl Queues {
    /// Somebody began to wait. `held` is asked how many permits are held, now and then; it says nothing where one holds at a time.
    ///
    /// What is granted or released at that very moment it may have missed or seen twice, so it is asked again some time.
    pub(super) fn joined(&self, object: u64, now_ns: u64, held: impl FnOnce() -> Option<u64>) {
        let joined = self.with(object, |state| {
            state.advance(now_ns);
            state.waiters += 1;
            state.needs_counting(now_ns)
        });
        match joined {
            Some(false) => {}
            // Asked without a lock held: it looks at all operations.
            Some(true) => {
                let held = held();
                self.with(object, |state| {
                    state.advance(now_ns);
                    state.held = held.unwrap_or(1);
                });
            }
            None => self.claim(object, now_ns, held()),
        }
    }

    /// A wait ended without a grant. Who was in its way is answered.
    pub(super) fn gave_up(&self, object: u64, now_ns: u64) -> Option<Blocker> {
        self.with(object, |state| {
            state.advance(now_ns);
            state.waiters = state.waiters.saturating_sub(1);
            state.last
        })
        .flatten()
    }

    /// A wait ended with a grant of so many permits; `holder` holds them from now on, if that is seen. Who was in its way is answered.
    pub(super) fn resumed(
        &self,
        object: u64,
        now_ns: u64,
        permits: u64,
        holder: Option<Blocker>,
    ) -> (Mark, Option<Blocker>) {
        self.with(object, |state| {
            state.advance(now_ns);
            state.waiters = state.waiters.saturating_sub(1);
            let before = state.last;
            if let Some(holder) = holder {
                state.take(permits, holder);
            }
            (state.mark(), before)
        })
        .unwrap_or_default()
    }

    /// So many permits were granted without a wait.
    pub(super) fn granted(&self, object: u64, now_ns: u64, permits: u64, holder: Blocker) -> Mark {
        self.with(object, |state| {
            state.advance(now_ns);
            state.take(permits, holder);
            state.mark()
        })
        .unwrap_or_default()
    }

    /// A hold of so many permits that began at `mark` ended: the waiting that is charged to it.
    pub(super) fn released(
        &self,
        object: u64,
        now_ns: u64,
        mark: Mark,
        permits: u64,
        holder: Blocker,
    ) -> u64 {
        self.with(object, |state| {
            state.advance(now_ns);
            let charge_ns = state.charge_ns(mark, permits);
            state.give_back(permits, holder);
            charge_ns
        })
        .unwrap_or(0)
    }

    /// What a hold that goes on is charged until now.
    pub(super) fn charged_until_now(&self, object: u64, now_ns: u64, mark: Mark, permits: u64) -> u64 {
        let state = self.with(object, |state| *state);
        state.map_or(0, |mut state| {
            state.advance(now_ns);
            state.charge_ns(mark, permits)
        })
    }

    /// Forgets who waits and who holds.
    pub(super) fn clear(&self) {
        for queue in &self.queues {
            let mut state = queue.lock();
            (state.waiters, state.held, state.last) = (0, 0, None);
        }
    }

    /// Forgets who holds.
    pub(super) fn forget_holders(&self) {
        for queue in &self.queues {
            let mut state = queue.lock();
            (state.held, state.last) = (0, None);
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.queues) + size_of_val(&*self.tags)
    }

    #[inline]
    fn bucket(object: u64) -> usize {
        hash::mix(5, object) as usize % BUCKETS * WAYS
    }

    /// Whether an object may have a queue: one load.
    #[inline]
    pub(super) fn may_know(&self, object: u64) -> bool {
        // Ordering: Relaxed; who misses a queue that is being made began before it.
        self.tags[Self::bucket(object)].load(Ordering::Relaxed) != 0
    }

    /// The queue of an object.
    fn find(&self, object: u64) -> Option<usize> {
        let ways = Self::bucket(object)..Self::bucket(object) + WAYS;
        // Ordering: Relaxed, the state under its lock says whose it is.
        ways.into_iter().find(|&way| self.tags[way].load(Ordering::Relaxed) == object)
    }

    /// Looks at the state of an object's queue, if it has one.
    fn with<R>(&self, object: u64, look: impl FnOnce(&mut State) -> R) -> Option<R> {
        let mut state = self.queues[self.find(object)?].lock();
        // It may have changed hands since.
        (state.object == object).then(|| look(&mut state))
    }

    /// Gives an object a queue, with one who waits.
    #[cold]
    fn claim(&self, object: u64, now_ns: u64, held: Option<u64>) {
        let mut generation = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let way = match self.find(object) {
            // Somebody else was quicker.
            Some(way) => way,
            None => match self.spare(object) {
                Some(way) => way,
                None => return self.dropped.add(1),
            },
        };
        let mut state = self.queues[way].lock();
        if state.object != object {
            // Zero stands for none, so it is passed over when the numbers wrap.
            *generation = (*generation + 1) % (1 << GENERATION_BITS);
            *generation += u32::from(*generation == 0);
            *state = State {
                object,
                generation: *generation,
                held: held.unwrap_or(1),
                shared: held.is_some(),
                counted_ns: now_ns,
                since_ns: now_ns,
                ..State::default()
            };
            self.tags[way].store(object, Ordering::Relaxed);
        }
        state.advance(now_ns);
        state.waiters += 1;
    }

    /// A queue of the object's bucket that is free, or that nobody has waited at for the longest time.
    fn spare(&self, object: u64) -> Option<usize> {
        let ways = Self::bucket(object)..Self::bucket(object) + WAYS;
        let idle = ways.filter_map(|way| {
            let state = self.queues[way].lock();
            (state.waiters == 0).then_some((state.since_ns, way))
        });
        idle.min().map(|(_, way)| way)
    }
}

impl Queue {
    /// A poisoned lock is taken all the same: the state is whole after each step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(op: u64) -> Blocker {
        Blocker { op, task: 100 + op, site: 0, released: false }
    }

    #[test]
    fn a_hold_is_charged_what_others_waited_meanwhile() {
        let queues = Queues::default();
        assert_eq!(queues.granted(7, 0, 1, holder(1)), Mark::default());
        queues.joined(7, 100, || None);
        queues.joined(7, 150, || unreachable!("it has a queue"));
        // One waited for 100 and the other for 50.
        assert_eq!(queues.charged_until_now(7, 200, Mark::default(), 1), 150);
        assert_eq!(queues.released(7, 200, Mark::default(), 1, holder(1)), 150);
        // Nobody is charged for the 10 until the next one resumes.
        let (mark, before) = queues.resumed(7, 210, 1, Some(holder(2)));
        assert_eq!(before, Some(Blocker { released: true, ..holder(1) }));
        assert_eq!(queues.gave_up(7, 240), Some(holder(2)));
        assert_eq!(queues.released(7, 1_000, mark, 1, holder(2)), 30);
        let mark = queues.granted(7, 2_000, 1, holder(3));
        assert_eq!(queues.released(7, 3_000, mark, 1, holder(3)), 0);
    }

    #[test]
    fn holders_of_a_semaphore_share_by_their_permits() {
        let queues = Queues::default();
        queues.joined(7, 0, || Some(4));
        assert_eq!(queues.released(7, 400, Mark::default(), 3, holder(1)), 300);
        let (mark, _) = queues.resumed(7, 400, 3, Some(holder(2)));
        queues.joined(7, 400, || unreachable!("it has a queue"));
        assert_eq!(queues.released(7, 800, Mark::default(), 1, holder(3)), 200);
        assert_eq!(queues.released(7, 800, mark, 3, holder(2)), 300);
    }

    #[test]
    fn an_object_that_nobody_waits_at_gives_its_queue_away() {
        let queues = Queues::default();
        queues.joined(1, 0, || None);
        for object in 2..100_000 {
            queues.joined(object, object, || None);
            queues.gave_up(object, object + 1);
        }
        assert_eq!(queues.dropped.get(), 0);
        assert_eq!(queues.charged_until_now(1, 50, Mark::default(), 1), 50);
        // A mark of the queue that an object had before is not taken for one of its new queue.
        let stale = Mark { generation: 2, integral: 1 << 40 };
        queues.joined(2, 1_000_000, || None);
        assert_eq!(queues.released(2, 1_000_100, stale, 1, holder(1)), 100);
    }

    #[test]
    fn waits_beyond_the_bound_are_counted_and_not_charged() {
        let queues = Queues::default();
        (1..=10_000).for_each(|object| queues.joined(object, 0, || None));
        let dropped = queues.dropped.get();
        assert!(dropped >= 10_000 - QUEUES as u64 && dropped < 10_000, "{dropped}");
        let charged =
            (1..=10_000).filter(|&object| queues.released(object, 10, Mark::default(), 1, holder(1)) == 10);
        assert_eq!(charged.count() as u64, 10_000 - dropped);
    }

    #[test]
    fn a_clock_that_steps_back_charges_nothing() {
        let queues = Queues::default();
        queues.joined(7, 1_000, || None);
        assert_eq!(queues.released(7, 10, Mark::default(), 1, holder(1)), 0);
        assert_eq!(queues.charged_until_now(7, 1_005, Mark::default(), 1), 5);
    }

    #[test]
    fn permits_are_counted_anew_after_a_while() {
        let queues = Queues::default();
        // A hold that ended at that moment was counted all the same.
        queues.joined(7, 0, || Some(2));
        queues.gave_up(7, 0);
        let (later, mark) = (RECOUNT_NS + 1, queues.resumed(7, 0, 1, None).0);
        queues.joined(7, later, || Some(1));
        assert_eq!(queues.released(7, later + 100, mark, 1, holder(1)), 100);
    }

    #[test]
    fn of_a_mutex_there_is_one_holder_whatever_was_seen() {
        let queues = Queues::default();
        // Its holder released before the wait was told of.
        queues.joined(7, 0, || None);
        let (mark, _) = queues.resumed(7, 10, 1, Some(holder(2)));
        queues.joined(7, 10, || None);
        assert_eq!(queues.released(7, 110, mark, 1, holder(2)), 100);
    }
}
