//! [`Mutex`], its guards and its futures.

use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::TryLockError;
use crate::loom::const_fn;
use crate::permits::{Acquisition, Permits, Taken};
use crate::schema;
use crate::statistics::MutexStatistics;
use crate::trace::{Attempt, Hold, Label, Object, Request, Site};

/// A lock around a value, for tasks. asyncio's `Lock`, with tokio's interface.
///
/// The guard may be held across an await. For a critical section without one, `std::sync::Mutex` is cheaper.
///
/// # Fairness
///
/// Strictly first in, first out in the order of grants: unlocking hands the lock to the task that has waited
/// longest, and nobody overtakes it, not even a task that finds the lock between two holders. The price: a task
/// that was granted the lock but is not polled holds up the rest.
///
/// # Memory ordering
///
/// What one holder did happens before what the next one does.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::sync::Arc;
/// use sync::Mutex;
///
/// static REQUESTS: Mutex<u64> = Mutex::const_new(0).with_name("requests");
///
/// let tasks: Vec<_> = (0..10)
///     .map(|_| tokio::spawn(async { *REQUESTS.lock().await += 1 }))
///     .collect();
/// for task in tasks {
///     task.await.unwrap();
/// }
/// assert_eq!(*REQUESTS.lock().await, 10);
/// # }
/// ```
pub struct Mutex<T: ?Sized> {
    permits: Permits,
    label: Label,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through a guard alone, and there is one guard at a time (one permit), so that it
// passes from thread to thread but is never shared.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    const_fn! {
        /// Makes an unlocked mutex around `value`.
        #[track_caller]
        pub fn new(value: T) -> Self {
            Self { permits: Permits::new(1), label: Label::new(), value: UnsafeCell::new(value) }
        }
    }

    const_fn! {
        /// As [`new`](Self::new), which is `const` too; here because tokio has it.
        #[track_caller]
        pub fn const_new(value: T) -> Self {
            Self::new(value)
        }
    }

    /// Gives the mutex a name, which its spans and the dashboard show.
    #[must_use = "the name is given to the mutex that is returned"]
    pub const fn with_name(mut self, name: &'static str) -> Self {
        self.label.set_name(name);
        self
    }

    /// Takes the value out. No lock is needed: nobody else can have the mutex.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Locks, waiting for its turn.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up its place in the queue; a lock that was granted to it meanwhile goes to the
    /// next in the queue.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mutex = sync::Mutex::new(1);
    /// let mut guard = mutex.lock().await;
    /// *guard += 1;
    /// assert_eq!(*guard, 2);
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> Lock<'_, T> {
        Lock { mutex: self, acquisition: Acquisition::new(1, Site::here()) }
    }

    /// As [`lock`](Self::lock), with a guard that owns an `Arc` of the mutex and so may outlive every borrow.
    ///
    /// # Cancel safety
    ///
    /// As for [`lock`](Self::lock).
    #[track_caller]
    #[inline]
    pub fn lock_owned(self: Arc<Self>) -> LockOwned<T> {
        LockOwned { mutex: Some(self), acquisition: Acquisition::new(1, Site::here()) }
    }

    /// Locks if the mutex is free and nobody waits for it.
    ///
    /// # Errors
    ///
    /// [`TryLockError`] if that is not so.
    #[track_caller]
    #[inline]
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        let hold = self.try_take(Site::here())?;
        Ok(self.guard(hold))
    }

    /// As [`try_lock`](Self::try_lock), with a guard that owns an `Arc` of the mutex.
    ///
    /// # Errors
    ///
    /// [`TryLockError`] if the mutex is locked or waited for.
    #[track_caller]
    #[inline]
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        let hold = self.try_take(Site::here())?;
        Ok(OwnedMutexGuard { mutex: self, hold, marker: PhantomData })
    }

    /// The value, without locking: the borrow proves that nobody else has the mutex.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Whether it was locked at that moment.
    pub fn is_locked(&self) -> bool {
        self.permits.available() == 0
    }

    /// What can be said of it now. Counting the waiters takes the queue's lock for a moment.
    pub fn statistics(&self) -> MutexStatistics {
        MutexStatistics { locked: self.is_locked(), waiting: self.permits.queue.len() }
    }

    #[inline]
    fn try_take(&self, site: Site) -> Result<Hold, TryLockError> {
        let attempt = Attempt::begin(Request { object: self.object(), permits: 1, site }, None);
        match self.permits.try_take(1) {
            Ok(()) => {
                let taken = Taken(&self.permits, 1);
                let hold = attempt.granted();
                taken.keep();
                Ok(hold)
            }
            Err(_) => {
                attempt.refused();
                Err(TryLockError::new())
            }
        }
    }

    #[inline]
    pub(crate) fn object(&self) -> Object<'_> {
        Object { primitive: schema::primitive::MUTEX, label: &self.label }
    }

    #[inline]
    pub(crate) fn permits(&self) -> &Permits {
        &self.permits
    }

    /// A guard for a lock that the caller holds.
    #[inline]
    pub(crate) fn guard(&self, hold: Hold) -> MutexGuard<'_, T> {
        MutexGuard { mutex: self, hold, marker: PhantomData }
    }

    /// The value, for whoever holds the lock.
    #[inline]
    pub(crate) fn value(&self) -> *mut T {
        self.value.get()
    }

    #[inline]
    pub(crate) fn unlock(&self, hold: &Hold) {
        self.permits.give_back(1, self.object(), hold);
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut d = f.debug_struct("Mutex");
        // Looking in must not show up as an acquisition, so it goes past the spans.
        if self.permits.try_take(1).is_ok() {
            let _unlock = Taken(&self.permits, 1);
            // SAFETY: we hold the lock until `_unlock` goes.
            d.field("data", &unsafe { &*self.value.get() });
            d.finish()
        } else {
            d.field("data", &format_args!("<locked>")).finish()
        }
    }
}

