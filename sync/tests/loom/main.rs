//! Models: every interleaving that loom can find of a few threads at one primitive, one model per hazard.
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo test -p sync --no-default-features --test loom
//! ```
//!
//! explores every execution with at most three preemptions. `LOOM_MAX_PREEMPTIONS=255` in front lifts that bound,
//! which is for a patient machine and one model at a time (its name behind `--`).
//!
//! No more than two threads at a time walk about a queue: with a third loom tries schedules in which two of them look
//! in turn for the list's lock, and its holder never runs.
//!
//! A model ends only when every future in it has completed: a lost wake-up is a deadlock, which loom reports. What the
//! primitives guard is a cell of loom's, which reports two users at a time and writes that were not made visible.
#![cfg(loom)]

mod barrier;
mod blocking;
mod bounded_semaphore;
mod condition;
mod event;
mod mutex;
mod semaphore;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// A future that a model moves from thread to thread.
type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs a model, under the bound that the top of the file names.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(3);
    builder.check(model);
}

/// Polls until it is ready, parked in between. Loom's own `block_on` wakes at random too, which multiplies the
/// executions of every model; it is used where the polls themselves are what is looked at.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(loom::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(loom::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => loom::thread::park(),
        }
    }
}

/// Polls once with a waker that wakes nobody.
fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls once with a waker that wakes nobody, and expects that it has to wait.
fn queue_up<F: Future + ?Sized>(future: Pin<&mut F>) {
    assert!(poll_once(future).is_pending(), "it had nothing to wait for");
}

/// Polls once, and expects that it had everything it waited for.
fn expect_ready<F: Future + ?Sized>(future: Pin<&mut F>) -> F::Output {
    match poll_once(future) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it was not given what it waits for"),
    }
}

/// A figure that only one thread at a time may touch.
#[derive(Default)]
struct Figure(loom::cell::UnsafeCell<usize>);

impl Figure {
    /// Adds one. Loom reports whoever does this at the same time as another.
    fn increase(&self) {
        // SAFETY: loom's cell checks each access, and panics where two of them race.
        self.0.with_mut(|figure| unsafe { *figure += 1 });
    }

    fn get(&self) -> usize {
        // SAFETY: as above.
        self.0.with(|figure| unsafe { *figure })
    }
}

// SAFETY: loom's cell checks what Sync would promise: that is what the models are for.
unsafe impl Sync for Figure {}
