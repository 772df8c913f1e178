//! Who waits and who is in the way, gathered from the operations in flight: what the graph and the alerts are made of.
//!
//! Where nobody waits nothing is gathered. Where somebody does, only holds of what is waited for count, so that a
//! thousand locks that are held in peace cost a look each.

use std::collections::HashSet;

use super::fields::Kind;
use super::hash::BuildIdHasher;
use super::intake::Intake;
use super::limits::SCENE_WAITS;
use super::operations::{Operation, Phase, Turn};
use super::rows::RowIndex;
use super::sites::SiteIndex;

/// What waits, and what is held of what is waited for.
#[derive(Debug, Default)]
pub(super) struct Scene {
    /// By the collector's clock.
    pub(super) now_ns: u64,
    /// The oldest first.
    pub(super) waits: Vec<Party>,
    /// The oldest first. Grants that nobody has taken yet are among them.
    pub(super) holds: Vec<Party>,
    /// What else tasks hold that have not taken a grant.
    pub(super) elsewhere: Vec<Party>,
    /// Waits beyond [`SCENE_WAITS`], the youngest, which are looked at as if they were not there.
    pub(super) left_out: u64,
}

/// An operation that waits or holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Party {
    pub(super) op: u64,
    /// Of the object.
    pub(super) row: RowIndex,
    /// In which the site is: a condition's where it was notified, and now waits for the lock.
    pub(super) site_row: RowIndex,
    pub(super) site: SiteIndex,
    pub(super) kind: Kind,
    pub(super) object: u64,
    /// Zero where it is not known.
    pub(super) task: u64,
    pub(super) permits: u64,
    /// Waiters ahead when it joined.
    pub(super) queue: u64,
    /// When it began to wait, was granted, or began to hold.
    pub(super) since_ns: u64,
    pub(super) stage: Stage,
}

/// What a [`Party`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Waits,
    /// It was granted what it asks for, and its task has not taken note yet.
    Granted,
    /// Its task holds.
    Holds,
    /// It is held by whoever was handed the guard: see [`Agent`].
    Lent,
}

/// Who goes on, or does not: a task, or an operation whose task is not known.
///
/// A task is told by its waker. Futures that a task polls with one waker (`join!`, `select!`) are that task: it goes
/// on if one of them does. Futures to which an executor within the task gives wakers of their own (`FuturesUnordered`) are
/// tasks of their own. A guard that can leave its task (the owned ones, and those that were seen released while their task
/// waited) is nobody's: whoever has it may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Agent {
    Task(u64),
    Operation(u64),
}

impl Party {
    /// Who waits.
    pub(super) fn waiter(&self) -> Agent {
        if self.task == 0 { Agent::Operation(self.op) } else { Agent::Task(self.task) }
    }

    /// Who holds; `None` where that is not known.
    pub(super) fn holder(&self) -> Option<Agent> {
        (self.task != 0 && self.stage != Stage::Lent).then_some(Agent::Task(self.task))
    }

    pub(super) fn age_ns(&self, now_ns: u64) -> u64 {
        now_ns.saturating_sub(self.since_ns)
    }

    fn order(&self) -> (u64, u64) {
        (self.since_ns, self.op)
    }
}

impl Scene {
    /// Looks at what is in flight, at `now_ns` by the collector's clock.
    pub(super) fn of(intake: &Intake, now_ns: u64) -> Self {
        let mut scene = Self::waiting(intake, now_ns);
        if !scene.waits.is_empty() || !scene.holds.is_empty() {
            scene.gather_holds(intake);
            scene.confirm(intake);
        }
        scene
    }

    /// The waits and grants alone.
    fn waiting(intake: &Intake, now_ns: u64) -> Self {
        let mut scene = Self { now_ns, ..Self::default() };
        intake.operations.for_each(|op, operation| {
            if operation.phase == Phase::Waiting
                && let Some(party) = party(intake, op, operation)
            {
                scene.keep(party);
            }
        });
        scene.bound();
        scene
    }

    /// Keeps of the waits and grants those that are still what they were, so that all of them were so at one time, and that is when
    /// the holds were seen. The looking thread may have lost its processor in between, and who waited may have gone on and hold
    /// by now.
    fn confirm(&mut self, intake: &Intake) {
        let mut still = HashSet::<(u64, u64, bool)>::new();
        let as_seen = |party: &Party| (party.op, party.object, party.stage == Stage::Waits);
        intake.operations.for_each(|op, operation| {
            if operation.phase == Phase::Waiting
                && let Some(party) = party(intake, op, operation)
            {
                still.insert(as_seen(&party));
            }
        });
        self.waits.retain(|wait| still.contains(&as_seen(wait)));
        self.holds.retain(|hold| hold.stage != Stage::Granted || still.contains(&as_seen(hold)));
    }

    fn keep(&mut self, party: Party) {
        if party.stage == Stage::Waits {
            self.waits.push(party)
        } else {
            self.holds.push(party)
        }
        if self.waits.len() >= 2 * SCENE_WAITS {
            self.bound();
        }
    }

    /// Leaves out the youngest waits beyond the bound: whatever an alert is about has lasted.
    fn bound(&mut self) {
        self.waits.sort_unstable_by_key(Party::order);
        self.left_out += self.waits.len().saturating_sub(SCENE_WAITS) as u64;
        self.waits.truncate(SCENE_WAITS);
    }

    fn gather_holds(&mut self, intake: &Intake) {
        let waited_for: HashSet<u64, BuildIdHasher> =
            self.waits.iter().chain(&self.holds).map(|party| party.object).collect();
        let granted: HashSet<u64, BuildIdHasher> = self.holds.iter().map(|hold| hold.task).collect();
        intake.operations.for_each(|op, operation| {
            let in_the_way = waited_for.contains(&operation.object);
            if operation.phase == Phase::Holding
                && (in_the_way || granted.contains(&operation.task))
                && let Some(party) = party(intake, op, operation)
            {
                if in_the_way { &mut self.holds } else { &mut self.elsewhere }.push(party);
            }
        });
        self.holds.sort_unstable_by_key(Party::order);
    }
}

fn party(intake: &Intake, op: u64, operation: &Operation) -> Option<Party> {
    let row = intake.rows.get(operation.row)?;
    let stage = match (operation.phase, operation.turn) {
        (Phase::Asking, _) => return None,
        (Phase::Waiting, Turn::Granted(_)) => Stage::Granted,
        (Phase::Waiting, _) => Stage::Waits,
        (Phase::Holding, _) if row.lends(operation.site) => Stage::Lent,
        (Phase::Holding, _) => Stage::Holds,
    };
    let party = Party {
        op,
        row: operation.row,
        site_row: operation.row,
        site: operation.site,
        kind: row.kind,
        object: operation.object,
        task: operation.task,
        permits: operation.permits,
        queue: operation.queue,
        since_ns: operation.since_ns,
        stage,
    };
    match operation.turn {
        Turn::Notified(at_ns) | Turn::Granted(at_ns) if operation.phase == Phase::Waiting => {
            Some(at_its_lock(intake, Party { since_ns: at_ns, ..party }))
        }
        _ => Some(party),
    }
}

/// One that has waited for a condition, as what it waits for or was granted now.
fn at_its_lock(intake: &Intake, party: Party) -> Party {
    let lock =
        (party.kind == Kind::Condition).then(|| intake.locks.update(party.object, |lock| *lock)).flatten();
    let Some(object) = lock else { return party };
    let row = intake.objects.row(object).unwrap_or(party.row);
    Party { kind: Kind::Mutex, object, row, permits: 1, ..party }
}

#[cfg(test)]
mod tests;
