//! The memory that figures may take, in all rows together.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::counter::Counter;
use super::limits::FIGURES_BYTES;

/// Counts what figures took, and what there was no room for.
#[derive(Debug, Default)]
pub(super) struct Budget {
    taken: AtomicUsize,
    /// Durations that no histogram had room for.
    pub(super) durations_dropped: Counter,
}

impl Budget {
    /// Takes room for a part of a histogram, if there is any left.
    pub(super) fn take(&self, bytes: usize) -> bool {
        // Ordering: Relaxed, here and below: a figure that guards nothing.
        let fits = self.taken.load(Ordering::Relaxed).saturating_add(bytes) <= FIGURES_BYTES;
        if fits {
            self.take_anyway(bytes);
        }
        fits
    }

    /// Takes room for what has a bound of its own.
    pub(super) fn take_anyway(&self, bytes: usize) {
        self.taken.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether more than half is taken, so that threads had better share.
    pub(super) fn is_scarce(&self) -> bool {
        self.taken.load(Ordering::Relaxed) > FIGURES_BYTES / 2
    }
}
