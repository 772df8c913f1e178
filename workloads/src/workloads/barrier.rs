//! `barrier`: tasks that meet, phase after phase.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::Poll;

use tokio::sync::Semaphore;

use crate::arms::arms;
use crate::backend::BarrierBackend;
use crate::measure::{Crew, Latency, Probe, Throughput, Worker, by_pass, yield_now};
use crate::{Contention, Params, Slot, SlotOutcome, Variant, Workload};

/// Tasks that meet, phase after phase.
pub const WORKLOAD: Workload = Workload {
    name: "barrier",
    aliases: &[],
    summary: "tasks that meet, phase after phase",
    variants: &[PHASES],
};

const PHASES: Variant = Variant {
    name: "phases",
    summary: "An operation is one of N parties through one phase: all wait until the last has come, one of them leads. \
              Shows what gathering and letting go cost together; with think time, and more so with one that \
              varies, how long the early ones wait for the last.",
    defaults: phases_defaults,
    knobs: &["tasks", "think_ns", "think_distribution", "cancel_percent"],
    contention: Contention::Demanded,
    arms: arms!(BarrierBackend, phases),
};

/// All but the last of a phase wait, on one worker as on many. Few enough for every backend, saa's 63 included.
fn phases_defaults() -> Params {
    Params { tasks: 16, ..Params::PLAIN }
}

/// One slot of `phases`.
pub fn phases<B: BarrierBackend>(slot: Slot<'_>) -> SlotOutcome {
    const {
        assert!(B::LIMITS.cancel == B::RETRACTS, "LIMITS of a barrier follow from RETRACTS");
        assert!(B::LIMITS.tasks == B::MOST_PARTIES, "LIMITS of a barrier follow from MOST_PARTIES");
    }
    by_pass(slot, run::<B, Throughput>, run::<B, Latency>)
}

fn run<B: BarrierBackend, P: Probe>(slot: Slot<'_>) -> SlotOutcome {
    let hall = Arc::new(Hall::<B>::new(slot.params));
    let (mut outcome, seen) = Crew::<B>::new(slot).run(|worker: Worker<P>| turns(hall.clone(), worker));
    // Ordering: Relaxed, the tasks were joined.
    outcome.law = phases_law(hall.led.load(Ordering::Relaxed), &seen);
    outcome
}

/// What the parties share.
struct Hall<B: BarrierBackend> {
    barrier: B::Barrier,
    parties: usize,
    /// Whether waits are dropped. A party whose wait is dropped does not know whether the phase was over by then, so its
    /// own count of phases may fall behind.
    drops: bool,
    /// Arrivals begun, dropped ones included. Counted in latency slots alone: a line that every party writes costs more
    /// than many a barrier.
    begun: AtomicU64,
    /// Phases that had a leader.
    led: AtomicU64,
    /// The phase that is the last, where no wait is dropped; the first party says so.
    last: AtomicU64,
    /// Parties that know of the end.
    knowing: AtomicUsize,
    /// Without permits; closed when every party knows of the end. Of tokio's, as the gate of the crew is.
    everyone_knows: Semaphore,
}

impl<B: BarrierBackend> Hall<B> {
    fn new(params: &Params) -> Self {
        Self {
            barrier: B::new(params.tasks),
            parties: params.tasks,
            drops: params.cancel_percent > 0.0,
            begun: AtomicU64::new(0),
            led: AtomicU64::new(0),
            last: AtomicU64::new(u64::MAX),
            knowing: AtomicUsize::new(0),
            everyone_knows: Semaphore::new(0),
        }
    }

    /// A party leads its `phase`, by its own count; `false` where that is not the next to be led.
    fn lead(&self, phase: u64) -> bool {
        // Ordering: Relaxed. Leaders of one phase after the other are ordered by the barrier; where they are not, the
        // count says so.
        let led = self.led.fetch_add(1, Ordering::Relaxed);
        led == phase || self.drops
    }

