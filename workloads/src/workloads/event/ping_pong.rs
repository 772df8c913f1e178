//! `event.ping-pong`: pairs of tasks that wake each other in turn.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::arms::arms;
use crate::backend::EventBackend;
use crate::measure::{Crew, Latency, Probe, Throughput, Worker, by_pass};
use crate::{Contention, Params, Slot, SlotOutcome, Variant};

pub(super) const PING_PONG: Variant = Variant {
    name: "ping-pong",
    summary: "An operation is one turn of a task that waits for its event, clears it and sets that of its partner; \
              N tasks make N/2 pairs (one without a partner wakes itself). Shows what a single wake-up through an \
              event costs, from the set to the woken task.",
    defaults: ping_pong_defaults,
    knobs: &["tasks", "think_ns", "think_distribution", "cancel_percent"],
    contention: Contention::Demanded,
    arms: arms!(EventBackend, ping_pong),
};

/// Eight pairs, so that there is always another task to run while one wakes up: with a single pair on two workers it is
/// the executor's idle worker, and whether it sleeps, that is measured. All but the two whose turn it is wait.
fn ping_pong_defaults() -> Params {
    Params { tasks: 16, ..Params::PLAIN }
}

/// One slot of `ping-pong`.
pub fn ping_pong<B: EventBackend>(slot: Slot<'_>) -> SlotOutcome {
    by_pass(slot, run::<B, Throughput>, run::<B, Latency>)
}

fn run<B: EventBackend, P: Probe>(slot: Slot<'_>) -> SlotOutcome {
    let tasks = slot.params.tasks;
    let players: Arc<[Player<B>]> = (0..tasks).map(|_| Player::new()).collect();
    players.iter().step_by(2).for_each(|server| B::set(server.event_of(0)));
    let (mut outcome, seen) = Crew::<B>::new(slot).run(|worker: Worker<P>| turns(players.clone(), worker));
    outcome.law = turns_law(&seen);
    outcome
}

/// One side of a pair, on a cache line of its own: neighbours have nothing to do with each other.
///
/// It has two events, for its even and its odd turns. A side that was let go by the flag of a composed event would else
/// wait on it again while its partner is still within the `set`, whose second half would let it go a second time.
#[repr(align(128))]
struct Player<B: EventBackend> {
    /// Set by the partner when it is this side's turn; cleared by this side alone, before it sets the partner's.
    events: [B::Event; 2],
    /// Turns that this side has had, [`LEFT`] added when it has left.
    turns: AtomicU64,
}

/// In `Player::turns`: there will be no more.
const LEFT: u64 = 1 << 63;

impl<B: EventBackend> Player<B> {
    fn new() -> Self {
        Self { events: [B::new(), B::new()], turns: AtomicU64::new(0) }
    }

    #[inline]
    fn event_of(&self, turn: u64) -> &B::Event {
        &self.events[usize::from(turn % 2 == 1)]
    }
}

/// The partner of a task, which is the task itself where the last one has none.
fn partner_of(index: usize, tasks: usize) -> usize {
    let partner = index ^ 1;
    if partner < tasks { partner } else { index }
}

/// What one task saw.
struct Seen {
    turns: u64,
    /// It was released before its partner had had the turn before.
    early: bool,
}

/// One side of a pair.
///
/// Whoever leaves says so and gives its partner the turn for the last time, so that no side waits for one that is gone.
/// That is the side which sees the end of the slot first, or a release that came early: what such an event does next
/// is anybody's guess.
async fn turns<B: EventBackend, P: Probe>(
    players: Arc<[Player<B>]>,
    mut worker: Worker<P>,
) -> (Worker<P>, Seen) {
    let partner = partner_of(worker.index, players.len());
    let (own, other) = (&players[worker.index], &players[partner]);
    // The even side begins, so the other has had as many turns when it comes to its next, and the odd side one fewer.
    let behind = u64::from(partner < worker.index);
    // The partner's turn that follows the own one of the same number, or of the one before.
    let ahead = u64::from(partner <= worker.index);
    let mut seen = Seen { turns: 0, early: false };
    loop {
        let turn = seen.turns;
        if worker.ask(pin!(B::wait(own.event_of(turn)))).await.is_none() {
            continue;
        }
        // Ordering: Acquire pairs with the Release below; an event that orders nothing shows as an early release.
        let others = other.turns.load(Ordering::Acquire);
        let left = others & LEFT != 0;
        // Whoever leaves gives its partner a turn that it did not count.
        seen.early = !left && others < seen.turns + behind;
        let over = left || seen.early || worker.is_over();
        if !over {
            seen.turns += 1;
        }
        // Ordering: Release, see above. Before the `set`, so that who is woken by it sees the turn.
        own.turns.store(if over { seen.turns | LEFT } else { seen.turns }, Ordering::Release);
        B::clear(own.event_of(turn));
        B::set(other.event_of(turn + ahead));
        if over {
            if seen.early {
                // Nobody knows what the partner waits for.
                B::set(other.event_of(turn + ahead + 1));
            }
            break;
        }
        worker.finish_op();
    }
    (worker, seen)
}

/// Both sides of each pair had the same number of turns, or the one that begins had one more; none came early.
fn turns_law(seen: &[Seen]) -> Result<(), String> {
    if let Some(task) = seen.iter().position(|seen| seen.early) {
        let turns = seen[task].turns;
        return Err(format!(
            "task {task} was released before its partner had set its event, after {turns} turns"
        ));
    }
    for (pair, sides) in seen.chunks_exact(2).enumerate() {
        let (first, second) = (sides[0].turns, sides[1].turns);
        if first != second && first != second + 1 {
            return Err(format!(
                "in pair {pair} one side had {first} turns and the other {second}: wake-ups were lost or came twice"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law(turns: &[u64]) -> Result<(), String> {
        turns_law(&turns.iter().map(|&turns| Seen { turns, early: false }).collect::<Vec<_>>())
    }

    #[test]
    fn last_of_an_odd_number_is_its_own_partner() {
        assert_eq!([0, 1, 2].map(|index| partner_of(index, 3)), [1, 0, 2]);
        assert_eq!(partner_of(0, 1), 0);
    }

    #[test]
    fn only_the_side_that_begins_may_be_a_turn_ahead() {
        assert_eq!(law(&[3, 3, 4, 3, 9]), Ok(()));
        for wrong in [[3, 4], [5, 3]] {
            assert!(law(&wrong).unwrap_err().contains("in pair 0"), "{wrong:?}");
        }
    }
}
