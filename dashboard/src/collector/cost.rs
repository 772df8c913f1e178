//! What the collector itself takes: a small sample of its own work, timed.
//!
//! One call in [`EVERY`] is measured with two more looks at the clock, which stand for those that each call takes for what it reports.
//! What tracing and its registry do around a layer is not ours and not in it.

use std::sync::atomic::{AtomicU64, Ordering};

use super::clock::now_ns;
use super::counter::Counter;

/// Of so many calls one is timed. A power of two.
const EVERY: u64 = 1_024;

/// Which of them: in the middle of a block of numbers, where a thread is as used to its cache lines as mostly.
const CHOSEN: u64 = 517;

/// Times a sample of calls.
#[derive(Debug, Default)]
pub(super) struct Cost {
    sampled: Counter,
    sampled_ns: Counter,
    /// Since when.
    since_ns: AtomicU64,
}

/// What a sample says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Estimate {
    pub(super) sampled: u64,
    /// Of a call, on average.
    pub(super) ns_per_call: f64,
    /// Of one processor core's time.
    pub(super) core_share: f64,
}

impl Cost {
    /// Does the work of a call, and times it where its number is one of the chosen.
    #[inline]
    pub(super) fn of<R>(&self, number: u64, work: impl FnOnce() -> R) -> R {
        if number % EVERY == CHOSEN { self.timed(work) } else { work() }
    }

    #[cold]
    fn timed<R>(&self, work: impl FnOnce() -> R) -> R {
        let began_ns = now_ns();
        let result = work();
        self.sampled_ns.add(now_ns().saturating_sub(began_ns));
        self.sampled.add(1);
        result
    }

    /// As it is now.
    pub(super) fn estimate(&self, now_ns: u64) -> Estimate {
        let (sampled, sampled_ns) = (self.sampled.get(), self.sampled_ns.get());
        // Ordering: Relaxed, a figure that guards nothing.
        let passed_ns = now_ns.saturating_sub(self.since_ns.load(Ordering::Relaxed));
        if sampled == 0 || passed_ns == 0 {
            return Estimate::default();
        }
        Estimate {
            sampled,
            ns_per_call: sampled_ns as f64 / sampled as f64,
            core_share: sampled_ns as f64 * EVERY as f64 / passed_ns as f64,
        }
    }

    /// Begins anew.
    pub(super) fn reset(&self) {
        self.sampled.reset();
        self.sampled_ns.reset();
        self.since_ns.store(now_ns(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_in_so_many_is_timed() {
        let cost = Cost::default();
        assert_eq!(cost.estimate(1_000), Estimate::default());
        let done = (0..10 * EVERY).map(|number| cost.of(number, || 1)).sum::<u64>();
        assert_eq!(done, 10 * EVERY);
        let estimate = cost.estimate(now_ns() + 1);
        assert_eq!(estimate.sampled, 10);
        assert!(estimate.core_share >= 0.0 && estimate.ns_per_call >= 0.0);
    }

    #[test]
    fn the_sample_stands_for_all_calls() {
        let cost = Cost::default();
        cost.sampled.add(2);
        cost.sampled_ns.add(200);
        let estimate = cost.estimate(2_048_000);
        assert_eq!((estimate.ns_per_call, estimate.core_share), (100.0, 0.1));
    }
}
