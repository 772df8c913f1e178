//! From when on something is an alert.

use std::time::Duration;

/// From when on something is an alert.
///
/// The defaults are meant to stay silent in a sound program. [`Duration::MAX`] switches an alert off.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// let mut thresholds = dashboard::Thresholds::default();
/// thresholds.long_wait = Duration::from_secs(2);
/// let collector = dashboard::Collector::new();
/// collector.set_thresholds(thresholds);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Thresholds {
    /// How long tasks have kept each other waiting. 1 s.
    ///
    /// Where a timeout ends such a wait, it should be longer than the timeout.
    pub deadlock: Duration,
    /// How long a task has not taken what it was granted though it runs, or has waited for what it holds itself. 5 s.
    ///
    /// A task that holds a lock in one branch of a `join!` and waits for it in another is told from that by time alone.
    pub futurelock: Duration,
    /// How long somebody has waited for a mutex or for permits that others hold. 10 s.
    pub long_wait: Duration,
    /// How long a mutex or permits were held while somebody waited for a tenth of that. 10 s.
    pub long_hold: Duration,
    /// How long a lock has been free, or a grant has not been taken, while tasks wait. 5 s.
    pub lost_wake_up: Duration,
    /// How long somebody has waited at least while others were served that came later. 1 s.
    pub starvation: Duration,
    /// How many times the 99th percentile of the waits that is. 10.
    pub starvation_factor: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            deadlock: Duration::from_secs(1),
            futurelock: Duration::from_secs(5),
            long_wait: Duration::from_secs(10),
            long_hold: Duration::from_secs(10),
            lost_wake_up: Duration::from_secs(5),
            starvation: Duration::from_secs(1),
            starvation_factor: 10.0,
        }
    }
}

/// A threshold as the collector's clock counts.
pub(super) fn ns(threshold: Duration) -> u64 {
    u64::try_from(threshold.as_nanos()).unwrap_or(u64::MAX)
}
