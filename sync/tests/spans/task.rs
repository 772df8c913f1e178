//! A task that is polled by hand: a waker of its own, known by its address.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// Who polls. Its waker does nothing: the test knows when to poll again.
pub(crate) struct Task {
    waker: Waker,
    /// Two tasks differ by where this is.
    _place: Arc<Place>,
}

struct Place(#[expect(dead_code, reason = "so that it takes up memory of its own")] u8);

impl Wake for Place {
    fn wake(self: Arc<Self>) {}
}

impl Task {
    pub(crate) fn new() -> Self {
        let place = Arc::new(Place(0));
        Self { waker: Waker::from(Arc::clone(&place)), _place: place }
    }

    /// The number that the spans give to this task.
    pub(crate) fn id(&self) -> u64 {
        self.waker.data().addr() as u64
    }

    pub(crate) fn poll<F: Future>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&self.waker))
    }

    /// Polls a future that has to wait.
    #[track_caller]
    pub(crate) fn wait<F: Future>(&self, future: Pin<&mut F>) {
        assert!(self.poll(future).is_pending(), "it was ready");
    }

    /// Polls a future that is ready.
    #[track_caller]
    pub(crate) fn finish<F: Future>(&self, future: Pin<&mut F>) -> F::Output {
        match self.poll(future) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("it is not ready"),
        }
    }

    /// Runs a future that is ready at its first poll.
    #[track_caller]
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        self.finish(std::pin::pin!(future))
    }
}
