//! Arrivals at a barrier, and how a phase ends. It knows nothing of spans but the time, nor of futures.
//!
//! The list holds two groups: those who **leave**, whose phase is over and who are only still to be told, and behind
//! them those who have **arrived** in the phase that is filling. Ending a phase is one store that moves the border
//! between the two; telling them takes as many lockings as there are batches of wakers, and anything may come in
//! between.
//!
//! # The word
//!
//! The flag means broken. The count is twice the number of arrivals; its lowest bit says how those who leave end: set
//! for `CLOSED`, clear for `GRANTED`. It has room for as many arrivals as there can be: each takes up memory.
//!
//! # Invariants
//!
//! - **P1.** The last waiters of the list, as many as the count says, are the arrivals of the phase that is filling,
//!   in their order; there are fewer than `parties`. All before them leave.
//! - **P2.** A phase ends, by its last arrival, `abort` or `reset`, only while nobody leaves: who wants to end one ends
//!   those first. So all who leave are of one phase, and one bit is enough for how they end.
//! - **P3.** Who leaves is taken from the front and in no other way: a wait that is dropped while it leaves ends those
//!   who leave before it, and itself with them. So the index of the front one follows from how many still leave.
//! - **P4.** Who ended a phase goes on until nobody leaves, whatever panics meanwhile. Whether it or a helper tells a
//!   waiter makes no difference to that waiter.
//! - **P5.** While it is broken nobody arrives.
//!
//! A released wait is `Ok` whatever follows by P2: what follows cannot change how it ends. Each index is given once by
//! P3: the front one of `k` who leave was arrival `parties - 1 - k`, and `k` shrinks by one each time. A wait that is
//! dropped while it leaves keeps its index, which nobody hears; one that is dropped before takes its arrival back.

use std::sync::atomic::Ordering;
use std::task::Waker;

use crate::trace::Stamp;
use crate::wait_queue::{CLOSED, COUNT_SHIFT, FLAG, GRANTED, LockedQueue, QUEUED, WaitQueue, Waiter};
use crate::wake::WakeBatch;

/// In the count: those who leave end as `CLOSED`.
const LEAVE_BROKEN: usize = 1;
const ARRIVED_SHIFT: u32 = 1;

/// The phases of a barrier: one that is filling, and perhaps one that is over and not yet left.
pub(super) struct Phases {
    queue: WaitQueue,
    /// At least one.
    parties: usize,
}

/// What became of an arrival.
pub(super) enum Arrival {
    /// It waits, behind so many of its phase.
    Behind(usize),
    /// It was the last. Whether more of the others leave than the batch took.
    Last { more: bool },
    /// It has to wait, and has no waker yet.
    Unprepared,
    /// There was no arrival.
    Broken,
}

impl Phases {
    pub(super) fn new(parties: usize) -> Self {
        Self { queue: WaitQueue::new(0), parties }
    }

    #[inline]
    pub(super) fn parties(&self) -> usize {
        self.parties
    }

    pub(super) fn queue(&self) -> &WaitQueue {
        &self.queue
    }

    /// Arrivals in the phase that is filling, and whether it is broken, at one moment.
    #[inline]
    pub(super) fn look(&self) -> (usize, bool) {
        // Ordering: Acquire pairs with the unlock of whoever arrived, aborted or reset: who sees it sees what came
        // before. While somebody is at the list this is the word of before.
        let word = self.queue.load(Ordering::Acquire);
        (word >> (COUNT_SHIFT + ARRIVED_SHIFT), word & FLAG != 0)
    }

    /// The time, if there is anybody whose wait could end and waits are watched.
    #[inline]
    pub(super) fn stamp(&self) -> Stamp {
        if self.queue.has_waiters() { Stamp::if_waits_are_watched() } else { Stamp::NONE }
    }

    /// Arrives. Who may have to wait brings a waiter that was prepared and is in no list.
    ///
    /// # Safety
    ///
    /// The waiter is pinned, and [`withdraw`](Self::withdraw) is called before it goes.
    pub(super) unsafe fn arrive(
        &self,
        waiter: Option<&Waiter>,
        now: Stamp,
        batch: &mut WakeBatch,
    ) -> Arrival {
        loop {
            let mut queue = self.queue.lock();
            if queue.flag() {
                return Arrival::Broken;
            }
            let arrived = arrived(&queue);
            if arrived < self.parties - 1 {
                let Some(waiter) = waiter else { return Arrival::Unprepared };
                // SAFETY: the caller's promise.
                unsafe { queue.push_back(waiter, QUEUED) };
                set_arrived(&mut queue, arrived + 1);
                return Arrival::Behind(arrived);
            }
            if !self.end_leaving(&mut queue, now, batch) {
                // P2.
                end_phase(&mut queue, false);
                let more = self.end_leaving(&mut queue, now, batch);
                return Arrival::Last { more };
            }
            drop(queue);
            // Others may arrive meanwhile, so that this is not the last one any more.
            batch.wake();
        }
    }

