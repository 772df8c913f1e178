//! A histogram that many threads write at once, without a lock.
//!
//! The buckets are those of an HdrHistogram with two significant digits and a unit of one nanosecond: 128 to
//! each power of two, so a value is known to 0.8 %. They are allocated a power of two at a time, on first use:
//! durations cluster, so a busy histogram takes some 10 KiB and an idle one nothing but the table of chunks.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

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

impl Histogram {
    pub(super) const fn new() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS] }
    }

    /// Counts one duration; a longer one than an hour counts as an hour.
    #[inline]
    pub(super) fn record(&self, value_ns: u64) {
        let (chunk, bucket) = position(value_ns.min(DURATION_MAX_NS));
        let chunk = self.chunks[chunk].get_or_init(|| Box::new([const { AtomicU64::new(0) }; CHUNK_BUCKETS]));
        // Ordering: Relaxed, a figure that guards nothing.
        chunk[bucket].fetch_add(1, Ordering::Relaxed);
    }

    /// The buckets that are not empty, ascending: highest value, count.
    pub(super) fn buckets(&self) -> Vec<(u64, u64)> {
        let mut buckets = Vec::new();
        for (index, chunk) in self.chunks.iter().enumerate() {
            let Some(chunk) = chunk.get() else { continue };
            for (bucket, count) in chunk.iter().enumerate() {
                // Ordering: Relaxed, as in `record`.
                let count = count.load(Ordering::Relaxed);
                if count != 0 {
                    buckets.push((highest(index, bucket), count));
                }
            }
        }
        buckets
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
            let ours = Histogram::new();
            values.iter().for_each(|&value| ours.record(value));
            let ours = Distribution::from_buckets(ours.buckets());
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
            let ours = Histogram::new();
            ours.record(value);
            assert_eq!(ours.buckets(), [(oracle(&[]).highest_equivalent(value), 1)], "{value}");
        }
    }

    #[test]
    fn absurd_durations_count_as_an_hour() {
        let histogram = Histogram::new();
        histogram.record(u64::MAX);
        histogram.record(DURATION_MAX_NS);
        let buckets = histogram.buckets();
        assert_eq!(buckets.len(), 1);
        assert_eq!(buckets[0].1, 2);
    }

    #[test]
    fn idle_takes_no_heap_and_reset_keeps_the_memory() {
        let histogram = Histogram::new();
        assert_eq!(histogram.heap_bytes(), 0);
        histogram.record(1_000);
        assert_eq!(histogram.heap_bytes(), 1_024);
        histogram.reset();
        assert_eq!(histogram.buckets(), []);
        assert_eq!(histogram.heap_bytes(), 1_024);
    }
}
