//! A lock that is wanted by every task of a FIFO executor and held for one turn, so that each release hands over.

use std::future::Future;

use workloads::backend::MutexBackend;

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
        assert_eq!(*executor_free(B::lock(mutex)), operations, "an update was lost");
    })
}

/// The executor's own: as many turns as a hand-off takes (one to be granted, one to come back), and no lock.
pub fn turns_alone(tasks: usize) -> Block {
    Box::new(move |n, watch| {
        let rounds = n.div_ceil(tasks as u64);
        let task = move || async move {
            for _ in 0..rounds {
                Yield::default().await;
                Yield::default().await;
            }
        };
        let mut executor = Executor::new((0..tasks).map(|_| task()));
        let unfinished = watch.measure(rounds * tasks as u64, || executor.run());
        assert_eq!(unfinished, 0, "the executor lost a task");
    })
}

fn executor_free<F: Future>(future: F) -> F::Output {
    super::by_hand::Hand::new().poll_ready(future)
}
