//! The futures that wait for a [`Mutex`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Mutex, MutexGuard, OwnedMutexGuard};
use crate::coop;
use crate::permits::{Acquisition, Polled};
use crate::trace::Hold;

/// Future of [`Mutex::lock`], which says what it does and what dropping it does.
#[must_use = "futures do nothing unless they are polled"]
pub struct Lock<'a, T: ?Sized> {
    pub(super) mutex: &'a Mutex<T>,
    pub(super) acquisition: Acquisition,
}

impl<'a, T: ?Sized> Future for Lock<'a, T> {
    type Output = MutexGuard<'a, T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out; `acquisition` is pinned with us, and our destructor cancels it.
        let this = unsafe { self.get_unchecked_mut() };
        let mutex = this.mutex;
        let Poll::Ready(budget) = coop::poll_proceed(cx) else {
            // SAFETY: as above; it is the same mutex each time.
            unsafe {
                this.acquisition.poll_without_budget(&mutex.permits, mutex.object(), 1, cx.waker());
            }
            return Poll::Pending;
        };
        if this.acquisition.may_take_free() && mutex.permits.take_free_only() {
            this.acquisition.took_free();
            budget.made_progress();
            return Poll::Ready(mutex.guard(Hold::none()));
        }
        // SAFETY: as above; it is the same mutex each time.
        match unsafe { this.acquisition.poll(&mutex.permits, mutex.object(), 1, cx.waker()) } {
            Polled::Granted(hold) => {
                budget.made_progress();
                Poll::Ready(mutex.guard(hold))
            }
            Polled::Pending => Poll::Pending,
            Polled::Closed => unreachable!("a mutex is never closed"),
        }
    }
}

impl<T: ?Sized> Drop for Lock<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.acquisition.cancel(&self.mutex.permits, 1);
    }
}

impl<T: ?Sized> fmt::Debug for Lock<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}

/// Future of [`Mutex::lock_owned`], which says what it does and what dropping it does.
#[must_use = "futures do nothing unless they are polled"]
pub struct LockOwned<T: ?Sized> {
    /// `None` once the guard has it.
    pub(super) mutex: Option<Arc<Mutex<T>>>,
    pub(super) acquisition: Acquisition,
}

impl<T: ?Sized> Future for LockOwned<T> {
    type Output = OwnedMutexGuard<T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: only the `Arc` is moved out, which is not pinned; `acquisition` is, and our destructor cancels it.
        let this = unsafe { self.get_unchecked_mut() };
        // It stays in its place while foreign code may unwind: the destructor needs it.
        let mutex = this.mutex.as_ref().expect("a lock was polled after it was ready");
        let Poll::Ready(budget) = coop::poll_proceed(cx) else {
            // SAFETY: as above; it is the same mutex each time.
            unsafe {
                this.acquisition.poll_without_budget(&mutex.permits, mutex.owned_object(), 1, cx.waker());
            }
            return Poll::Pending;
        };
        let hold = if this.acquisition.may_take_free() && mutex.permits.take_free_only() {
            this.acquisition.took_free();
            Hold::none()
        } else {
            // SAFETY: as above; it is the same mutex each time.
            match unsafe { this.acquisition.poll(&mutex.permits, mutex.owned_object(), 1, cx.waker()) } {
                Polled::Granted(hold) => hold,
                Polled::Pending => return Poll::Pending,
                Polled::Closed => unreachable!("a mutex is never closed"),
            }
        };
        budget.made_progress();
        let mutex = this.mutex.take().expect("it was there a moment ago");
        Poll::Ready(OwnedMutexGuard::new(mutex, hold))
    }
}

impl<T: ?Sized> Drop for LockOwned<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(mutex) = &self.mutex {
            self.acquisition.cancel(&mutex.permits, 1);
        }
    }
}

impl<T: ?Sized> fmt::Debug for LockOwned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockOwned").finish_non_exhaustive()
    }
}
