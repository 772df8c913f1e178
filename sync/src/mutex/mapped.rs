//! The guards of a part of a [`Mutex`]'s value: they stand for the mutex's one permit as the plain guards do.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::Arc;

use super::{Mutex, MutexGuard, OwnedMutexGuard};
use crate::permits::Permits;
use crate::trace::{Form, Hold, Label, Object};

/// Holds a [`Mutex`] locked and shows a part of its value; dropping it hands the lock on.
///
/// From [`MutexGuard::map`]. So a function may give out one field of what it locked, and keep the rest to itself.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use sync::{MappedMutexGuard, Mutex, MutexGuard};
///
/// struct Account {
///     balance: i64,
///     secret: u64,
/// }
///
/// async fn balance(account: &Mutex<Account>) -> MappedMutexGuard<'_, i64> {
///     MutexGuard::map(account.lock().await, |account| &mut account.balance)
/// }
///
/// let account = Mutex::new(Account { balance: 10, secret: 7 });
/// *balance(&account).await += 5;
/// assert_eq!(*balance(&account).await, 15);
/// # assert_eq!(account.into_inner().secret, 7);
/// # }
/// ```
#[must_use = "the mutex is unlocked as soon as its guard is dropped"]
#[clippy::has_significant_drop]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    /// Invariant M1: part of the value of the mutex whose permit we hold, and reached through us alone.
    part: *mut T,
    permits: &'a Permits,
    label: &'a Label,
    hold: Hold,
    /// A guard is as the unique reference for which it stands.
    marker: PhantomData<&'a mut T>,
}

// SAFETY: M1: it passes a unique reference on, and the mutex's permit may be given back by any thread.
unsafe impl<T: ?Sized + Send> Send for MappedMutexGuard<'_, T> {}
// SAFETY: M1: `&self` gives out shared references to the part, and nothing of the rest of the value.
unsafe impl<T: ?Sized + Sync> Sync for MappedMutexGuard<'_, T> {}

/// Holds a [`Mutex`] locked, owns an `Arc` of it, and shows a part of its value; dropping it hands the lock on.
///
/// From [`OwnedMutexGuard::map`]. As [`MappedMutexGuard`], and without a lifetime.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::sync::Arc;
/// use sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};
///
/// let pair = Arc::new(Mutex::new((1, "text")));
/// let mut number: OwnedMappedMutexGuard<(i32, &str), i32> =
///     OwnedMutexGuard::map(Arc::clone(&pair).lock_owned().await, |pair| &mut pair.0);
/// *number += 1;
/// assert!(OwnedMappedMutexGuard::mutex(&number).is_locked());
/// drop(number);
/// assert_eq!(*pair.lock().await, (2, "text"));
/// # }
/// ```
#[must_use = "the mutex is unlocked as soon as its guard is dropped"]
#[clippy::has_significant_drop]
pub struct OwnedMappedMutexGuard<T: ?Sized, U: ?Sized = T> {
    /// Invariant M2: part of the value of `mutex`, whose permit we hold, and reached through us alone.
    part: *mut U,
    mutex: Arc<Mutex<T>>,
    hold: Hold,
    marker: PhantomData<Box<U>>,
}

