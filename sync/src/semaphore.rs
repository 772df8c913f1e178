//! [`Semaphore`]: any number of permits. Those who hold them and those who wait have rooms of their own below.

mod acquiring;
mod bounded;
mod futures;
mod held;

use std::fmt;
use std::sync::Arc;

use crate::blocking;
use crate::error::{AcquireError, TryAcquireError};
use crate::loom::const_fn;
use crate::permits::{Acquisition, Permits, Refusal};
use crate::statistics::SemaphoreStatistics;
use crate::trace::{self, Form, Hold, Label, Object, Request, Site};

use acquiring::{acquiring_methods, assert_within_max};
pub use bounded::BoundedSemaphore;
pub use futures::{Acquire, AcquireOwned, BoundedAcquire, BoundedAcquireOwned};
pub use held::{BoundedPermit, OwnedBoundedPermit, OwnedSemaphorePermit, SemaphorePermit};

/// A count of permits, for tasks. asyncio's `Semaphore`, with tokio's interface.
///
/// A task that has acquired permits keeps them until it drops them, and whoever finds too few waits. To bound how many do
/// something at a time, make it with that many permits; to hand out permits as they come about (a rate, items of a
/// queue), begin with none and [`add_permits`](Self::add_permits). Where the number must never grow past that at the
/// beginning, [`BoundedSemaphore`] sees to it.
///
/// # Cancel safety
///
/// Every wait may be dropped at any point; see [the guide](crate::guide::cancel_safety).
/// # Fairness
///
/// Strictly first in, first out in the order of grants, whatever the size of the requests: while a large request
/// is at the head, what comes in is kept for it, and smaller ones behind it wait. Permits that it still waits for
/// count as available. See [the guide](crate::guide::fairness).
///
/// # Memory ordering
///
/// What was done before a permit was given back happens before what is done by the one who gets it. See
/// [the guide](crate::guide::memory_ordering).
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use sync::Semaphore;
///
/// // At most ten downloads at a time.
/// static DOWNLOADS: Semaphore = Semaphore::const_new(10).with_name("downloads");
///
/// let permit = DOWNLOADS.acquire().await.expect("never closed");
/// assert_eq!(DOWNLOADS.available_permits(), 9);
/// drop(permit);
/// assert_eq!(DOWNLOADS.available_permits(), 10);
/// # }
/// ```
pub struct Semaphore {
    permits: Permits,
    label: Label,
}

impl Semaphore {
    /// Permits that a semaphore can have at most: an eighth of `usize`, as with tokio.
    pub const MAX_PERMITS: usize = Permits::MAX;

    const_fn! {
        /// Makes a semaphore of `permits`; with none, acquiring waits for [`add_permits`](Self::add_permits).
        ///
        /// # Panics
        ///
        /// If `permits` is more than [`MAX_PERMITS`](Self::MAX_PERMITS).
        #[track_caller]
        pub fn new(permits: usize) -> Self {
            assert!(permits <= Self::MAX_PERMITS, "Semaphore::new: more permits than Semaphore::MAX_PERMITS");
            Self { permits: Permits::new(permits), label: Label::new() }
        }
    }

    const_fn! {
        /// As [`new`](Self::new), which is `const` too; here because tokio has it.
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
        self.label.set_name(name);
        self
    }

    /// Adds `n` permits, and hands them to those who wait.
    ///
    /// The limit is checked for permits that are available, as those that are held are not counted. Where adding
    /// leaves less room below it than is held, the permits that no longer fit are lost when they are given back.
    ///
    /// # Panics
    ///
    /// If more than [`MAX_PERMITS`](Self::MAX_PERMITS) would be available; the count stays as it was.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use std::sync::Arc;
    /// use sync::Semaphore;
    ///
    /// // A permit for each item that there is.
    /// let items = Arc::new(Semaphore::new(0));
    /// let consumer = tokio::spawn({
    ///     let items = Arc::clone(&items);
    ///     async move { items.acquire_many(2).await.unwrap().forget() }
    /// });
    /// items.add_permits(3);
    /// consumer.await.unwrap();
    /// assert_eq!(items.available_permits(), 1);
    /// # }
    /// ```
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        if self.permits.try_release(n).is_none() {
            panic!("Semaphore::add_permits({n}): more permits than Semaphore::MAX_PERMITS");
        }
        trace::left(self.object(), || self.permits.available());
    }

    /// Takes away up to `n` available permits for good. Returns how many there were to take.
    ///
    /// Permits that are held stay; to take those, [`forget`](SemaphorePermit::forget) them.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = sync::Semaphore::new(3);
    /// assert_eq!(semaphore.forget_permits(2), 2);
    /// assert_eq!(semaphore.forget_permits(2), 1);
    /// assert_eq!(semaphore.available_permits(), 0);
    /// ```
    pub fn forget_permits(&self, n: usize) -> usize {
        let gone = self.permits.forget(n);
        trace::left(self.object(), || self.permits.available());
        gone
    }

    /// What can be said of it now. Counting the waiters takes the queue's lock for a moment.
    ///
    /// # Examples
    ///
    /// ```
    /// let statistics = sync::Semaphore::new(3).statistics();
    /// assert_eq!((statistics.available, statistics.waiting, statistics.closed), (3, 0, false));
    /// ```
    pub fn statistics(&self) -> SemaphoreStatistics {
        SemaphoreStatistics {
            available: self.available_permits(),
            waiting: self.permits.queue.len(),
            closed: self.is_closed(),
        }
    }

    #[inline]
    fn try_take(&self, n: u32, site: Site) -> Result<Hold, TryAcquireError> {
        let taken = if trace::is_verbose() {
            self.permits.try_take_watched(Request { object: self.object(), permits: n, lock: None, site })
        } else {
            self.permits.try_take(n).map(|()| Hold::none())
        };
        taken.map_err(|refusal| match refusal {
            Refusal::Closed => TryAcquireError::Closed,
            Refusal::Busy => TryAcquireError::NoPermits,
        })
    }

    #[inline]
    fn permits(&self) -> &Permits {
        &self.permits
    }

    #[inline]
    fn object(&self) -> Object<'_> {
        Object { form: Form::Semaphore, label: &self.label }
    }

    /// As an owned permit is asked of it.
    #[inline]
    fn owned_object(&self) -> Object<'_> {
        Object { form: Form::OwnedSemaphore, label: &self.label }
    }

    #[inline]
    fn give_back(&self, n: usize, hold: &Hold) {
        self.permits.give_back(n, self.object(), hold);
    }

    /// Nobody asks a semaphore without a bound what it has lost.
    #[inline]
    fn note_forgotten(&self, _n: usize) {}
}

acquiring_methods!(Semaphore, SemaphorePermit, OwnedSemaphorePermit, Acquire, AcquireOwned);

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.available_permits())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
