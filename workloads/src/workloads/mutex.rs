//! `mutex`: tasks that want the same lock.

use std::pin::pin;
use std::sync::Arc;

use crate::arms::arms;
use crate::backend::MutexBackend;
use crate::measure::{Crew, Latency, OpenLoop, Probe, Throughput, Worker, by_mode};
use crate::{Contention, HoldMode, Params, Slot, SlotOutcome, Variant, Workload};

/// Tasks that want the same lock.
pub const WORKLOAD: Workload = Workload {
    name: "mutex",
    aliases: &["lock"],
    summary: "tasks that want the same lock",
    variants: &[EXCLUSIVE],
};

const EXCLUSIVE: Variant = Variant {
    name: "exclusive",
    summary: "An operation is one lock, hold, unlock by one of N tasks on one lock; each adds one to a \
              counter inside. Shows what handing a lock from task to task costs, and how evenly it goes round.",
    defaults: exclusive_defaults,
    knobs: &["tasks", "hold_ns", "hold_mode", "think_ns", "cancel_percent", "rate_ops_per_s"],
    contention: Contention::Demanded,
    arms: arms!(MutexBackend, exclusive),
};

/// Eight tasks that yield while they hold. A lock that is free again before anyone else runs is never waited
/// for on one thread; the yield lets every other task come and queue, so nearly each acquisition waits,
/// on one worker as on many, and what is left to measure is the hand-off.
fn exclusive_defaults() -> Params {
    Params { tasks: 8, hold_mode: HoldMode::Yield, ..Params::PLAIN }
}

/// One slot of `exclusive`.
pub fn exclusive<B: MutexBackend>(slot: Slot<'_>) -> SlotOutcome {
    by_mode(slot, run::<B, Throughput>, run::<B, Latency>, run::<B, OpenLoop>)
}

fn run<B: MutexBackend, P: Probe>(slot: Slot<'_>) -> SlotOutcome {
    let (runtime, mutex) = (slot.runtime, Arc::new(B::new(0)));
    let (mut outcome, _) = Crew::<B>::new(slot).run(|worker: Worker<P>| turns::<B, P>(mutex.clone(), worker));
    let counted = runtime.block_on(async { *B::lock(&mutex).await });
    outcome.law = counter_law(counted, outcome.ops_per_task.iter().sum());
    outcome
}

async fn turns<B: MutexBackend, P: Probe>(mutex: Arc<B::Mutex>, mut worker: Worker<P>) -> (Worker<P>, ()) {
    while worker.next_turn().await {
        let guard = worker.ask(pin!(B::lock(&mutex))).await;
        if worker.is_over() {
            break;
        }
        if let Some(mut guard) = guard {
            // Read before the hold and written after it: whoever else was let in meanwhile is overwritten.
            let counter = *guard;
            worker.hold().await;
            *guard = counter + 1;
            drop(guard);
            worker.finish_op();
        }
    }
    (worker, ())
}

/// No update was lost: the counter says what the tasks say.
fn counter_law(counted: u64, ops: u64) -> Result<(), String> {
    if counted == ops {
        return Ok(());
    }
    Err(format!(
        "the counter under the lock says {counted}, the tasks did {ops} operations: the lock let two in"
    ))
}
