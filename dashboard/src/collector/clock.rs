//! The collector's clock: the time stamp counter where the system trusts it, which costs a third of the system's clock.

use std::sync::LazyLock;

use fastant::{Anchor, Instant};

/// A moment of the clock, and its own name for it.
struct Origin {
    anchor: Anchor,
    ns: u64,
}

/// Nanoseconds since the collector first looked. Never past [`MAX_NS`].
#[inline]
pub(super) fn now_ns() -> u64 {
    static ORIGIN: LazyLock<Origin> = LazyLock::new(|| {
        let anchor = Anchor::new();
        // What is asked of the anchor is one multiplication; a `Duration` would be taken apart again.
        Origin { ns: Instant::now().as_unix_nanos(&anchor), anchor }
    });
    // Zero when the clock stepped back.
    Instant::now().as_unix_nanos(&ORIGIN.anchor).saturating_sub(ORIGIN.ns).min(MAX_NS)
}

/// 36 years: moments leave four bits of a word free.
pub(super) const MAX_NS: u64 = u64::MAX >> 4;
