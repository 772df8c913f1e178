//! Behaviour of `Barrier`: poll by poll, where wakers call back between the batches of a release, and in histories of
//! several tasks with cancellations, aborts and resets.
#![cfg(not(loom))]

#[path = "../common/mod.rs"]
mod common;
mod histories;
mod leaving;
mod polls;

use common::{Task, now};
use sync::futures::BarrierWait;
use sync::{Barrier, BarrierError, BarrierWaitResult};

type Outcome = Result<BarrierWaitResult, BarrierError>;

#[track_caller]
fn index(outcome: Outcome) -> usize {
    outcome.expect("it was released").index()
}

/// That the last of a phase is ready at once, as its leader.
#[track_caller]
fn assert_leads(barrier: &Barrier) {
    let result = now(barrier.wait()).expect("it is whole");
    assert!(result.is_leader());
    assert_eq!(result.index(), barrier.parties() - 1);
    assert_eq!(barrier.waiting(), 0);
}

fn arrive<'a>(barrier: &'a Barrier, n: usize) -> Vec<Task<BarrierWait<'a>>> {
    (0..n).map(|_| Task::waiting(barrier.wait())).collect()
}

/// That those tasks were woken, each once, as the parties from `first` on, and that none leads.
#[track_caller]
fn assert_released<F: Future<Output = Outcome>>(tasks: &mut [Task<F>], first: usize) {
    for (task, expected) in tasks.iter_mut().zip(first..) {
        let result = task.woken().expect("it was released");
        assert_eq!((result.index(), result.is_leader()), (expected, false));
    }
}

#[track_caller]
fn assert_broken<F: Future<Output = Outcome>>(tasks: &mut [Task<F>]) {
    for task in tasks {
        task.woken().expect_err("it was not released");
    }
}
