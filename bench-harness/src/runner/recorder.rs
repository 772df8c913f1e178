//! Takes the waits of a latency slot without a lock and without allocating, whatever the number of tasks.
//!
//! The buckets are those of a HdrHistogram of three digits, so that counts become one without loss. Each thread that
//! runs tasks has counts of its own, which nobody else writes: a sample is a load, an addition and a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hdrhistogram::Histogram;
use workloads::Recorder;

use crate::threads;

/// The longest wait that is told apart: an hour.
const LONGEST_WAIT_NS: u64 = 3_600_000_000_000;
/// Three digits: a percentile is off by a thousandth at most.
const SIGNIFICANT_DIGITS: u8 = 3;
/// Values below 2 to the power of this have a bucket each; above, buckets double in width with each power of two, and
/// half as many lie in each. It is what three digits take.
const EXACT_BITS: u32 = 11;
/// Buckets of one power of two.
const HALF: usize = 1 << (EXACT_BITS - 1);
const BUCKETS: usize = bucket(LONGEST_WAIT_NS) + 1;
/// Threads that have counts of their own, a quarter of a megabyte each; more than most machines have processors.
const OWN_COUNTS: usize = 64;

/// A histogram of waits as all of this program uses it; it grows to the longest wait that it has seen.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new(SIGNIFICANT_DIGITS).expect("three digits are valid")
}

/// The counts behind the recorders of a slot; they serve one slot after the other.
#[derive(Debug)]
pub(crate) struct Shards(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    /// By the number of the thread, which alone writes them.
    own: Vec<Vec<AtomicU64>>,
    /// Of all other threads.
    shared: Vec<AtomicU64>,
}

struct ThreadRecorder(Arc<Counts>);

impl Shards {
    /// For so many threads that run tasks.
    pub(crate) fn new(threads: usize) -> Self {
        let counts = || (0..BUCKETS).map(|_| AtomicU64::new(0)).collect();
        let own = (0..threads.min(OWN_COUNTS)).map(|_| counts()).collect();
        Self(Arc::new(Counts { own, shared: counts() }))
    }

    /// One recorder for each task.
    pub(crate) fn recorders(&self, tasks: usize) -> Vec<Box<dyn Recorder>> {
        (0..tasks).map(|_| Box::new(ThreadRecorder(Arc::clone(&self.0))) as Box<_>).collect()
    }

    /// What was recorded since the last call.
    pub(crate) fn take(&self) -> Histogram<u64> {
        let mut all = histogram();
        for counts in self.0.own.iter().chain([&self.0.shared]) {
            for (bucket, count) in counts.iter().enumerate() {
                // Ordering: Relaxed, the tasks were joined. Looked at before it is written, as nearly all are zero.
                if count.load(Ordering::Relaxed) > 0 {
                    let count = count.swap(0, Ordering::Relaxed);
                    all.record_n(lowest(bucket), count).expect("it grows to whatever it is given");
                }
            }
        }
        all
    }
}

impl Recorder for ThreadRecorder {
    #[inline]
    fn record(&mut self, wait_ns: u64) {
        let bucket = bucket(wait_ns.min(LONGEST_WAIT_NS));
        match threads::number().and_then(|number| self.0.own.get(number)) {
            Some(own) => {
                // Ordering: Relaxed here and below, statistics that guard no data. No other thread writes in between.
                let count = own[bucket].load(Ordering::Relaxed);
                own[bucket].store(count + 1, Ordering::Relaxed);
            }
            None => {
                self.0.shared[bucket].fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// The bucket of a value.
const fn bucket(value: u64) -> usize {
    let width = (u64::BITS - (value | ((1 << EXACT_BITS) - 1)).leading_zeros()) - EXACT_BITS;
    width as usize * HALF + (value >> width) as usize
}

/// The lowest value of a bucket.
const fn lowest(bucket: usize) -> u64 {
    if bucket < 2 * HALF {
        return bucket as u64;
    }
    let width = bucket / HALF - 1;
    ((bucket - width * HALF) as u64) << width
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ends of every bucket, and some between.
    fn values() -> impl Iterator<Item = u64> {
        let powers = (0..42).map(|power| 1_u64 << power);
        powers.flat_map(|power| [power - 1, power, power + 1, power + power / 3, power + power / 1000])
    }

    #[test]
    fn buckets_are_those_of_the_histogram() {
        let reference = Histogram::<u64>::new_with_bounds(1, LONGEST_WAIT_NS, SIGNIFICANT_DIGITS).unwrap();
        for value in values() {
            assert_eq!(lowest(bucket(value)), reference.lowest_equivalent(value), "{value}");
        }
        assert_eq!(lowest(BUCKETS - 1), reference.lowest_equivalent(LONGEST_WAIT_NS));
    }

    #[test]
    fn recorded_waits_make_the_histogram_that_they_would_make_themselves() {
        let shards = Shards::new(1);
        let mut recorders = shards.recorders(2);
        let mut expected = histogram();
        // Half of them on a thread that runs tasks, and half on one that does not.
        std::thread::scope(|scope| {
            let (first, second) = recorders.split_at_mut(1);
            scope.spawn(|| {
                threads::enrol(0);
                values().for_each(|value| first[0].record(value));
            });
            values().for_each(|value| second[0].record(value));
        });
        values().chain(values()).for_each(|value| expected.record(value).unwrap());
        let taken = shards.take();
        assert_eq!(taken.len(), expected.len());
        assert_eq!((taken.min(), taken.max()), (expected.min(), expected.max()));
        for quantile in [0.01, 0.25, 0.5, 0.9, 0.99, 0.999] {
            assert_eq!(taken.value_at_quantile(quantile), expected.value_at_quantile(quantile));
        }
    }

    #[test]
    fn every_task_is_recorded_once_and_the_next_slot_starts_empty() {
        let shards = Shards::new(2);
        let mut recorders = shards.recorders(100);
        for (task, recorder) in recorders.iter_mut().enumerate() {
            recorder.record(task as u64 + 1);
        }
        let taken = shards.take();
        assert_eq!((taken.len(), taken.min(), taken.max()), (100, 1, 100));
        assert!(shards.take().is_empty());
    }

    #[test]
    fn an_absurd_wait_is_kept_as_the_longest() {
        let shards = Shards::new(1);
        shards.recorders(1)[0].record(u64::MAX);
        let taken = shards.take();
        assert_eq!(taken.len(), 1);
        assert!(taken.max() >= LONGEST_WAIT_NS);
    }
}
