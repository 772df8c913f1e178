//! A FIFO executor on one thread, as cheap as can be, so that what is measured on it is the primitive.
//!
//! A turn is a pop from a queue in the thread's own memory and a poll; a wake-up is a push to it. Nothing of the
//! primitives is known here.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::wakers;

struct Task<F> {
    future: Pin<Box<F>>,
    waker: Waker,
    done: bool,
}

/// Tasks of one kind; one executor at a time on a thread.
pub struct Executor<F> {
    tasks: Vec<Task<F>>,
    unfinished: usize,
}

impl<F: Future<Output = ()>> Executor<F> {
    /// Tasks that have not been polled yet.
    pub fn new(futures: impl Iterator<Item = F>) -> Self {
        let tasks: Vec<_> = futures
            .enumerate()
            .map(|(index, future)| Task {
                future: Box::pin(future),
                waker: wakers::queueing(index),
                done: false,
            })
            .collect();
        wakers::start_with(0..tasks.len());
        Self { unfinished: tasks.len(), tasks }
    }

    /// Runs until no task is ready, and says how many are not finished. The futures of those that are stay where
    /// they are until the executor is dropped: freeing memory is no part of a turn.
    pub fn run(&mut self) -> usize {
        while let Some(index) = wakers::next() {
            let task = &mut self.tasks[index];
            if task.done {
                continue;
            }
            if task.future.as_mut().poll(&mut Context::from_waker(&task.waker)).is_ready() {
                task.done = true;
                self.unfinished -= 1;
            }
        }
        self.unfinished
    }
}

/// Goes to the end of the executor's queue once.
#[derive(Debug, Default)]
#[must_use = "it does nothing unless awaited"]
pub struct Yield {
    yielded: bool,
}

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
