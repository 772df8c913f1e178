//! [`Event`] and its futures.
//!
//! The flag of the word means set; its count is the epoch, which goes up with each `set` that finds waiters. A
//! waiter is tagged with the epoch in which it joined, so `set` can let go everybody of earlier epochs in batches,
//! with the lock given back in between, and never touches those who joined after a `clear` that followed at once.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker, ready};

use crate::blocking;
use crate::coop;
use crate::loom::const_fn;
use crate::statistics::EventStatistics;
use crate::trace::{self, Attempt, Call, Form, Label, Object, Request, Site, Stamp};
use crate::wait::Wait;
use crate::wait_queue::{DONE, FLAG, GRANTED, IDLE, LOCKED, LockedQueue, QUEUED, WAITING, WaitQueue};
use crate::wake::WakeBatch;

/// A flag on which tasks wait until it is set. asyncio's `Event`.
///
/// It stays set until it is cleared, so who comes later does not wait. For a value that changes again and again, take a
/// [`Condition`](crate::Condition).
///
/// # Cancel safety
///
/// A wait may be dropped at any point, and others do not notice; see [the guide](crate::guide::cancel_safety).
/// # Fairness
///
/// [`set`](Self::set) lets go every task that waits at that moment, in the order in which they came, even where
/// [`clear`](Self::clear) follows at once.
///
/// # Memory ordering
///
/// What was done before a `set` happens before what is done after a wait that it ended, or that found it set, and after
/// an [`is_set`](Self::is_set) that says so. See [the guide](crate::guide::memory_ordering).
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::sync::Arc;
/// use sync::Event;
///
/// let ready = Arc::new(Event::new().with_name("ready"));
/// let waiter = tokio::spawn(ready.clone().wait_owned());
/// ready.set();
/// waiter.await.unwrap();
/// assert!(ready.is_set());
/// # }
/// ```
pub struct Event {
    queue: WaitQueue,
    label: Label,
}

impl Event {
    const_fn! {
        /// Makes an event that is not set. It is `const`, so a `static` may hold it.
        #[track_caller]
        pub fn new() -> Self {
            Self { queue: WaitQueue::new(0), label: Label::new() }
        }
    }

    /// Gives the event a name, which its spans and the dashboard show. Without the feature `tracing` it is not kept.
    #[must_use = "the name is given to the event that is returned"]
    pub const fn with_name(mut self, name: &'static str) -> Self {
        self.label.set_name(name);
        self
    }

    /// Sets the event, and lets go every task that waits. On a set event it changes nothing.
    ///
    /// # Panics
    ///
    /// Where wakers panic it does; every task that waited has been let go and woken by then.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use std::sync::Arc;
    ///
    /// let event = Arc::new(sync::Event::new());
    /// let waiters: Vec<_> = (0..3).map(|_| tokio::spawn(event.clone().wait_owned())).collect();
    /// while event.statistics().waiting < 3 {
    ///     tokio::task::yield_now().await;
    /// }
    /// event.set();
    /// event.clear();
    /// // They waited at that moment, so they go on, though it is not set any more.
    /// for waiter in waiters {
    ///     waiter.await.unwrap();
    /// }
    /// # }
    /// ```
    #[inline]
    pub fn set(&self) {
        if trace::is_verbose() {
            self.set_watched();
        } else if !self.try_set_free() {
            self.set_waiters_free();
        }
    }

    #[cold]
    fn set_watched(&self) {
        let span = Call::set(self.object());
        let woken = if self.try_set_free() { 0 } else { self.set_waiters_free() };
        span.finish(woken);
    }

    /// Makes the event unset; tasks that wait from now on wait for the next [`set`](Self::set).
    ///
    /// # Examples
    ///
    /// ```
    /// let event = sync::Event::new();
    /// event.set();
    /// event.clear();
    /// assert!(!event.is_set());
    /// ```
    #[inline]
    pub fn clear(&self) {
        if trace::is_verbose() {
            self.clear_watched();
        } else {
            self.unset();
        }
    }

    #[cold]
    fn clear_watched(&self) {
        let span = Call::clear(self.object());
        self.unset();
        span.finish(0);
    }

    #[inline]
    fn unset(&self) {
        let mut word = self.queue.load(Ordering::Relaxed);
        loop {
            if word & LOCKED != 0 {
                word = self.queue.load_unlocked();
            }
            if word & FLAG == 0 {
                return;
            }
            // Ordering: Acquire: who clears has seen what came before the `set` whose mark it takes away, and hands it on
            // with the Release of the next one.
            match self.queue.exchange(word, word & !FLAG, Ordering::Acquire) {
                Ok(_) => return,
                Err(seen) => word = seen,
            }
        }
    }

    /// Whether it is set.
    #[inline]
    pub fn is_set(&self) -> bool {
        // Ordering: Acquire pairs with the Release of `set`.
        self.queue.load(Ordering::Acquire) & FLAG != 0
    }

