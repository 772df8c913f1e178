//! Parks a thread until one of our futures is ready, for the `blocking_*` calls. It knows no primitive.
//!
//! Each thread has one [`Parker`], made when it first has to wait, so that a wait allocates nothing. It is taken out of
//! its place for as long as a wait lasts: a wait inside of a wait (a subscriber that uses a primitive of ours) finds the
//! place empty, as does one while the thread's locals are destroyed, and makes a parker for itself.
//!
//! - **P1.** A wake raises the parker's flag before it unparks. The waiting thread lowers the flag before it polls, and
//!   parks only after it saw it down. So a wake after a poll ends the next `park`, whatever else parked or unparked the
//!   thread in between: the flag, not the thread's token, is what counts.
//! - **P2.** The token is not ours alone: other code of this thread may have been handed one that we used up. Who has
//!   parked leaves one behind, at the price of a `park` of theirs that returns for nothing, which it always may.

use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Wake, Waker};

use crate::coop;
use crate::loom::{AtomicBool, Thread, current_thread, park, per_thread};

per_thread! {
    static PARKER: Cell<Option<Arc<Parker>>> = const { Cell::new(None) };
}

/// What wakes a thread. A wake that comes after its wait is over does no harm: the `Arc` keeps it, and P1 forgets it.
struct Parker {
    woken: AtomicBool,
    thread: Thread,
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Ordering: Release pairs with the Acquire in `Wait::park`; what was done before the wake is seen by the poll. An
        // exchange, because a plain store would hide what an earlier wake published.
        self.woken.swap(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// A wait of this thread. Dropping it puts its parker back.
struct Wait {
    parker: Arc<Parker>,
    has_parked: bool,
}

impl Wait {
    fn begin() -> Self {
        let parker =
            PARKER.try_with(Cell::take).ok().flatten().unwrap_or_else(|| {
                Arc::new(Parker { woken: AtomicBool::new(false), thread: current_thread() })
            });
        Self { parker, has_parked: false }
    }

    /// Returns after a wake, and at once if there was one since the last time.
    fn park(&mut self) {
        // Ordering: Acquire pairs with the Release in `wake_by_ref`.
        while !self.parker.woken.swap(false, Ordering::Acquire) {
            self.has_parked = true;
            park();
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if self.has_parked {
            // P2.
            self.parker.thread.unpark();
        }
        // If the thread's locals are gone, this one goes too.
        let parker = Arc::clone(&self.parker);
        let _gone = PARKER.try_with(|place| place.set(Some(parker)));
    }
}

/// Parks the thread until `future` is ready.
#[cold]
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    // Yielding to a runtime would never end here: it has the thread back only after the wait.
    let mut future = pin!(coop::unconstrained(future));
    let mut wait = Wait::begin();
    let waker = Waker::from(Arc::clone(&wait.parker));
    let mut cx = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => wait.park(),
        }
    }
}
