//! The only file that chooses between std's types and those of the two model checkers: loom, which explores every
//! schedule and memory order of a few steps, and shuttle, which draws schedules of many steps at random.
//!
//! Only what the proofs turn on is replaced: the state words and the cells that a queue lock guards. Names,
//! ids and the user's data stay std's; a model puts a cell of the checker's own where the user's data would be.

/// What std's types and shuttle's have in common.
#[cfg(not(loom))]
mod plain {
    use std::mem::MaybeUninit;
    use std::sync::atomic::Ordering;

    use super::AtomicUsize;

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

    /// A plain store with Release, by the one who set the bit of `word` that keeps others from changing it in a way that
    /// counts.
    #[inline(always)]
    pub(crate) fn store_over(word: &AtomicUsize, value: usize) {
        word.store(value, Ordering::Release);
    }

    impl<T> UnsafeCell<MaybeUninit<T>> {
        /// Makes a cell in `place` whose content is not initialised, for which nothing has to be written.
        ///
        /// # Safety
        ///
        /// `place` can be written to.
        #[inline(always)]
        pub(crate) unsafe fn make_uninit(_place: *mut Self) {}
    }

    /// Makes a function `const`, which loom's constructors cannot be.
    macro_rules! const_fn {
        ($(#[$attribute:meta])* $vis:vis fn $($rest:tt)*) => {
            $(#[$attribute])* $vis const fn $($rest)*
        };
    }
    pub(crate) use const_fn;
}

#[cfg(shuttle)]
mod chosen {
    pub(crate) use shuttle::hint::spin_loop;
    pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize};
    pub(crate) use shuttle::thread::{Thread, current as current_thread, park, yield_now};

    // Shuttle runs its threads in turns and changes them at an atomic access only, so a cell needs no help of its own.
    pub(crate) use super::plain::*;

    /// A value of each thread's own. A model's threads share one of the system's.
    macro_rules! per_thread {
        (static $name:ident: $type:ty = const $init:block;) => {
            shuttle::thread_local! { static $name: $type = $init; }
        };
    }
    pub(crate) use per_thread;

    /// As with loom, every look is a switch of threads.
    pub(crate) const SPIN_LIMIT: u32 = 1;

    /// So few that a model of some tasks meets what comes between two batches.
    pub(crate) const BATCH: usize = 2;

    /// A model has no priorities that a sleep would change.
    pub(crate) const YIELD_LIMIT: u32 = u32::MAX;
}

#[cfg(not(any(loom, shuttle)))]
mod chosen {
    pub(crate) use std::hint::spin_loop;
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize};
    pub(crate) use std::thread::{Thread, current as current_thread, park, yield_now};

    pub(crate) use super::plain::*;

    /// A value of each thread's own.
    macro_rules! per_thread {
        (static $name:ident: $type:ty = const $init:block;) => {
            std::thread_local! { static $name: $type = const $init; }
        };
    }
    pub(crate) use per_thread;

    /// Longest run of `spin_loop` between two looks at a queue lock.
    pub(crate) const SPIN_LIMIT: u32 = 16;

    /// Wakers that are woken in one go. As many as tokio takes at a time: enough to pay for the lock, few enough to hold
    /// it only briefly.
    pub(crate) const BATCH: usize = 32;

    /// Turns of yielding after which a thread sleeps, so that a holder of lower priority gets to run at all.
    pub(crate) const YIELD_LIMIT: u32 = 64;
}

#[cfg(loom)]
mod chosen {
    use std::mem::MaybeUninit;
    use std::sync::atomic::Ordering;

    pub(crate) use loom::hint::spin_loop;
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize};
    pub(crate) use loom::thread::{Thread, current as current_thread, park, yield_now};

    /// Loom's cell, which has to be made even where its content is not.
    pub(crate) struct UnsafeCell<T>(loom::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::cell::UnsafeCell::new(value))
        }

        pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            self.0.with(f)
        }

        pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            self.0.with_mut(f)
        }
    }

    /// Loom orders a plain store by its thread's past alone, so it also tries executions in which the store comes before a
    /// swap by another thread that has read what the storing thread wrote earlier. No memory model has them: a
    /// read-modify-write reads the value right before its own (C++20, [atomics.order] 10), so that what its writer stores
    /// later comes after it. As a swap the store has its place.
    pub(crate) fn store_over(word: &AtomicUsize, value: usize) {
        word.swap(value, Ordering::Release);
    }

    impl<T> UnsafeCell<MaybeUninit<T>> {
        /// # Safety
        ///
        /// `place` can be written to.
        pub(crate) unsafe fn make_uninit(place: *mut Self) {
            // SAFETY: the caller's promise.
            unsafe { place.write(Self::new(MaybeUninit::uninit())) };
        }
    }

    /// Loom's types are made at run time only.
    macro_rules! const_fn {
        ($(#[$attribute:meta])* $vis:vis fn $($rest:tt)*) => {
            $(#[$attribute])* $vis fn $($rest)*
        };
    }
    pub(crate) use const_fn;

    /// A value of each thread's own. A model's threads share one of the system's.
    macro_rules! per_thread {
        (static $name:ident: $type:ty = const $init:block;) => {
            loom::thread_local! { static $name: $type = $init; }
        };
    }
    pub(crate) use per_thread;

    /// Less than the shortest run. Every look is a switch of threads in a model: spinning would only repeat states.
    pub(crate) const SPIN_LIMIT: u32 = 1;

    /// The least there is, so that a model of three tasks meets what comes between two batches.
    pub(crate) const BATCH: usize = 1;

    /// A model has no priorities.
    pub(crate) const YIELD_LIMIT: u32 = u32::MAX;
}

pub(crate) use chosen::*;
