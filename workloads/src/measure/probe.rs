//! What is measured around an acquisition in each pass.
//!
//! The task loop is compiled once for each probe, so the loop of a throughput slot carries neither a clock
//! read nor a shared counter, nor a branch that asks whether it should.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::open_loop::{TaskPace, Timetable, at_once};
use crate::{Recorder, Stop};

/// What a probe is made of; one for each task of a slot.
pub(crate) struct Equipment {
    pub(crate) clock: fn() -> u64,
    /// Tasks of the slot that wait at this moment.
    pub(crate) waiting: Arc<AtomicU64>,
    pub(crate) recorder: Option<Box<dyn Recorder>>,
    /// In an open loop.
    pub(crate) timetable: Option<Timetable>,
}

/// What a probe found in its task.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) recorder: Option<Box<dyn Recorder>>,
    /// Sum and number of the queue depths seen.
    pub(crate) depth_sum: u64,
    pub(crate) depth_samples: u64,
    /// In an open loop.
    pub(crate) pace: Option<TaskPace>,
}

/// Looks on at each acquisition of one task.
pub(crate) trait Probe: Send + 'static {
    /// Whether laws may be watched with shared counters, because no throughput is taken from the slot.
    const WATCHES: bool;
    /// What is kept from the beginning of an acquisition to its end.
    type Start: Copy + Send;

    fn new(equipment: Equipment) -> Self;
    /// Waits until the next operation may begin: at once, or by the schedule of an open loop, which says `false`
    /// when the slot is over.
    #[inline]
    fn next_turn(&mut self, _stop: &Stop) -> impl Future<Output = bool> + Send {
        at_once()
    }
    /// An acquisition begins.
    fn begin(&mut self) -> Self::Start;
    /// Its first poll was pending: the task has joined the queue.
    fn joined(&mut self);
    /// The task that had joined has left the queue, granted or not.
    fn left(&mut self);
    /// The acquisition was granted.
    fn granted(&mut self, start: Self::Start);
    fn finish(self) -> Found;
}

/// Looks at nothing.
pub(crate) struct Throughput;

impl Probe for Throughput {
    const WATCHES: bool = false;
    type Start = ();

    fn new(_equipment: Equipment) -> Self {
        Self
    }

    #[inline(always)]
    fn begin(&mut self) {}

    #[inline(always)]
    fn joined(&mut self) {}

    #[inline(always)]
    fn left(&mut self) {}

    #[inline(always)]
    fn granted(&mut self, (): ()) {}

    fn finish(self) -> Found {
        Found::default()
    }
}

/// Times every acquisition and counts who waits.
pub(crate) struct Latency {
    equipment: Equipment,
    depth_sum: u64,
    depth_samples: u64,
}

impl Latency {
    pub(crate) fn sample_depth(&mut self) {
        // Ordering: Relaxed here and below, a statistic that guards no data.
        self.depth_sum += self.equipment.waiting.load(Ordering::Relaxed);
        self.depth_samples += 1;
    }
}

impl Probe for Latency {
    const WATCHES: bool = true;
    type Start = u64;

    fn new(equipment: Equipment) -> Self {
        Self { equipment, depth_sum: 0, depth_samples: 0 }
    }

    fn begin(&mut self) -> u64 {
        self.sample_depth();
        (self.equipment.clock)()
    }

    fn joined(&mut self) {
        self.equipment.waiting.fetch_add(1, Ordering::Relaxed);
    }

    fn left(&mut self) {
        self.equipment.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    fn granted(&mut self, start: u64) {
        let end = (self.equipment.clock)();
        if let Some(recorder) = &mut self.equipment.recorder {
            recorder.record(end.saturating_sub(start));
        }
    }

    fn finish(self) -> Found {
        Found {
            recorder: self.equipment.recorder,
            depth_sum: self.depth_sum,
            depth_samples: self.depth_samples,
            pace: None,
        }
    }
}
