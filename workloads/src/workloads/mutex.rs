//! `mutex`: tasks that want the same lock, or one of many.

use std::pin::pin;
use std::sync::Arc;

use crate::arms::arms;
use crate::backend::MutexBackend;
use crate::measure::{Crew, Latency, OpenLoop, Probe, Throughput, Worker, by_mode, by_pass};
use crate::{Contention, HoldMode, Params, Slot, SlotOutcome, Variant, Workload};

mod many_locks;

pub use many_locks::many_locks;

/// Tasks that want the same lock, or one of many.
pub const WORKLOAD: Workload = Workload {
    name: "mutex",
    aliases: &["lock"],
    summary: "tasks that want the same lock, or one of many",
    variants: &[EXCLUSIVE, SPEED, many_locks::MANY_LOCKS, CANCEL_STORM],
};

const EXCLUSIVE: Variant = Variant {
    name: "exclusive",
    summary: "An operation is one lock, hold, unlock by one of N tasks on one lock; each adds one to a \
              counter inside. Shows what handing a lock from task to task costs, and how evenly it goes round.",
    defaults: exclusive_defaults,
    knobs: &[
        "tasks",
        "hold_ns",
        "hold_distribution",
        "hold_mode",
        "think_ns",
        "think_distribution",
        "cancel_percent",
        "rate_ops_per_s",
    ],
    contention: Contention::Demanded,
    arms: arms!(MutexBackend, exclusive),
};

/// Eight tasks that yield while they hold. A lock that is free again before anyone else runs is never waited
/// for on one thread; the yield lets every other task come and queue, so nearly each acquisition waits,
/// on one worker as on many, and what is left to measure is the hand-off.
fn exclusive_defaults() -> Params {
    Params { tasks: 8, hold_mode: HoldMode::Yield, ..Params::PLAIN }
}

const SPEED: Variant = Variant {
    name: "speed",
    summary: "An operation is one lock and unlock by one of N tasks on one lock, with nothing held and nothing \
              in between. Shows what the two calls cost where nobody else runs (one worker), and what is left of \
              that where several workers do nothing else; how evenly they are served is told and not asked for.",
    defaults: speed_defaults,
    knobs: &["tasks", "think_ns", "think_distribution", "cancel_percent"],
    contention: Contention::Incidental,
    arms: arms!(MutexBackend, speed),
};

/// As many tasks as `exclusive` has, so that the two can be laid side by side. On one worker the first of them does
/// everything, and nobody waits.
fn speed_defaults() -> Params {
    Params { tasks: 8, ..Params::PLAIN }
}

const CANCEL_STORM: Variant = Variant {
    name: "cancel-storm",
    summary: "An operation is one lock, hold, unlock by one of N tasks on one lock, half of whose waits are given \
              up in the queue or just as the lock is granted. Shows what leaving a long queue costs; a lock that \
              goes to somebody who has left, or a wake-up that is lost with him, fails the run.",
    defaults: cancel_storm_defaults,
    knobs: &[
        "tasks",
        "hold_ns",
        "hold_distribution",
        "hold_mode",
        "think_ns",
        "think_distribution",
        "cancel_percent",
        "rate_ops_per_s",
    ],
    contention: Contention::Demanded,
    arms: arms!(MutexBackend, exclusive),
};

/// A queue of some length, in the midst of which waits are dropped. The more are, the less is left to hand over to;
/// at one half both happen all the time.
fn cancel_storm_defaults() -> Params {
    Params { tasks: 64, hold_mode: HoldMode::Yield, cancel_percent: 50.0, ..Params::PLAIN }
}

/// One slot of `exclusive`, and of `cancel-storm`, which differs in its defaults.
pub fn exclusive<B: MutexBackend>(slot: Slot<'_>) -> SlotOutcome {
    by_mode(slot, run::<B, Throughput, true>, run::<B, Latency, true>, run::<B, OpenLoop, true>)
}

/// One slot of `speed`, which is capacity by its name: by the clock there is `exclusive`.
pub fn speed<B: MutexBackend>(slot: Slot<'_>) -> SlotOutcome {
    by_pass(slot, run::<B, Throughput, false>, run::<B, Latency, false>)
}

fn run<B: MutexBackend, P: Probe, const HOLDS: bool>(slot: Slot<'_>) -> SlotOutcome {
    let mutex = Arc::new(B::new(0));
    let (mut outcome, _) =
        Crew::<B>::new(slot).run(|worker: Worker<P>| turns::<B, P, HOLDS>(mutex.clone(), worker));
    outcome.law =
        counter_of::<B>(&mutex).and_then(|counted| counter_law(counted, outcome.ops_per_task.iter().sum()));
    outcome
}

async fn turns<B: MutexBackend, P: Probe, const HOLDS: bool>(
    mutex: Arc<B::Mutex>,
    mut worker: Worker<P>,
) -> (Worker<P>, ()) {
    while worker.next_turn().await {
        let guard = worker.ask(pin!(B::lock(&mutex))).await;
        if worker.is_over() {
            break;
        }
        if let Some(mut guard) = guard {
            // Read before the hold and written after it: whoever else was let in meanwhile is overwritten.
            let counter = *guard;
            if HOLDS {
                worker.hold().await;
            }
            *guard = counter + 1;
            drop(guard);
            worker.finish_op();
        }
    }
    (worker, ())
}

/// What the counter under a lock says when no task runs any more. It must be free then: one that is not was granted to
/// somebody who had left, and nobody passed it on.
fn counter_of<B: MutexBackend>(mutex: &B::Mutex) -> Result<u64, String> {
    match B::try_lock(mutex) {
        Some(counter) => Ok(*counter),
        None => Err("the lock is taken after every task gave it back: a grant went to nobody".to_owned()),
    }
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
