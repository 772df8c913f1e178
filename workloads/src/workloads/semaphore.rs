//! `semaphore`: tasks that share a number of permits, or hand permits to each other.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::arms::arms;
use crate::backend::SemaphoreBackend;
use crate::measure::{Crew, Latency, OpenLoop, Probe, Throughput, Worker, by_mode};
use crate::{Contention, Distribution, HoldMode, Params, Slot, SlotOutcome, Variant, Workload};

mod post_wait;
mod weighted;

pub use post_wait::post_wait;
pub use weighted::weighted;

/// Tasks that share a number of permits.
pub const WORKLOAD: Workload = Workload {
    name: "semaphore",
    aliases: &[],
    summary: "tasks that share a number of permits",
    variants: &[POOL, weighted::WEIGHTED, post_wait::POST_WAIT, LIMITER, CANCEL_STORM],
};

/// The knobs of the variants whose tasks each hold one permit.
const POOL_KNOBS: &[&str] = &[
    "tasks",
    "permits",
    "hold_ns",
    "hold_distribution",
    "hold_mode",
    "think_ns",
    "think_distribution",
    "cancel_percent",
    "rate_ops_per_s",
];

const POOL: Variant = Variant {
    name: "pool",
    summary: "An operation is one permit taken, held and given back by one of N tasks that share P permits, \
              as a connection pool does. Shows what the queue for a permit costs, and how evenly it goes round.",
    defaults: pool_defaults,
    knobs: POOL_KNOBS,
    contention: Contention::Demanded,
    arms: arms!(SemaphoreBackend, pool),
};

/// Four tasks for each permit, which they hold across a yield: three of four are queued at any time on one
/// worker as on many, and several permits are on their way at once, which a mutex never has.
fn pool_defaults() -> Params {
    Params { tasks: 64, permits: 16, hold_mode: HoldMode::Yield, ..Params::PLAIN }
}

const LIMITER: Variant = Variant {
    name: "limiter",
    summary: "An operation is one request that takes one of P permits for as long as its work takes. Requests come by \
              the clock, at a rate, and not when the last one is over: an open loop. Shows how long they queue at a \
              limiter that is busy but not overrun, its own cost and the timer's grain included.",
    defaults: limiter_defaults,
    knobs: POOL_KNOBS,
    contention: Contention::Incidental,
    arms: arms!(SemaphoreBackend, pool),
};

/// Calls to another service: asleep for 1 ms, which the timer makes about 2, some for much longer. Eight at a time are
/// some 4,000 a second, of which three quarters come; enough tasks that a request finds one to carry it.
fn limiter_defaults() -> Params {
    Params {
        tasks: 64,
        permits: 8,
        hold: Duration::from_millis(1),
        hold_distribution: Distribution::Exponential,
        hold_mode: HoldMode::Sleep,
        rate_ops_per_s: Some(3_000.0),
        ..Params::PLAIN
    }
}

const CANCEL_STORM: Variant = Variant {
    name: "cancel-storm",
    summary: "An operation is one permit taken, held and given back by one of N tasks that share P permits, half of \
              whose waits are given up in the queue or just as the permit is granted. Shows what leaving a long \
              queue costs; a permit that goes to somebody who has left, or is lost with him, fails the run.",
    defaults: cancel_storm_defaults,
    knobs: POOL_KNOBS,
    contention: Contention::Demanded,
    arms: arms!(SemaphoreBackend, pool),
};

/// As `pool`, with fewer permits, so that the queue is long although half of it is about to leave.
fn cancel_storm_defaults() -> Params {
    Params { permits: 4, cancel_percent: 50.0, ..pool_defaults() }
}

/// One slot of `pool`, and of `limiter` and `cancel-storm`, which differ in their defaults.
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
                pool.inside.enter(1);
            }
            worker.hold().await;
            if P::WATCHES {
                pool.inside.leave(1);
            }
            drop(permit);
            worker.finish_op();
        }
    }
    (worker, ())
}

/// The semaphore, and what is inside.
struct Pool<B: SemaphoreBackend> {
    semaphore: B::Semaphore,
    inside: Inside,
}

impl<B: SemaphoreBackend> Pool<B> {
    fn new(permits: usize) -> Self {
        Self { semaphore: B::new(permits), inside: Inside::default() }
    }

    /// No more permits were out than there are, and all are back.
    fn law(&self, permits: usize) -> Result<(), String> {
        self.inside.law(permits)?;
        let available = B::available(&self.semaphore);
        if available != permits {
            return Err(format!(
                "{available} of {permits} permits are free after every task gave its own back"
            ));
        }
        Ok(())
    }
}

/// Permits that are out, and the most that were at the same time.
///
/// Counting them costs two updates of a line that every worker writes, more than the semaphore itself costs when
/// it is free. So it is done in latency slots alone, outside the timed acquisition; the throughput slots of the
/// same run go through the same code, and check that no permit was lost.
#[derive(Default)]
pub(super) struct Inside {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Inside {
    pub(super) fn enter(&self, permits: usize) {
        // Ordering: Relaxed, here and in `leave`. A task leaves before it releases and enters after it was
        // granted, so a semaphore that lets the right number in orders the two by itself.
        let now = self.now.fetch_add(permits, Ordering::Relaxed) + permits;
        self.most.fetch_max(now, Ordering::Relaxed);
    }

    pub(super) fn leave(&self, permits: usize) {
        self.now.fetch_sub(permits, Ordering::Relaxed);
    }

    pub(super) fn law(&self, permits: usize) -> Result<(), String> {
        // Ordering: Relaxed, the tasks were joined.
        let most = self.most.load(Ordering::Relaxed);
        if most > permits {
            return Err(format!("{most} of {permits} permits were out at the same time"));
        }
        Ok(())
    }
}