    /// Takes the waiter of a wait that is dropped out of the list, if it is in there. Returns its waker, if that took
    /// the arrival back; the batch is left to the caller.
    pub(super) fn withdraw(&self, waiter: &Waiter, batch: &mut WakeBatch) -> Option<Waker> {
        let now = self.stamp();
        loop {
            let mut queue = self.queue.lock();
            // Under the lock the state is final: whoever changes it holds the lock.
            if waiter.state() != QUEUED {
                return None;
            }
            let more = self.end_leaving(&mut queue, now, batch);
            if waiter.state() != QUEUED {
                return None;
            }
            if !more {
                // SAFETY: Q2: a queued waiter is linked in this list.
                let waker = unsafe { queue.remove(waiter) };
                // P1: nobody leaves, so it was one of those who have arrived.
                let rest = arrived(&queue) - 1;
                set_arrived(&mut queue, rest);
                return waker;
            }
            drop(queue);
            batch.wake();
        }
    }

    /// Breaks the phase that is filling, and begins the next; from then on the barrier is broken or it is not. Returns
    /// how many had arrived.
    pub(super) fn break_phase(&self, broken: bool) -> usize {
        let now = self.stamp();
        let mut batch = WakeBatch::new();
        loop {
            let mut queue = self.queue.lock();
            if !self.end_leaving(&mut queue, now, &mut batch) {
                // P2.
                let gone = end_phase(&mut queue, true);
                if broken {
                    queue.set_flag()
                } else {
                    queue.clear_flag()
                }
                let more = self.end_leaving(&mut queue, now, &mut batch);
                drop(queue);
                self.let_go(more, now, batch);
                return gone;
            }
            drop(queue);
            batch.wake();
        }
    }

    /// Sees to it that those are let go who leave, some of whom may be in a batch, even where foreign code unwinds
    /// before [`Rest::let_go`].
    pub(super) fn rest(&self, more: bool, now: Stamp) -> Rest<'_> {
        Rest { phases: self, more, now }
    }

    /// Wakes the batch and, if there is more, everybody else who leaves.
    fn let_go(&self, mut more: bool, now: Stamp, mut batch: WakeBatch) {
        while more {
            batch.wake();
            more = self.end_leaving(&mut self.queue.lock(), now, &mut batch);
        }
        batch.finish();
    }

    /// Ends the waits of those who leave, as far as the batch has room. Returns whether there is more.
    fn end_leaving(&self, queue: &mut LockedQueue<'_>, now: Stamp, batch: &mut WakeBatch) -> bool {
        let broken = queue.count() & LEAVE_BROKEN != 0;
        let mut leaving = queue.len() - arrived(queue);
        while leaving != 0 {
            if batch.is_full() {
                return true;
            }
            if broken {
                queue.end_front(CLOSED, now, batch);
            } else {
                // P3. It is smaller than the length of a list, which a tag can hold (Q5).
                queue.set_front_tag((self.parties - 1 - leaving) as u32);
                queue.end_front(GRANTED, now, batch);
            }
            leaving -= 1;
        }
        false
    }
}

/// Arrivals in the phase that is filling.
fn arrived(queue: &LockedQueue<'_>) -> usize {
    queue.count() >> ARRIVED_SHIFT
}

fn set_arrived(queue: &mut LockedQueue<'_>, arrived: usize) {
    queue.set_count(arrived << ARRIVED_SHIFT | queue.count() & LEAVE_BROKEN);
}

/// All who have arrived leave from now on. Returns how many that are.
fn end_phase(queue: &mut LockedQueue<'_>, broken: bool) -> usize {
    let gone = arrived(queue);
    queue.set_count(if broken { LEAVE_BROKEN } else { 0 });
    gone
}

/// Those who leave and are in no batch yet.
pub(super) struct Rest<'a> {
    phases: &'a Phases,
    more: bool,
    now: Stamp,
}

impl Rest<'_> {
    pub(super) fn let_go(mut self, batch: WakeBatch) {
        let more = std::mem::take(&mut self.more);
        self.phases.let_go(more, self.now, batch);
    }
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        if self.more {
            self.phases.let_go(true, self.now, WakeBatch::new());
        }
    }
}
