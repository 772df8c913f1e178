//! Wakers collected under a queue lock and woken outside of it.

use std::any::Any;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Waker;

use crate::loom::BATCH;

/// Up to [`WakeBatch::CAPACITY`] wakers on the stack, so that waking allocates nothing.
///
/// A waker is foreign code: it may panic or call back into the primitive. So it is only ever run with no
/// queue lock held, and a panic is kept back until every other waker has been woken.
pub(crate) struct WakeBatch {
    wakers: [MaybeUninit<Waker>; Self::CAPACITY],
    /// Invariant B1: `wakers[..len]` are initialised, the others are not.
    len: usize,
    woken: usize,
    panic: Option<Box<dyn Any + Send>>,
}

impl WakeBatch {
    pub(crate) const CAPACITY: usize = BATCH;

    #[inline]
    pub(crate) fn new() -> Self {
        Self { wakers: [const { MaybeUninit::uninit() }; Self::CAPACITY], len: 0, woken: 0, panic: None }
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.len == Self::CAPACITY
    }

    /// Adds a waker to a batch that is not full.
    #[inline]
    pub(crate) fn push(&mut self, waker: Waker) {
        self.wakers[self.len].write(waker);
        self.len += 1;
    }

    /// Wakes all that are in the batch, in the order in which they were added, and empties it.
    #[inline]
    pub(crate) fn wake(&mut self) {
        let len = std::mem::take(&mut self.len);
        self.woken += len;
        let mut next = 0;
        while next < len {
            // One net for many wakers: setting it up costs about as much as a waker does.
            let woken = catch_unwind(AssertUnwindSafe(|| {
                while next < len {
                    next += 1;
                    // SAFETY: B1; `len` and `next` were moved on first, so nobody reads the slot again, not even after a
                    // panic.
                    unsafe { self.wakers[next - 1].assume_init_read() }.wake();
                }
            }));
            if let Err(payload) = woken {
                keep_first(&mut self.panic, payload);
            }
        }
    }

    /// Wakes the rest and goes on with the first panic of a waker, if there was one. Returns how many
    /// waiters were let go since the batch was made.
    #[inline]
    pub(crate) fn finish(&mut self) -> usize {
        self.wake();
        if let Some(payload) = self.panic.take() {
            resume(payload);
        }
        self.woken
    }
}

impl Drop for WakeBatch {
    fn drop(&mut self) {
        // Only reached with wakers in it when something between lock and `finish` unwound.
        if self.len != 0 {
            self.wake();
        }
        if let Some(payload) = self.panic.take() {
            // As in `resume`, the thread unwinds.
            std::mem::forget(payload);
        }
    }
}

/// Wakes a single task.
///
/// It must not unwind within an unwinding: a guard may be dropped by one.
#[inline]
pub(crate) fn wake_one(waker: Waker) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        resume(payload);
    }
}

/// Goes on with a waker's panic, unless the thread unwinds already.
#[cold]
fn resume(payload: Box<dyn Any + Send>) {
    if std::thread::panicking() {
        // As in `keep_first`: its destructor must not panic here either.
        std::mem::forget(payload);
    } else {
        resume_unwind(payload);
    }
}

#[cold]
fn keep_first(panic: &mut Option<Box<dyn Any + Send>>, payload: Box<dyn Any + Send>) {
    // A thread that unwinds carries only one panic. A later payload is leaked: its destructor may panic too, which
    // would leave the rest asleep.
    match panic {
        None => *panic = Some(payload),
        Some(_) => std::mem::forget(payload),
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use super::WakeBatch;

    /// A payload that must not be dropped.
    struct Hostile;

    impl Drop for Hostile {
        fn drop(&mut self) {
            panic!("the payload was dropped");
        }
    }

    /// Panics when it is woken, and counts that it was.
    #[derive(Default)]
    struct Panics(AtomicUsize);

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
            panic_any(Hostile);
        }
    }

    /// A second panic out of a destructor would end the process, and this test with it.
    #[test]
    fn batch_dropped_by_an_unwinding_wakes_everybody_and_drops_no_payload() {
        let wakers = Arc::new(Panics::default());
        for woken_before in [false, true] {
            let unwound = catch_unwind(AssertUnwindSafe(|| {
                let mut batch = WakeBatch::new();
                batch.push(Waker::from(Arc::clone(&wakers)));
                if woken_before {
                    batch.wake();
                }
                batch.push(Waker::from(Arc::clone(&wakers)));
                panic!("of its own");
            }));
            assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"of its own"));
        }
        assert_eq!(wakers.0.load(Ordering::SeqCst), 4);
    }
}
