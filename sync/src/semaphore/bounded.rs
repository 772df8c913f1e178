//! [`BoundedSemaphore`]: a [`Semaphore`] that knows how many permits it was made with.
//!
//! Every permit is in one of three places: free, held (which a grant on its way to its waiter is too), or forgotten.
//! Acquiring and giving back move it between the first two and so cannot change the sum; only the third is counted
//! apart, off the free paths. What may be released is what was forgotten, and is taken out of that count before it comes
//! in, so that at every moment
//!
//! - **B1.** free + held + forgotten ≤ bound, with permits in the middle of `forget` or `release` in none of the three.
//!
//! Hence `release(n)` succeeds if and only if free + held + n ≤ bound at the moment at which it takes `n` out of the
//! forgotten ones; a permit that is just being forgotten still counts as held.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::acquiring::{acquiring_methods, assert_within_max};
use super::{BoundedAcquire, BoundedAcquireOwned, BoundedPermit, OwnedBoundedPermit, Semaphore};
use crate::blocking;
use crate::error::{AcquireError, ReleaseError, TryAcquireError};
use crate::loom::{AtomicUsize, const_fn};
use crate::permits::{Acquisition, Permits};
use crate::statistics::BoundedSemaphoreStatistics;
use crate::trace::{self, Hold, Object, Site};

/// A [`Semaphore`] that never has more permits than it was made with. asyncio's `BoundedSemaphore`.
///
/// A permit comes back by itself when it is dropped, so there is little to release: only permits that were forgotten,
/// and [`release`](Self::release) says so where there are none, instead of letting the limit creep up.
///
/// The rest is as with [`Semaphore`], except that there is no `add_permits`, and that its permits are types of their own.
///
/// # Cancel safety
///
/// As for [`Semaphore`].
///
/// # Fairness
///
/// As for [`Semaphore`]; permits that are released go to the longest waiter.
///
/// # Memory ordering
///
/// As for [`Semaphore`]. What was done before a permit was forgotten happens before what is done by the one who gets it
/// after its [`release`](Self::release).
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use sync::BoundedSemaphore;
///
/// static CONNECTIONS: BoundedSemaphore = BoundedSemaphore::new(8).with_name("connections");
///
/// // A connection that is handed to somebody who will close it takes its permit along,
/// CONNECTIONS.acquire().await.expect("never closed").forget();
/// assert_eq!(CONNECTIONS.available_permits(), 7);
/// // and who closes it brings the permit back, once.
/// assert!(CONNECTIONS.release(1).is_ok());
/// assert!(CONNECTIONS.release(1).is_err());
/// assert_eq!(CONNECTIONS.available_permits(), CONNECTIONS.bound());
/// # }
/// ```
pub struct BoundedSemaphore {
    semaphore: Semaphore,
    bound: usize,
    /// Permits that may be released (B1). Not part of the word that free calls change.
    forgotten: AtomicUsize,
}

impl BoundedSemaphore {
    /// Permits that a semaphore can have at most: [`Semaphore::MAX_PERMITS`].
    pub const MAX_PERMITS: usize = Semaphore::MAX_PERMITS;

    const_fn! {
        /// Makes a semaphore of `permits`, which is its bound.
        ///
        /// # Panics
        ///
        /// If `permits` is more than [`MAX_PERMITS`](Self::MAX_PERMITS).
        #[track_caller]
        pub fn new(permits: usize) -> Self {
            assert!(
                permits <= Self::MAX_PERMITS,
                "BoundedSemaphore::new: more permits than BoundedSemaphore::MAX_PERMITS"
            );
            Self { semaphore: Semaphore::new(permits), bound: permits, forgotten: AtomicUsize::new(0) }
        }
    }

    const_fn! {
        /// As [`new`](Self::new), which is `const` too; here because [`Semaphore`] has it.
        ///
        /// # Panics
        ///
        /// If `permits` is more than [`MAX_PERMITS`](Self::MAX_PERMITS).
        #[track_caller]
        pub fn const_new(permits: usize) -> Self {
            Self::new(permits)
        }
    }

