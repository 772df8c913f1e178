//! Polling one future by hand, with a waker that counts.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::wakers;

/// A waker and the means to poll with it.
#[derive(Debug)]
pub struct Hand {
    waker: Waker,
}

impl Hand {
    pub fn new() -> Self {
        Self { waker: wakers::counting() }
    }

    /// The context to poll with.
    pub fn context(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
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