    /// Waits until the event is set; ready at once if it is.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up its place, and nothing else.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let event = sync::Event::new();
    /// tokio::join!(event.wait(), async { event.set() });
    /// // It is ready at once now.
    /// event.wait().await;
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn wait(&self) -> EventWait<'_> {
        EventWait { event: self, watch: Watch::new(Site::here()) }
    }

    /// As [`wait`](Self::wait), with a future that owns an `Arc` of the event.
    ///
    /// # Cancel safety
    ///
    /// As for [`wait`](Self::wait).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use std::sync::Arc;
    ///
    /// let event = Arc::new(sync::Event::new());
    /// let waiter = tokio::spawn(Arc::clone(&event).wait_owned());
    /// event.set();
    /// waiter.await.unwrap();
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn wait_owned(self: Arc<Self>) -> EventWaitOwned {
        EventWaitOwned { event: self, watch: Watch::new(Site::here()) }
    }

    /// Waits until the event is set, parking the thread.
    ///
    /// For threads that run no tasks. It works anywhere, but cannot know where it is: on a thread of an executor it
    /// keeps every task of that thread from running, and waits for ever if it is one of them that would set it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::thread;
    ///
    /// let event = sync::Event::new();
    /// thread::scope(|threads| {
    ///     threads.spawn(|| event.blocking_wait());
    ///     event.set();
    /// });
    /// ```
    #[track_caller]
    #[inline]
    pub fn blocking_wait(&self) {
        if trace::is_verbose() || !self.is_set() {
            blocking::wait(self.wait());
        }
    }

    /// What can be said of it now. Counting the waiters takes the queue's lock for a moment.
    ///
    /// # Examples
    ///
    /// ```
    /// let statistics = sync::Event::new().statistics();
    /// assert_eq!((statistics.set, statistics.waiting), (false, 0));
    /// ```
    pub fn statistics(&self) -> EventStatistics {
        EventStatistics { set: self.is_set(), waiting: self.queue.len() }
    }

    /// Sets it if nobody waits.
    #[inline]
    fn try_set_free(&self) -> bool {
        let mut word = self.queue.load(Ordering::Relaxed);
        loop {
            if word & (LOCKED | WAITING) != 0 {
                return false;
            }
            // Ordering: Release pairs with the Acquire of `is_set`, `Watch::poll` and the lock. It is stored even
            // over a set flag: a task that sees the event set sees what came before every `set` until then.
            match self.queue.exchange(word, word | FLAG, Ordering::Release) {
                Ok(_) => return true,
                Err(seen) => word = seen,
            }
        }
    }

    /// Sets it and lets go whoever joined before.
    #[cold]
    fn set_waiters_free(&self) -> usize {
        let now = Stamp::if_waits_are_watched();
        let mut batch = WakeBatch::new();
        let mut queue = self.queue.lock();
        if !queue.is_empty() && !queue.flag() {
            next_epoch(&mut queue);
        }
        queue.set_flag();
        loop {
            let epoch = epoch(&queue);
            let more = queue.end_while(|joined| joined != epoch, GRANTED, now, &mut batch);
            drop(queue);
            if !more {
                return batch.finish();
            }
            batch.wake();
            queue = self.queue.lock();
        }
    }

    #[inline]
    fn object(&self) -> Object<'_> {
        Object { form: Form::Event, label: &self.label }
    }
}

/// The epoch in which a waiter joins now. It may wrap: it is only ever compared with that of waiters in the queue,
/// and each step lets go all of them.
fn epoch(queue: &LockedQueue<'_>) -> u32 {
    queue.count() as u32
}

fn next_epoch(queue: &mut LockedQueue<'_>) {
    queue.set_count(queue.count().wrapping_add(1) & (usize::MAX >> crate::wait_queue::COUNT_SHIFT));
}

impl Default for Event {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("set", &self.is_set()).finish_non_exhaustive()
    }
}

/// The waiting half of both futures.
struct Watch(Wait);

impl Watch {
    #[inline]
    fn new(site: Site) -> Self {
        Self(Wait::new(site))
    }

    /// # Safety
    ///
    /// The watch is pinned and `cancel` is called before it goes; each call names the same event.
    #[inline]
    unsafe fn poll(&mut self, event: &Event, cx: &mut Context<'_>) -> Poll<()> {
        let Poll::Ready(budget) = coop::poll_proceed(cx) else {
            // SAFETY: the caller's promise.
            unsafe { self.poll_without_budget(event, cx.waker()) };
            return Poll::Pending;
        };
        if self.0.waiter.state() == IDLE && !trace::is_verbose() && event.is_set() {
            self.0.waiter.set_state(DONE);
            budget.made_progress();
            return Poll::Ready(());
        }
        // SAFETY: the caller's promise.
        ready!(unsafe { self.poll_slow(event, cx.waker()) });
        budget.made_progress();
        Poll::Ready(())
    }

    /// # Safety
    ///
    /// As for [`poll`](Self::poll).
    #[cold]
    unsafe fn poll_slow(&mut self, event: &Event, waker: &Waker) -> Poll<()> {
        let state = match self.0.waiter.state() {
            IDLE => return self.begin(event, waker),
            QUEUED => self.0.waiter.refresh(&event.queue, QUEUED, waker),
            state => state,
        };
        match state {
            QUEUED => Poll::Pending,
            GRANTED if self.0.end_unwatched() => Poll::Ready(()),
            GRANTED => {
                let (spans, granted_at) = self.0.end();
                spans.granted(granted_at);
                Poll::Ready(())
            }
            _ => panic!("a wait for an event was polled after it was ready"),
        }
    }

