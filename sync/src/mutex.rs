//! [`Mutex`]: one permit around a value. Its guards and futures have rooms of their own below.

mod futures;
mod guards;
mod mapped;

use std::cell::UnsafeCell;
use std::fmt;
use std::sync::Arc;

use crate::blocking;
use crate::error::TryLockError;
use crate::loom::const_fn;
use crate::permits::{Acquisition, Permits, Taken};
use crate::statistics::MutexStatistics;
use crate::trace::{self, Form, Hold, Label, Object, Request, Site};

pub use futures::{Lock, LockOwned};
pub use guards::{MutexGuard, OwnedMutexGuard};
pub use mapped::{MappedMutexGuard, OwnedMappedMutexGuard};

/// A lock around a value, for tasks. asyncio's `Lock`, with tokio's interface.
///
/// The guard may be held across an await. For a critical section without one, `std::sync::Mutex` is cheaper.
///
/// Not reentrant: a task that locks twice waits for itself. There is no poisoning either: a task that panics with a guard
/// releases it, and the next one sees the value as it was left.
///
/// # Cancel safety
///
/// Every wait may be dropped at any point; see [the guide](crate::guide::cancel_safety).
///
/// # Fairness
///
/// Strictly first in, first out in the order of grants: unlocking hands the lock to the task that has waited
/// longest, and nobody overtakes it, not even a task that finds the lock between two holders. The price: a task
/// that was granted the lock but is not polled holds up the rest. See [the guide](crate::guide::fairness).
///
/// # Memory ordering
///
/// What one holder did happens before what the next one does. See [the guide](crate::guide::memory_ordering).
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
        /// Makes an unlocked mutex around `value`. It is `const`, so a `static` may hold it.
        ///
        /// # Examples
        ///
        /// ```
        /// static SETTINGS: sync::Mutex<Vec<u8>> = sync::Mutex::new(Vec::new());
        /// assert!(!SETTINGS.is_locked());
        /// ```
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

    /// Gives the mutex a name, which its spans and the dashboard show. Without the feature `tracing` it is not kept.
    #[must_use = "the name is given to the mutex that is returned"]
    pub const fn with_name(mut self, name: &'static str) -> Self {
        self.label.set_name(name);
        self
    }

    /// Takes the value out. No lock is needed: nobody else can have the mutex.
    ///
    /// # Examples
    ///
    /// ```
    /// let mutex = sync::Mutex::new(1);
    /// assert_eq!(mutex.into_inner(), 1);
    /// ```
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
        Lock { mutex: self, acquisition: Acquisition::new(Site::here()) }
    }

    /// As [`lock`](Self::lock), with a guard that owns an `Arc` of the mutex and so may outlive every borrow.
    ///
    /// # Cancel safety
    ///
    /// As for [`lock`](Self::lock).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use std::sync::Arc;
    ///
    /// let mutex = Arc::new(sync::Mutex::new(1));
    /// let mut guard = Arc::clone(&mutex).lock_owned().await;
    /// // It may go where a borrow may not.
    /// let task = tokio::spawn(async move { *guard += 1 });
    /// task.await.unwrap();
    /// assert_eq!(*mutex.lock().await, 2);
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn lock_owned(self: Arc<Self>) -> LockOwned<T> {
        LockOwned { mutex: Some(self), acquisition: Acquisition::new(Site::here()) }
    }

    /// Locks if the mutex is free and nobody waits for it.
    ///
    /// # Errors
    ///
    /// [`TryLockError`] if that is not so.
    ///
    /// # Examples
    ///
    /// ```
    /// let mutex = sync::Mutex::new(1);
    /// let guard = mutex.try_lock().unwrap();
    /// assert!(mutex.try_lock().is_err());
    /// drop(guard);
    /// assert!(mutex.try_lock().is_ok());
    /// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// let mutex = Arc::new(sync::Mutex::new(1));
    /// let guard = Arc::clone(&mutex).try_lock_owned().unwrap();
    /// assert!(mutex.is_locked());
    /// drop(guard);
    /// assert!(!mutex.is_locked());
    /// ```
    #[track_caller]
    #[inline]
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        let hold = self.try_take(Site::here())?;
        Ok(OwnedMutexGuard::new(self, hold))
    }

    /// Locks, parking the thread until it is this call's turn, among those who await [`lock`](Self::lock) too.
    ///
    /// For threads that run no tasks. It works anywhere, but cannot know where it is: on a thread of an executor it
    /// keeps every task of that thread from running, and waits for ever if the holder is one of them.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use std::sync::Arc;
    /// use sync::Mutex;
    ///
    /// let lines = Arc::new(Mutex::new(Vec::new()));
    /// let reader = std::thread::spawn({
    ///     let lines = Arc::clone(&lines);
    ///     move || lines.blocking_lock().push("from a thread")
    /// });
    /// lines.lock().await.push("from a task");
    /// reader.join().unwrap();
    /// assert_eq!(lines.blocking_lock().len(), 2);
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        if !trace::is_verbose() && self.permits.take_free_only() {
            return self.guard(Hold::none());
        }
        blocking::wait(self.lock())
    }

    /// As [`blocking_lock`](Self::blocking_lock), with a guard that owns an `Arc` of the mutex.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// let mutex = Arc::new(sync::Mutex::new(1));
    /// let mut guard = Arc::clone(&mutex).blocking_lock_owned();
    /// std::thread::spawn(move || *guard += 1).join().unwrap();
    /// assert_eq!(*mutex.blocking_lock(), 2);
    /// ```
    #[track_caller]
    #[inline]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        if !trace::is_verbose() && self.permits.take_free_only() {
            return OwnedMutexGuard::new(self, Hold::none());
        }
        blocking::wait(self.lock_owned())
    }

    /// The value, without locking: the borrow proves that nobody else has the mutex.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut mutex = sync::Mutex::new(1);
    /// *mutex.get_mut() += 1;
    /// assert_eq!(mutex.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Whether it was locked at that moment, which may be over when this returns. A lock that has been granted to a task is
    /// locked, whether the task has run since or not.
    pub fn is_locked(&self) -> bool {
        self.permits.available() == 0
    }

    /// What can be said of it now. Counting the waiters takes the queue's lock for a moment.
    ///
    /// # Examples
    ///
    /// ```
    /// let mutex = sync::Mutex::new(1);
    /// let guard = mutex.try_lock().unwrap();
    /// assert!(mutex.statistics().locked);
    /// assert_eq!(mutex.statistics().waiting, 0);
    /// # drop(guard);
    /// ```
    pub fn statistics(&self) -> MutexStatistics {
        MutexStatistics { locked: self.is_locked(), waiting: self.permits.queue.len() }
    }

    #[inline]
    fn try_take(&self, site: Site) -> Result<Hold, TryLockError> {
        let taken = if trace::is_verbose() {
            self.permits.try_take_watched(Request { object: self.object(), permits: 1, lock: None, site })
        } else {
            self.permits.try_take_only().map(|()| Hold::none())
        };
        taken.map_err(|_| TryLockError::new())
    }

    #[inline]
    pub(crate) fn object(&self) -> Object<'_> {
        Object { form: Form::Mutex, label: &self.label }
    }

    /// As an owned guard is asked of it.
    #[inline]
    fn owned_object(&self) -> Object<'_> {
        Object { form: Form::OwnedMutex, label: &self.label }
    }

    #[inline]
    pub(crate) fn permits(&self) -> &Permits {
        &self.permits
    }

    /// A guard for a lock that the caller holds.
    #[inline]
    pub(crate) fn guard(&self, hold: Hold) -> MutexGuard<'_, T> {
        MutexGuard::new(self, hold)
    }

    /// The value, for whoever holds the lock.
    #[inline]
    pub(crate) fn value(&self) -> *mut T {
        self.value.get()
    }

    #[inline]
    pub(crate) fn unlock(&self, hold: &Hold) {
        self.permits.give_back_only(self.object(), hold);
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
