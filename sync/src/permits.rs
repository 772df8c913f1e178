//! The acquire machine under [`Mutex`](crate::Mutex) and [`Semaphore`](crate::Semaphore): a count of permits
//! with a FIFO queue of those who want some.
//!
//! A free acquisition and a free release are one atomic read-modify-write each. When somebody waits, a release hands
//! permits to the head of the queue, which need not compete for them: nobody overtakes. Permits that the head
//! cannot use yet stay in the count, where no newcomer takes them while the queue is not empty.
//!
//! A mutex is one permit. Its free path has functions of its own (`…_only`): only the holder can give that permit
//! back, so that both sides know the word that they expect.

mod acquisition;

use std::sync::atomic::Ordering;
use std::task::Waker;

pub(crate) use self::acquisition::{Acquisition, Polled};
use crate::loom::const_fn;
use crate::trace::{self, Attempt, By, Given, Hold, Number, Object, Release, Request, Stamp};
use crate::wait_queue::{CLOSED, COUNT_SHIFT, FLAG, GRANTED, LOCKED, LockedQueue, ONE, WAITING, WaitQueue};
use crate::wake::{WakeBatch, wake_one};

/// Permits and those who wait for them. The flag of its word means closed.
pub(crate) struct Permits {
    pub(crate) queue: WaitQueue,
}

/// Why nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Too few permits, or somebody was there before.
    Busy,
    /// Closed for good.
    Closed,
}

impl Permits {
    /// Three bits of the word are taken.
    pub(crate) const MAX: usize = usize::MAX >> COUNT_SHIFT;

    const_fn! {
        /// `permits` is at most [`Permits::MAX`].
        pub(crate) fn new(permits: usize) -> Self {
            Self { queue: WaitQueue::new(permits << COUNT_SHIFT) }
        }
    }

    /// Takes `n` permits if that many are free, nobody waits, and it is not closed.
    #[inline]
    pub(crate) fn take_free(&self, n: u32) -> bool {
        let mut word = self.queue.load(Ordering::Relaxed);
        // The bits below the count are clear, so whole words compare as their counts do.
        while word & (LOCKED | FLAG | WAITING) == 0 && word >= n as usize * ONE {
            // Ordering: Acquire pairs with the Release of `try_release` and of the queue's unlock; we see what was
            // done under these permits before.
            match self.queue.exchange(word, word - n as usize * ONE, Ordering::Acquire) {
                Ok(_) => return true,
                Err(seen) => word = seen,
            }
        }
        false
    }

    /// Takes the only permit of a mutex, if it is free.
    #[inline]
    pub(crate) fn take_free_only(&self) -> bool {
        // The look before spares who has to wait a second read-modify-write.
        // Ordering: Acquire pairs with the Release of `release_only` and of the queue's unlock; we see what the last
        // holder did.
        self.queue.load(Ordering::Relaxed) == ONE && self.queue.exchange(ONE, 0, Ordering::Acquire).is_ok()
    }

    /// Takes `n` permits if that many are free and nobody waits.
    #[inline]
    pub(crate) fn try_take(&self, n: u32) -> Result<(), Refusal> {
        if self.take_free(n) { Ok(()) } else { self.try_take_busy(n) }
    }

    /// Takes the only permit of a mutex, if it is free.
    #[inline]
    pub(crate) fn try_take_only(&self) -> Result<(), Refusal> {
        if self.take_free_only() { Ok(()) } else { self.try_take_busy(1) }
    }

    /// `try_take` where somebody waits, the list is being worked on, or it is closed.
    #[cold]
    fn try_take_busy(&self, n: u32) -> Result<(), Refusal> {
        loop {
            let word = self.queue.load_unlocked();
            if word & FLAG != 0 {
                return Err(Refusal::Closed);
            }
            if n == 0 {
                return Ok(());
            }
            if word & WAITING != 0 || word >> COUNT_SHIFT < n as usize {
                return Err(Refusal::Busy);
            }
            // Ordering: as in `take_free`.
            if self.queue.exchange(word, word - n as usize * ONE, Ordering::Acquire).is_ok() {
                return Ok(());
            }
        }
    }

    /// Takes what `request` asks for if it is free and nobody waits, within an `acquire` span.
    #[cold]
    pub(crate) fn try_take_watched(&self, request: Request<'_>) -> Result<Hold, Refusal> {
        let attempt = Attempt::begin(request, None);
        match self.try_take(request.permits) {
            Ok(()) => {
                // They go back should the subscriber panic.
                let taken = Taken(self, request.permits as usize);
                let hold = attempt.granted();
                trace::left(request.object, || self.available());
                taken.keep();
                Ok(hold)
            }
            Err(Refusal::Closed) => {
                attempt.closed();
                Err(Refusal::Closed)
            }
            Err(Refusal::Busy) => {
                attempt.refused();
                Err(Refusal::Busy)
            }
        }
    }

