//! The futures that wait for permits of a [`Semaphore`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use crate::error::AcquireError;
use crate::permits::{Acquisition, Polled};
use crate::trace::Hold;

/// Future of [`Semaphore::acquire`] and [`Semaphore::acquire_many`].
#[must_use = "futures do nothing unless they are polled"]
pub struct Acquire<'a> {
    pub(super) semaphore: &'a Semaphore,
    pub(super) n: u32,
    pub(super) acquisition: Acquisition,
}

impl<'a> Future for Acquire<'a> {
    type Output = Result<SemaphorePermit<'a>, AcquireError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out; `acquisition` is pinned with us, and our destructor cancels it.
        let this = unsafe { self.get_unchecked_mut() };
        let (semaphore, n) = (this.semaphore, this.n);
        if this.acquisition.may_take_free() && semaphore.permits.take_free(n) {
            this.acquisition.took_free();
            return Poll::Ready(Ok(SemaphorePermit { semaphore, n: n as usize, hold: Hold::none() }));
        }
        // SAFETY: as above; it is the same semaphore and number each time.
        match unsafe { this.acquisition.poll(&semaphore.permits, semaphore.object(), n, cx.waker()) } {
            Polled::Granted(hold) => Poll::Ready(Ok(SemaphorePermit { semaphore, n: n as usize, hold })),
            Polled::Closed => Poll::Ready(Err(AcquireError::new())),
            Polled::Pending => Poll::Pending,
        }
    }
}

impl Drop for Acquire<'_> {
    #[inline]
    fn drop(&mut self) {
        self.acquisition.cancel(&self.semaphore.permits, self.n);
    }
}

impl fmt::Debug for Acquire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").field("permits", &self.n).finish_non_exhaustive()
    }
}

/// Future of [`Semaphore::acquire_owned`] and [`Semaphore::acquire_many_owned`].
#[must_use = "futures do nothing unless they are polled"]
pub struct AcquireOwned {
    /// `None` once the permit has it.
    pub(super) semaphore: Option<Arc<Semaphore>>,
    pub(super) n: u32,
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
        let hold = if this.acquisition.may_take_free() && semaphore.permits.take_free(this.n) {
            this.acquisition.took_free();
            Hold::none()
        } else {
            // SAFETY: as above; it is the same semaphore and number each time.
            match unsafe { this.acquisition.poll(&semaphore.permits, semaphore.object(), this.n, cx.waker()) }
            {
                Polled::Granted(hold) => hold,
                Polled::Closed => return Poll::Ready(Err(AcquireError::new())),
                Polled::Pending => return Poll::Pending,
            }
        };
        let semaphore = this.semaphore.take().expect("it was there a moment ago");
        Poll::Ready(Ok(OwnedSemaphorePermit { semaphore, n: this.n as usize, hold }))
    }
}

impl Drop for AcquireOwned {
    #[inline]
    fn drop(&mut self) {
        if let Some(semaphore) = &self.semaphore {
            self.acquisition.cancel(&semaphore.permits, self.n);
        }
    }
}

impl fmt::Debug for AcquireOwned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireOwned").field("permits", &self.n).finish_non_exhaustive()
    }
}
