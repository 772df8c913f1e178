//! [`Condition`] and its guard. The futures have a room of their own below.
//!
//! A condition has a queue of its own; a waiter in it is `PARKED`. Notifying moves waiters to the end of the lock's
//! queue, where they are `QUEUED` and granted like anybody else, instead of waking them to block again ("wait
//! morphing"). Both queues are locked for that, always the condition's first. So a waiter only ever goes forward, and
//! its owner finds it by looking at its state, locking the queue that the state names, and looking again.

mod futures;

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::blocking;
use crate::error::TryLockError;
use crate::mutex::{Mutex, MutexGuard};
use crate::permits::Acquisition;
use crate::statistics::ConditionStatistics;
use crate::trace::{self, By, Call, Form, Hold, Label, Moved, Number, Object, Site, Stamp};
use crate::wait_queue::{LockedQueue, QUEUED, WaitQueue};
use futures::Parking;

pub use futures::{ConditionLock, ConditionWait, ConditionWaitFor};

/// Both locks are held for so many waiters at a time.
const CHUNK: usize = 64;

/// A lock together with a condition on which its holders can wait. asyncio's `Condition`.
///
/// Only who holds the lock may wait or notify, and the guard is what shows that. Several conditions may share one
/// lock ([`with_mutex`](Self::with_mutex)).
///
/// # Cancel safety
///
/// Every wait may be dropped at any point; the lock is released then, as a dropped future cannot take it again. A
/// notification that it had been given goes to the next waiter. See [the guide](crate::guide::cancel_safety).
///
/// # Fairness
///
/// The longest waiter is notified first. A notified waiter joins the end of the lock's queue at that moment, and is
/// woken when the lock is granted to it: notifying a thousand wakes nobody, then each unlock wakes one.
///
/// # Memory ordering
///
/// As for [`Mutex`]: what a holder did before it waited or dropped its guard happens before what the next one does.
///
/// # Differences to asyncio
///
/// A cancelled wait leaves the lock released, where asyncio's takes it again. More in
/// [the guide](crate::guide::differences).
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::sync::Arc;
/// use sync::Condition;
///
/// let queue = Arc::new(Condition::new(Vec::new()).with_name("queue"));
/// let consumer = tokio::spawn({
///     let queue = Arc::clone(&queue);
///     async move {
///         let guard = queue.lock().await;
///         guard.wait_for(|items| !items.is_empty()).await.pop()
///     }
/// });
///
/// let mut guard = queue.lock().await;
/// guard.push("work");
/// guard.notify_one();
/// drop(guard);
/// assert_eq!(consumer.await.unwrap(), Some("work"));
/// # }
/// ```
pub struct Condition<T: ?Sized> {
    queue: WaitQueue,
    label: Label,
    mutex: Arc<Mutex<T>>,
}

impl<T> Condition<T> {
    /// Makes a condition with a lock of its own around `value`. It is not `const`, since it allocates the lock.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self::with_mutex(Arc::new(Mutex::new(value)))
    }

    /// Gives the condition a name, which its spans and the dashboard show. The lock keeps its own, if it has one. Without
    /// the feature `tracing` the name is not kept.
    #[must_use = "the name is given to the condition that is returned"]
    pub fn with_name(mut self, name: &'static str) -> Self {
        self.label.set_name(name);
        self
    }
}

impl<T: ?Sized> Condition<T> {
    /// Makes a condition on a lock that exists, such as another condition's. See
    /// [`switch_to`](ConditionGuard::switch_to) for two conditions on one lock.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sync::{Condition, Mutex};
    ///
    /// // A lock with a name, for a condition with another.
    /// let lock = Arc::new(Mutex::new(0).with_name("level"));
    /// let rising = Condition::with_mutex(Arc::clone(&lock)).with_name("level rising");
    /// assert!(Arc::ptr_eq(rising.mutex(), &lock));
    /// ```
    #[track_caller]
    pub fn with_mutex(mutex: Arc<Mutex<T>>) -> Self {
        Self { queue: WaitQueue::new(0), label: Label::new(), mutex }
    }

    /// The lock, to take it without meaning to wait or notify, or for another condition.
    pub fn mutex(&self) -> &Arc<Mutex<T>> {
        &self.mutex
    }

