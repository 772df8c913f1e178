//! Polling by hand, with a waker that is worth its name.
//!
//! A no-op waker would flatter: it is a constant, cloning and dropping it compile to nothing, and a primitive
//! that clones its waker needlessly or wakes twice would not show. This one counts references and wake-ups.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Counts the wake-ups of its waker.
#[derive(Debug, Default)]
pub struct WakeCounter {
    wakes: AtomicU64,
}

impl Wake for WakeCounter {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Ordering: Relaxed; one thread wakes and reads.
        self.wakes.fetch_add(1, Ordering::Relaxed);
    }
}

/// A waker and the means to poll with it.
#[derive(Debug)]
pub struct Hand {
    counter: Arc<WakeCounter>,
    waker: Waker,
}

impl Hand {
    pub fn new() -> Self {
        let counter = Arc::new(WakeCounter::default());
        Self { waker: Waker::from(Arc::clone(&counter)), counter }
    }

    /// The context to poll with.
    pub fn context(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
    }

    /// Wake-ups so far.
    pub fn wakes(&self) -> u64 {
        // Ordering: Relaxed, see `wake_by_ref`.
        self.counter.wakes.load(Ordering::Relaxed)
    }

    /// Polls a future once that must not have to wait.
    #[inline]
    pub fn poll_ready<F: Future>(&self, future: F) -> F::Output {
        match pin!(future).poll(&mut self.context()) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("it had to wait where nothing is in its way"),
        }
    }
}
