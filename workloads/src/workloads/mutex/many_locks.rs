//! `many-locks`: each operation takes one of a great many locks.

use std::pin::pin;
use std::sync::Arc;

use super::{counter_law, counter_of};
use crate::arms::arms;
use crate::backend::MutexBackend;
use crate::measure::{Crew, Latency, Probe, Throughput, Worker, by_pass};
use crate::{Contention, Params, Slot, SlotOutcome, Variant};

pub(super) const MANY_LOCKS: Variant = Variant {
    name: "many-locks",
    summary: "An operation is one lock, hold, unlock of one of L locks, drawn at random by one of N tasks. Shows what \
              a lock costs that is seldom waited for and, from some ten thousand on, no longer in the cache; with a \
              few locks, how tasks that meet by chance get past each other.",
    defaults,
    knobs: &[
        "tasks",
        "locks",
        "hold_ns",
        "hold_distribution",
        "hold_mode",
        "think_ns",
        "think_distribution",
        "cancel_percent",
    ],
    contention: Contention::Incidental,
    arms: arms!(MutexBackend, many_locks),
};

/// As many locks as a service has sessions or rows in its cache: they lie in the processor's second-level cache, and
/// two tasks hardly ever want the same.
fn defaults() -> Params {
    Params { tasks: 8, locks: 1_000, ..Params::PLAIN }
}

/// One slot of `many-locks`.
pub fn many_locks<B: MutexBackend>(slot: Slot<'_>) -> SlotOutcome {
    by_pass(slot, run::<B, Throughput>, run::<B, Latency>)
}

/// A lock on cache lines of its own (processors fetch two together), as one is that lies in an object beside what it
/// guards. Side by side locks would disturb their neighbours, the more the smaller they are.
#[repr(align(128))]
struct Apart<L>(L);

fn run<B: MutexBackend, P: Probe>(slot: Slot<'_>) -> SlotOutcome {
    let locks: Arc<[Apart<B::Mutex>]> = (0..slot.params.locks).map(|_| Apart(B::new(0))).collect();
    let (mut outcome, _) = Crew::<B>::new(slot).run(|worker: Worker<P>| turns::<B, P>(locks.clone(), worker));
    let counted: Result<u64, String> = locks.iter().map(|lock| counter_of::<B>(&lock.0)).sum();
    outcome.law = counted.and_then(|counted| counter_law(counted, outcome.ops_per_task.iter().sum()));
    outcome
}

async fn turns<B: MutexBackend, P: Probe>(
    locks: Arc<[Apart<B::Mutex>]>,
    mut worker: Worker<P>,
) -> (Worker<P>, ()) {
    let mut lots = worker.lots(locks.len());
    while worker.next_turn().await {
        let guard = worker.ask(pin!(B::lock(&locks[lots.draw()].0))).await;
        if worker.is_over() {
            break;
        }
        if let Some(mut guard) = guard {
            // As in `exclusive`: whoever else was let in meanwhile is overwritten.
            let counter = *guard;
            worker.hold().await;
            *guard = counter + 1;
            drop(guard);
            worker.finish_op();
        }
    }
    (worker, ())
}