    /// Takes the lock, waiting for its turn.
    ///
    /// # Cancel safety
    ///
    /// As for [`Mutex::lock`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let condition = sync::Condition::new(0);
    /// let mut guard = condition.lock().await;
    /// *guard += 1;
    /// guard.notify_all();
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> ConditionLock<'_, T> {
        ConditionLock { condition: self, acquisition: Acquisition::new(Site::here()) }
    }

    /// Takes the lock if it is free and nobody waits for it.
    ///
    /// # Errors
    ///
    /// [`TryLockError`] if that is not so.
    ///
    /// # Examples
    ///
    /// ```
    /// let condition = sync::Condition::new(0);
    /// let guard = condition.try_lock().unwrap();
    /// assert!(condition.try_lock().is_err());
    /// drop(guard);
    /// assert!(condition.try_lock().is_ok());
    /// ```
    #[track_caller]
    pub fn try_lock(&self) -> Result<ConditionGuard<'_, T>, TryLockError> {
        Ok(self.guard(MutexGuard::into_hold(self.mutex.try_lock()?)))
    }

    /// Takes the lock, parking the thread until it is this call's turn.
    ///
    /// For threads that run no tasks; see [`Mutex::blocking_lock`] for what it does elsewhere.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::thread;
    /// use sync::Condition;
    ///
    /// let condition = Condition::new(0);
    /// thread::scope(|threads| {
    ///     threads.spawn(|| {
    ///         let guard = condition.blocking_lock().blocking_wait_for(|value| *value > 0);
    ///         assert_eq!(*guard, 1);
    ///     });
    ///     let mut guard = condition.blocking_lock();
    ///     *guard = 1;
    ///     guard.notify_one();
    /// });
    /// ```
    #[track_caller]
    #[inline]
    pub fn blocking_lock(&self) -> ConditionGuard<'_, T> {
        self.guard(MutexGuard::into_hold(self.mutex.blocking_lock()))
    }

    /// What can be said of it now. Counting the waiters takes the queues' locks for a moment.
    ///
    /// # Examples
    ///
    /// ```
    /// let statistics = sync::Condition::new(0).statistics();
    /// assert_eq!(statistics.waiting, 0);
    /// assert!(!statistics.mutex.locked);
    /// ```
    pub fn statistics(&self) -> ConditionStatistics {
        ConditionStatistics { waiting: self.queue.len(), mutex: self.mutex.statistics() }
    }

    /// A guard for a lock that the caller holds.
    #[inline]
    fn guard(&self, hold: Hold) -> ConditionGuard<'_, T> {
        ConditionGuard { condition: self, hold, marker: PhantomData }
    }

    #[inline]
    fn object(&self) -> Object<'_> {
        Object { form: Form::Condition, label: &self.label }
    }

    /// Moves up to `limit` waiters to the end of the lock's queue. Returns how many.
    ///
    /// Who notifies holds the lock, so nobody can join meanwhile and nothing is granted. Who passes a notification on
    /// may find the lock free: then the waiter that was moved gets it at once.
    fn transfer(&self, limit: usize) -> usize {
        if trace::is_watched() { self.transfer_told(limit) } else { self.transfer_untold(limit) }
    }

    #[inline]
    fn transfer_untold(&self, limit: usize) -> usize {
        let permits = self.mutex.permits();
        let mut moved = 0;
        while moved < limit {
            let Some((chunk, queued)) = self.transfer_chunk(limit - moved, |_| {}) else { break };
            moved += chunk;
            permits.grant_and_wake(queued);
        }
        moved
    }

    /// As `transfer`, where somebody watches: the probe is told who was notified.
    #[cold]
    fn transfer_told(&self, limit: usize) -> usize {
        let permits = self.mutex.permits();
        let now = Stamp::if_waits_are_watched();
        let mut moved = 0;
        while moved < limit {
            let mut told = Moved::<CHUNK>::new(now);
            let Some((chunk, queued)) = self.transfer_chunk(limit - moved, |number| told.note(number)) else {
                break;
            };
            moved += chunk;
            let rest = Rest { condition: self, limit: limit - moved };
            permits.grant_and_wake_told(queued, By::CALL, now);
            told.tell();
            std::mem::forget(rest);
        }
        moved
    }

    /// Moves as many waiters as both locks may be held for, up to `limit`. Returns how many, and the lock's queue; `None`
    /// where nobody waits.
    #[inline(always)]
    fn transfer_chunk(
        &self,
        limit: usize,
        moved_one: impl FnMut(Number),
    ) -> Option<(usize, LockedQueue<'_>)> {
        let mut parked = self.queue.lock();
        if parked.is_empty() {
            return None;
        }
        let mut queued = self.mutex.permits().queue.lock();
        // SAFETY: another list, and the one that QUEUED names for a condition's waiters.
        let moved = unsafe { parked.splice_front(&mut queued, CHUNK.min(limit), QUEUED, moved_one) };
        drop(parked);
        Some((moved, queued))
    }
}

