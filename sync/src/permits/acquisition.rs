//! A wait for permits, from its first poll to its end or its drop: the half of the machine that lies in a future.

use std::task::Waker;

use super::{Permits, Refusal, Taken};
use crate::trace::{self, Attempt, By, Hold, Number, Object, Request, Site, Stamp};
use crate::wait::Wait;
use crate::wait_queue::{CLOSED, DONE, GRANTED, IDLE, LockedQueue, QUEUED};

/// The waiting half of every acquiring future. It is told at each call whose permits are meant and how many, so that a
/// future may hold them by reference or by `Arc`, and a mutex's need not carry a number.
pub(crate) struct Acquisition {
    wait: Wait,
}

/// How a poll of an [`Acquisition`] ended.
pub(crate) enum Polled {
    /// It is in the queue.
    Pending,
    /// It has what it asked for.
    Granted(Hold),
    /// The queue was closed.
    Closed,
}

/// How joining the queue ended.
enum Joined {
    /// In the queue, behind so many.
    Behind(usize),
    /// It could be taken at once after all.
    Taken,
    /// Closed meanwhile.
    Closed,
}

impl Acquisition {
    #[inline]
    pub(crate) fn new(site: Site) -> Self {
        Self { wait: Wait::new(site) }
    }

    /// Whether what is free may be taken without further ado: it is the first poll, and nobody watches.
    #[inline]
    pub(crate) fn may_take_free(&self) -> bool {
        self.wait.waiter.state() == IDLE && !trace::is_verbose()
    }

    /// Notes that what was free was taken.
    #[inline]
    pub(crate) fn took_free(&mut self) {
        self.wait.waiter.set_state(DONE);
    }

    /// Polls for `n` permits, where the free path did not do.
    ///
    /// # Safety
    ///
    /// The acquisition is pinned and `cancel` is called before it goes; each call names the same `permits` and `n`.
    ///
    /// # Panics
    ///
    /// When it was ready before.
    #[cold]
    pub(crate) unsafe fn poll(
        &mut self,
        permits: &Permits,
        object: Object<'_>,
        n: u32,
        waker: &Waker,
    ) -> Polled {
        let state = match self.wait.waiter.state() {
            IDLE => return self.begin(permits, object, n, waker),
            QUEUED => self.wait.waiter.refresh(&permits.queue, QUEUED, waker),
            state => state,
        };
        match state {
            QUEUED => Polled::Pending,
            GRANTED if self.wait.end_unwatched() => Polled::Granted(Hold::none()),
            GRANTED => {
                let (spans, granted_at) = self.wait.end();
                // The wait is over, so that `cancel` would not give the permits back should the subscriber panic.
                let taken = Taken(permits, n as usize);
                let hold = spans.granted(granted_at);
                trace::left(object, || permits.available());
                taken.keep();
                Polled::Granted(hold)
            }
            CLOSED => {
                let (spans, granted_at) = self.wait.end();
                spans.closed(granted_at);
                Polled::Closed
            }
            _ => panic!("an acquisition was polled after it was ready"),
        }
    }

    /// Polls for `n` permits where the task's budget is used up: takes the place of a first poll, but does not end. What is
    /// free is granted, so that a later poll finds it, or `cancel` passes it on. Returns whether the queue is closed, which
    /// ends the wait at once.
    ///
    /// # Safety
    ///
    /// As for [`poll`](Self::poll).
    #[cold]
    pub(crate) unsafe fn poll_without_budget(
        &mut self,
        permits: &Permits,
        object: Object<'_>,
        n: u32,
        waker: &Waker,
    ) -> bool {
        match self.wait.waiter.state() {
            IDLE => {}
            // SAFETY: the caller's promise.
            CLOSED => return matches!(unsafe { self.poll(permits, object, n, waker) }, Polled::Closed),
            // A queued wait may keep an older waker: this one was called for the next poll.
            _ => return false,
        }
        let request = Request { object, permits: n, lock: None, site: self.wait.site };
        let attempt = Attempt::begin(request, Some(waker));
        let joined_at = Stamp::if_waits_are_watched();
        let number = attempt.number(joined_at);
        let ahead = match self.take_or_join(permits, n, waker, number) {
            Joined::Behind(ahead) => ahead,
            Joined::Taken => {
                self.wait.grant(n, joined_at);
                0
            }
            Joined::Closed => {
                self.wait.waiter.set_state(DONE);
                attempt.closed();
                return true;
            }
        };
        self.wait.watch_told(attempt.queued(request, waker, joined_at, (number, ahead)));
        false
    }

