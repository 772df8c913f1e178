//! Random schedules of four to eight threads that do several things each: sizes that loom cannot hold.
//!
//! ```sh
//! RUSTFLAGS="--cfg shuttle" cargo test -p sync --no-default-features --test shuttle
//! ```
//!
//! runs each model under [`ITERATIONS`] schedules of either kind, which takes well under a minute. `SHUTTLE_ITERATIONS`
//! in front names another number; 1000000 is an hour's work. Half of the schedules change threads at any step, the
//! other half (PCT) change them rarely, at a few steps drawn beforehand, which finds what needs one thread to stand
//! still for long. A schedule that failed is printed; `SHUTTLE_REPLAY=…` with that string, and the model's name behind
//! `--`, runs it again.
//!
//! Shuttle takes every memory order for the strongest: orders are loom's to prove, in `tests/loom`. What is proven
//! here is exclusion, order, conservation of permits and notifications, and that nobody is left asleep: a model ends
//! only when every future in it has completed, and shuttle reports threads of which none can go on.
#![cfg(shuttle)]

mod barrier;
mod blocking;
mod bounded_semaphore;
mod condition;
mod event;
mod mutex;
mod semaphore;

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use shuttle::rand::{Rng, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use shuttle::{Config, Runner, thread};

/// Schedules of either kind for each model, unless `SHUTTLE_ITERATIONS` says otherwise.
const ITERATIONS: usize = 5_000;

/// Preemptions in a schedule of the rare kind.
const PREEMPTIONS: usize = 4;

/// A future that a model moves from thread to thread.
type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs a model under schedules of both kinds.
fn check(model: impl Fn() + Send + Sync + Copy + 'static) {
    if let Ok(schedule) = std::env::var("SHUTTLE_REPLAY") {
        return shuttle::replay(model, &schedule);
    }
    let iterations = std::env::var("SHUTTLE_ITERATIONS")
        .map_or(ITERATIONS, |number| number.parse().expect("SHUTTLE_ITERATIONS is a number"));
    let mut config = Config::new();
    config.silence_warnings = true;
    Runner::new(RandomScheduler::new(iterations), config.clone()).run(model);
    Runner::new(PctScheduler::new(PREEMPTIONS, iterations), config).run(model);
}

/// A number below `bound`, which a replay draws again.
fn below(bound: usize) -> usize {
    thread_rng().gen_range(0..bound)
}

/// Polls until it is ready, asleep in between: shuttle wakes nobody who was not woken.
fn block_on<F: Future>(future: F) -> F::Output {
    shuttle::future::block_on(future)
}

/// Polls once with a waker that wakes nobody.
fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls once with a waker that wakes nobody, and expects that it has to wait.
fn queue_up<F: Future + ?Sized>(future: Pin<&mut F>) {
    assert!(poll_once(future).is_pending(), "it had nothing to wait for");
}

/// Polls now and then, a random number of times and perhaps never, and then drops the future.
fn give_up<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..below(4) {
        if let Poll::Ready(output) = poll_once(future.as_mut()) {
            return Some(output);
        }
        thread::yield_now();
    }
    None
}

/// Waits, sometimes with another waker at first, which is replaced later.
fn wait_for<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    if below(3) == 0
        && let Poll::Ready(output) = poll_once(future.as_mut())
    {
        return output;
    }
    block_on(future)
}

/// A figure that only one thread at a time may touch.
#[derive(Default)]
struct Figure {
    busy: AtomicBool,
    value: AtomicUsize,
}

impl Figure {
    /// Adds one, in steps between which another thread may run: it panics where another is at it too.
    fn increase(&self) {
        assert!(!self.busy.swap(true, Ordering::SeqCst), "two at a time");
        let value = self.value.load(Ordering::SeqCst);
        self.value.store(value + 1, Ordering::SeqCst);
        assert!(self.busy.swap(false, Ordering::SeqCst), "two at a time");
    }

    fn get(&self) -> usize {
        self.value.load(Ordering::SeqCst)
    }
}

/// Starts `n` threads that do `work`, each told its number, and waits for all.
fn together(n: usize, work: impl Fn(usize) + Clone + Send + 'static) {
    let threads: Vec<_> = (0..n)
        .map(|i| {
            let work = work.clone();
            thread::spawn(move || work(i))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}
