//! `weighted`: requests for several permits at once.

use std::pin::pin;
use std::sync::Arc;

use super::Pool;
use crate::arms::arms;
use crate::backend::WeightedSemaphoreBackend;
use crate::measure::{Crew, Latency, Probe, Throughput, Worker, by_pass};
use crate::{Contention, HoldMode, Params, Slot, SlotOutcome, Variant};

pub(super) const WEIGHTED: Variant = Variant {
    name: "weighted",
    summary: "An operation is one request for 1, 2, 4 … permits, up to W, as likely as each other, held and given back \
              together by one of N tasks that share P permits. Shows what it costs that a large request waits until \
              enough are free, and that nobody small may pass it meanwhile.",
    defaults,
    knobs: &[
        "tasks",
        "permits",
        "weight",
        "hold_ns",
        "hold_distribution",
        "hold_mode",
        "think_ns",
        "think_distribution",
        "cancel_percent",
    ],
    contention: Contention::Demanded,
    arms: arms!(WeightedSemaphoreBackend, weighted),
};

/// As many tasks and permits as `pool` has; with 1, 2 or 4 of them a request, some seven are served at a time.
fn defaults() -> Params {
    Params { tasks: 64, permits: 16, weight: 4, hold_mode: HoldMode::Yield, ..Params::PLAIN }
}

/// One slot of `weighted`.
pub fn weighted<B: WeightedSemaphoreBackend>(slot: Slot<'_>) -> SlotOutcome {
    by_pass(slot, run::<B, Throughput>, run::<B, Latency>)
}

fn run<B: WeightedSemaphoreBackend, P: Probe>(slot: Slot<'_>) -> SlotOutcome {
    let (permits, weights) = (slot.params.permits, powers_up_to(slot.params.weight));
    let pool = Arc::new(Pool::<B>::new(permits));
    let (mut outcome, _) = Crew::<B>::new(slot).run(|worker: Worker<P>| turns(pool.clone(), weights, worker));
    outcome.law = pool.law(permits);
    outcome
}

/// How many powers of two there are from 1 to `most`.
fn powers_up_to(most: usize) -> usize {
    (most.max(1).ilog2() + 1) as usize
}

async fn turns<B: WeightedSemaphoreBackend, P: Probe>(
    pool: Arc<Pool<B>>,
    weights: usize,
    mut worker: Worker<P>,
) -> (Worker<P>, ()) {
    let mut lots = worker.lots(weights);
    while worker.next_turn().await {
        let weight = 1 << lots.draw();
        let permits = worker.ask(pin!(B::acquire_many(&pool.semaphore, weight))).await;
        if worker.is_over() {
            break;
        }
        if let Some(permits) = permits {
            if P::WATCHES {
                pool.inside.enter(weight as usize);
            }
            worker.hold().await;
            if P::WATCHES {
                pool.inside.leave(weight as usize);
            }
            drop(permits);
            worker.finish_op();
        }
    }
    (worker, ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_for_powers_of_two_up_to_the_weight() {
        assert_eq!([1, 2, 3, 4, 7, 8].map(powers_up_to), [1, 2, 2, 3, 3, 4]);
        // The largest request still fits its type.
        assert!(1_u32.checked_shl(powers_up_to(Params::MAX_PERMITS) as u32 - 1).is_some());
    }
}
