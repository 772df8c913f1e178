//! The longest waits of a row, with who was in the way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::limits::WORST_WAITS;
use super::queues::Blocker;
use super::sites::SiteIndex;

/// One of the longest waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct WorstWait {
    pub(super) wait_ns: u64,
    /// When it ended, by the collector's clock.
    pub(super) ended_ns: u64,
    pub(super) op: u64,
    pub(super) object: u64,
    pub(super) task: u64,
    pub(super) site: SiteIndex,
    /// Dropped, instead of granted.
    pub(super) cancelled: bool,
    pub(super) blocker: Option<Blocker>,
}

/// The longest waits, up to [`WORST_WAITS`].
#[derive(Debug, Default)]
pub(super) struct WorstWaits {
    /// What a wait has to exceed to get in: one load for all that do not.
    floor_ns: AtomicU64,
    kept: Mutex<Vec<WorstWait>>,
}

impl WorstWaits {
    /// Keeps a wait if it is among the longest; what is known of it is asked for only then.
    #[inline]
    pub(super) fn consider(&self, wait_ns: u64, wait: impl FnOnce() -> WorstWait) {
        // Ordering: Relaxed, the lock settles who gets in.
        if wait_ns > self.floor_ns.load(Ordering::Relaxed) {
            self.keep(wait());
        }
    }

    #[cold]
    fn keep(&self, wait: WorstWait) {
        let mut kept = self.lock();
        let place = kept.partition_point(|other| other.wait_ns >= wait.wait_ns);
        if place < WORST_WAITS {
            kept.truncate(WORST_WAITS - 1);
            kept.insert(place, wait);
        }
        if kept.len() == WORST_WAITS {
            self.floor_ns.store(kept[WORST_WAITS - 1].wait_ns, Ordering::Relaxed);
        }
    }

    /// The longest first.
    pub(super) fn kept(&self) -> Vec<WorstWait> {
        self.lock().clone()
    }

    pub(super) fn reset(&self) {
        let mut kept = self.lock();
        kept.clear();
        self.floor_ns.store(0, Ordering::Relaxed);
    }

    /// A poisoned lock is taken all the same: the list is whole after each step.
    fn lock(&self) -> MutexGuard<'_, Vec<WorstWait>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(wait_ns: u64) -> WorstWait {
        WorstWait {
            wait_ns,
            ended_ns: 0,
            op: wait_ns,
            object: 1,
            task: 1,
            site: 0,
            cancelled: false,
            blocker: None,
        }
    }

    #[test]
    fn the_longest_are_kept_in_order_and_others_are_not_asked_for() {
        let worst = WorstWaits::default();
        for wait_ns in [5, 90, 10, 80, 20, 70, 30, 60, 40, 50, 90] {
            worst.consider(wait_ns, || wait(wait_ns));
        }
        let kept: Vec<_> = worst.kept().iter().map(|wait| wait.wait_ns).collect();
        assert_eq!(kept, [90, 90, 80, 70, 60, 50, 40, 30]);
        worst.consider(30, || panic!("no longer than the shortest of them"));
        worst.reset();
        assert!(worst.kept().is_empty());
        worst.consider(1, || wait(1));
        assert_eq!(worst.kept().len(), 1);
    }
}
