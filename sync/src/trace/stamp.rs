//! When: the clock of waits and holds, which is read only where somebody watches.

use std::sync::OnceLock;
use std::time::Instant;

use super::{is_watched, probed};
use crate::probe::Probe;

/// Nanoseconds since the first stamp of the process; zero when nobody was watching.
#[derive(Clone, Copy)]
pub(crate) struct Stamp(u64);

impl Stamp {
    pub(crate) const NONE: Self = Self(0);

    /// The time, if anybody watches waits: one relaxed load otherwise.
    #[inline]
    pub(crate) fn if_waits_are_watched() -> Self {
        if is_watched() { Self::now() } else { Self::NONE }
    }

    #[cold]
    pub(super) fn now() -> Self {
        Self(clock_ns().max(1))
    }

    /// The time by a probe that is at hand.
    #[inline]
    pub(super) fn by(probe: &dyn Probe) -> Self {
        Self(probed::clock_ns(probe).max(1))
    }

    /// Whether it was taken. What a node has before its grant was not, see [`Number`](super::Number).
    pub(super) fn is_taken(self) -> bool {
        self.0 != 0 && self.0 >> 63 == 0
    }

    #[inline(always)]
    pub(super) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    #[inline(always)]
    pub(super) fn to_bits(self) -> u64 {
        self.0
    }

    /// The later of the two.
    pub(super) fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// As a probe's own clock has it.
    pub(super) fn by_probe(self) -> u64 {
        probed::by_its_clock(self.0)
    }

    /// Nanoseconds from `earlier` until now; zero where either was not taken.
    pub(super) fn since(self, earlier: Self) -> u64 {
        if self.0 == 0 || earlier.0 == 0 { 0 } else { self.0.saturating_sub(earlier.0) }
    }
}

/// Nanoseconds since the first call: by the probe's clock where there is one, which may cost a third of the system's.
pub(crate) fn clock_ns() -> u64 {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    if let Some(probe) = probed::installed() {
        return probed::clock_ns(probe);
    }
    let since = Instant::now().saturating_duration_since(*ORIGIN.get_or_init(Instant::now));
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
