//! `condition.sleepers`: tasks that wait each for something else under one lock.

use std::pin::pin;
use std::sync::Arc;

use super::{close, futile};
use crate::arms::arms;
use crate::backend::{ConditionBackend, Side};
use crate::buffer::{Buffer, has_turn};
use crate::measure::{Crew, Latency, Probe, Throughput, Worker, by_pass};
use crate::{Contention, Params, Slot, SlotOutcome, Variant};

pub(super) const SLEEPERS: Variant = Variant {
    name: "sleepers",
    summary: "An operation is the turn of one of N tasks that sleep on one condition, each until its own turn comes; \
              who is next is drawn, and since nobody can be told apart, all are woken (notify_all). Shows what one \
              condition for many purposes costs: all but one look in vain and sleep again.",
    defaults: sleepers_defaults,
    knobs: &[
        "tasks",
        "hold_ns",
        "hold_distribution",
        "hold_mode",
        "think_ns",
        "think_distribution",
        "cancel_percent",
    ],
    contention: Contention::Demanded,
    arms: arms!(ConditionBackend, sleepers),
};

/// So many that waking in vain is most of the work, on one worker as on many; nobody has two turns in a row, so each
/// turn was waited for.
fn sleepers_defaults() -> Params {
    Params { tasks: 16, ..Params::PLAIN }
}

/// One slot of `sleepers`.
pub fn sleepers<B: ConditionBackend>(slot: Slot<'_>) -> SlotOutcome {
    by_pass(slot, run::<B, Throughput>, run::<B, Latency>)
}

fn run<B: ConditionBackend, P: Probe>(slot: Slot<'_>) -> SlotOutcome {
    let (runtime, tasks) = (slot.runtime, slot.params.tasks);
    let pair = Arc::new(B::new(Buffer::new(slot.params.permits)));
    let (mut outcome, futile) =
        Crew::<B>::new(slot).run(|worker: Worker<P>| turns::<B, P>(pair.clone(), tasks, worker));
    let had = outcome.ops_per_task.iter().sum();
    outcome.futile_wakeups = Some(futile.into_iter().sum());
    outcome.law = runtime.block_on(async { B::lock_when(&pair, SLEEPS, |_| true).await.law_of_turns(had) });
    outcome
}

/// All sleep on one of the two conditions, and wake as the other side.
const SLEEPS: Side = Side::Consumer;
const WAKES: Side = SLEEPS.other();

/// The first task that sees the end of the slot closes the buffer and wakes everyone. One always sees it: the one whose
/// turn it is was woken, or has not slept yet. Gives back how often the task was woken in vain.
async fn turns<B: ConditionBackend, P: Probe>(
    pair: Arc<B::Pair>,
    tasks: usize,
    mut worker: Worker<P>,
) -> (Worker<P>, u64) {
    let task = worker.index;
    let mut in_vain = 0;
    loop {
        let mut looks = 0;
        let ready = |buffer: &Buffer| {
            looks += 1;
            has_turn(buffer, task)
        };
        let guard = worker.ask(pin!(B::lock_when(&pair, SLEEPS, ready))).await;
        if worker.is_over() {
            close::<B>(&pair, SLEEPS, guard).await;
            break;
        }
        let Some(mut guard) = guard else { continue };
        worker.hold().await;
        guard.pass_turn(task, tasks);
        B::notify_all_others(&pair, WAKES, guard).await;
        in_vain += futile(looks);
        worker.finish_op();
    }
    (worker, in_vain)
}
