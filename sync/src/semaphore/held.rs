//! Permits of a [`Semaphore`] that somebody holds; they go back when dropped.

use std::fmt;
use std::sync::Arc;

use super::Semaphore;
use crate::trace::Hold;

/// Permits of a [`Semaphore`]; dropping it gives them back.
#[must_use = "the permits are given back as soon as this is dropped"]
#[clippy::has_significant_drop]
pub struct SemaphorePermit<'a> {
    pub(super) semaphore: &'a Semaphore,
    pub(super) n: usize,
    pub(super) hold: Hold,
}

/// Permits of a [`Semaphore`] with an `Arc` of it; dropping it gives them back.
#[must_use = "the permits are given back as soon as this is dropped"]
#[clippy::has_significant_drop]
pub struct OwnedSemaphorePermit {
    pub(super) semaphore: Arc<Semaphore>,
    pub(super) n: usize,
    pub(super) hold: Hold,
}

impl<'a> SemaphorePermit<'a> {
    /// Takes the permits out of circulation: the semaphore will not get them back.
    pub fn forget(mut self) {
        self.n = 0;
    }

    /// Adds the permits of `other` to these.
    ///
    /// # Panics
    ///
    /// If they are of another semaphore; `other`'s go back to it.
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        assert!(
            std::ptr::eq(self.semaphore, other.semaphore),
            "SemaphorePermit::merge: the {} permits are of another semaphore",
            other.n
        );
        self.n += std::mem::take(&mut other.n);
    }

    /// Takes `n` of these permits into one of their own; `None` if there are fewer.
    pub fn split(&mut self, n: usize) -> Option<Self> {
        self.n = self.n.checked_sub(n)?;
        Some(Self { semaphore: self.semaphore, n, hold: Hold::none() })
    }

    /// How many there are.
    pub fn num_permits(&self) -> usize {
        self.n
    }

    /// Whose they are.
    pub fn semaphore(&self) -> &'a Semaphore {
        self.semaphore
    }
}

impl OwnedSemaphorePermit {
    /// Takes the permits out of circulation: the semaphore will not get them back.
    pub fn forget(mut self) {
        self.n = 0;
    }

    /// Adds the permits of `other` to these.
    ///
    /// # Panics
    ///
    /// If they are of another semaphore; `other`'s go back to it.
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        assert!(
            Arc::ptr_eq(&self.semaphore, &other.semaphore),
            "OwnedSemaphorePermit::merge: the {} permits are of another semaphore",
            other.n
        );
        self.n += std::mem::take(&mut other.n);
    }

    /// Takes `n` of these permits into one of their own; `None` if there are fewer.
    pub fn split(&mut self, n: usize) -> Option<Self> {
        self.n = self.n.checked_sub(n)?;
        Some(Self { semaphore: Arc::clone(&self.semaphore), n, hold: Hold::none() })
    }

    /// How many there are.
    pub fn num_permits(&self) -> usize {
        self.n
    }

    /// Whose they are.
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }
}

impl Drop for SemaphorePermit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.give_back(self.n, &self.hold);
    }
}

impl Drop for OwnedSemaphorePermit {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.give_back(self.n, &self.hold);
    }
}

impl fmt::Debug for SemaphorePermit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SemaphorePermit").field("permits", &self.n).finish_non_exhaustive()
    }
}

impl fmt::Debug for OwnedSemaphorePermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedSemaphorePermit").field("permits", &self.n).finish_non_exhaustive()
    }
}
