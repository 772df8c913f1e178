//! The collector's clock: the time stamp counter where the system trusts it, which costs a third of the system's clock.

use std::sync::LazyLock;

use fastant::Instant;

/// Nanoseconds since the collector first looked. Never past [`MAX_NS`].
#[inline]
pub(super) fn now_ns() -> u64 {
    static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    // Zero when the clock stepped back.
    let since = Instant::now().saturating_duration_since(*ORIGIN);
    u64::try_from(since.as_nanos()).unwrap_or(MAX_NS).min(MAX_NS)
}

/// 36 years: moments leave four bits of a word free.
pub(super) const MAX_NS: u64 = u64::MAX >> 4;
