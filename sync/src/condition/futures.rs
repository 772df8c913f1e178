//! The futures that wait for a [`Condition`]'s lock, or for a notification.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::{Condition, ConditionGuard};
use crate::coop;
use crate::permits::{Acquisition, Polled, Taken};
use crate::trace::{self, Attempt, Hold, Number, Request, Site, Stamp};
use crate::wait::Wait;
use crate::wait_queue::{DONE, GRANTED, IDLE, PARKED, QUEUED};

/// Future of [`Condition::lock`], which says what it does and what dropping it does.
#[must_use = "futures do nothing unless they are polled"]
pub struct ConditionLock<'a, T: ?Sized> {
    pub(super) condition: &'a Condition<T>,
    pub(super) acquisition: Acquisition,
}

impl<'a, T: ?Sized> Future for ConditionLock<'a, T> {
    type Output = ConditionGuard<'a, T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out; `acquisition` is pinned with us, and our destructor cancels it.
        let this = unsafe { self.get_unchecked_mut() };
        let (condition, mutex) = (this.condition, &*this.condition.mutex);
        let Poll::Ready(budget) = coop::poll_proceed(cx) else {
            // SAFETY: as above; it is the same mutex each time.
            unsafe {
                this.acquisition.poll_without_budget(mutex.permits(), mutex.object(), 1, cx.waker());
            }
            return Poll::Pending;
        };
        if this.acquisition.may_take_free() && mutex.permits().take_free_only() {
            this.acquisition.took_free();
            budget.made_progress();
            return Poll::Ready(condition.guard(Hold::none()));
        }
        // SAFETY: as above; it is the same mutex each time.
        match unsafe { this.acquisition.poll(mutex.permits(), mutex.object(), 1, cx.waker()) } {
            Polled::Granted(hold) => {
                budget.made_progress();
                Poll::Ready(condition.guard(hold))
            }
            Polled::Pending => Poll::Pending,
            Polled::Closed => unreachable!("a mutex is never closed"),
        }
    }
}

impl<T: ?Sized> Drop for ConditionLock<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.acquisition.cancel(self.condition.mutex.permits(), 1);
    }
}

impl<T: ?Sized> fmt::Debug for ConditionLock<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConditionLock").finish_non_exhaustive()
    }
}

/// The waiting half of both wait futures.
pub(super) struct Parking(Wait);

impl Parking {
    #[inline]
    pub(super) fn new(site: Site) -> Self {
        Self(Wait::new(site))
    }

    /// At the first poll joins the condition's queue and drops `guard`; ready when the lock was taken again.
    ///
    /// # Safety
    ///
    /// The parking is pinned and `cancel` is called before it goes; each call names the same condition.
    unsafe fn poll<'a, T: ?Sized>(
        &mut self,
        condition: &'a Condition<T>,
        guard: &mut Option<ConditionGuard<'a, T>>,
        waker: &Waker,
    ) -> Poll<ConditionGuard<'a, T>> {
        let mut state = self.0.waiter.state();
        if state == IDLE {
            self.park(condition, guard, waker);
            state = self.0.waiter.state();
            if state != GRANTED {
                return Poll::Pending;
            }
        }
        loop {
            let seen = match state {
                PARKED => self.0.waiter.refresh(&condition.queue, PARKED, waker),
                QUEUED => self.0.waiter.refresh(&condition.mutex.permits().queue, QUEUED, waker),
                GRANTED => return Poll::Ready(self.resume(condition, waker)),
                _ => panic!("a wait for a condition was polled after it was ready"),
            };
            if seen == state {
                return Poll::Pending;
            }
            state = seen;
        }
    }

    fn park<'a, T: ?Sized>(
        &mut self,
        condition: &'a Condition<T>,
        guard: &mut Option<ConditionGuard<'a, T>>,
        waker: &Waker,
    ) {
        if trace::is_watched() {
            self.join_watched(condition, waker);
        } else {
            self.join(condition, waker, Number::NONE);
        }
        // Only now may a notifier get the lock: it finds us in the queue.
        drop(guard.take());
    }

    /// Joins the condition's queue, with the spans of a wait.
    #[cold]
    fn join_watched<T: ?Sized>(&mut self, condition: &Condition<T>, waker: &Waker) {
        let lock = Some(condition.mutex.object());
        let request = Request { object: condition.object(), permits: 0, lock, site: self.0.site };
        let attempt = Attempt::begin(request, Some(waker));
        let joined_at = Stamp::if_waits_are_watched();
        let number = attempt.number(joined_at);
        let ahead = self.join(condition, waker, number);
        self.0.watch_told(attempt.queued(request, waker, joined_at, (number, ahead)));
    }

    /// Joins the condition's queue. Returns how many are ahead.
    fn join<T: ?Sized>(&mut self, condition: &Condition<T>, waker: &Waker, number: Number) -> usize {
        // The tag is what it will ask of the mutex.
        self.0.prepare_as(waker.clone(), 1, number);
        // SAFETY: the future that owns the waiter is pinned, and its destructor calls `cancel`.
        unsafe { condition.queue.lock().push_back(&self.0.waiter, PARKED) }
    }

    fn resume<'a, T: ?Sized>(&mut self, condition: &'a Condition<T>, waker: &Waker) -> ConditionGuard<'a, T> {
        let mut guard = condition.guard(Hold::none());
        if self.0.end_unwatched() && !trace::is_verbose() {
            return guard;
        }
        let (spans, granted_at) = self.0.end();
        spans.granted(granted_at);
        // The lock is held again, by an operation of its own: the one that its `release` will name.
        let request = Request { object: condition.mutex.object(), permits: 1, lock: None, site: self.0.site };
        guard.hold = Attempt::begin(request, Some(waker)).granted();
        trace::left(request.object, || condition.mutex.permits().available());
        guard
    }

    #[inline]
    fn cancel<T: ?Sized>(&mut self, condition: &Condition<T>) {
        if !self.0.is_idle_or_done() {
            self.cancel_wait(condition);
        }
    }

    #[cold]
    fn cancel_wait<T: ?Sized>(&mut self, condition: &Condition<T>) {
        let permits = condition.mutex.permits();
        let mut state = self.0.waiter.state();
        let mut waker = None;
        loop {
            let queue = match state {
                PARKED => &condition.queue,
                QUEUED => &permits.queue,
                _ => break,
            };
            let mut locked = queue.lock();
            let seen = self.0.waiter.state();
            if seen == state {
                // SAFETY: Q2: in `state` it is linked in this list.
                waker = unsafe { locked.remove(&self.0.waiter) };
                break;
            }
            drop(locked);
            state = seen;
        }
        let (spans, granted_at) = self.0.end();
        if state != PARKED {
            // A lock that was granted is let go afterwards, whatever unwinds.
            let granted = Taken(permits, usize::from(state == GRANTED));
            // It had a notification: the next one gets it, and joins the queue before the lock is let go.
            condition.transfer(1);
            drop(granted);
        }
        drop(waker);
        spans.cancelled(granted_at);
    }
}

