//! `semaphore`: tasks that share a number of permits.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::arms::arms;
use crate::backend::SemaphoreBackend;
use crate::measure::{Crew, Latency, OpenLoop, Probe, Throughput, Worker, by_mode};
use crate::{Contention, HoldMode, Params, Slot, SlotOutcome, Variant, Workload};

/// Tasks that share a number of permits.
pub const WORKLOAD: Workload = Workload {
    name: "semaphore",
    aliases: &[],
    summary: "tasks that share a number of permits",
    variants: &[POOL],
};

const POOL: Variant = Variant {
    name: "pool",
    summary: "An operation is one permit taken, held and given back by one of N tasks that share P permits, \
              as a connection pool does. Shows what the queue for a permit costs, and how evenly it goes round.",
    defaults: pool_defaults,
    knobs: &["tasks", "permits", "hold_ns", "hold_mode", "think_ns", "cancel_percent", "rate_ops_per_s"],
    contention: Contention::Demanded,
    arms: arms!(SemaphoreBackend, pool),
};

/// Four tasks for each permit, which they hold across a yield: three of four are queued at any time on one
/// worker as on many, and several permits are on their way at once, which a mutex never has.
fn pool_defaults() -> Params {
    Params { tasks: 64, permits: 16, hold_mode: HoldMode::Yield, ..Params::PLAIN }
}

/// One slot of `pool`.
pub fn pool<B: SemaphoreBackend>(slot: Slot<'_>) -> SlotOutcome {
    by_mode(slot, run::<B, Throughput>, run::<B, Latency>, run::<B, OpenLoop>)
}

fn run<B: SemaphoreBackend, P: Probe>(slot: Slot<'_>) -> SlotOutcome {
    let permits = slot.params.permits;
    let pool = Arc::new(Pool::<B>::new(permits));
    let (mut outcome, _) = Crew::<B>::new(slot).run(|worker: Worker<P>| turns(pool.clone(), worker));
    outcome.law = pool.law(permits);
    outcome
}

async fn turns<B: SemaphoreBackend, P: Probe>(pool: Arc<Pool<B>>, mut worker: Worker<P>) -> (Worker<P>, ()) {
    while worker.next_turn().await {
        let permit = worker.ask(pin!(B::acquire(&pool.semaphore))).await;
        if worker.is_over() {
            break;
        }
        if let Some(permit) = permit {
            if P::WATCHES {
                pool.enter();
            }
            worker.hold().await;
            if P::WATCHES {
                pool.leave();
            }
            drop(permit);
            worker.finish_op();
        }
    }
    (worker, ())
}

/// The semaphore, and who is inside.
///
/// Counting who is inside costs two updates of a line that every worker writes, more than the semaphore
/// itself costs when it is free. So it is done in latency slots alone, outside the timed acquisition; the
/// throughput slots of the same run go through the same code, and check that no permit was lost.
struct Pool<B: SemaphoreBackend> {
    semaphore: B::Semaphore,
    inside: AtomicUsize,
    most_inside: AtomicUsize,
}

impl<B: SemaphoreBackend> Pool<B> {
    fn new(permits: usize) -> Self {
        Self { semaphore: B::new(permits), inside: AtomicUsize::new(0), most_inside: AtomicUsize::new(0) }
    }

    fn enter(&self) {
        // Ordering: Relaxed, here and in `leave`. A task leaves before it releases and enters after it was
        // granted, so a semaphore that lets the right number in orders the two by itself.
        let inside = self.inside.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_inside.fetch_max(inside, Ordering::Relaxed);
    }

    fn leave(&self) {
        self.inside.fetch_sub(1, Ordering::Relaxed);
    }

    fn law(&self, permits: usize) -> Result<(), String> {
        // Ordering: Relaxed, the tasks were joined.
        let most_inside = self.most_inside.load(Ordering::Relaxed);
        if most_inside > permits {
            return Err(format!("{most_inside} tasks held one of {permits} permits at the same time"));
        }
        let available = B::available(&self.semaphore);
        if available != permits {
            return Err(format!(
                "{available} of {permits} permits are free after every task gave its own back"
            ));
        }
        Ok(())
    }
}
