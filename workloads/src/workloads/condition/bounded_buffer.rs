//! `condition.bounded-buffer` and `condition.bounded-buffer-all`: producers and consumers that wait for each other.

use std::pin::pin;
use std::sync::Arc;

use super::{KNOBS, close, futile};
use crate::arms::arms;
use crate::backend::{ConditionBackend, Side};
use crate::buffer::{Buffer, has_item, has_room};
use crate::measure::{Crew, Latency, Probe, Throughput, Worker, by_pass};
use crate::{Contention, Params, Slot, SlotOutcome, Variant};

pub(super) const BOUNDED_BUFFER: Variant = Variant {
    name: "bounded-buffer",
    summary: "An operation is one item put into, or taken out of, a buffer of P places; half of the N tasks \
              produce, half consume (a single task does both in turn). Shows what waiting under a lock until \
              someone notifies costs, taking the lock again included.",
    defaults: bounded_buffer_defaults,
    knobs: KNOBS,
    contention: Contention::Demanded,
    arms: arms!(ConditionBackend, bounded_buffer),
};

pub(super) const BOUNDED_BUFFER_ALL: Variant = Variant {
    name: "bounded-buffer-all",
    summary: "The same buffer, but each operation wakes everyone on the other side (notify_all), where one could go on. \
              Shows whether that costs anything; how many were woken in vain stands below the table: few while \
              both sides take turns in the queue of the lock. A sure herd is condition.sleepers.",
    defaults: bounded_buffer_defaults,
    knobs: KNOBS,
    contention: Contention::Demanded,
    arms: arms!(ConditionBackend, bounded_buffer_all),
};

/// One place, so that after each operation the same side has to wait for the other: the more places there
/// are, the more operations run through without touching the condition. Nothing is held beyond the operation.
fn bounded_buffer_defaults() -> Params {
    Params { tasks: 16, ..Params::PLAIN }
}

/// One slot of `bounded-buffer`.
pub fn bounded_buffer<B: ConditionBackend>(slot: Slot<'_>) -> SlotOutcome {
    by_pass(slot, run::<B, Throughput, false>, run::<B, Latency, false>)
}

/// One slot of `bounded-buffer-all`.
pub fn bounded_buffer_all<B: ConditionBackend>(slot: Slot<'_>) -> SlotOutcome {
    by_pass(slot, run::<B, Throughput, true>, run::<B, Latency, true>)
}

fn run<B: ConditionBackend, P: Probe, const ALL: bool>(slot: Slot<'_>) -> SlotOutcome {
    let (runtime, tasks) = (slot.runtime, slot.params.tasks);
    let pair = Arc::new(B::new(Buffer::new(slot.params.permits)));
    let (mut outcome, done) = Crew::<B>::new(slot).run(|worker: Worker<P>| {
        let role = Role::of(worker.index, tasks);
        turns::<B, P, ALL>(pair.clone(), role, worker)
    });
    let put = done.iter().map(|done| done.put).sum();
    let taken = done.iter().map(|done| done.taken).sum();
    outcome.futile_wakeups = Some(done.iter().map(|done| done.futile).sum());
    outcome.law =
        runtime.block_on(async { B::lock_when(&pair, Side::Producer, |_| true).await.law(put, taken) });
    outcome
}

/// Which side a task is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Role {
    side: Side,
    /// Changes sides after each operation: the one task of a slot of one, which would wait for itself.
    alternates: bool,
}

impl Role {
    /// Even tasks produce, odd ones consume, so there is one of each from two tasks on.
    fn of(index: usize, tasks: usize) -> Self {
        let side = if index.is_multiple_of(2) { Side::Producer } else { Side::Consumer };
        Self { side, alternates: tasks == 1 }
    }

    fn next(self) -> Self {
        if self.alternates { Self { side: self.side.other(), ..self } } else { self }
    }
}

/// What one task did to the buffer, and how often it was woken in vain.
#[derive(Default)]
struct Done {
    put: u64,
    taken: u64,
    futile: u64,
}

/// The first task that sees the end of the slot closes the buffer and wakes everyone; the others find it
/// closed. One of them always sees it: while the buffer is not full a producer is under way, else a consumer.
async fn turns<B: ConditionBackend, P: Probe, const ALL: bool>(
    pair: Arc<B::Pair>,
    mut role: Role,
    mut worker: Worker<P>,
) -> (Worker<P>, Done) {
    let mut done = Done::default();
    loop {
        let side = role.side;
        let mut looks = 0;
        let ready = |buffer: &Buffer| {
            looks += 1;
            match side {
                Side::Producer => has_room(buffer),
                Side::Consumer => has_item(buffer),
            }
        };
        let guard = worker.ask(pin!(B::lock_when(&pair, side, ready))).await;
        if worker.is_over() {
            close::<B>(&pair, side, guard).await;
            break;
        }
        let Some(mut guard) = guard else { continue };
        match side {
            Side::Producer => guard.put(),
            Side::Consumer => guard.take(),
        }
        worker.hold().await;
        if ALL {
            B::notify_all_others(&pair, side, guard).await;
        } else {
            B::notify_other(&pair, side, guard).await;
        }
        match side {
            Side::Producer => done.put += 1,
            Side::Consumer => done.taken += 1,
        }
        done.futile += futile(looks);
        worker.finish_op();
        role = role.next();
    }
    (worker, done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_task_takes_turns_and_two_have_a_side_each() {
        let alone = Role::of(0, 1);
        assert_eq!([alone.side, alone.next().side], [Side::Producer, Side::Consumer]);
        assert_eq!(alone.next().next(), alone);
        let (first, second) = (Role::of(0, 2), Role::of(1, 2));
        assert_eq!([first.side, second.side], [Side::Producer, Side::Consumer]);
        assert_eq!([first.next(), second.next()], [first, second]);
    }
}
