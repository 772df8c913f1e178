//! What every waiting future carries: its place in a queue, its open spans, and the line that asked.

use std::mem::MaybeUninit;
use std::task::Waker;

use crate::trace::{Number, Site, Stamp, WaitSpans};
use crate::wait_queue::{DONE, GRANTED, Waiter};

/// A wait, begun or not. Neither making nor dropping one that never joined a queue costs more than a few stores,
/// which is what keeps a free acquisition short.
pub(crate) struct Wait {
    pub(crate) waiter: Waiter,
    /// Invariant W1: initialised unless the waiter is `IDLE` or `DONE`.
    spans: MaybeUninit<WaitSpans>,
    pub(crate) site: Site,
}

impl Wait {
    #[inline]
    pub(crate) fn new(site: Site) -> Self {
        Self { waiter: Waiter::new(), spans: MaybeUninit::uninit(), site }
    }

    /// Makes it ready to join a queue, which asks for `tag`.
    pub(crate) fn prepare(&mut self, waker: Waker, tag: u32) {
        self.prepare_as(waker, tag, Number::NONE);
    }

    /// As [`prepare`](Self::prepare), for an operation that whoever grants it will tell by its `number`.
    #[inline(always)]
    pub(crate) fn prepare_as(&mut self, waker: Waker, tag: u32, number: Number) {
        // W1: from here on, whatever state joining leaves.
        self.spans.write(WaitSpans::NONE);
        self.waiter.prepare(waker, tag, number);
    }

    /// Notes the spans of a wait that has joined a queue.
    pub(crate) fn watch(&mut self, spans: WaitSpans) {
        // Overwrites `NONE`, which owns nothing.
        self.spans.write(spans);
    }

    /// As [`watch`](Self::watch), where being granted is told: it may have been already, and told before the wait was known.
    pub(crate) fn watch_told(&mut self, spans: WaitSpans) {
        let granted = !spans.is_none() && self.waiter.state() == GRANTED;
        let spans = self.spans.write(spans);
        if granted {
            spans.handed(self.waiter.granted_at());
        }
    }

    /// Notes, for a wait that is in no list and has no waker, that it was granted `tag` at `now`. Its next poll ends it.
    pub(crate) fn grant(&mut self, tag: u32, now: Stamp) {
        // W1: as in `prepare`, after which this may come.
        self.spans.write(WaitSpans::NONE);
        self.waiter.grant(tag, now);
    }

    /// Whether it is over, or never began: then there is nothing to cancel.
    #[inline]
    pub(crate) fn is_idle_or_done(&self) -> bool {
        self.waiter.is_idle_or_done()
    }

    /// Ends, as the one that resumed, a wait that nobody watched and that is in no list any more. Returns whether it was
    /// so; if not, [`end`](Self::end) is to be called.
    #[inline]
    pub(crate) fn end_unwatched(&mut self) -> bool {
        // SAFETY: W1: who resumes was in a list, or was granted without.
        let unwatched = unsafe { self.spans.assume_init_ref() }.is_none();
        if unwatched {
            self.waiter.set_state(DONE);
        }
        unwatched
    }

    /// Ends a wait that is in no list any more: hands out its spans, and when it was granted or closed.
    pub(crate) fn end(&mut self) -> (WaitSpans, Stamp) {
        if self.is_idle_or_done() {
            return (WaitSpans::NONE, Stamp::NONE);
        }
        let granted_at = self.waiter.granted_at();
        self.waiter.set_state(DONE);
        // SAFETY: W1, by the state above; it is `DONE` now, so that nobody reads them again.
        (unsafe { self.spans.assume_init_read() }, granted_at)
    }
}