/// Who is still to be notified, should the probe or a waker unwind before.
struct Rest<'a, T: ?Sized> {
    condition: &'a Condition<T>,
    limit: usize,
}

impl<T: ?Sized> Drop for Rest<'_, T> {
    fn drop(&mut self) {
        self.condition.transfer_untold(self.limit);
    }
}

impl<T: Default> Default for Condition<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Condition<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition").field("mutex", &self.mutex).finish_non_exhaustive()
    }
}

/// Holds a [`Condition`]'s lock; dropping it hands the lock on. Holding it is what allows waiting and notifying.
///
/// It derefs to the value. From [`Condition::lock`], [`Condition::try_lock`] and [`Condition::blocking_lock`].
///
/// # Panics
///
/// Where the waker of the task that is granted the lock panics, dropping the guard does, unless its thread panics already;
/// the lock has been handed on by then.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::sync::Arc;
/// use sync::Condition;
///
/// let open = Arc::new(Condition::new(false));
/// let visitor = tokio::spawn({
///     let open = Arc::clone(&open);
///     // Waiting takes the guard and gives it back.
///     async move { *open.lock().await.wait_for(|open| *open).await }
/// });
///
/// let mut guard = open.lock().await;
/// *guard = true;
/// guard.notify_all();
/// drop(guard);
/// assert!(visitor.await.unwrap());
/// # }
/// ```
#[must_use = "the lock is released as soon as its guard is dropped"]
#[clippy::has_significant_drop]
pub struct ConditionGuard<'a, T: ?Sized> {
    condition: &'a Condition<T>,
    hold: Hold,
    /// A guard is as Send and Sync as the unique reference for which it stands.
    marker: PhantomData<&'a mut T>,
}

