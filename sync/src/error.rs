//! The errors, named as tokio names them.

use std::error::Error;
use std::fmt;

/// The mutex was locked or waited for. From `try_lock` and `try_lock_owned`.
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

/// The semaphore was closed. From its waiting acquisitions.
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

/// The barrier was aborted, or reset while this waited. From its waits.
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

/// Why a `try_acquire` took nothing.
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
