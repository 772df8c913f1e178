//! The futures that wait at a [`Barrier`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use super::phases::Arrival;
use super::{Barrier, BarrierWaitResult};
use crate::coop;
use crate::error::BarrierError;
use crate::trace::{Attempt, Call, Request, Site, Stamp};
use crate::wait::Wait;
use crate::wait_queue::{CLOSED, DONE, GRANTED, IDLE, QUEUED};
use crate::wake::WakeBatch;

type Outcome = Result<BarrierWaitResult, BarrierError>;

/// The waiting half of both futures.
pub(super) struct Party(Wait);

impl Party {
    #[inline]
    pub(super) fn new(site: Site) -> Self {
        Self(Wait::new(site))
    }

    /// # Safety
    ///
    /// The party is pinned and `cancel` is called before it goes; each call names the same barrier.
    unsafe fn poll(&mut self, barrier: &Barrier, cx: &mut Context<'_>) -> Poll<Outcome> {
        let Poll::Ready(budget) = coop::poll_proceed(cx) else {
            // SAFETY: the caller's promise.
            return unsafe { self.poll_without_budget(barrier, cx.waker()) };
        };
        // SAFETY: the caller's promise.
        let outcome = ready!(unsafe { self.poll_within_budget(barrier, cx.waker()) });
        if outcome.is_ok() {
            budget.made_progress();
        }
        Poll::Ready(outcome)
    }

    /// Polls where the task's budget is used up: a first poll arrives, but only an error ends the wait. Whoever completes
    /// the phase lets the others go, and hears of it itself at its next poll.
    ///
    /// # Safety
    ///
    /// As for [`poll`](Self::poll).
    #[cold]
    unsafe fn poll_without_budget(&mut self, barrier: &Barrier, waker: &Waker) -> Poll<Outcome> {
        let outcome = match self.0.waiter.state() {
            // SAFETY: the caller's promise.
            IDLE | CLOSED => ready!(unsafe { self.poll_within_budget(barrier, waker) }),
            // A queued wait may keep an older waker: this one was called for the next poll.
            _ => return Poll::Pending,
        };
        if let Ok(last) = outcome {
            // All before it were in the list, whose length a tag can hold (Q5). Its span has ended: it waits for a turn, not
            // at the barrier.
            self.0.grant(last.index as u32, Stamp::NONE);
            return Poll::Pending;
        }
        Poll::Ready(outcome)
    }

    /// # Safety
    ///
    /// As for [`poll`](Self::poll).
    unsafe fn poll_within_budget(&mut self, barrier: &Barrier, waker: &Waker) -> Poll<Outcome> {
        let state = match self.0.waiter.state() {
            // SAFETY: the caller's promise.
            IDLE => return unsafe { self.begin(barrier, waker) },
            QUEUED => self.0.waiter.refresh(barrier.phases.queue(), QUEUED, waker),
            state => state,
        };
        match state {
            QUEUED => Poll::Pending,
            GRANTED => {
                let index = self.0.waiter.tag() as usize;
                let (spans, granted_at) = self.0.end();
                spans.granted(granted_at);
                // Only the last arrival has that index, granted for want of budget.
                let is_leader = index == barrier.phases.parties() - 1;
                Poll::Ready(Ok(BarrierWaitResult { index, is_leader }))
            }
            CLOSED => {
                let (spans, granted_at) = self.0.end();
                spans.closed(granted_at);
                Poll::Ready(Err(BarrierError::new()))
            }
            _ => panic!("a wait at a barrier was polled after it was ready"),
        }
    }