impl<'a, T: ?Sized> ConditionGuard<'a, T> {
    /// Releases the lock, waits for a notification, and takes the lock again.
    ///
    /// There are no spurious wake-ups, but others may have held the lock between the notification and the return, so
    /// what was waited for must be looked at again; [`wait_for`](Self::wait_for) does.
    ///
    /// The lock is released at the first poll. Nobody can notify before the wait has its place: who does holds the lock.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the lock released. A notification that it had been given goes to the next waiter.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use std::sync::Arc;
    /// use sync::Condition;
    ///
    /// let turn = Arc::new(Condition::new(0));
    /// let guard = turn.lock().await;
    /// let notifier = tokio::spawn({
    ///     let turn = Arc::clone(&turn);
    ///     async move {
    ///         let mut guard = turn.lock().await;
    ///         *guard += 1;
    ///         guard.notify_one();
    ///     }
    /// });
    /// let guard = guard.wait().await;
    /// assert_eq!(*guard, 1);
    /// # drop(guard);
    /// # notifier.await.unwrap();
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn wait(self) -> ConditionWait<'a, T> {
        ConditionWait { condition: self.condition, guard: Some(self), parking: Parking::new(Site::here()) }
    }

    /// Waits until `predicate` holds for the value; does not wait if it does already.
    ///
    /// The lock is held while `predicate` runs, which may change the value, and when this returns. A notification whose waiter
    /// finds that `predicate` does not hold is used up: where waiters wait for different things, notify all of them, or give
    /// each thing a condition of its own.
    ///
    /// # Cancel safety
    ///
    /// As for [`wait`](Self::wait).
    ///
    /// # Panics
    ///
    /// If `predicate` does; the lock is released when the future is dropped, which is all that may be done with it then.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use std::sync::Arc;
    /// use sync::Condition;
    ///
    /// let jobs = Arc::new(Condition::new(Vec::new()));
    /// let worker = tokio::spawn({
    ///     let jobs = Arc::clone(&jobs);
    ///     async move { jobs.lock().await.wait_for(|jobs| !jobs.is_empty()).await.pop() }
    /// });
    /// let mut guard = jobs.lock().await;
    /// guard.push("sweep");
    /// guard.notify_one();
    /// drop(guard);
    /// assert_eq!(worker.await.unwrap(), Some("sweep"));
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn wait_for<F: FnMut(&mut T) -> bool>(self, predicate: F) -> ConditionWaitFor<'a, T, F> {
        ConditionWaitFor {
            condition: self.condition,
            guard: Some(self),
            predicate,
            parking: Parking::new(Site::here()),
        }
    }

    /// As [`wait`](Self::wait), parking the thread.
    ///
    /// For threads that run no tasks. On a thread of an executor it keeps every task of that thread from running, and
    /// waits for ever if it is one of them that would notify.
    ///
    /// For an example see [`Condition::blocking_lock`].
    #[track_caller]
    pub fn blocking_wait(self) -> Self {
        blocking::wait(self.wait())
    }

    /// As [`wait_for`](Self::wait_for), parking the thread. See [`blocking_wait`](Self::blocking_wait) for where not to.
    ///
    /// # Panics
    ///
    /// If `predicate` does; the lock is released then.
    #[track_caller]
    pub fn blocking_wait_for<F: FnMut(&mut T) -> bool>(mut self, mut predicate: F) -> Self {
        while !predicate(&mut self) {
            self = self.blocking_wait();
        }
        self
    }

    /// The same hold of the lock, through another condition on it: to wait for that, or to notify its waiters.
    ///
    /// asyncio lets whoever holds the lock notify any condition on it; here the guard says which one is meant.
    ///
    /// # Panics
    ///
    /// If `other` is on another lock; this one is released then.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use std::sync::Arc;
    /// use sync::Condition;
    ///
    /// let has_room = Condition::new(Vec::with_capacity(1));
    /// let has_item = Condition::with_mutex(Arc::clone(has_room.mutex()));
    ///
    /// let mut guard = has_room.lock().await.wait_for(|items| items.is_empty()).await;
    /// guard.push(1);
    /// guard.switch_to(&has_item).notify_one();
    /// # }
    /// ```
    #[track_caller]
    pub fn switch_to<'b>(self, other: &'b Condition<T>) -> ConditionGuard<'b, T> {
        assert!(
            Arc::ptr_eq(&self.condition.mutex, &other.mutex),
            "ConditionGuard::switch_to: the condition is on another lock"
        );
        let this = std::mem::ManuallyDrop::new(self);
        // SAFETY: read once, and the original is never dropped: the hold passes on with the lock.
        other.guard(unsafe { std::ptr::read(&raw const this.hold) })
    }

    /// Notifies the longest waiter, if there is one. It goes on when it has the lock, so after this guard is gone.
    pub fn notify_one(&self) {
        self.notify(1);
    }

    /// Notifies the `n` longest waiters, or as many as there are. They join the end of the lock's queue, in their order.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use std::sync::Arc;
    /// use sync::Condition;
    ///
    /// let condition = Arc::new(Condition::new(()));
    /// let waiters: Vec<_> = (0..3)
    ///     .map(|_| {
    ///         let condition = Arc::clone(&condition);
    ///         tokio::spawn(async move { drop(condition.lock().await.wait().await) })
    ///     })
    ///     .collect();
    /// while condition.statistics().waiting < 3 {
    ///     tokio::task::yield_now().await;
    /// }
    ///
    /// let guard = condition.lock().await;
    /// guard.notify(2);
    /// assert_eq!(condition.statistics().waiting, 1);
    /// guard.notify_all();
    /// drop(guard);
    /// for waiter in waiters {
    ///     waiter.await.unwrap();
    /// }
    /// # }
    /// ```
    #[inline]
    pub fn notify(&self, n: usize) {
        if trace::is_verbose() {
            self.notify_watched(n);
        } else {
            self.pass_on(n);
        }
    }

    #[cold]
    fn notify_watched(&self, n: usize) {
        let span = Call::notify(self.condition.object(), self.hold.task());
        span.finish(self.pass_on(n));
    }

    #[inline]
    fn pass_on(&self, n: usize) -> usize {
        // Whoever must hear it joined under the lock that we hold, so a look without the queue's lock sees them.
        if self.condition.queue.has_waiters() { self.condition.transfer(n) } else { 0 }
    }

    /// Notifies every waiter.
    pub fn notify_all(&self) {
        self.notify(usize::MAX);
    }
}

impl<T: ?Sized> Deref for ConditionGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: we hold the lock.
        unsafe { &*self.condition.mutex.value() }
    }
}

impl<T: ?Sized> DerefMut for ConditionGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: we hold the lock, and the guard is borrowed uniquely.
        unsafe { &mut *self.condition.mutex.value() }
    }
}

impl<T: ?Sized> Drop for ConditionGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.condition.mutex.unlock(&self.hold);
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for ConditionGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for ConditionGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
