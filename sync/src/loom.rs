//! The only file that chooses between std's types and loom's.
//!
//! Only what the proofs turn on is replaced: the state words and the cells that a queue lock guards. Names,
//! ids and the user's data stay std's; a model puts a cell of loom's own where the user's data would be.

#[cfg(not(loom))]
mod chosen {
    pub(crate) use std::hint::spin_loop;
    pub(crate) use std::sync::atomic::{AtomicU8, AtomicUsize};
    pub(crate) use std::thread::yield_now;

    /// `std::cell::UnsafeCell` with the closures that loom's wants.
    #[repr(transparent)]
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }

        #[inline(always)]
        pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            f(self.0.get())
        }

        #[inline(always)]
        pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }

    /// Makes a function `const`, which loom's constructors cannot be.
    macro_rules! const_fn {
        ($(#[$attribute:meta])* $vis:vis fn $($rest:tt)*) => {
            $(#[$attribute])* $vis const fn $($rest)*
        };
    }
    pub(crate) use const_fn;

    /// Longest run of `spin_loop` between two looks at a queue lock.
    pub(crate) const SPIN_LIMIT: u32 = 16;

    /// Turns of yielding after which a thread sleeps, so that a holder of lower priority gets to run at all.
    pub(crate) const YIELD_LIMIT: u32 = 64;
}

#[cfg(loom)]
mod chosen {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::hint::spin_loop;
    pub(crate) use loom::sync::atomic::{AtomicU8, AtomicUsize};
    pub(crate) use loom::thread::yield_now;

    /// Loom's types are made at run time only.
    macro_rules! const_fn {
        ($(#[$attribute:meta])* $vis:vis fn $($rest:tt)*) => {
            $(#[$attribute])* $vis fn $($rest)*
        };
    }
    pub(crate) use const_fn;

    /// Less than the shortest run. Every look is a switch of threads in a model: spinning would only repeat states.
    pub(crate) const SPIN_LIMIT: u32 = 1;

    /// A model has no priorities.
    pub(crate) const YIELD_LIMIT: u32 = u32::MAX;
}

pub(crate) use chosen::*;
