//! The guards of a [`Mutex`]: each stands for its one permit and gives it back when dropped.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::Mutex;
use crate::trace::Hold;

/// Holds a [`Mutex`] locked; dropping it hands the lock on.
///
/// It derefs to the value. It is `Send` where the value is, so a task may hold it across an await on any executor. From
/// [`Mutex::lock`], [`Mutex::try_lock`] and [`Mutex::blocking_lock`]; [`map`](Self::map) narrows it to a part of the value.
///
/// # Panics
///
/// Where the waker of the waiter that is granted the lock panics, dropping the guard does, unless its thread panics
/// already; the lock has been handed on by then.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use sync::{Mutex, MutexGuard};
///
/// let mutex = Mutex::new(vec![1]);
/// let mut guard = mutex.lock().await;
/// guard.push(2);
/// assert!(MutexGuard::mutex(&guard).is_locked());
/// drop(guard);
/// assert!(!mutex.is_locked());
/// # }
/// ```
#[must_use = "the mutex is unlocked as soon as its guard is dropped"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    hold: Hold,
    /// A guard is as Send and Sync as the unique reference for which it stands.
    marker: PhantomData<&'a mut T>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// For a lock that the caller holds.
    #[inline]
    pub(super) fn new(mutex: &'a Mutex<T>, hold: Hold) -> Self {
        Self { mutex, hold, marker: PhantomData }
    }

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

/// Holds a [`Mutex`] locked, and owns an `Arc` of it; dropping it hands the lock on.
///
/// As [`MutexGuard`], and without a lifetime: a struct may keep it, or a task that is spawned. From
/// [`Mutex::lock_owned`], [`Mutex::try_lock_owned`] and [`Mutex::blocking_lock_owned`].
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::sync::Arc;
/// use sync::{Mutex, OwnedMutexGuard};
///
/// struct Session {
///     log: OwnedMutexGuard<Vec<&'static str>>,
/// }
///
/// let log = Arc::new(Mutex::new(Vec::new()));
/// let mut session = Session { log: Arc::clone(&log).lock_owned().await };
/// session.log.push("begun");
/// assert!(Arc::ptr_eq(OwnedMutexGuard::mutex(&session.log), &log));
/// drop(session);
/// assert_eq!(*log.lock().await, ["begun"]);
/// # }
/// ```
#[must_use = "the mutex is unlocked as soon as its guard is dropped"]
#[clippy::has_significant_drop]
pub struct OwnedMutexGuard<T: ?Sized> {
    mutex: Arc<Mutex<T>>,
    hold: Hold,
    /// A guard is as Send and Sync as a unique reference, and may be moved whatever the value is.
    marker: PhantomData<Box<T>>,
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// For a lock that the caller holds.
    #[inline]
    pub(super) fn new(mutex: Arc<Mutex<T>>, hold: Hold) -> Self {
        Self { mutex, hold, marker: PhantomData }
    }

    /// The mutex that is locked. An associated function, so as not to hide a method of the value.
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        &this.mutex
    }

    /// Turns the guard into its parts; the caller holds the lock from now on.
    #[inline]
    pub(super) fn into_parts(this: Self) -> (Arc<Mutex<T>>, Hold) {
        let this = std::mem::ManuallyDrop::new(this);
        // SAFETY: read once, and the original is never dropped.
        (unsafe { std::ptr::read(&raw const this.mutex) }, this.hold)
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
