//! `condition`: producers and consumers that wait for each other under one lock.

use std::pin::pin;
use std::sync::Arc;

use crate::arms::arms;
use crate::backend::{ConditionBackend, Side};
use crate::buffer::{Buffer, has_item, has_room};
use crate::measure::{Crew, Latency, Probe, Throughput, Worker, by_pass};
use crate::{Contention, Params, Slot, SlotOutcome, Variant, Workload};

/// Producers and consumers that wait for each other under one lock.
pub const WORKLOAD: Workload = Workload {
    name: "condition",
    aliases: &[],
    summary: "producers and consumers that wait for each other under one lock",
    variants: &[BOUNDED_BUFFER],
};

const BOUNDED_BUFFER: Variant = Variant {
    name: "bounded-buffer",
    summary: "An operation is one item put into, or taken out of, a buffer of P places; half of the N tasks \
              produce, half consume (a single task does both in turn). Shows what waiting under a lock until \
              someone notifies costs, taking the lock again included.",
    defaults: bounded_buffer_defaults,
    knobs: &["tasks", "permits", "hold_ns", "hold_mode", "think_ns", "cancel_percent"],
    contention: Contention::Demanded,
    arms: arms!(ConditionBackend, bounded_buffer),
};

/// One place, so that after each operation the same side has to wait for the other: the more places there
/// are, the more operations run through without touching the condition. Nothing is held beyond the operation.
fn bounded_buffer_defaults() -> Params {
    Params { tasks: 16, ..Params::PLAIN }
}

/// One slot of `bounded-buffer`.
pub fn bounded_buffer<B: ConditionBackend>(slot: Slot<'_>) -> SlotOutcome {
    by_pass(slot, run::<B, Throughput>, run::<B, Latency>)
}

fn run<B: ConditionBackend, P: Probe>(slot: Slot<'_>) -> SlotOutcome {
    let (runtime, tasks) = (slot.runtime, slot.params.tasks);
    let pair = Arc::new(B::new(Buffer::new(slot.params.permits)));
    let (mut outcome, items) = Crew::<B>::new(slot).run(|worker: Worker<P>| {
        let role = Role::of(worker.index, tasks);
        turns::<B, P>(pair.clone(), role, worker)
    });
    let put = items.iter().map(|items| items.put).sum();
    let taken = items.iter().map(|items| items.taken).sum();
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

/// What one task did to the buffer.
#[derive(Default)]
struct Items {
    put: u64,
    taken: u64,
}

/// The first task that sees the end of the slot closes the buffer and wakes everyone; the others find it
/// closed. One of them always sees it: while the buffer is not full a producer is under way, else a consumer.
async fn turns<B: ConditionBackend, P: Probe>(
    pair: Arc<B::Pair>,
    mut role: Role,
    mut worker: Worker<P>,
) -> (Worker<P>, Items) {
    let mut items = Items::default();
    loop {
        let side = role.side;
        let ready = match side {
            Side::Producer => has_room,
            Side::Consumer => has_item,
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
        B::notify_other(&pair, side, guard).await;
        match side {
            Side::Producer => items.put += 1,
            Side::Consumer => items.taken += 1,
        }
        worker.finish_op();
        role = role.next();
    }
    (worker, items)
}

/// Lets everyone out who waits, unless that was done already.
async fn close<'a, B: ConditionBackend>(pair: &'a B::Pair, side: Side, guard: Option<B::Guard<'a>>) {
    let mut guard = match guard {
        Some(guard) => guard,
        // The wait was dropped as the slot ended: the lock is enough.
        None => B::lock_when(pair, side, |_| true).await,
    };
    if !guard.closed {
        guard.closed = true;
        B::notify_everyone(pair, side, guard).await;
    }
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

    #[test]
    fn law_names_what_does_not_add_up() {
        let mut buffer = Buffer::new(2);
        buffer.put();
        buffer.put();
        buffer.take();
        assert_eq!(buffer.law(2, 1), Ok(()));
        let law = buffer.law(3, 1).unwrap_err();
        assert!(law.contains("put 3 items and took 1"), "{law}");
        buffer.put();
        buffer.put();
        let law = buffer.law(4, 1).unwrap_err();
        assert!(law.contains("held 2 already"), "{law}");
    }
}