// SAFETY: M2: it passes a unique reference on, and an `Arc` of the mutex, which is Send and Sync where `T` is Send.
unsafe impl<T: ?Sized + Send, U: ?Sized + Send> Send for OwnedMappedMutexGuard<T, U> {}
// SAFETY: M2: `&self` gives out shared references to the part and to the mutex.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Sync for OwnedMappedMutexGuard<T, U> {}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Makes a guard of a part of the value. An associated function, so as not to hide a method of the value.
    ///
    /// # Panics
    ///
    /// If `f` does; the mutex is unlocked then.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use sync::{Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new((1, "text"));
    /// let mut number = MutexGuard::map(mutex.lock().await, |pair| &mut pair.0);
    /// *number += 1;
    /// drop(number);
    /// assert_eq!(*mutex.lock().await, (2, "text"));
    /// # }
    /// ```
    #[inline]
    pub fn map<U, F>(mut this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        let part = ptr::from_mut(f(&mut this));
        Self::into_mapped(this, part)
    }

    /// As [`map`](Self::map), for a part that there may not be.
    ///
    /// # Errors
    ///
    /// The guard itself, with the mutex still locked, if `f` gives `None`.
    ///
    /// # Panics
    ///
    /// If `f` does; the mutex is unlocked then.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use sync::{Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new(vec![1]);
    /// let guard = mutex.lock().await;
    /// // There is no tenth: the guard comes back, and was locked all the time.
    /// let guard = MutexGuard::try_map(guard, |items| items.get_mut(10)).unwrap_err();
    /// let first = MutexGuard::try_map(guard, |items| items.first_mut()).unwrap();
    /// assert_eq!(*first, 1);
    /// # }
    /// ```
    #[inline]
    pub fn try_map<U, F>(mut this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut this).map(ptr::from_mut) {
            Some(part) => Ok(Self::into_mapped(this, part)),
            None => Err(this),
        }
    }

    /// `part` is of the value, and was reached through `this`.
    #[inline]
    fn into_mapped<U: ?Sized>(this: Self, part: *mut U) -> MappedMutexGuard<'a, U> {
        let mutex = Self::mutex(&this);
        let hold = Self::into_hold(this);
        MappedMutexGuard { part, permits: &mutex.permits, label: &mutex.label, hold, marker: PhantomData }
    }
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// Makes a guard of a part of the value. An associated function, so as not to hide a method of the value.
    ///
    /// # Panics
    ///
    /// If `f` does; the mutex is unlocked then.
    #[inline]
    pub fn map<U, F>(mut this: Self, f: F) -> OwnedMappedMutexGuard<T, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        let part = ptr::from_mut(f(&mut this));
        Self::into_mapped(this, part)
    }

    /// As [`map`](Self::map), for a part that there may not be.
    ///
    /// # Errors
    ///
    /// The guard itself, with the mutex still locked, if `f` gives `None`.
    ///
    /// # Panics
    ///
    /// If `f` does; the mutex is unlocked then.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use std::sync::Arc;
    /// use sync::{Mutex, OwnedMutexGuard};
    ///
    /// let mutex = Arc::new(Mutex::new(None));
    /// let guard = Arc::clone(&mutex).lock_owned().await;
    /// let mut guard = OwnedMutexGuard::try_map(guard, |value| value.as_mut()).unwrap_err();
    /// *guard = Some(1);
    /// let one = OwnedMutexGuard::try_map(guard, |value| value.as_mut()).unwrap();
    /// assert_eq!(*one, 1);
    /// # }
    /// ```
    #[inline]
    pub fn try_map<U, F>(mut this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut this).map(ptr::from_mut) {
            Some(part) => Ok(Self::into_mapped(this, part)),
            None => Err(this),
        }
    }

    /// `part` is of the value, and was reached through `this`.
    #[inline]
    fn into_mapped<U: ?Sized>(this: Self, part: *mut U) -> OwnedMappedMutexGuard<T, U> {
        let (mutex, hold) = Self::into_parts(this);
        OwnedMappedMutexGuard { part, mutex, hold, marker: PhantomData }
    }
}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    /// Makes a guard of a part of the part.
    ///
    /// # Panics
    ///
    /// If `f` does; the mutex is unlocked then.
    #[inline]
    pub fn map<U, F>(mut this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        let part = ptr::from_mut(f(&mut this));
        this.with_part(part)
    }

    /// As [`map`](Self::map), for a part that there may not be.
    ///
    /// # Errors
    ///
    /// The guard itself, with the mutex still locked, if `f` gives `None`.
    ///
    /// # Panics
    ///
    /// If `f` does; the mutex is unlocked then.
    #[inline]
    pub fn try_map<U, F>(mut this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut this).map(ptr::from_mut) {
            Some(part) => Ok(this.with_part(part)),
            None => Err(this),
        }
    }

    #[inline]
    fn with_part<U: ?Sized>(self, part: *mut U) -> MappedMutexGuard<'a, U> {
        let this = ManuallyDrop::new(self);
        MappedMutexGuard {
            part,
            permits: this.permits,
            label: this.label,
            hold: this.hold,
            marker: PhantomData,
        }
    }
}

impl<T: ?Sized, U: ?Sized> OwnedMappedMutexGuard<T, U> {
    /// Makes a guard of a part of the part.
    ///
    /// # Panics
    ///
    /// If `f` does; the mutex is unlocked then.
    #[inline]
    pub fn map<S, F>(mut this: Self, f: F) -> OwnedMappedMutexGuard<T, S>
    where
        S: ?Sized,
        F: FnOnce(&mut U) -> &mut S,
    {
        let part = ptr::from_mut(f(&mut this));
        this.with_part(part)
    }

    /// As [`map`](Self::map), for a part that there may not be.
    ///
    /// # Errors
    ///
    /// The guard itself, with the mutex still locked, if `f` gives `None`.
    ///
    /// # Panics
    ///
    /// If `f` does; the mutex is unlocked then.
    #[inline]
    pub fn try_map<S, F>(mut this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, S>, Self>
    where
        S: ?Sized,
        F: FnOnce(&mut U) -> Option<&mut S>,
    {
        match f(&mut this).map(ptr::from_mut) {
            Some(part) => Ok(this.with_part(part)),
            None => Err(this),
        }
    }

    /// The mutex that is locked. An associated function, so as not to hide a method of the part.
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        &this.mutex
    }

    #[inline]
    fn with_part<S: ?Sized>(self, part: *mut S) -> OwnedMappedMutexGuard<T, S> {
        let this = ManuallyDrop::new(self);
        // SAFETY: read once, and the original is never dropped.
        let mutex = unsafe { ptr::read(&raw const this.mutex) };
        OwnedMappedMutexGuard { part, mutex, hold: this.hold, marker: PhantomData }
    }
}

impl<T: ?Sized> Deref for MappedMutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: M1.
        unsafe { &*self.part }
    }
}

impl<T: ?Sized> DerefMut for MappedMutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: M1, and the guard is borrowed uniquely.
        unsafe { &mut *self.part }
    }
}

impl<T: ?Sized, U: ?Sized> Deref for OwnedMappedMutexGuard<T, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: M2.
        unsafe { &*self.part }
    }
}

impl<T: ?Sized, U: ?Sized> DerefMut for OwnedMappedMutexGuard<T, U> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: M2, and the guard is borrowed uniquely.
        unsafe { &mut *self.part }
    }
}

impl<T: ?Sized> Drop for MappedMutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.permits.give_back_only(Object { form: Form::Mutex, label: self.label }, &self.hold);
    }
}

impl<T: ?Sized, U: ?Sized> Drop for OwnedMappedMutexGuard<T, U> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.unlock(&self.hold);
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MappedMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MappedMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Debug> fmt::Debug for OwnedMappedMutexGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Display> fmt::Display for OwnedMappedMutexGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