/// Future of [`ConditionGuard::wait`], which says what it does and what dropping it does.
#[must_use = "futures do nothing unless they are polled"]
pub struct ConditionWait<'a, T: ?Sized> {
    pub(super) condition: &'a Condition<T>,
    /// `Some` until the first poll. Dropped after `parking` was cancelled.
    pub(super) guard: Option<ConditionGuard<'a, T>>,
    pub(super) parking: Parking,
}

impl<'a, T: ?Sized> Future for ConditionWait<'a, T> {
    type Output = ConditionGuard<'a, T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: only the guard is moved out, which is not pinned; `parking` is, our destructor cancels it, and it is
        // the same condition each time.
        unsafe {
            let this = self.get_unchecked_mut();
            this.parking.poll(this.condition, &mut this.guard, cx.waker())
        }
    }
}

impl<T: ?Sized> Drop for ConditionWait<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.parking.cancel(self.condition);
    }
}

impl<T: ?Sized> fmt::Debug for ConditionWait<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConditionWait").finish_non_exhaustive()
    }
}

/// Future of [`ConditionGuard::wait_for`], which says what it does and what dropping it does.
#[must_use = "futures do nothing unless they are polled"]
pub struct ConditionWaitFor<'a, T: ?Sized, F> {
    pub(super) condition: &'a Condition<T>,
    /// `Some` while the lock is held, that is, while `parking` is not waiting.
    pub(super) guard: Option<ConditionGuard<'a, T>>,
    pub(super) predicate: F,
    pub(super) parking: Parking,
}

impl<'a, T: ?Sized, F: FnMut(&mut T) -> bool> Future for ConditionWaitFor<'a, T, F> {
    type Output = ConditionGuard<'a, T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: guard and predicate are not pinned; `parking` is, and our destructor cancels it.
        let this = unsafe { self.get_unchecked_mut() };
        loop {
            if let Some(guard) = &mut this.guard {
                // With the lock held the waiter is in no list, unless an earlier poll unwound in between.
                let state = this.parking.0.waiter.state();
                assert!(matches!(state, IDLE | DONE), "a wait for a condition was polled after it panicked");
                if (this.predicate)(guard)
                    && let Some(guard) = this.guard.take()
                {
                    this.parking.0.waiter.set_state(DONE);
                    return Poll::Ready(guard);
                }
                this.parking.0.waiter.set_state(IDLE);
            }
            // SAFETY: as above; it is the same condition each time.
            match unsafe { this.parking.poll(this.condition, &mut this.guard, cx.waker()) } {
                Poll::Ready(guard) => this.guard = Some(guard),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<T: ?Sized, F> Drop for ConditionWaitFor<'_, T, F> {
    #[inline]
    fn drop(&mut self) {
        self.parking.cancel(self.condition);
    }
}

impl<T: ?Sized, F> fmt::Debug for ConditionWaitFor<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConditionWaitFor").finish_non_exhaustive()
    }
}
