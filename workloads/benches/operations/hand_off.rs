//! A lock that is wanted by every task of a FIFO executor and held for one turn, so that each release hands over.
//!
//! An unfair lock does something else here: who releases it takes it again before anybody else is polled, and the
//! others look in vain. Its figure is the price of a lock and of those looks, not of a hand-off.

use workloads::backend::MutexBackend;

use super::by_hand::Hand;
use super::executor::{Executor, Yield};
use super::{Block, forever};

/// Lock, one turn of everybody else, unlock; an operation is one task's.
pub fn hand_off<B: MutexBackend>(tasks: usize) -> Block {
    Box::new(move |n, watch| {
        let rounds = n.div_ceil(tasks as u64);
        let operations = rounds * tasks as u64;
        // Leaked for its address to be known for good; a block is long, so it is a few bytes now and then.
        let mutex = forever(B::new(0));
        let task = move || async move {
            for _ in 0..rounds {
                let mut guard = B::lock(mutex).await;
                Yield::default().await;
                *guard += 1;
            }
        };
        let mut executor = Executor::new((0..tasks).map(|_| task()));
        let unfinished = watch.measure(operations, || executor.run());
        assert_eq!(unfinished, 0, "a wake-up was lost");
        assert_eq!(*Hand::new().poll_ready(B::lock(mutex)), operations, "an update was lost");
    })
}

/// The executor's own share of a hand-off, without a lock: a turn to be granted it, and one to come back.
pub fn turns_alone(tasks: usize) -> Block {
    turns(tasks, 2)
}

/// One turn of the executor: what waiting once costs at least.
pub fn turn_alone(tasks: usize) -> Block {
    turns(tasks, 1)
}

fn turns(tasks: usize, turns: u64) -> Block {
    Box::new(move |n, watch| {
        let rounds = n.div_ceil(tasks as u64);
        let task = move || async move {
            for _ in 0..rounds * turns {
                Yield::default().await;
            }
        };
        let mut executor = Executor::new((0..tasks).map(|_| task()));
        let unfinished = watch.measure(rounds * tasks as u64, || executor.run());
        assert_eq!(unfinished, 0, "the executor lost a task");
    })
}