    /// Polls where the task's budget is used up: takes the place of a first poll, but does not end. A set event grants the
    /// wait, so that it ends even where `clear` follows.
    ///
    /// # Safety
    ///
    /// As for [`poll`](Self::poll).
    #[cold]
    unsafe fn poll_without_budget(&mut self, event: &Event, waker: &Waker) {
        // A queued wait may keep an older waker: this one was called for the next poll.
        if self.0.waiter.state() != IDLE {
            return;
        }
        let request = Request { object: event.object(), permits: 0, lock: None, site: self.0.site };
        let attempt = Attempt::begin(request, Some(waker));
        let joined_at = Stamp::if_waits_are_watched();
        let joined = self.join(event, waker);
        if joined.is_none() {
            self.0.grant(0, joined_at);
        }
        let number = attempt.number(joined_at);
        self.0.watch(attempt.queued(request, waker, joined_at, (number, joined.unwrap_or(0))));
    }

    /// The first poll.
    fn begin(&mut self, event: &Event, waker: &Waker) -> Poll<()> {
        if trace::is_watched() {
            return self.begin_watched(event, waker);
        }
        if self.join(event, waker).is_some() {
            return Poll::Pending;
        }
        self.0.waiter.set_state(DONE);
        Poll::Ready(())
    }

    /// The first poll, with its spans.
    #[cold]
    fn begin_watched(&mut self, event: &Event, waker: &Waker) -> Poll<()> {
        let request = Request { object: event.object(), permits: 0, lock: None, site: self.0.site };
        let attempt = Attempt::begin(request, Some(waker));
        if !event.is_set() {
            let joined_at = Stamp::if_waits_are_watched();
            if let Some(ahead) = self.join(event, waker) {
                let number = attempt.number(joined_at);
                self.0.watch(attempt.queued(request, waker, joined_at, (number, ahead)));
                return Poll::Pending;
            }
        }
        self.0.waiter.set_state(DONE);
        attempt.granted();
        Poll::Ready(())
    }

    /// Joins the queue unless the event is set. Returns how many are ahead.
    #[inline]
    fn join(&mut self, event: &Event, waker: &Waker) -> Option<usize> {
        self.0.prepare(waker.clone(), 0);
        let mut queue = event.queue.lock();
        if !queue.flag() {
            self.0.waiter.set_tag(epoch(&queue));
            // SAFETY: the future that owns the waiter is pinned, and its destructor calls `cancel`.
            return Some(unsafe { queue.push_back(&self.0.waiter, QUEUED) });
        }
        drop(queue);
        drop(self.0.waiter.take_waker());
        None
    }

    #[inline]
    fn cancel(&mut self, event: &Event) {
        if !self.0.is_idle_or_done() {
            self.cancel_wait(event);
        }
    }

    #[cold]
    fn cancel_wait(&mut self, event: &Event) {
        let mut queue = event.queue.lock();
        // Under the lock the state is final: `set` holds it when it changes it.
        let waker = match self.0.waiter.state() {
            // SAFETY: Q2: a queued waiter is linked in this list.
            QUEUED => unsafe { queue.remove(&self.0.waiter) },
            _ => None,
        };
        drop(queue);
        let (spans, granted_at) = self.0.end();
        drop(waker);
        spans.cancelled(granted_at);
    }
}

/// Future of [`Event::wait`], which says what it does and what dropping it does.
#[must_use = "futures do nothing unless they are polled"]
pub struct EventWait<'a> {
    event: &'a Event,
    watch: Watch,
}

impl Future for EventWait<'_> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: nothing is moved out; `watch` is pinned with us, our destructor cancels it, and it is the same
        // event each time.
        unsafe {
            let this = self.get_unchecked_mut();
            this.watch.poll(this.event, cx)
        }
    }
}

impl Drop for EventWait<'_> {
    #[inline]
    fn drop(&mut self) {
        self.watch.cancel(self.event);
    }
}

impl fmt::Debug for EventWait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventWait").finish_non_exhaustive()
    }
}

/// Future of [`Event::wait_owned`], which says what it does and what dropping it does.
#[must_use = "futures do nothing unless they are polled"]
pub struct EventWaitOwned {
    event: Arc<Event>,
    watch: Watch,
}

impl Future for EventWaitOwned {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: nothing is moved out; `watch` is pinned with us, our destructor cancels it, and it is the same
        // event each time.
        unsafe {
            let this = self.get_unchecked_mut();
            this.watch.poll(&this.event, cx)
        }
    }
}

impl Drop for EventWaitOwned {
    #[inline]
    fn drop(&mut self) {
        self.watch.cancel(&self.event);
    }
}

impl fmt::Debug for EventWaitOwned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventWaitOwned").finish_non_exhaustive()
    }
}