    /// Puts `n` permits back, and hands them to those who wait. Returns how many waiters were let go, or
    /// `None`, with nothing changed, where there would be more than [`Permits::MAX`].
    #[inline]
    pub(crate) fn try_release(&self, n: usize) -> Option<usize> {
        if n > Self::MAX { None } else { self.put(n) }
    }

    /// As `try_release`, for no more than [`Permits::MAX`].
    #[inline]
    fn put(&self, n: usize) -> Option<usize> {
        self.put_or(n, || self.release_to_waiters(n))
    }

    /// Puts `n` permits back where nobody waits for them, else leaves that to `to_waiters`.
    #[inline(always)]
    fn put_or(&self, n: usize, to_waiters: impl FnOnce() -> Option<usize>) -> Option<usize> {
        let mut word = self.queue.load(Ordering::Relaxed);
        loop {
            if word & (LOCKED | WAITING) != 0 {
                return to_waiters();
            }
            // The count has the highest bits, so that it overflows when the word does.
            let new = word.checked_add(n * ONE)?;
            // Ordering: Release pairs with the Acquire of `take_free` and of the queue's lock; the next owner sees
            // what we did.
            match self.queue.exchange(word, new, Ordering::Release) {
                Ok(_) => return Some(0),
                Err(seen) => word = seen,
            }
        }
    }

    /// Puts back permits that were taken. Should others have been added meanwhile up to [`Permits::MAX`], they are dropped:
    /// a destructor has nobody to tell.
    #[inline]
    pub(crate) fn release(&self, n: usize) -> usize {
        self.put(n).unwrap_or(0)
    }

    #[cold]
    fn release_to_waiters(&self, n: usize) -> Option<usize> {
        if trace::is_watched() {
            return self.release_to_waiters_told(n, By::CALL);
        }
        let mut queue = self.queue.lock();
        if n > Self::MAX - queue.count() {
            return None;
        }
        queue.set_count(queue.count() + n);
        Some(self.grant_and_wake(queue))
    }

    /// As `release_to_waiters` where somebody watches: the probe is told who was given something, and by whom.
    #[cold]
    fn release_to_waiters_told(&self, n: usize, by: By) -> Option<usize> {
        let now = Stamp::if_waits_are_watched();
        let mut queue = self.queue.lock();
        if n > Self::MAX - queue.count() {
            return None;
        }
        queue.set_count(queue.count() + n);
        Some(self.grant_and_wake_told(queue, by, now))
    }

