//! Permits that somebody holds, of either semaphore; they go back when dropped.

use std::fmt;
use std::sync::Arc;

use super::{BoundedSemaphore, Semaphore};
use crate::trace::Hold;

/// Makes a type of held permits. `$pointer` is how it refers to its semaphore, by reference or by `Arc`.
macro_rules! held_permits {
    ($(#[$doc:meta])* $Permit:ident $(<$a:lifetime>)?, $pointer:ty) => {
        $(#[$doc])*
        #[must_use = "the permits are given back as soon as this is dropped"]
        #[clippy::has_significant_drop]
        pub struct $Permit $(<$a>)? {
            pub(super) semaphore: $pointer,
            pub(super) n: usize,
            pub(super) hold: Hold,
        }

        impl $(<$a>)? $Permit $(<$a>)? {
            /// Takes the permits out of circulation: the semaphore does not get them back, unless by `add_permits`, or by
            /// `release` where it is bounded.
            pub fn forget(mut self) {
                self.semaphore.note_forgotten(std::mem::take(&mut self.n));
            }

            /// Adds the permits of `other` to these.
            ///
            /// # Panics
            ///
            /// If they are of another semaphore; `other`'s go back to it.
            #[track_caller]
            pub fn merge(&mut self, mut other: Self) {
                assert!(
                    std::ptr::eq(&*self.semaphore, &*other.semaphore),
                    concat!(stringify!($Permit), "::merge: the {} permits are of another semaphore"),
                    other.n
                );
                self.n += std::mem::take(&mut other.n);
            }

            /// Takes `n` of these permits into one of their own; `None` if there are fewer.
            #[must_use = "the permits that are split off are given back as soon as this is dropped"]
            pub fn split(&mut self, n: usize) -> Option<Self> {
                self.n = self.n.checked_sub(n)?;
                Some(Self { semaphore: self.semaphore.clone(), n, hold: Hold::none() })
            }

            /// How many there are.
            pub fn num_permits(&self) -> usize {
                self.n
            }
        }

        impl $(<$a>)? Drop for $Permit $(<$a>)? {
            #[inline]
            fn drop(&mut self) {
                self.semaphore.give_back(self.n, &self.hold);
            }
        }

        impl $(<$a>)? fmt::Debug for $Permit $(<$a>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Permit)).field("permits", &self.n).finish_non_exhaustive()
            }
        }
    };
}

held_permits! {
    /// Permits of a [`Semaphore`]; dropping it gives them back, and hands them to those who wait.
    ///
    /// # Panics
    ///
    /// Where wakers of those who are granted the permits panic, dropping it does, unless its thread panics already; all have
    /// been granted and woken by then.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use sync::Semaphore;
    ///
    /// let semaphore = Semaphore::new(3);
    /// let mut permits = semaphore.acquire_many(3).await.unwrap();
    /// // One is given back by itself, the other two stay.
    /// drop(permits.split(1).unwrap());
    /// assert_eq!((permits.num_permits(), semaphore.available_permits()), (2, 1));
    /// permits.merge(semaphore.try_acquire().unwrap());
    /// assert_eq!(permits.num_permits(), 3);
    /// // Out of circulation.
    /// permits.forget();
    /// assert_eq!(semaphore.available_permits(), 0);
    /// # }
    /// ```
    SemaphorePermit<'a>, &'a Semaphore
}
held_permits! {
    /// Permits of a [`Semaphore`] with an `Arc` of it; dropping it gives them back.
    ///
    /// As [`SemaphorePermit`], and without a lifetime: a struct may keep it, or a task that is spawned.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use std::sync::Arc;
    /// use sync::Semaphore;
    ///
    /// let semaphore = Arc::new(Semaphore::new(3));
    /// let mut permits = Arc::clone(&semaphore).acquire_many_owned(3).await.unwrap();
    /// // One is given back by itself, the other two stay.
    /// drop(permits.split(1).unwrap());
    /// assert_eq!((permits.num_permits(), semaphore.available_permits()), (2, 1));
    /// permits.merge(Arc::clone(&semaphore).try_acquire_owned().unwrap());
    /// assert_eq!(permits.num_permits(), 3);
    /// // Out of circulation.
    /// permits.forget();
    /// assert_eq!(semaphore.available_permits(), 0);
    /// # }
    /// ```
    OwnedSemaphorePermit, Arc<Semaphore>
}
held_permits! {
    /// Permits of a [`BoundedSemaphore`]; dropping it gives them back, and hands them to those who wait.
    ///
    /// # Panics
    ///
    /// Where wakers of those who are granted the permits panic, dropping it does, unless its thread panics already; all have
    /// been granted and woken by then.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use sync::BoundedSemaphore;
    ///
    /// let semaphore = BoundedSemaphore::new(3);
    /// let mut permits = semaphore.acquire_many(3).await.unwrap();
    /// // One is given back by itself, the other two stay.
    /// drop(permits.split(1).unwrap());
    /// assert_eq!((permits.num_permits(), semaphore.available_permits()), (2, 1));
    /// permits.merge(semaphore.try_acquire().unwrap());
    /// assert_eq!(permits.num_permits(), 3);
    /// // Out of circulation, until they are released.
    /// permits.forget();
    /// assert_eq!(semaphore.available_permits(), 0);
    /// semaphore.release(3).unwrap();
    /// assert_eq!(semaphore.available_permits(), 3);
    /// # }
    /// ```
    BoundedPermit<'a>, &'a BoundedSemaphore
}
held_permits! {
    /// Permits of a [`BoundedSemaphore`] with an `Arc` of it; dropping it gives them back.
    ///
    /// As [`BoundedPermit`], and without a lifetime: a struct may keep it, or a task that is spawned.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use std::sync::Arc;
    /// use sync::BoundedSemaphore;
    ///
    /// let semaphore = Arc::new(BoundedSemaphore::new(3));
    /// let mut permits = Arc::clone(&semaphore).acquire_many_owned(3).await.unwrap();
    /// // One is given back by itself, the other two stay.
    /// drop(permits.split(1).unwrap());
    /// assert_eq!((permits.num_permits(), semaphore.available_permits()), (2, 1));
    /// permits.merge(Arc::clone(&semaphore).try_acquire_owned().unwrap());
    /// assert_eq!(permits.num_permits(), 3);
    /// // Out of circulation, until they are released.
    /// permits.forget();
    /// assert_eq!(semaphore.available_permits(), 0);
    /// semaphore.release(3).unwrap();
    /// assert_eq!(semaphore.available_permits(), 3);
    /// # }
    /// ```
    OwnedBoundedPermit, Arc<BoundedSemaphore>
}

impl<'a> SemaphorePermit<'a> {
    /// Whose they are.
    pub fn semaphore(&self) -> &'a Semaphore {
        self.semaphore
    }
}

impl OwnedSemaphorePermit {
    /// Whose they are.
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }
}

impl<'a> BoundedPermit<'a> {
    /// Whose they are.
    pub fn semaphore(&self) -> &'a BoundedSemaphore {
        self.semaphore
    }
}

impl OwnedBoundedPermit {
    /// Whose they are.
    pub fn semaphore(&self) -> &Arc<BoundedSemaphore> {
        &self.semaphore
    }
}