    /// The first poll.
    fn begin(&mut self, permits: &Permits, object: Object<'_>, n: u32, waker: &Waker) -> Polled {
        if trace::is_watched() {
            return self.begin_watched(permits, object, n, waker);
        }
        match self.take_or_join(permits, n, waker, Number::NONE) {
            Joined::Behind(_) => Polled::Pending,
            Joined::Taken => {
                self.wait.waiter.set_state(DONE);
                Polled::Granted(Hold::none())
            }
            Joined::Closed => {
                self.wait.waiter.set_state(DONE);
                Polled::Closed
            }
        }
    }

    /// The first poll, with its spans.
    #[cold]
    fn begin_watched(&mut self, permits: &Permits, object: Object<'_>, n: u32, waker: &Waker) -> Polled {
        let request = Request { object, permits: n, lock: None, site: self.wait.site };
        let attempt = Attempt::begin(request, Some(waker));
        let joined = match permits.try_take(n) {
            Ok(()) => Joined::Taken,
            Err(Refusal::Closed) => Joined::Closed,
            Err(Refusal::Busy) => {
                let joined_at = Stamp::if_waits_are_watched();
                let number = attempt.number(joined_at);
                match self.take_or_join(permits, n, waker, number) {
                    Joined::Behind(ahead) => {
                        self.wait.watch_told(attempt.queued(request, waker, joined_at, (number, ahead)));
                        return Polled::Pending;
                    }
                    other => other,
                }
            }
        };
        self.wait.waiter.set_state(DONE);
        if matches!(joined, Joined::Taken) {
            let taken = Taken(permits, n as usize);
            let hold = attempt.granted();
            trace::left(object, || permits.available());
            taken.keep();
            Polled::Granted(hold)
        } else {
            attempt.closed();
            Polled::Closed
        }
    }

    /// Takes `n` permits or joins the queue, whichever the moment allows.
    #[inline(always)]
    fn take_or_join(&mut self, permits: &Permits, n: u32, waker: &Waker, number: Number) -> Joined {
        self.wait.prepare_as(waker.clone(), n, number);
        let mut queue = permits.queue.lock();
        let refused = queue.flag();
        if !refused && n != 0 && (!queue.is_empty() || queue.count() < n as usize) {
            // SAFETY: the future that owns the waiter is pinned, and its destructor calls `cancel`.
            return Joined::Behind(unsafe { queue.push_back(&self.wait.waiter, QUEUED) });
        }
        if !refused {
            queue.set_count(queue.count() - n as usize);
        }
        drop(queue);
        // Should dropping the waker unwind, what was taken goes back.
        let taken = Taken(permits, if refused { 0 } else { n as usize });
        drop(self.wait.waiter.take_waker());
        taken.keep();
        if refused { Joined::Closed } else { Joined::Taken }
    }

    /// Ends the wait of a future that is dropped: leaves the queue, or passes on what was granted already.
    #[inline]
    pub(crate) fn cancel(&mut self, permits: &Permits, n: u32) {
        if !self.wait.is_idle_or_done() {
            self.cancel_wait(permits, n);
        }
    }

    #[cold]
    fn cancel_wait(&mut self, permits: &Permits, n: u32) {
        if trace::is_watched() {
            self.cancel_wait_with(permits, n, |queue| {
                permits.grant_and_wake_told(queue, By::CALL, Stamp::if_waits_are_watched())
            });
        } else {
            self.cancel_wait_with(permits, n, |queue| permits.grant_and_wake(queue));
        }
    }

    #[inline(always)]
    fn cancel_wait_with<'p>(
        &mut self,
        permits: &'p Permits,
        n: u32,
        pass_on: impl FnOnce(LockedQueue<'p>) -> usize,
    ) {
        let mut queue = permits.queue.lock();
        // Under the lock the state is final: releasers hold it when they change it.
        let state = self.wait.waiter.state();
        let waker = match state {
            // SAFETY: Q2: a queued waiter is linked in this list.
            QUEUED => unsafe { queue.remove(&self.wait.waiter) },
            _ => None,
        };
        let (spans, granted_at) = self.wait.end();
        match state {
            // A large request may have stood in the way of smaller ones.
            QUEUED => pass_on(queue),
            GRANTED => {
                drop(queue);
                let woken = permits.release(n as usize);
                spans.left(|| permits.available());
                woken
            }
            _ => {
                drop(queue);
                0
            }
        };
        drop(waker);
        spans.cancelled(granted_at);
    }
}
