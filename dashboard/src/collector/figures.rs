//! The figures of one line, in stripes: a part for each group of threads.
//!
//! Two threads that take different locks at the same line would otherwise pass the cache lines of its counters and
//! histograms to and fro, at ten times what the lock costs. A thread writes to its stripe alone; a snapshot adds the stripes
//! up. A stripe is made when a thread of its group first comes by, and what only waits need when something first waits.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::budget::Budget;
use super::counter::{Counter, SaturatingCounter};
use super::histogram::{self, Histogram};
use super::limits::{DURATION_MAX_NS, STRIPES};

/// What is known of one line that acquires, or of all lines that have no place of their own.
#[derive(Debug)]
pub(super) struct Line {
    stripes: [OnceLock<Box<Figures>>; STRIPES],
}

impl Default for Line {
    fn default() -> Self {
        Self { stripes: [const { OnceLock::new() }; STRIPES] }
    }
}

impl Line {
    /// The part that the calling thread writes to.
    #[inline]
    pub(super) fn mine(&self, budget: &Budget) -> &Figures {
        let stripe = stripe();
        match self.stripes[stripe].get() {
            Some(figures) => figures,
            None => self.make(stripe, budget),
        }
    }

    #[cold]
    fn make(&self, stripe: usize, budget: &Budget) -> &Figures {
        // With little memory left threads share, which is slower and as exact.
        let stripe = if budget.is_scarce() { 0 } else { stripe };
        self.stripes[stripe].get_or_init(|| {
            budget.take_anyway(size_of::<Figures>());
            Box::default()
        })
    }

    /// All parts.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Figures> {
        self.stripes.iter().filter_map(|stripe| stripe.get().map(|figures| &**figures))
    }

    pub(super) fn reset(&self) {
        self.parts().for_each(Figures::reset);
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.parts().map(|figures| size_of::<Figures>() + figures.heap_bytes()).sum()
    }
}

/// The stripe of the calling thread: one after the other, so that a few threads have one each.
#[inline]
pub(super) fn stripe() -> usize {
    const NONE: usize = usize::MAX;
    thread_local! {
        static STRIPE: Cell<usize> = const { Cell::new(NONE) };
    }
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let mine = STRIPE.try_with(|stripe| {
        if stripe.get() == NONE {
            // Ordering: Relaxed, a thread may have any.
            stripe.set(NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES);
        }
        stripe.get()
    });
    // A guard may be dropped by a destructor of another thread-local, when ours is gone already.
    mine.unwrap_or(0)
}

/// One stripe of a line.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Figures {
    acquisitions: Counter,
    contended: Counter,
    cancelled: Counter,
    closed: Counter,
    wait_total_ns: SaturatingCounter,
    blamed_ns: SaturatingCounter,
    hold: Histogram,
    waits: OnceLock<Box<Waits>>,
}

/// What only waits need.
#[derive(Debug, Default)]
struct Waits {
    wait: Histogram,
    queued: Histogram,
    wake: Histogram,
    cancelled: Histogram,
}

/// Parts of a wait, as far as they are known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waited {
    pub(super) queued_ns: Option<u64>,
    pub(super) wake_ns: Option<u64>,
    /// The whole, as the collector's own clock has it.
    pub(super) seen_ns: u64,
}

impl Waited {
    /// The whole: the parts, or what was seen where one is missing.
    pub(super) fn total_ns(self) -> u64 {
        match (self.queued_ns, self.wake_ns) {
            (Some(queued_ns), Some(wake_ns)) => queued_ns.saturating_add(wake_ns),
            _ => self.seen_ns,
        }
        .min(DURATION_MAX_NS)
    }
}

impl Figures {
    /// Counts an acquisition that was granted.
    #[inline]
    pub(super) fn count_acquisition(&self) {
        self.acquisitions.add(1);
    }

    /// Counts a wait that was granted.
    pub(super) fn count_wait(&self, waited: Waited, budget: &Budget) {
        let waits = self.waits(budget);
        if let Some(queued_ns) = waited.queued_ns {
            waits.queued.record(queued_ns, budget);
        }
        if let Some(wake_ns) = waited.wake_ns {
            waits.wake.record(wake_ns, budget);
        }
        let wait_ns = waited.total_ns();
        waits.wait.record(wait_ns, budget);
        self.contended.add(1);
        self.wait_total_ns.add(wait_ns);
    }

    /// Counts a wait that was dropped after so long.
    pub(super) fn count_cancelled(&self, waited_ns: u64, budget: &Budget) {
        self.cancelled.add(1);
        self.waits(budget).cancelled.record(waited_ns, budget);
    }

    /// Counts a wait or an attempt that ended because the primitive was closed.
    pub(super) fn count_closed(&self) {
        self.closed.add(1);
    }

