//! Figures that several threads add to.

use std::sync::atomic::{AtomicU64, Ordering};

use super::hash;

/// A figure that several threads add to.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    #[inline]
    pub(super) fn add(&self, amount: u64) {
        // Ordering: Relaxed, here and below: a figure that guards nothing.
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// A sum that stays at its maximum: what is added comes from spans, and may be anything.
#[derive(Debug, Default)]
pub(super) struct SaturatingCounter(AtomicU64);

impl SaturatingCounter {
    #[inline]
    pub(super) fn add(&self, amount: u64) {
        // Ordering: Relaxed, here and below: a figure that guards nothing.
        let before = self.0.fetch_add(amount, Ordering::Relaxed);
        if before.checked_add(amount).is_none() {
            self.0.store(u64::MAX, Ordering::Relaxed);
        }
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// A counter that every span adds to: in stripes, so that threads do not share a cache line for it.
#[derive(Debug, Default)]
pub(super) struct StripedCounter([Stripe; 16]);

#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe(Counter);

impl StripedCounter {
    #[inline]
    pub(super) fn add(&self, span: u64) {
        self.0[(hash::mix(3, hash::place(span)) >> 60) as usize].0.add(1);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.iter().map(|stripe| stripe.0.get()).sum()
    }

    pub(super) fn reset(&self) {
        self.0.iter().for_each(|stripe| stripe.0.reset());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_stays_at_its_maximum() {
        let sum = SaturatingCounter::default();
        sum.add(u64::MAX);
        sum.add(2);
        assert_eq!(sum.get(), u64::MAX);
    }
}
