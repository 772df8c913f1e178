//! Recordings: the durations of each interval as HdrHistogram interval logs in a folder, and what was written read back.
//!
//! ```text
//! Recorder ─▶ snapshot ─▶ totals ─▶ what is new ─▶ file (.hlog) ─▶ folder     a thread of its own, within limits
//! Recording ◀── folder ◀── file ◀── any of the files, of this program or another
//! ```
//! A file is a log as `HistogramLogProcessor` and the readers of its many ports take it: a line for each interval, primitive and
//! metric, tagged `metric/primitive/name`, in nanoseconds. It knows snapshots and nothing of the collector behind them.

mod file;
mod folder;
mod past;
mod recorder;
mod sums;
mod tag;
mod totals;

use std::time::Duration;

pub use self::past::{Past, PastPrimitive, Problem, Recording};
pub use self::recorder::Recorder;

/// How often a recording is written, and how much of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordingLimits {
    /// Time between two writes, which a crash loses at most; 10 s, and 100 ms at least.
    pub interval: Duration,
    /// Bytes of a file, after which another is begun; 8 MiB, and a quarter of `total_bytes` at most.
    pub file_bytes: u64,
    /// Bytes of all recorded files in the folder, of which the oldest are removed; 256 MiB, and 64 KiB at least.
    pub total_bytes: u64,
}

impl Default for RecordingLimits {
    fn default() -> Self {
        Self { interval: Duration::from_secs(10), file_bytes: 8 << 20, total_bytes: 256 << 20 }
    }
}

impl RecordingLimits {
    /// What is out of range, brought into it.
    fn bounded(self) -> Self {
        let total_bytes = self.total_bytes.max(64 << 10);
        Self {
            interval: self.interval.max(Duration::from_millis(100)),
            file_bytes: self.file_bytes.clamp(1, total_bytes / 4),
            total_bytes,
        }
    }
}

#[cfg(test)]
mod tests;
