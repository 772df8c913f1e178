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
            /// Takes the permits out of circulation: the semaphore will not get them back.
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
    /// Permits of a [`Semaphore`]; dropping it gives them back.
    SemaphorePermit<'a>, &'a Semaphore
}
held_permits! {
    /// Permits of a [`Semaphore`] with an `Arc` of it; dropping it gives them back.
    OwnedSemaphorePermit, Arc<Semaphore>
}
held_permits! {
    /// Permits of a [`BoundedSemaphore`]; dropping it gives them back.
    BoundedPermit<'a>, &'a BoundedSemaphore
}
held_permits! {
    /// Permits of a [`BoundedSemaphore`] with an `Arc` of it; dropping it gives them back.
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