    /// Keeps arriving until every party knows of the end, so that nobody waits for one who has left. Where no wait is
    /// dropped all leave after the same phase: there it does nothing, unless the barrier is broken.
    async fn see_out(&self, seen: &mut Seen) {
        // Ordering: AcqRel, a chain through all parties: the last has behind it what each did.
        if self.knowing.fetch_add(1, Ordering::AcqRel) + 1 == self.parties {
            self.everyone_knows.close();
            return;
        }
        // Those who were let go together find out together.
        yield_now().await;
        while !self.everyone_knows.is_closed() {
            let mut wait = pin!(B::wait(&self.barrier));
            let mut end = pin!(self.everyone_knows.acquire());
            let led = poll_fn(|context| {
                // The end first: after it no phase is over, so a wait that is dropped here was not let go.
                let ended = end.as_mut().poll(context).is_ready();
                match wait.as_mut().poll(context) {
                    Poll::Ready(led) => Poll::Ready(Some(led)),
                    Poll::Pending if ended => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                }
            });
            match led.await {
                None => return,
                Some(led) if self.drops => {
                    seen.passed += 1;
                    if led {
                        self.lead(seen.passed);
                    }
                }
                Some(_) => {}
            }
        }
    }
}

/// What one party saw.
#[derive(Default)]
struct Seen {
    /// Phases that it was let go of.
    passed: u64,
    /// Waits that it dropped.
    dropped: u64,
    /// Phases that it was let go of before every party had come.
    early: u64,
    /// Phases that it led although another had, or while one before had no leader.
    misled: u64,
}

/// A party.
///
/// All leave after the same phase: the first party says before it arrives that this one is the last, so whoever is let go
/// of it knows. (Not the leader: a barrier without one would never end.) The last phase is no operation. Where waits are
/// dropped the parties' counts differ, and each looks for the end of the slot itself.
async fn turns<B: BarrierBackend, P: Probe>(hall: Arc<Hall<B>>, mut worker: Worker<P>) -> (Worker<P>, Seen) {
    let mut seen = Seen::default();
    loop {
        let phase = seen.passed;
        if worker.index == 0 && worker.is_over() {
            // Ordering: Relaxed, passing the barrier orders it before the reads below.
            hall.last.store(phase, Ordering::Relaxed);
        }
        if P::WATCHES {
            // Ordering: Relaxed, as above.
            hall.begun.fetch_add(1, Ordering::Relaxed);
        }
        let Some(led) = worker.ask(pin!(B::wait(&hall.barrier))).await else {
            seen.dropped += 1;
            // Looked for here too: where every wait is dropped nobody may ever be let go.
            if worker.is_over() {
                break;
            }
            continue;
        };
        seen.passed += 1;
        if P::WATCHES {
            let due = seen.passed * hall.parties as u64;
            seen.early += u64::from(hall.begun.load(Ordering::Relaxed) < due);
        }
        if led {
            seen.misled += u64::from(!hall.lead(phase));
        }
        let over = if hall.drops { worker.is_over() } else { phase >= hall.last.load(Ordering::Relaxed) };
        if over {
            break;
        }
        worker.finish_op();
    }
    hall.see_out(&mut seen).await;
    (worker, seen)
}

/// Every phase had one leader, and every party went through every phase, but for those of which it had dropped its wait;
/// nobody was let go before all had come.
fn phases_law(led: u64, seen: &[Seen]) -> Result<(), String> {
    for (party, seen) in seen.iter().enumerate() {
        let Seen { passed, dropped, early, misled } = *seen;
        if early > 0 {
            return Err(format!("party {party} was let go of {early} phases before every party had come"));
        }
        if misled > 0 {
            return Err(format!(
                "party {party} led {misled} phases that had a leader already, or came after one without"
            ));
        }
        if led < passed || led > passed + dropped {
            return Err(format!(
                "{led} phases were led; party {party} went through {passed} and dropped {dropped} waits"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn party_may_miss_as_many_phases_as_it_dropped_waits() {
        let law = |led, dropped| phases_law(led, &[Seen { passed: 5, dropped, ..Seen::default() }]);
        for (led, dropped) in [(5, 0), (5, 3), (8, 3)] {
            assert_eq!(law(led, dropped), Ok(()));
        }
        for (led, dropped) in [(6, 0), (4, 3), (9, 3)] {
            assert!(law(led, dropped).unwrap_err().contains("phases were led"), "{led} {dropped}");
        }
    }
}