    /// Gives the semaphore a name, which its spans and the dashboard show. Without the feature `tracing` it is not kept.
    #[must_use = "the name is given to the semaphore that is returned"]
    pub const fn with_name(mut self, name: &'static str) -> Self {
        self.semaphore.label.set_name(name);
        self
    }

    /// Permits that it was made with, and never has more of.
    pub fn bound(&self) -> usize {
        self.bound
    }

    /// Puts `n` permits back that were forgotten, and hands them to those who wait.
    ///
    /// # Errors
    ///
    /// [`ReleaseError`] if fewer than `n` were forgotten, so that there would be more permits than the
    /// [`bound`](Self::bound), free and held ones together. Everything stays as it was.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = sync::BoundedSemaphore::new(2);
    /// let held = semaphore.try_acquire().unwrap();
    /// // It comes back when it is dropped, so it must not be released too.
    /// assert!(semaphore.release(1).is_err());
    /// held.forget();
    /// assert!(semaphore.release(1).is_ok());
    /// assert_eq!(semaphore.available_permits(), 2);
    /// ```
    pub fn release(&self, n: usize) -> Result<(), ReleaseError> {
        // Ordering: Acquire pairs with the Release of `note_forgotten`: what was done before a permit was forgotten
        // happens before what is done by the one who gets it.
        self.forgotten
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |forgotten| forgotten.checked_sub(n))
            .map_err(|forgotten| ReleaseError::new(n, forgotten))?;
        // B1: they fit, as the bound does.
        self.semaphore.permits.release(n);
        trace::left(self.object(), || self.semaphore.permits.available());
        Ok(())
    }

    /// Takes away up to `n` available permits, until they are [`release`](Self::release)d. Returns how many there were
    /// to take. So the limit can be lowered for a while.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = sync::BoundedSemaphore::new(8);
    /// assert_eq!(semaphore.forget_permits(6), 6);
    /// assert_eq!(semaphore.available_permits(), 2);
    /// semaphore.release(6).unwrap();
    /// assert_eq!(semaphore.available_permits(), semaphore.bound());
    /// ```
    pub fn forget_permits(&self, n: usize) -> usize {
        let gone = self.semaphore.forget_permits(n);
        self.note_forgotten(gone);
        gone
    }

    /// What can be said of it now. Counting the waiters takes the queue's lock for a moment.
    ///
    /// # Examples
    ///
    /// ```
    /// let statistics = sync::BoundedSemaphore::new(3).statistics();
    /// assert_eq!((statistics.available, statistics.bound), (3, 3));
    /// ```
    pub fn statistics(&self) -> BoundedSemaphoreStatistics {
        let of = self.semaphore.statistics();
        BoundedSemaphoreStatistics {
            available: of.available,
            waiting: of.waiting,
            closed: of.closed,
            bound: self.bound,
        }
    }

    /// Counts permits that are neither free nor held any more.
    #[inline]
    pub(super) fn note_forgotten(&self, n: usize) {
        // Ordering: Release pairs with the Acquire of `release`. It cannot overflow (B1).
        self.forgotten.fetch_add(n, Ordering::Release);
    }

    #[inline]
    pub(super) fn permits(&self) -> &Permits {
        &self.semaphore.permits
    }

    #[inline]
    pub(super) fn object(&self) -> Object<'_> {
        self.semaphore.object()
    }

    #[inline]
    pub(super) fn owned_object(&self) -> Object<'_> {
        self.semaphore.owned_object()
    }

    #[inline]
    pub(super) fn give_back(&self, n: usize, hold: &Hold) {
        self.semaphore.give_back(n, hold);
    }

    #[inline]
    fn try_take(&self, n: u32, site: Site) -> Result<Hold, TryAcquireError> {
        self.semaphore.try_take(n, site)
    }
}

acquiring_methods!(BoundedSemaphore, BoundedPermit, OwnedBoundedPermit, BoundedAcquire, BoundedAcquireOwned);

impl fmt::Debug for BoundedSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedSemaphore")
            .field("available", &self.available_permits())
            .field("bound", &self.bound)
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
