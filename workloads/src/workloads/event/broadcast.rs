//! `event.broadcast`: tasks that wait until one other says go.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::arms::arms;
use crate::backend::EventBackend;
use crate::measure::{Crew, Latency, Probe, Throughput, Worker, by_pass};
use crate::{Contention, Params, Slot, SlotOutcome, Stop, Variant};

pub(super) const BROADCAST: Variant = Variant {
    name: "broadcast",
    summary: "An operation is one of N waiters released once: one more task sets the event and clears it at \
              once, round after round, each time when all N wait. Shows what joining the queue, releasing \
              everyone and resuming cost together.",
    defaults: broadcast_defaults,
    knobs: &["tasks", "think_ns", "think_distribution", "cancel_percent"],
    contention: Contention::Demanded,
    arms: arms!(EventBackend, broadcast),
};

/// Enough waiters that the setter's own turn is a small part of a round; each wait is a real one by design.
fn broadcast_defaults() -> Params {
    Params { tasks: 64, ..Params::PLAIN }
}

/// One slot of `broadcast`.
pub fn broadcast<B: EventBackend>(slot: Slot<'_>) -> SlotOutcome {
    by_pass(slot, run::<B, Throughput>, run::<B, Latency>)
}

fn run<B: EventBackend, P: Probe>(slot: Slot<'_>) -> SlotOutcome {
    let stage = Arc::new(Stage::<B>::new(slot.params.tasks));
    let setter = set_rounds(stage.clone(), slot.stop.clone());
    let (mut outcome, seen) =
        Crew::<B>::new(slot).with_companion(setter).run(|worker: Worker<P>| turns(stage.clone(), worker));
    // Ordering: Relaxed, the tasks were joined.
    outcome.law = rounds_law(stage.rounds.load(Ordering::Relaxed), &seen);
    outcome
}

/// What the setter and the waiters share.
///
/// There are two events, for even and odd rounds: a waiter that was released goes on to the other one, so it
/// cannot find the event still set from the round that it has just left and run through. The setter must know
/// that everyone waits, else a round has no meaning; that costs each waiter one shared increment a round, the
/// same on every backend.
struct Stage<B: EventBackend> {
    events: [B::Event; 2],
    waiters: usize,
    /// Waiters that have joined the queue in this round, or have left for good.
    here: AtomicUsize,
    everyone_here: Notify,
    /// Rounds in which the event was set so far, [`OVER`] added when the slot is over.
    rounds: AtomicU64,
}

/// In `Stage::rounds`: there will be no more, and both events stay set.
const OVER: u64 = 1 << 63;

impl<B: EventBackend> Stage<B> {
    fn new(waiters: usize) -> Self {
        Self {
            events: [B::new(), B::new()],
            waiters,
            here: AtomicUsize::new(0),
            everyone_here: Notify::new(),
            rounds: AtomicU64::new(0),
        }
    }

    #[inline]
    fn event_of(&self, round: u64) -> &B::Event {
        &self.events[usize::from(round % 2 == 1)]
    }

    /// A waiter is in the queue to stay, or has left.
    #[inline]
    fn arrive(&self) {
        // Ordering: AcqRel, a chain through all arrivals: the setter, woken by the last, sees what each wrote.
        if self.here.fetch_add(1, Ordering::AcqRel) + 1 == self.waiters {
            self.everyone_here.notify_one();
        }
    }
}

/// The setter. Releases everyone as often as everyone waits, and leaves both events set when the slot is over.
async fn set_rounds<B: EventBackend>(stage: Arc<Stage<B>>, stop: Arc<Stop>) {
    let mut round = 0;
    loop {
        stage.everyone_here.notified().await;
        // Ordering: Relaxed, the waiters add to it again only after the `set` below.
        stage.here.store(0, Ordering::Relaxed);
        // A waiter that left had seen the stop, and its arrival was seen here, so the stop is seen here too.
        if stop.is_stopped() {
            break;
        }
        // Ordering: Release pairs with the Acquire in `turns`.
        stage.rounds.store(round + 1, Ordering::Release);
        B::set(stage.event_of(round));
        B::clear(stage.event_of(round));
        round += 1;
    }
    // Ordering: as above.
    stage.rounds.store(round | OVER, Ordering::Release);
    stage.events.iter().for_each(B::set);
}

/// What one waiter saw.
#[derive(Default)]
struct Seen {
    rounds: u64,
    /// Rounds of which it was released before the setter had come to them.
    early: u64,
}

/// A waiter.
///
/// Only the setter ends the rounds, so all waiters see the same number of them. A waiter that does not stay in
/// the queue (its waits are dropped, as `cancel_percent` asks) looks for the end of the slot itself, and counts
/// as here for good when it leaves.
async fn turns<B: EventBackend, P: Probe>(stage: Arc<Stage<B>>, mut worker: Worker<P>) -> (Worker<P>, Seen) {
    let mut seen = Seen::default();
    loop {
        let mut joined = false;
        let arrive = || {
            joined = true;
            stage.arrive();
        };
        let wait = worker.ask_joining(pin!(B::wait(stage.event_of(seen.rounds))), arrive).await;
        let released = wait.is_some();
        // Ordering: Acquire pairs with the Release in `set_rounds`.
        let rounds = stage.rounds.load(Ordering::Acquire);
        if rounds & OVER != 0 {
            break;
        }
        if released {
            seen.early += u64::from(rounds <= seen.rounds);
            seen.rounds += 1;
            worker.finish_op();
        }
        if !joined && worker.is_over() {
            stage.arrive();
            break;
        }
    }
    (worker, seen)
}

/// Every waiter saw every round, once, and none before its time.
fn rounds_law(rounds: u64, seen: &[Seen]) -> Result<(), String> {
    let rounds = rounds & !OVER;
    for (waiter, seen) in seen.iter().enumerate() {
        if seen.early > 0 {
            return Err(format!(
                "waiter {waiter} was released {} times before the event was set",
                seen.early
            ));
        }
        if seen.rounds != rounds {
            let times = seen.rounds;
            return Err(format!(
                "the event was set {rounds} times, waiter {waiter} was released {times} times"
            ));
        }
    }
    Ok(())
}
