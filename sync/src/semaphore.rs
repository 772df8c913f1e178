//! [`Semaphore`]: any number of permits. Those who hold them and those who wait have rooms of their own below.

mod futures;
mod held;

use std::fmt;
use std::sync::Arc;

use crate::error::TryAcquireError;
use crate::loom::const_fn;
use crate::permits::{Acquisition, Permits, Refusal, Taken};
use crate::statistics::SemaphoreStatistics;
use crate::trace::{Attempt, Hold, Kind, Label, Object, Request, Site};

pub use futures::{Acquire, AcquireOwned};
pub use held::{OwnedSemaphorePermit, SemaphorePermit};

/// A count of permits, for tasks. asyncio's `Semaphore`, with tokio's interface.
///
/// # Fairness
///
/// Strictly first in, first out in the order of grants, whatever the size of the requests: while a large request
/// is at the head, what comes in is kept for it, and smaller ones behind it wait. Permits that it still waits for
/// count as available.
///
/// # Memory ordering
///
/// What was done before a permit was given back happens before what is done by the one who gets it.
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

    /// Gives the semaphore a name, which its spans and the dashboard show.
    #[must_use = "the name is given to the semaphore that is returned"]
    pub const fn with_name(mut self, name: &'static str) -> Self {
        self.label.set_name(name);
        self
    }

    /// Permits that nobody holds now.
    pub fn available_permits(&self) -> usize {
        self.permits.available()
    }

    /// Adds `n` permits, and hands them to those who wait.
    ///
    /// # Panics
    ///
    /// If there would be more than [`MAX_PERMITS`](Self::MAX_PERMITS); the count stays as it was.
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        if self.permits.try_release(n).is_none() {
            panic!("Semaphore::add_permits({n}): more permits than Semaphore::MAX_PERMITS");
        }
    }

    /// Takes away up to `n` available permits for good. Returns how many there were to take.
    pub fn forget_permits(&self, n: usize) -> usize {
        self.permits.forget(n)
    }

    /// Acquires a permit, waiting for its turn.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up its place in the queue; permits that were granted to it meanwhile go to the
    /// next in the queue.
    ///
    /// # Errors
    ///
    /// [`AcquireError`](crate::AcquireError) if the semaphore is closed, or is while this waits.
    #[track_caller]
    #[inline]
    pub fn acquire(&self) -> Acquire<'_> {
        self.acquire_many(1)
    }

    /// Acquires `n` permits at once, waiting for its turn. Zero are ready at once.
    ///
    /// # Cancel safety
    ///
    /// As for [`acquire`](Self::acquire).
    ///
    /// # Errors
    ///
    /// As for [`acquire`](Self::acquire).
    #[track_caller]
    #[inline]
    pub fn acquire_many(&self, n: u32) -> Acquire<'_> {
        Acquire { semaphore: self, n, acquisition: Acquisition::new(Site::here()) }
    }

    /// As [`acquire`](Self::acquire), with a permit that owns an `Arc` of the semaphore.
    ///
    /// # Cancel safety
    ///
    /// As for [`acquire`](Self::acquire).
    ///
    /// # Errors
    ///
    /// As for [`acquire`](Self::acquire).
    #[track_caller]
    #[inline]
    pub fn acquire_owned(self: Arc<Self>) -> AcquireOwned {
        self.acquire_many_owned(1)
    }

    /// As [`acquire_many`](Self::acquire_many), with a permit that owns an `Arc` of the semaphore.
    ///
    /// # Cancel safety
    ///
    /// As for [`acquire`](Self::acquire).
    ///
    /// # Errors
    ///
    /// As for [`acquire`](Self::acquire).
    #[track_caller]
    #[inline]
    pub fn acquire_many_owned(self: Arc<Self>, n: u32) -> AcquireOwned {
        AcquireOwned { semaphore: Some(self), n, acquisition: Acquisition::new(Site::here()) }
    }

    /// Acquires a permit if one is free and nobody waits.
    ///
    /// # Errors
    ///
    /// [`TryAcquireError::NoPermits`] if that is not so, [`TryAcquireError::Closed`] if the semaphore is closed.
    #[track_caller]
    #[inline]
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Acquires `n` permits if they are free and nobody waits.
    ///
    /// # Errors
    ///
    /// As for [`try_acquire`](Self::try_acquire).
    #[track_caller]
    #[inline]
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        let hold = self.try_take(n, Site::here())?;
        Ok(SemaphorePermit { semaphore: self, n: n as usize, hold })
    }

    /// As [`try_acquire`](Self::try_acquire), with a permit that owns an `Arc` of the semaphore.
    ///
    /// # Errors
    ///
    /// As for [`try_acquire`](Self::try_acquire).
    #[track_caller]
    #[inline]
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// As [`try_acquire_many`](Self::try_acquire_many), with a permit that owns an `Arc` of the semaphore.
    ///
    /// # Errors
    ///
    /// As for [`try_acquire`](Self::try_acquire).
    #[track_caller]
    #[inline]
    pub fn try_acquire_many_owned(self: Arc<Self>, n: u32) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        let hold = self.try_take(n, Site::here())?;
        Ok(OwnedSemaphorePermit { semaphore: self, n: n as usize, hold })
    }

    /// Closes the semaphore: every wait, present and to come, ends with an error. What was granted before is kept,
    /// and permits may still be given back.
    pub fn close(&self) {
        self.permits.close();
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.permits.is_closed()
    }

    /// What can be said of it now. Counting the waiters takes the queue's lock for a moment.
    pub fn statistics(&self) -> SemaphoreStatistics {
        SemaphoreStatistics {
            available: self.available_permits(),
            waiting: self.permits.queue.len(),
            closed: self.is_closed(),
        }
    }

    #[inline]
    fn try_take(&self, n: u32, site: Site) -> Result<Hold, TryAcquireError> {
        let attempt = Attempt::begin(Request { object: self.object(), permits: n, site }, None);
        match self.permits.try_take(n) {
            Ok(()) => {
                let taken = Taken(&self.permits, n as usize);
                let hold = attempt.granted();
                taken.keep();
                Ok(hold)
            }
            Err(Refusal::Closed) => {
                attempt.closed();
                Err(TryAcquireError::Closed)
            }
            Err(Refusal::Busy) => {
                attempt.refused();
                Err(TryAcquireError::NoPermits)
            }
        }
    }

    #[inline]
    fn object(&self) -> Object<'_> {
        Object { kind: Kind::Semaphore, label: &self.label }
    }

    #[inline]
    fn give_back(&self, n: usize, hold: &Hold) {
        self.permits.give_back(n, self.object(), hold);
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.available_permits())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
