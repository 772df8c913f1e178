//! Takes the waits of a latency slot without allocating, whatever the number of tasks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hdrhistogram::Histogram;
use workloads::Recorder;

/// The longest wait that is told apart: an hour.
const LONGEST_WAIT_NS: u64 = 3_600_000_000_000;
/// Three digits: a percentile is off by a thousandth at most.
const SIGNIFICANT_DIGITS: u8 = 3;
/// Histograms that the tasks share. A histogram for each of a million tasks would not fit into memory; with
/// more shards than workers, two tasks seldom meet at one.
const SHARDS: usize = 32;

/// A histogram of waits as all of this program uses it.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_WAIT_NS, SIGNIFICANT_DIGITS)
        .expect("constant bounds of an hour and three digits are valid")
}

/// The histograms behind the recorders of a slot; they serve one slot after the other.
#[derive(Debug)]
pub(crate) struct Shards(Vec<Arc<Mutex<Histogram<u64>>>>);

struct ShardRecorder(Arc<Mutex<Histogram<u64>>>);

impl Shards {
    pub(crate) fn new() -> Self {
        Self((0..SHARDS).map(|_| Arc::new(Mutex::new(histogram()))).collect())
    }

    /// One recorder for each task.
    pub(crate) fn recorders(&self, tasks: usize) -> Vec<Box<dyn Recorder>> {
        (0..tasks).map(|task| Box::new(ShardRecorder(Arc::clone(&self.0[task % SHARDS]))) as Box<_>).collect()
    }

    /// What was recorded since the last call.
    pub(crate) fn take(&self) -> Histogram<u64> {
        let mut all = histogram();
        for shard in &self.0 {
            let mut shard = lock(shard);
            all.add(&*shard).expect("histograms of the same bounds can be added");
            shard.reset();
        }
        all
    }
}

impl Recorder for ShardRecorder {
    fn record(&mut self, wait_ns: u64) {
        lock(&self.0).saturating_record(wait_ns);
    }
}

/// A task that panics while it records leaves a whole histogram behind.
fn lock(shard: &Mutex<Histogram<u64>>) -> MutexGuard<'_, Histogram<u64>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_recorded_once_and_the_next_slot_starts_empty() {
        let shards = Shards::new();
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
        let shards = Shards::new();
        shards.recorders(1)[0].record(u64::MAX);
        assert_eq!(shards.take().len(), 1);
    }
}