/// Holds a [`Mutex`] locked; dropping it hands the lock on.
#[must_use = "the mutex is unlocked as soon as its guard is dropped"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    hold: Hold,
    /// A guard is as Send and Sync as the unique reference for which it stands.
    marker: PhantomData<&'a mut T>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The mutex that is locked. An associated function, so as not to hide a method of the value.
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.mutex
    }

    /// Turns the guard into what it remembers; the caller holds the lock from now on.
    pub(crate) fn into_hold(this: Self) -> Hold {
        let this = std::mem::ManuallyDrop::new(this);
        // SAFETY: read once, and the original is never dropped.
        unsafe { std::ptr::read(&raw const this.hold) }
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: we hold the lock.
        unsafe { &*self.mutex.value() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: we hold the lock, and the guard is borrowed uniquely.
        unsafe { &mut *self.mutex.value() }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.unlock(&self.hold);
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

/// Holds a [`Mutex`] locked, and owns an `Arc` of it.
#[must_use = "the mutex is unlocked as soon as its guard is dropped"]
#[clippy::has_significant_drop]
pub struct OwnedMutexGuard<T: ?Sized> {
    mutex: Arc<Mutex<T>>,
    hold: Hold,
    /// As in [`MutexGuard`].
    marker: PhantomData<T>,
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// The mutex that is locked. An associated function, so as not to hide a method of the value.
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        &this.mutex
    }
}

impl<T: ?Sized> Deref for OwnedMutexGuard<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: we hold the lock.
        unsafe { &*self.mutex.value() }
    }
}

impl<T: ?Sized> DerefMut for OwnedMutexGuard<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: we hold the lock, and the guard is borrowed uniquely.
        unsafe { &mut *self.mutex.value() }
    }
}

impl<T: ?Sized> Drop for OwnedMutexGuard<T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.unlock(&self.hold);
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for OwnedMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for OwnedMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

/// Future of [`Mutex::lock`].
#[must_use = "futures do nothing unless they are polled"]
pub struct Lock<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    acquisition: Acquisition,
}

impl<'a, T: ?Sized> Future for Lock<'a, T> {
    type Output = MutexGuard<'a, T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out; `acquisition` is pinned with us, and our destructor cancels it.
        let this = unsafe { self.get_unchecked_mut() };
        let mutex = this.mutex;
        // SAFETY: as above; it is the same mutex each time.
        match unsafe { this.acquisition.poll(&mutex.permits, mutex.object(), cx) } {
            Poll::Ready(Ok(hold)) => Poll::Ready(mutex.guard(hold)),
            Poll::Ready(Err(_)) => unreachable!("a mutex is never closed"),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: ?Sized> Drop for Lock<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.acquisition.cancel(&self.mutex.permits);
    }
}

impl<T: ?Sized> fmt::Debug for Lock<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}

/// Future of [`Mutex::lock_owned`].
#[must_use = "futures do nothing unless they are polled"]
pub struct LockOwned<T: ?Sized> {
    /// `None` once the guard has it.
    mutex: Option<Arc<Mutex<T>>>,
    acquisition: Acquisition,
}

impl<T: ?Sized> Future for LockOwned<T> {
    type Output = OwnedMutexGuard<T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: only the `Arc` is moved out, which is not pinned; `acquisition` is, and our destructor cancels it.
        let this = unsafe { self.get_unchecked_mut() };
        // It stays in its place while foreign code may unwind: the destructor needs it.
        let mutex = this.mutex.as_ref().expect("a lock was polled after it was ready");
        // SAFETY: as above; it is the same mutex each time.
        match unsafe { this.acquisition.poll(&mutex.permits, mutex.object(), cx) } {
            Poll::Ready(Ok(hold)) => {
                let mutex = this.mutex.take().expect("it was there a moment ago");
                Poll::Ready(OwnedMutexGuard { mutex, hold, marker: PhantomData })
            }
            Poll::Ready(Err(_)) => unreachable!("a mutex is never closed"),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: ?Sized> Drop for LockOwned<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(mutex) = &self.mutex {
            self.acquisition.cancel(&mutex.permits);
        }
    }
}

impl<T: ?Sized> fmt::Debug for LockOwned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockOwned").finish_non_exhaustive()
    }
}
