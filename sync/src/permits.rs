//! The acquire machine under [`Mutex`](crate::Mutex) and [`Semaphore`](crate::Semaphore): a count of permits
//! with a FIFO queue of those who want some.
//!
//! A free acquisition and a free release are one atomic read-modify-write each. When somebody waits, a release hands
//! permits to the head of the queue, which need not compete for them: nobody overtakes. Permits that the head
//! cannot use yet stay in the count, where no newcomer takes them while the queue is not empty.
//!
//! A mutex is one permit. Its free path has functions of its own (`…_only`): only the holder can give that permit
//! back, so that both sides know the word that they expect.

use std::sync::atomic::Ordering;
use std::task::Waker;

use crate::loom::const_fn;
use crate::trace::{self, Attempt, By, Given, Hold, Number, Object, Release, Request, Site, Stamp};
use crate::wait::Wait;
use crate::wait_queue::{
    CLOSED, COUNT_SHIFT, DONE, FLAG, GRANTED, IDLE, LOCKED, LockedQueue, ONE, QUEUED, WAITING, WaitQueue,
};
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

/// How joining the queue ended.
enum Joined {
    /// In the queue, behind so many.
    Behind(usize),
    /// It could be taken at once after all.
    Taken,
    /// Closed meanwhile.
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
