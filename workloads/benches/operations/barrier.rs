//! A barrier that the tasks of a FIFO executor meet at, phase after phase.

use std::cell::Cell;

use workloads::backend::BarrierBackend;

use super::executor::Executor;
use super::{Block, forever};

/// A phase; an operation is one task's share of it.
pub fn phases<B: BarrierBackend>(parties: usize) -> Block {
    let barrier = forever(B::new(parties));
    let leaders: &'static Cell<u64> = forever(Cell::new(0));
    Box::new(move |n, watch| {
        let phases = n.div_ceil(parties as u64);
        leaders.set(0);
        let task = move || async move {
            for _ in 0..phases {
                if B::wait(barrier).await {
                    leaders.set(leaders.get() + 1);
                }
            }
        };
        let mut executor = Executor::new((0..parties).map(|_| task()));
        let unfinished = watch.measure(phases * parties as u64, || executor.run());
        assert_eq!(unfinished, 0, "a wake-up was lost");
        assert_eq!(leaders.get(), phases, "a phase has one leader");
    })
}
