//! Random histories: operations, polls, cancellations and dropped guards in any order, by up to eight tasks at one
//! primitive, and after each step a comparison with a sequential model of it.
//!
//! ```sh
//! HISTORIES=1000000 cargo test -p sync --test histories
//! ```
//!
//! draws that many histories for each primitive, which takes some minutes; without the variable it is [`CASES`]. A
//! history that fails is shrunk and printed as the list of its operations, and nothing is written to disk.
//!
//! A model is plain data: counts, and lists of who waits. What it predicts of each operation is what the caller gets,
//! whose wakers are called and in which order, and the statistics afterwards. Everything happens on one thread: what
//! threads can do to each other is for `tests/loom` and `tests/shuttle`.
#![cfg(not(any(loom, shuttle)))]

mod barrier;
mod bounded_semaphore;
mod condition;
mod event;
mod model;
mod mutex;
mod semaphore;

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult};

/// Histories for each primitive, unless `HISTORIES` says otherwise.
const CASES: u32 = 4_000;

/// Operations in a history at most.
const LENGTH: usize = 80;

/// Tasks at a time. Each has a place that is empty, or holds a future or what the future gave.
const SLOTS: usize = 8;

/// A future of one task.
type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Which waker: the task's, and which of the two that each task polls with.
type Bell = (usize, usize);

/// What the caller of an operation gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It makes no sense in the state that the task is in, so nothing was done.
    Skipped,
    Done,
    Pending,
    Ready,
    Closed,
    Refused,
    /// So many.
    Count(usize),
}

/// A primitive or its model.
trait Subject {
    type Operation: Debug;
    type Statistics: Debug + PartialEq;

    fn apply(&mut self, operation: &Self::Operation) -> Outcome;
    fn statistics(&self) -> Self::Statistics;
    /// The wakers that were called since this was asked before, in their order.
    fn rung(&mut self) -> Vec<Bell>;
}

/// Does to both what the history says, and then what `end` says, and looks at both after each step.
fn compare<S, M>(
    mut primitive: S,
    mut model: M,
    history: &[S::Operation],
    end: &[S::Operation],
) -> TestCaseResult
where
    S: Subject,
    M: Subject<Operation = S::Operation, Statistics = S::Statistics>,
{
    for (step, operation) in history.iter().chain(end).enumerate() {
        let expected = (model.apply(operation), model.rung(), model.statistics());
        let found = (primitive.apply(operation), primitive.rung(), primitive.statistics());
        prop_assert_eq!(found, expected, "left: found, right: expected, at step {}, {:?}", step, operation);
    }
    Ok(())
}

/// The wakers of all tasks, and the order in which they are called.
struct Bells {
    log: Arc<Mutex<Vec<Bell>>>,
    wakers: [[Waker; 2]; SLOTS],
}

impl Bells {
    fn new() -> Self {
        struct Ring(Bell, Arc<Mutex<Vec<Bell>>>);
        impl Wake for Ring {
            fn wake(self: Arc<Self>) {
                self.1.lock().unwrap().push(self.0);
            }
        }
        let log = Arc::default();
        let waker = |slot, which| Waker::from(Arc::new(Ring((slot, which), Arc::clone(&log))));
        let wakers = std::array::from_fn(|slot| [waker(slot, 0), waker(slot, 1)]);
        Self { log, wakers }
    }

    fn poll<T>(&self, (slot, which): Bell, future: &mut Pending<'_, T>) -> Poll<T> {
        future.as_mut().poll(&mut Context::from_waker(&self.wakers[slot][which]))
    }

    fn rung(&self) -> Vec<Bell> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

/// How many histories are drawn; a failed one is printed, and kept nowhere.
fn config() -> Config {
    let cases =
        std::env::var("HISTORIES").map_or(CASES, |number| number.parse().expect("HISTORIES is a number"));
    Config { cases, failure_persistence: None, max_shrink_iters: 100_000, ..Config::default() }
}

fn slot() -> std::ops::Range<usize> {
    0..SLOTS
}

fn bell() -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    (slot(), 0..2)
}
