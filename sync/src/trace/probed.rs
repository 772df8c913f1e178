//! The probe, as spans and stamps ask for it.

use std::sync::atomic::Ordering;

use crate::probe::{AHEAD_NS, INSTALLED, Probe};

/// The probe, if there is one. One load.
#[inline]
pub(super) fn installed() -> Option<&'static dyn Probe> {
    // Ordering: Acquire pairs with the Release in `probe::install`.
    let installed = INSTALLED.load(Ordering::Acquire);
    // SAFETY: P1.
    unsafe { installed.as_ref() }.map(|installed| installed.probe)
}

/// The time by the probe's clock, as if it had been the clock from the beginning.
#[inline]
pub(super) fn clock_ns(probe: &dyn Probe) -> u64 {
    probe.now_ns().wrapping_add(ahead_ns())
}

/// What a [`clock_ns`] is by the probe's own clock.
#[inline]
pub(super) fn by_its_clock(clock_ns: u64) -> u64 {
    clock_ns.wrapping_sub(ahead_ns())
}

#[inline]
fn ahead_ns() -> u64 {
    // Ordering: Relaxed, see `probe::install`.
    AHEAD_NS.load(Ordering::Relaxed)
}