    /// # Safety
    ///
    /// As for [`poll`](Self::poll).
    unsafe fn begin(&mut self, barrier: &Barrier, waker: &Waker) -> Poll<Outcome> {
        let phases = &barrier.phases;
        let request = Request { object: barrier.object(), permits: 0, lock: None, site: self.0.site };
        let attempt = Attempt::begin(request, Some(waker));
        let mut batch = WakeBatch::new();
        let mut unused = None;
        let mut now = Stamp::NONE;

        // A look decides which way to try first; the lock decides what it was. The last one needs no waker.
        let (arrived, broken) = phases.look();
        let mut arrival = Arrival::Unprepared;
        if broken {
            arrival = Arrival::Broken;
        } else if arrived >= phases.parties() - 1 {
            now = phases.stamp();
            // SAFETY: there is no waiter.
            arrival = unsafe { phases.arrive(None, now, &mut batch) };
        }
        if matches!(arrival, Arrival::Unprepared) {
            self.0.prepare(waker.clone(), 0);
            now = Stamp::if_waits_are_watched();
            // SAFETY: the caller's promise.
            arrival = unsafe { phases.arrive(Some(&self.0.waiter), now, &mut batch) };
            if !matches!(arrival, Arrival::Behind(_)) {
                unused = self.0.waiter.take_waker();
            }
        }

        match arrival {
            Arrival::Behind(ahead) => {
                let number = attempt.number(now);
                self.0.watch(attempt.queued(request, waker, now, (number, ahead)));
                batch.finish();
                Poll::Pending
            }
            Arrival::Last { more } => {
                self.0.waiter.set_state(DONE);
                let rest = phases.rest(more, now);
                drop(unused);
                let hold = attempt.granted();
                let span = Call::notify(request.object, hold.task());
                rest.let_go(batch);
                let index = phases.parties() - 1;
                span.finish(index);
                Poll::Ready(Ok(BarrierWaitResult { index, is_leader: true }))
            }
            Arrival::Broken => {
                self.0.waiter.set_state(DONE);
                drop(unused);
                attempt.closed();
                batch.finish();
                Poll::Ready(Err(BarrierError::new()))
            }
            Arrival::Unprepared => unreachable!("the waiter was prepared"),
        }
    }

    #[inline]
    fn cancel(&mut self, barrier: &Barrier) {
        if !self.0.is_idle_or_done() {
            self.cancel_wait(barrier);
        }
    }

    #[cold]
    fn cancel_wait(&mut self, barrier: &Barrier) {
        let mut batch = WakeBatch::new();
        let waker = barrier.phases.withdraw(&self.0.waiter, &mut batch);
        let (spans, granted_at) = self.0.end();
        batch.finish();
        drop(waker);
        spans.cancelled(granted_at);
    }
}

/// Future of [`Barrier::wait`], which says what it does and what dropping it does.
#[must_use = "futures do nothing unless they are polled"]
pub struct BarrierWait<'a> {
    pub(super) barrier: &'a Barrier,
    pub(super) party: Party,
}

impl Future for BarrierWait<'_> {
    type Output = Result<BarrierWaitResult, BarrierError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out; `party` is pinned with us, our destructor cancels it, and it is the same
        // barrier each time.
        unsafe {
            let this = self.get_unchecked_mut();
            this.party.poll(this.barrier, cx)
        }
    }
}

impl Drop for BarrierWait<'_> {
    #[inline]
    fn drop(&mut self) {
        self.party.cancel(self.barrier);
    }
}

impl fmt::Debug for BarrierWait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWait").finish_non_exhaustive()
    }
}

/// Future of [`Barrier::wait_owned`], which says what it does and what dropping it does.
#[must_use = "futures do nothing unless they are polled"]
pub struct BarrierWaitOwned {
    pub(super) barrier: Arc<Barrier>,
    pub(super) party: Party,
}

impl Future for BarrierWaitOwned {
    type Output = Result<BarrierWaitResult, BarrierError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out; `party` is pinned with us, our destructor cancels it, and it is the same
        // barrier each time.
        unsafe {
            let this = self.get_unchecked_mut();
            this.party.poll(&this.barrier, cx)
        }
    }
}

impl Drop for BarrierWaitOwned {
    #[inline]
    fn drop(&mut self) {
        self.party.cancel(&self.barrier);
    }
}

impl fmt::Debug for BarrierWaitOwned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWaitOwned").finish_non_exhaustive()
    }
}
