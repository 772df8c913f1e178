//! The threads that run the tasks of a slot, each with a number of its own, so that what is counted of them needs
//! neither a lock nor a search. It knows neither runtime nor slot.

use std::cell::Cell;

thread_local! {
    /// The thread's number and one; 0 for all threads that run no tasks. Constant and without a destructor, so
    /// that even the allocator may read it.
    static NUMBER: Cell<usize> = const { Cell::new(0) };
}

/// This thread runs tasks from now on, as the `number`-th of its runtime.
pub(crate) fn enrol(number: usize) {
    NUMBER.set(number + 1);
}

/// The number of this thread; `None` where it runs no tasks.
#[inline]
pub(crate) fn number() -> Option<usize> {
    NUMBER.get().checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_has_no_number_until_it_is_enrolled() {
        std::thread::spawn(|| {
            assert_eq!(number(), None);
            enrol(0);
            assert_eq!(number(), Some(0));
        })
        .join()
        .unwrap();
    }
}
