//! The errors, named as tokio names them.

use std::error::Error;
use std::fmt;

/// The mutex was locked or waited for. From `try_lock` and `try_lock_owned` of [`Mutex`](crate::Mutex), and `try_lock` of
/// [`Condition`](crate::Condition).
///
/// # Examples
///
/// ```
/// use sync::{Mutex, TryLockError};
///
/// fn increment(count: &Mutex<u64>) -> Result<(), TryLockError> {
///     *count.try_lock()? += 1;
///     Ok(())
/// }
///
/// let count = Mutex::new(0);
/// increment(&count).unwrap();
/// let guard = count.try_lock().unwrap();
/// println!("{}", increment(&count).unwrap_err());
/// assert_eq!(*guard, 1);
/// ```
#[derive(Debug)]
pub struct TryLockError(());

impl TryLockError {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

impl fmt::Display for TryLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the lock is held or waited for; await `lock` to take a turn")
    }
}

impl Error for TryLockError {}

/// The semaphore was closed. From the acquisitions of [`Semaphore`](crate::Semaphore) and
/// [`BoundedSemaphore`](crate::BoundedSemaphore) that may wait.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use sync::{AcquireError, Semaphore};
///
/// async fn serve(connections: &Semaphore) -> Result<(), AcquireError> {
///     let _permit = connections.acquire().await?;
///     Ok(())
/// }
///
/// let connections = Semaphore::new(1);
/// assert!(serve(&connections).await.is_ok());
/// connections.close();
/// assert!(serve(&connections).await.is_err());
/// # }
/// ```
#[derive(Debug)]
pub struct AcquireError(());

impl AcquireError {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the semaphore is closed")
    }
}

impl Error for AcquireError {}

/// The barrier was aborted, or reset while this waited. From the waits of [`Barrier`](crate::Barrier).
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use sync::{Barrier, BarrierError};
///
/// let barrier = Barrier::new(2);
/// let (waiter, ()) = tokio::join!(barrier.wait(), async { barrier.abort() });
/// let error: BarrierError = waiter.unwrap_err();
/// println!("{error}");
/// assert!(barrier.is_broken());
/// # }
/// ```
#[derive(Debug)]
pub struct BarrierError(());

impl BarrierError {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

impl fmt::Display for BarrierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the barrier was aborted or reset; call `reset` if it is broken, then let every party wait again",
        )
    }
}

impl Error for BarrierError {}

/// Why a `try_acquire` of [`Semaphore`](crate::Semaphore) or [`BoundedSemaphore`](crate::BoundedSemaphore) took nothing.
///
/// # Examples
///
/// ```
/// use sync::{Semaphore, TryAcquireError};
///
/// let semaphore = Semaphore::new(0);
/// match semaphore.try_acquire() {
///     Ok(_permit) => unreachable!("there is none"),
///     Err(TryAcquireError::NoPermits) => println!("later, perhaps"),
///     Err(TryAcquireError::Closed) => println!("never again"),
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub enum TryAcquireError {
    /// The semaphore was closed.
    Closed,
    /// Too few permits were free, or somebody was waiting already.
    NoPermits,
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the semaphore is closed",
            Self::NoPermits => "too few permits are free, or others wait; await `acquire` to take a turn",
        })
    }
}

impl Error for TryAcquireError {}

/// More permits were released than had been forgotten. From [`BoundedSemaphore::release`](crate::BoundedSemaphore::release).
///
/// # Examples
///
/// ```
/// use sync::{BoundedSemaphore, ReleaseError};
///
/// let semaphore = BoundedSemaphore::new(3);
/// semaphore.forget_permits(1);
/// let error: ReleaseError = semaphore.release(2).unwrap_err();
/// println!("{error}");
/// assert!(semaphore.release(1).is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReleaseError {
    asked: usize,
    forgotten: usize,
}

impl ReleaseError {
    pub(crate) const fn new(asked: usize, forgotten: usize) -> Self {
        Self { asked, forgotten }
    }
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, forgotten } = self;
        write!(
            f,
            "releasing {asked} permits would exceed the bound: only {forgotten} were forgotten; a permit that is dropped \
             comes back by itself"
        )
    }
}

impl Error for ReleaseError {}