    /// Hands out what is there in the order of the queue, tells the probe, then wakes. Returns how many were let go.
    #[cold]
    pub(crate) fn grant_and_wake_told<'a>(&'a self, mut queue: LockedQueue<'a>, by: By, now: Stamp) -> usize {
        // Whoever is in there is woken even where the probe panics.
        let mut batch = WakeBatch::new();
        let mut given = Given::new(by, now);
        loop {
            while can_grant(&queue) && !batch.is_full() {
                let Some((waker, number)) = grant_front_told(&mut queue, now) else { break };
                waker.into_iter().for_each(|waker| batch.push(waker));
                given.note(number);
            }
            let more = can_grant(&queue);
            drop(queue);
            let rest = more.then_some(Rest(self));
            given.tell();
            std::mem::forget(rest);
            if !more {
                return batch.finish();
            }
            batch.wake();
            queue = self.queue.lock();
        }
    }

    /// Hands out what is there in the order of the queue, then wakes. Returns how many were let go.
    pub(crate) fn grant_and_wake<'a>(&'a self, mut queue: LockedQueue<'a>) -> usize {
        if !can_grant(&queue) {
            return 0;
        }
        let first = grant_front(&mut queue);
        if can_grant(&queue) {
            return self.grant_and_wake_many(queue, first);
        }
        drop(queue);
        first.into_iter().for_each(wake_one);
        1
    }

    /// The rest of `grant_and_wake`, where there is more to hand out.
    #[cold]
    fn grant_and_wake_many<'a>(&'a self, mut queue: LockedQueue<'a>, first: Option<Waker>) -> usize {
        let mut batch = WakeBatch::new();
        first.into_iter().for_each(|waker| batch.push(waker));
        loop {
            while can_grant(&queue) && !batch.is_full() {
                grant_front(&mut queue).into_iter().for_each(|waker| batch.push(waker));
            }
            let more = can_grant(&queue);
            drop(queue);
            if !more {
                return batch.finish();
            }
            batch.wake();
            queue = self.queue.lock();
        }
    }

    /// Puts permits back within a `release` span, if anybody watches.
    #[inline]
    pub(crate) fn give_back(&self, n: usize, object: Object<'_>, hold: &Hold) {
        if trace::is_verbose() {
            self.give_back_watched(n, object, *hold);
        } else {
            self.release(n);
        }
    }

    /// Puts the only permit of a mutex back within a `release` span, if anybody watches.
    #[inline]
    pub(crate) fn give_back_only(&self, object: Object<'_>, hold: &Hold) {
        if trace::is_watched() {
            if trace::is_verbose() {
                self.give_back_watched(1, object, *hold);
            } else {
                self.put_only_watched();
            }
        } else if let Some(queue) = self.queue.give_back_only() {
            hand_over_unwatched(queue);
        }
    }

    /// `give_back_only` where waits are watched: who resumes learns when it was granted. A clock is not read under the
    /// list's lock, so the look whether somebody waits comes before; if it came too early, the lock is let go once more.
    #[cold]
    fn put_only_watched(&self) {
        let expected = self.queue.has_waiters();
        let mut now = if expected { Stamp::if_waits_are_watched() } else { Stamp::NONE };
        let Some(mut queue) = self.queue.give_back_only() else { return };
        if !expected {
            drop(queue);
            now = Stamp::if_waits_are_watched();
            queue = self.queue.lock();
        }
        queue.set_count(1);
        self.grant_and_wake_told(queue, By::CALL, now);
    }

    /// The hold comes by value: a reference would keep the guard from living in registers.
    #[cold]
    fn give_back_watched(&self, n: usize, object: Object<'_>, hold: Hold) {
        // They go back even where the subscriber panics.
        let taken = Taken(self, n);
        let span = Release::begin(object, &hold);
        taken.keep();
        let by = By::release(&hold);
        let woken = self.put_or(n, || self.release_to_waiters_told(n, by)).unwrap_or(0);
        trace::left(object, || self.available());
        span.finish(woken);
    }

    /// Permits in the count; some of them may be on their way to the head of the queue.
    pub(crate) fn available(&self) -> usize {
        loop {
            // Ordering: Acquire, so that who sees a permit come back also sees what was done under it.
            let word = self.queue.load(Ordering::Acquire);
            if word & LOCKED == 0 {
                return word >> COUNT_SHIFT;
            }
            // What is granted under the lock leaves the count with the unlock: who has it by now must not find it free too.
            self.queue.load_unlocked();
        }
    }

    /// Takes away up to `n` permits of the count for good, whoever waits. Returns how many.
    pub(crate) fn forget(&self, n: usize) -> usize {
        let mut queue = self.queue.lock();
        let gone = n.min(queue.count());
        queue.set_count(queue.count() - gone);
        gone
    }

    pub(crate) fn is_closed(&self) -> bool {
        // Ordering: Acquire pairs with the unlock in `close`.
        self.queue.load(Ordering::Acquire) & FLAG != 0
    }

    /// Ends every wait, present and to come. What was granted before stays granted.
    pub(crate) fn close(&self) {
        // With nobody waiting nobody learns when.
        let now = if self.queue.has_waiters() { Stamp::if_waits_are_watched() } else { Stamp::NONE };
        let mut batch = WakeBatch::new();
        loop {
            let mut queue = self.queue.lock();
            queue.set_flag();
            while !batch.is_full() && !queue.is_empty() {
                queue.end_front(CLOSED, now, &mut batch);
            }
            let done = queue.is_empty();
            drop(queue);
            if done {
                break;
            }
            batch.wake();
        }
        batch.finish();
    }
}

/// Gives the only permit of a mutex, which is on its way back, to the longest waiter.
#[cold]
fn hand_over_unwatched(mut queue: LockedQueue<'_>) {
    if queue.is_empty() {
        queue.set_count(1);
        return;
    }
    let waker = queue.end_front_one(GRANTED, Stamp::NONE);
    drop(queue);
    if let Some(waker) = waker {
        wake_one(waker);
    }
}

/// Whether there is enough for the longest waiter.
///
/// Once it is closed nobody is granted: `close` ends those who are left, and gives the lock back in between.
#[inline]
fn can_grant(queue: &LockedQueue<'_>) -> bool {
    !queue.flag() && queue.front_tag().is_some_and(|n| queue.count() >= n as usize)
}

/// What is still to be handed out, should the probe unwind before.
struct Rest<'a>(&'a Permits);

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        self.0.grant_and_wake(self.0.queue.lock());
    }
}

/// Gives the longest waiter what it asks for, which must be there, where nobody watches.
#[inline]
fn grant_front(queue: &mut LockedQueue<'_>) -> Option<Waker> {
    let n = queue.front_tag()? as usize;
    queue.set_count(queue.count() - n);
    queue.end_front_one(GRANTED, Stamp::NONE)
}

/// As [`grant_front`], noting when, with the number of whoever was given it.
#[inline]
fn grant_front_told(queue: &mut LockedQueue<'_>, now: Stamp) -> Option<(Option<Waker>, Number)> {
    let n = queue.front_tag()? as usize;
    queue.set_count(queue.count() - n);
    queue.grant_front_told(now)
}

/// Permits that were taken but have no guard yet: they go back should foreign code unwind.
pub(crate) struct Taken<'a>(pub(crate) &'a Permits, pub(crate) usize);

impl Taken<'_> {
    /// Somebody else sees to them from now on.
    #[inline]
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.1 != 0 {
            self.0.release(self.1);
        }
    }
}
