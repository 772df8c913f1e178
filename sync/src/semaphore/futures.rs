//! The futures that wait for permits, of either semaphore.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{
    BoundedPermit, BoundedSemaphore, OwnedBoundedPermit, OwnedSemaphorePermit, Semaphore, SemaphorePermit,
};
use crate::coop;
use crate::error::AcquireError;
use crate::permits::{Acquisition, Polled};
use crate::trace::Hold;

/// Makes a future that borrows its semaphore.
macro_rules! borrowing_future {
    ($(#[$doc:meta])* $Acquire:ident, $Semaphore:ident, $Permit:ident) => {
        $(#[$doc])*
        #[must_use = "futures do nothing unless they are polled"]
        pub struct $Acquire<'a> {
            pub(super) semaphore: &'a $Semaphore,
            pub(super) n: u32,
            pub(super) acquisition: Acquisition,
        }

        impl<'a> Future for $Acquire<'a> {
            type Output = Result<$Permit<'a>, AcquireError>;

            #[inline]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                // SAFETY: nothing is moved out; `acquisition` is pinned with us, and our destructor cancels it.
                let this = unsafe { self.get_unchecked_mut() };
                let (semaphore, n) = (this.semaphore, this.n);
                let Poll::Ready(budget) = coop::poll_proceed(cx) else {
                    let (permits, object) = (semaphore.permits(), semaphore.object());
                    // SAFETY: as above; it is the same semaphore and number each time.
                    let closed = unsafe { this.acquisition.poll_without_budget(permits, object, n, cx.waker()) };
                    return if closed { Poll::Ready(Err(AcquireError::new())) } else { Poll::Pending };
                };
                if this.acquisition.may_take_free() && semaphore.permits().take_free(n) {
                    this.acquisition.took_free();
                    budget.made_progress();
                    return Poll::Ready(Ok($Permit { semaphore, n: n as usize, hold: Hold::none() }));
                }
                // SAFETY: as above; it is the same semaphore and number each time.
                match unsafe { this.acquisition.poll(semaphore.permits(), semaphore.object(), n, cx.waker()) } {
                    Polled::Granted(hold) => {
                        budget.made_progress();
                        Poll::Ready(Ok($Permit { semaphore, n: n as usize, hold }))
                    }
                    Polled::Closed => Poll::Ready(Err(AcquireError::new())),
                    Polled::Pending => Poll::Pending,
                }
            }
        }

        impl Drop for $Acquire<'_> {
            #[inline]
            fn drop(&mut self) {
                self.acquisition.cancel(self.semaphore.permits(), self.n);
            }
        }

        impl fmt::Debug for $Acquire<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut d = f.debug_struct(stringify!($Acquire));
                d.field("permits", &self.n).finish_non_exhaustive()
            }
        }
    };
}

/// Makes a future that owns an `Arc` of its semaphore.
macro_rules! owning_future {
    ($(#[$doc:meta])* $Acquire:ident, $Semaphore:ident, $Permit:ident) => {
        $(#[$doc])*
        #[must_use = "futures do nothing unless they are polled"]
        pub struct $Acquire {
            /// `None` once the permit has it.
            pub(super) semaphore: Option<Arc<$Semaphore>>,
            pub(super) n: u32,
            pub(super) acquisition: Acquisition,
        }

        impl Future for $Acquire {
            type Output = Result<$Permit, AcquireError>;

            #[inline]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                // SAFETY: only the `Arc` is moved out, which is not pinned; `acquisition` is, and our destructor
                // cancels it.
                let this = unsafe { self.get_unchecked_mut() };
                // It stays in its place while foreign code may unwind: the destructor needs it.
                let semaphore = this.semaphore.as_ref().expect("an acquisition was polled after it was ready");
                let n = this.n;
                let Poll::Ready(budget) = coop::poll_proceed(cx) else {
                    let (permits, object) = (semaphore.permits(), semaphore.owned_object());
                    // SAFETY: as above; it is the same semaphore and number each time.
                    let closed = unsafe { this.acquisition.poll_without_budget(permits, object, n, cx.waker()) };
                    return if closed { Poll::Ready(Err(AcquireError::new())) } else { Poll::Pending };
                };
                let hold = if this.acquisition.may_take_free() && semaphore.permits().take_free(n) {
                    this.acquisition.took_free();
                    Hold::none()
                } else {
                    let (permits, object) = (semaphore.permits(), semaphore.owned_object());
                    // SAFETY: as above; it is the same semaphore and number each time.
                    match unsafe { this.acquisition.poll(permits, object, n, cx.waker()) } {
                        Polled::Granted(hold) => hold,
                        Polled::Closed => return Poll::Ready(Err(AcquireError::new())),
                        Polled::Pending => return Poll::Pending,
                    }
                };
                budget.made_progress();
                let semaphore = this.semaphore.take().expect("it was there a moment ago");
                Poll::Ready(Ok($Permit { semaphore, n: this.n as usize, hold }))
            }
        }

        impl Drop for $Acquire {
            #[inline]
            fn drop(&mut self) {
                if let Some(semaphore) = &self.semaphore {
                    self.acquisition.cancel(semaphore.permits(), self.n);
                }
            }
        }

        impl fmt::Debug for $Acquire {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut d = f.debug_struct(stringify!($Acquire));
                d.field("permits", &self.n).finish_non_exhaustive()
            }
        }
    };
}

borrowing_future! {
    /// Future of [`Semaphore::acquire`] and [`Semaphore::acquire_many`], which says what it does and what dropping it does.
    Acquire, Semaphore, SemaphorePermit
}
owning_future! {
    /// Future of [`Semaphore::acquire_owned`] and [`Semaphore::acquire_many_owned`], which says what it does and what dropping it does.
    AcquireOwned, Semaphore, OwnedSemaphorePermit
}
borrowing_future! {
    /// Future of [`BoundedSemaphore::acquire`] and [`BoundedSemaphore::acquire_many`], which says what it does and what dropping it does.
    BoundedAcquire, BoundedSemaphore, BoundedPermit
}
owning_future! {
    /// Future of [`BoundedSemaphore::acquire_owned`] and [`BoundedSemaphore::acquire_many_owned`], which says what it does and what dropping it does.
    BoundedAcquireOwned, BoundedSemaphore, OwnedBoundedPermit
}