    /// Counts a hold, and how much of the waiting of others is charged to it.
    #[inline]
    pub(super) fn count_hold(&self, held_ns: u64, blamed_ns: u64, budget: &Budget) {
        self.hold.record(held_ns, budget);
        if blamed_ns != 0 {
            self.blamed_ns.add(blamed_ns);
        }
    }

    fn waits(&self, budget: &Budget) -> &Waits {
        self.waits.get_or_init(|| {
            budget.take_anyway(size_of::<Waits>());
            Box::default()
        })
    }

    fn histogram(&self, which: Which) -> Option<&Histogram> {
        let waits = self.waits.get();
        match which {
            Which::Hold => Some(&self.hold),
            Which::Wait => waits.map(|waits| &waits.wait),
            Which::Queued => waits.map(|waits| &waits.queued),
            Which::Wake => waits.map(|waits| &waits.wake),
            Which::CancelledWait => waits.map(|waits| &waits.cancelled),
        }
    }

    fn reset(&self) {
        for counter in [&self.acquisitions, &self.contended, &self.cancelled, &self.closed] {
            counter.reset();
        }
        self.wait_total_ns.reset();
        self.blamed_ns.reset();
        Which::ALL.into_iter().filter_map(|which| self.histogram(which)).for_each(Histogram::reset);
    }

    fn heap_bytes(&self) -> usize {
        let chunks: usize =
            Which::ALL.into_iter().filter_map(|which| self.histogram(which)).map(Histogram::heap_bytes).sum();
        chunks + self.waits.get().map_or(0, |_| size_of::<Waits>())
    }
}

/// Which durations.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    Wait,
    Hold,
    Queued,
    Wake,
    CancelledWait,
}

impl Which {
    const ALL: [Self; 5] = [Self::Wait, Self::Hold, Self::Queued, Self::Wake, Self::CancelledWait];
}

/// Several parts taken together: those of a line, or of all lines of a row.
#[derive(Debug)]
pub(super) struct Together<'a>(Vec<&'a Figures>);

impl<'a> FromIterator<&'a Figures> for Together<'a> {
    fn from_iter<I: IntoIterator<Item = &'a Figures>>(parts: I) -> Self {
        Self(parts.into_iter().collect())
    }
}

impl Together<'_> {
    pub(super) fn acquisitions(&self) -> u64 {
        self.sum(|part| part.acquisitions.get())
    }

    pub(super) fn contended(&self) -> u64 {
        self.sum(|part| part.contended.get())
    }

    pub(super) fn cancelled(&self) -> u64 {
        self.sum(|part| part.cancelled.get())
    }

    pub(super) fn closed(&self) -> u64 {
        self.sum(|part| part.closed.get())
    }

    pub(super) fn wait_total_ns(&self) -> u64 {
        self.sum(|part| part.wait_total_ns.get())
    }

    pub(super) fn blamed_ns(&self) -> u64 {
        self.sum(|part| part.blamed_ns.get())
    }

    /// Buckets that are not empty, ascending: highest value, count.
    pub(super) fn buckets(&self, which: Which) -> Vec<(u64, u64)> {
        let histograms: Vec<_> = self.0.iter().filter_map(|part| part.histogram(which)).collect();
        histogram::buckets(&histograms)
    }

    fn sum(&self, figure: impl Fn(&Figures) -> u64) -> u64 {
        self.0.iter().fold(0, |sum, part| sum.saturating_add(figure(part)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_write_apart_and_are_read_together() {
        let (line, budget) = (Line::default(), Budget::default());
        std::thread::scope(|scope| {
            for thread in 1..=4 {
                let (line, budget) = (&line, &budget);
                scope.spawn(move || {
                    for _ in 0..100 {
                        let mine = line.mine(budget);
                        mine.count_acquisition();
                        mine.count_hold(thread, 1, budget);
                    }
                });
            }
        });
        assert!(line.parts().count() > 1);
        let together: Together = line.parts().collect();
        assert_eq!((together.acquisitions(), together.blamed_ns()), (400, 400));
        assert_eq!(together.buckets(Which::Hold), [(1, 100), (2, 100), (3, 100), (4, 100)]);
        assert_eq!(together.buckets(Which::Wait), []);
        line.reset();
        assert_eq!(line.parts().collect::<Together>().acquisitions(), 0);
    }

    #[test]
    fn with_little_memory_left_threads_share_and_counts_stay_exact() {
        let (line, budget) = (Line::default(), Budget::default());
        while !budget.is_scarce() {
            budget.take_anyway(1 << 20);
        }
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| line.mine(&budget).count_acquisition());
            }
        });
        assert_eq!(line.parts().count(), 1);
        assert_eq!(line.parts().collect::<Together>().acquisitions(), 4);
    }
}
