//! A histogram that many threads write at once, without a lock.
//!
//! The buckets are those of an HdrHistogram with two significant digits and a unit of one nanosecond: 128 to
//! each power of two, so a value is known to 0.8 %. They are allocated a power of two at a time, on first use:
//! durations cluster, so a busy histogram takes some 10 KiB and an idle one nothing but the table of chunks.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::budget::Budget;
use super::limits::DURATION_MAX_NS;

/// Buckets of a chunk: what two significant digits need for one power of two.
const CHUNK_BUCKETS: usize = 128;
/// log₂ of [`CHUNK_BUCKETS`].
const CHUNK_BITS: u32 = 7;
/// Chunk 0 holds 0..128 and chunk `c` holds 128..256 shifted left by `c - 1`, up to [`DURATION_MAX_NS`].
const CHUNKS: usize = (DURATION_MAX_NS.ilog2() - CHUNK_BITS + 2) as usize;

type Chunk = [AtomicU64; CHUNK_BUCKETS];

/// Counts durations in nanoseconds.
#[derive(Debug)]
pub(super) struct Histogram {
    chunks: [OnceLock<Box<Chunk>>; CHUNKS],
}

impl Default for Histogram {
    fn default() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS] }
    }
}

impl Histogram {
    /// Counts one duration; a longer one than an hour counts as an hour.
    #[inline]
    pub(super) fn record(&self, value_ns: u64, budget: &Budget) {
        let (index, bucket) = position(value_ns.min(DURATION_MAX_NS));
        let chunk = match self.chunks[index].get() {
            Some(chunk) => Some(&**chunk),
            None => self.make(index, budget),
        };
        match chunk {
            // Ordering: Relaxed, a figure that guards nothing.
            Some(chunk) => _ = chunk[bucket].fetch_add(1, Ordering::Relaxed),
            None => budget.durations_dropped.add(1),
        }
    }

    #[cold]
    fn make(&self, index: usize, budget: &Budget) -> Option<&Chunk> {
        let chunk = || Box::new([const { AtomicU64::new(0) }; CHUNK_BUCKETS]);
        budget.take(size_of::<Chunk>()).then(|| &**self.chunks[index].get_or_init(chunk))
    }

    /// Forgets what was counted and keeps the memory.
    pub(super) fn reset(&self) {
        for chunk in self.chunks.iter().filter_map(OnceLock::get) {
            for count in chunk.iter() {
                // Ordering: Relaxed, as in `record`; a count that comes in meanwhile may stay or go.
                count.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.chunks.iter().filter_map(OnceLock::get).count() * size_of::<Chunk>()
    }
}

/// The buckets of several histograms together that are not empty, ascending: highest value, count.
pub(super) fn buckets(histograms: &[&Histogram]) -> Vec<(u64, u64)> {
    let mut buckets = Vec::new();
    for index in 0..CHUNKS {
        let chunks = || histograms.iter().filter_map(|histogram| histogram.chunks[index].get());
        if chunks().next().is_none() {
            continue;
        }
        for bucket in 0..CHUNK_BUCKETS {
            // Ordering: Relaxed, as in `record`.
            let count =
                chunks().fold(0, |sum: u64, chunk| sum.saturating_add(chunk[bucket].load(Ordering::Relaxed)));
            if count != 0 {
                buckets.push((highest(index, bucket), count));
            }
        }
    }
    buckets
}

/// Chunk and bucket of a value up to [`DURATION_MAX_NS`].
#[inline]
fn position(value: u64) -> (usize, usize) {
    if value < CHUNK_BUCKETS as u64 {
        return (0, value as usize);
    }
    let shift = value.ilog2() - CHUNK_BITS;
    (shift as usize + 1, (value >> shift) as usize - CHUNK_BUCKETS)
}

/// The highest value of a bucket.
fn highest(chunk: usize, bucket: usize) -> u64 {
    match chunk.checked_sub(1) {
        None => bucket as u64,
        Some(shift) => (((CHUNK_BUCKETS + bucket + 1) as u64) << shift) - 1,
    }
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram as Oracle;
    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::Distribution;

    fn oracle(values: &[u64]) -> Oracle<u64> {
        let mut oracle = Oracle::new_with_bounds(1, DURATION_MAX_NS, 2).unwrap();
        for &value in values {
            oracle.saturating_record(value);
        }
        oracle
    }

    proptest! {
        #[test]
        fn agrees_with_hdrhistogram(values in prop::collection::vec(
            prop_oneof![0..300_u64, 0..1_000_000_u64, 0..DURATION_MAX_NS], 0..200
        )) {
            let (ours, budget) = (Histogram::default(), Budget::default());
            values.iter().for_each(|&value| ours.record(value, &budget));
            let ours = Distribution::from_buckets(buckets(&[&ours]));
            let theirs = Distribution::from(&oracle(&values));
            // They add in another order.
            prop_assert!((ours.mean - theirs.mean).abs() <= 1e-9 * theirs.mean, "{} {}", ours.mean, theirs.mean);
            prop_assert_eq!(Distribution { mean: 0.0, ..ours }, Distribution { mean: 0.0, ..theirs });
        }
    }

    #[test]
    fn every_edge_of_a_bucket_agrees_with_hdrhistogram() {
        let edges = (0..42).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        for value in edges.filter(|&value| value <= DURATION_MAX_NS) {
            let (ours, budget) = (Histogram::default(), Budget::default());
            ours.record(value, &budget);
            assert_eq!(buckets(&[&ours]), [(oracle(&[]).highest_equivalent(value), 1)], "{value}");
        }
    }

    #[test]
    fn absurd_durations_count_as_an_hour() {
        let (histogram, budget) = (Histogram::default(), Budget::default());
        histogram.record(u64::MAX, &budget);
        histogram.record(DURATION_MAX_NS, &budget);
        let found = buckets(&[&histogram]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].1, 2);
    }

    #[test]
    fn idle_takes_no_heap_and_reset_keeps_the_memory() {
        let (histogram, budget) = (Histogram::default(), Budget::default());
        assert_eq!(histogram.heap_bytes(), 0);
        histogram.record(1_000, &budget);
        assert_eq!(histogram.heap_bytes(), 1_024);
        histogram.reset();
        assert_eq!(buckets(&[&histogram]), []);
        assert_eq!(histogram.heap_bytes(), 1_024);
    }

    #[test]
    fn without_room_a_duration_is_counted_as_dropped() {
        let (histogram, budget) = (Histogram::default(), Budget::default());
        histogram.record(1_000, &budget);
        while budget.take(1 << 10) {}
        histogram.record(1_000, &budget);
        histogram.record(1_000_000, &budget);
        assert_eq!(buckets(&[&histogram]).iter().map(|&(_, count)| count).sum::<u64>(), 2);
        assert_eq!(budget.durations_dropped.get(), 1);
    }
}
