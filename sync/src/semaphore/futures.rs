//! The futures that wait for permits of a [`Semaphore`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use crate::error::AcquireError;
use crate::permits::Acquisition;

/// Future of [`Semaphore::acquire`] and [`Semaphore::acquire_many`].
#[must_use = "futures do nothing unless they are polled"]
pub struct Acquire<'a> {
    pub(super) semaphore: &'a Semaphore,
    pub(super) acquisition: Acquisition,
}

impl<'a> Future for Acquire<'a> {
    type Output = Result<SemaphorePermit<'a>, AcquireError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out; `acquisition` is pinned with us, and our destructor cancels it.
        let this = unsafe { self.get_unchecked_mut() };
        let semaphore = this.semaphore;
        // SAFETY: as above; it is the same semaphore each time.
        match unsafe { this.acquisition.poll(&semaphore.permits, semaphore.object(), cx) } {
            Poll::Ready(Ok(hold)) => {
                Poll::Ready(Ok(SemaphorePermit { semaphore, n: this.acquisition.n() as usize, hold }))
            }
            Poll::Ready(Err(_)) => Poll::Ready(Err(AcquireError::new())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for Acquire<'_> {
    #[inline]
    fn drop(&mut self) {
        self.acquisition.cancel(&self.semaphore.permits);
    }
}

impl fmt::Debug for Acquire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").field("permits", &self.acquisition.n()).finish_non_exhaustive()
    }
}

/// Future of [`Semaphore::acquire_owned`] and [`Semaphore::acquire_many_owned`].
#[must_use = "futures do nothing unless they are polled"]
pub struct AcquireOwned {
    /// `None` once the permit has it.
    pub(super) semaphore: Option<Arc<Semaphore>>,
    pub(super) acquisition: Acquisition,
}

impl Future for AcquireOwned {
    type Output = Result<OwnedSemaphorePermit, AcquireError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: only the `Arc` is moved out, which is not pinned; `acquisition` is, and our destructor cancels it.
        let this = unsafe { self.get_unchecked_mut() };
        // It stays in its place while foreign code may unwind: the destructor needs it.
        let semaphore = this.semaphore.as_ref().expect("an acquisition was polled after it was ready");
        // SAFETY: as above; it is the same semaphore each time.
        match unsafe { this.acquisition.poll(&semaphore.permits, semaphore.object(), cx) } {
            Poll::Ready(Ok(hold)) => {
                let semaphore = this.semaphore.take().expect("it was there a moment ago");
                Poll::Ready(Ok(OwnedSemaphorePermit { semaphore, n: this.acquisition.n() as usize, hold }))
            }
            Poll::Ready(Err(_)) => Poll::Ready(Err(AcquireError::new())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for AcquireOwned {
    #[inline]
    fn drop(&mut self) {
        if let Some(semaphore) = &self.semaphore {
            self.acquisition.cancel(&semaphore.permits);
        }
    }
}

impl fmt::Debug for AcquireOwned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireOwned").field("permits", &self.acquisition.n()).finish_non_exhaustive()
    }
}
