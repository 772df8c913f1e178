//! `mix`: what a service does for one request, with several primitives at once.

use std::pin::pin;
use std::sync::Arc;

use super::semaphore::Inside;
use crate::arms::arms;
use crate::backend::{EventBackend, MutexBackend, SemaphoreBackend, ServiceBackend};
use crate::measure::{Crew, Latency, OpenLoop, Probe, Throughput, Worker, by_mode};
use crate::{Contention, HoldMode, Params, Slot, SlotOutcome, Variant, Workload};

/// What a service does for one request.
pub const WORKLOAD: Workload = Workload {
    name: "mix",
    aliases: &[],
    summary: "what a service does for one request, with several primitives at once",
    variants: &[REQUEST],
};

const REQUEST: Variant = Variant {
    name: "request",
    summary: "An operation is one request by one of N tasks: past a gate that is open (an event that is set), one of P \
              permits, one of L locks at random, hold, and both given back. A wait is from the gate until it has both. \
              Shows what a library's primitives cost together, where tasks queue for one while they have another.",
    defaults,
    knobs: &[
        "tasks",
        "permits",
        "locks",
        "hold_ns",
        "hold_distribution",
        "hold_mode",
        "think_ns",
        "think_distribution",
        "cancel_percent",
        "rate_ops_per_s",
    ],
    contention: Contention::Demanded,
    arms: arms!(ServiceBackend, request),
};

/// Tasks and permits of the semaphore's `pool`; half as many locks as permits, so that most of those who have a permit
/// meet somebody at their lock too.
fn defaults() -> Params {
    Params { tasks: 64, permits: 16, locks: 8, hold_mode: HoldMode::Yield, ..Params::PLAIN }
}

/// One slot of `request`.
pub fn request<B: ServiceBackend>(slot: Slot<'_>) -> SlotOutcome {
    by_mode(slot, run::<B::Families, Throughput>, run::<B::Families, Latency>, run::<B::Families, OpenLoop>)
}

/// The three families of one library.
trait Families: EventBackend + SemaphoreBackend + MutexBackend {}

impl<B: EventBackend + SemaphoreBackend + MutexBackend> Families for B {}

/// What all requests go through.
struct Service<B: Families> {
    gate: B::Event,
    pool: B::Semaphore,
    shards: Box<[B::Mutex]>,
    inside: Inside,
}

impl<B: Families> Service<B> {
    fn new(permits: usize, shards: usize) -> Self {
        let gate = <B as EventBackend>::new();
        B::set(&gate);
        Self {
            gate,
            pool: <B as SemaphoreBackend>::new(permits),
            shards: (0..shards).map(|_| <B as MutexBackend>::new(0)).collect(),
            inside: Inside::default(),
        }
    }

    /// Dropped at any point it gives back what it has: each of its parts does.
    async fn enter(&self, shard: usize, watched: bool) -> (Entry<'_, B>, B::Guard<'_>) {
        B::wait(&self.gate).await;
        let permit = B::acquire(&self.pool).await;
        let entry = Entry::<B>::new(permit, watched.then_some(&self.inside));
        (entry, B::lock(&self.shards[shard]).await)
    }

    /// No more were inside than there are permits, all are back, and each request was counted once.
    fn law(&self, permits: usize, ops: u64) -> Result<(), String> {
        self.inside.law(permits)?;
        let available = B::available(&self.pool);
        if available != permits {
            return Err(format!("{available} of {permits} permits are free after every request"));
        }
        let mut counted = 0;
        for (number, shard) in self.shards.iter().enumerate() {
            let Some(counter) = B::try_lock(shard) else {
                return Err(format!("lock {number} is taken after every request: a grant went to nobody"));
            };
            counted += *counter;
        }
        if counted != ops {
            return Err(format!("the locks counted {counted} of {ops} requests: one let two in"));
        }
        Ok(())
    }
}

/// A permit, counted among those that are out where somebody watches: from before the wait for the lock, so that more
/// can be out than there are locks.
struct Entry<'a, B: Families> {
    _permit: B::Permit<'a>,
    inside: Option<&'a Inside>,
}

impl<'a, B: Families> Entry<'a, B> {
    fn new(permit: B::Permit<'a>, inside: Option<&'a Inside>) -> Self {
        if let Some(inside) = inside {
            inside.enter(1);
        }
        Self { _permit: permit, inside }
    }
}

/// Runs before the permit is given back.
impl<B: Families> Drop for Entry<'_, B> {
    fn drop(&mut self) {
        if let Some(inside) = self.inside {
            inside.leave(1);
        }
    }
}

fn run<B: Families, P: Probe>(slot: Slot<'_>) -> SlotOutcome {
    let Params { permits, locks, .. } = *slot.params;
    let service = Arc::new(Service::<B>::new(permits, locks));
    let (mut outcome, _) = Crew::<B>::new(slot).run(|worker: Worker<P>| turns(service.clone(), worker));
    outcome.law = service.law(permits, outcome.ops_per_task.iter().sum());
    outcome
}

async fn turns<B: Families, P: Probe>(service: Arc<Service<B>>, mut worker: Worker<P>) -> (Worker<P>, ()) {
    let mut lots = worker.lots(service.shards.len());
    while worker.next_turn().await {
        let entered = worker.ask(pin!(service.enter(lots.draw(), P::WATCHES))).await;
        if worker.is_over() {
            break;
        }
        if let Some((entry, mut counter)) = entered {
            // As in `mutex.exclusive`: whoever else was let in meanwhile is overwritten.
            let counted = *counter;
            worker.hold().await;
            *counter = counted + 1;
            drop(counter);
            drop(entry);
            worker.finish_op();
        }
    }
    (worker, ())
}
