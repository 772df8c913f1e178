//! What a probe hears, turned into the same figures, waiters and holders as spans are.
//!
//! Here nothing has to be read by name, and no span has to be remembered: an operation is found by its number.

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::sync::Arc;

use sync::probe::{Called, Handed, Operation as Asked, Outcome, Probe, Released, Resumed};

use super::Core;
use super::clock::now_ns;
use super::fields::{Fields, Kind, Texts};
use super::figures::Waited;
use super::hash;
use super::in_flight::Inserted;
use super::intake::{EndedWait, Intake};
use super::operations::{Operation, Phase, Turn};
use super::queues::Mark;
use super::rows::RowIndex;
use super::sites::{NO_SITE, Site, SiteIndex};
use crate::snapshot::WaitOutcome;

/// The collector's ear.
#[derive(Debug)]
pub(super) struct Heard(pub(super) Arc<Core>);

impl Heard {
    #[inline]
    fn intake(&self) -> Option<&Intake> {
        Some(&self.0.intake).filter(|intake| intake.is_enabled() && self.0.listens())
    }

    #[inline]
    fn intake_of_calls(&self) -> Option<&Intake> {
        self.intake().filter(|intake| intake.hears_every_call())
    }
}

impl Probe for Heard {
    #[inline]
    fn now_ns(&self) -> u64 {
        now_ns()
    }

    #[inline]
    fn granted(&self, asked: &Asked, now_ns: u64) {
        let Some(intake) = self.intake_of_calls() else { return };
        intake.cost.of(asked.op, || intake.heard_granted(asked, now_ns));
    }

    fn refused(&self, asked: &Asked, outcome: Outcome) {
        let Some(intake) = self.intake_of_calls() else { return };
        let Some(place) = intake.place_of(asked) else { return };
        if let (Some(row), Outcome::Closed) = (intake.rows.get(place.row), outcome) {
            intake.figures(row, place.site).count_closed();
        }
    }

    fn waiting(&self, asked: &Asked, ahead: usize, now_ns: u64) {
        let Some(intake) = self.intake() else { return };
        intake.cost.of(asked.op, || {
            let Some(place) = intake.place_of(asked) else { return };
            intake.heard_waiting(asked.op, &operation(asked, place, Phase::Waiting, ahead as u64, now_ns));
        });
    }

    fn resumed(&self, wait: &Resumed) {
        let Some(intake) = self.intake() else { return };
        intake.cost.of(wait.op, || intake.heard_resumed(wait));
    }

    #[inline]
    fn released(&self, release: &Released) {
        let Some(intake) = self.intake_of_calls() else { return };
        if release.op != 0 {
            intake.cost.of(release.op, || intake.heard_released(release));
        }
    }

    fn called(&self, _call: &Called) {}

    fn handed(&self, handed: &Handed) {
        let Some(intake) = self.intake() else { return };
        intake.timeline.handed(handed.op, handed.by);
        let Some(waits) = intake.operations.note_turn(handed.op, Turn::Granted(handed.now_ns)) else {
            return;
        };
        // A task that waits has given back: its guard is with somebody else, or it is several futures.
        if waits.task != 0
            && waits.task == handed.by_task
            && let Some(row) = intake.rows.get(waits.row)
        {
            row.mark_as_lending();
        }
    }

    fn notified(&self, op: u64, now_ns: u64) {
        let Some(intake) = self.intake() else { return };
        intake.operations.note_turn(op, Turn::Notified(now_ns));
    }
}

#[inline]
fn operation(asked: &Asked, place: Place, phase: Phase, queue: u64, since_ns: u64) -> Operation {
    Operation {
        row: place.row,
        site: place.site,
        phase,
        acquiring: false,
        failed: false,
        object: asked.id,
        task: asked.task,
        permits: u64::from(asked.permits),
        queue,
        since_ns,
        mark: Mark::default(),
        turn: Turn::None,
    }
}

/// Where an operation is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    row: RowIndex,
    site: SiteIndex,
}

/// A place that a thread found lately. Lines are told by the address of their location, which is static.
#[derive(Clone, Copy)]
struct Found {
    collector: u64,
    object: u64,
    made_at: usize,
    site: usize,
    name: usize,
    place: Place,
}

const NOTHING: Found =
    Found { collector: 0, object: 0, made_at: 0, site: 0, name: 0, place: Place { row: 0, site: 0 } };

/// Entries of a thread's memory. A power of two.
const REMEMBERED: usize = 256;

thread_local! {
    static FOUND: [Cell<Found>; REMEMBERED] = const { [const { Cell::new(NOTHING) }; REMEMBERED] };
}

fn address<T>(of: &'static T) -> usize {
    std::ptr::from_ref(of).addr()
}

impl Intake {
    /// Row and call site of an operation; `None` for a kind that is not known here.
    #[inline]
    fn place_of(&self, asked: &Asked) -> Option<Place> {
        let (made_at, site) = (address(asked.made_at), address(asked.site));
        let slot = hash::mix(asked.id, site as u64) as usize % REMEMBERED;
        // An operation may come from a destructor of another thread-local, when ours is gone already.
        if let Ok(found) = FOUND.try_with(|found| found[slot].get())
            && found.object == asked.id
            && found.site == site
            && found.made_at == made_at
            && found.name == asked.name.as_ptr().addr()
            && found.collector == self.collector
        {
            return Some(found.place);
        }
        self.find_place(asked, slot)
    }

    #[cold]
    fn find_place(&self, asked: &Asked, slot: usize) -> Option<Place> {
        let kind = Kind::parse(asked.kind.name())?;
        let fields = Fields {
            name_hash: hash::text(asked.name),
            made_file_hash: hash::text(asked.made_at.file()),
            made_line: u64::from(asked.made_at.line()),
            ..Fields::default()
        };
        let texts = || Texts {
            name: kept(asked.name),
            file: kept(asked.site.file()),
            made_file: kept(asked.made_at.file()),
        };
        let row = self.row_of(kind, asked.id, &fields, texts);
        let site = self.rows.get(row).map_or(NO_SITE, |row| {
            let key = (hash::text(asked.site.file()), asked.site.line().into(), asked.site.column().into());
            let site = self.site_of(row, key, || texts().file);
            if asked.owned {
                row.sites.get(site).into_iter().for_each(Site::mark_as_lending);
            }
            site
        });
        if asked.lock != 0 && self.locks.insert(asked.id, asked.lock, &self.enabled) == Inserted::Full {
            self.objects_dropped.add(1);
        }
        let place = Place { row, site };
        let found = Found {
            collector: self.collector,
            object: asked.id,
            made_at: address(asked.made_at),
            site: address(asked.site),
            name: asked.name.as_ptr().addr(),
            place,
        };
        let _ = FOUND.try_with(|memory| memory[slot].set(found));
        Some(place)
    }

    #[inline]
    fn heard_granted(&self, asked: &Asked, now_ns: u64) {
        let Some(place) = self.place_of(asked) else { return };
        self.acquired(asked.op, operation(asked, place, Phase::Holding, 0, now_ns));
    }

    /// Counts an acquisition that did not wait, and has it hold from then on if there is something to hold.
    #[inline]
    pub(super) fn acquired(&self, op: u64, mut holding: Operation) {
        let Some(row) = self.rows.get(holding.row) else { return };
        if row.kind.is_held() {
            holding.mark = self.hold_begun(op, &holding, holding.since_ns);
            self.count_insertion(&self.operations.enter(op, &holding, &self.enabled));
        }
        self.figures(row, holding.site).count_acquisition();
    }

    pub(super) fn heard_waiting(&self, op: u64, operation: &Operation) {
        let inserted = self.operations.enter(op, operation, &self.enabled);
        self.count_insertion(&inserted);
        if inserted == Inserted::Fresh {
            self.joined(operation);
        }
    }

    fn heard_resumed(&self, wait: &Resumed) {
        let waited = Waited { queued_ns: Some(wait.queued_ns), wake_ns: Some(wait.wake_ns), seen_ns: 0 };
        self.wait_over(wait.op, wait.outcome, waited, wait.now_ns, wait.every_call);
    }

    /// Counts the end of a wait. One that was granted holds from then on, if there is something to hold and its release
    /// `will_be_told`.
    pub(super) fn wait_over(
        &self,
        op: u64,
        outcome: Outcome,
        waited: Waited,
        now_ns: u64,
        will_be_told: bool,
    ) {
        let granted = outcome == Outcome::Granted;
        let mut ended = None;
        self.operations.remove_if(op, |operation| {
            let Some(row) = self.rows.get(operation.row) else { return true };
            let holds = granted && will_be_told && row.kind.is_held() && self.hears_every_call();
            let before = *operation;
            let (mark, in_the_way) = self.left_queue(row, op, operation, now_ns, granted, holds);
            ended = Some((row, before, in_the_way));
            operation.phase = Phase::Holding;
            operation.since_ns = now_ns;
            operation.mark = mark;
            !holds
        });
        // Begun while the collector was off, or dropped for want of room.
        let Some((row, operation, blocker)) = ended else { return };
        let cancelled = outcome == Outcome::Cancelled;
        let shared = row.kind != Kind::Mutex;
        let ended = EndedWait { op, operation: &operation, waited, cancelled, now_ns, blocker, shared };
        match outcome {
            Outcome::Granted => {
                self.count_wait(row, &ended);
                self.figures(row, operation.site).count_acquisition();
            }
            Outcome::Cancelled => self.count_wait(row, &ended),
            _ => {
                self.figures(row, operation.site).count_closed();
                self.timeline.wait(&ended, WaitOutcome::Closed);
            }
        }
    }

    #[inline]
    fn heard_released(&self, release: &Released) {
        self.hold_over(release.op, release.now_ns, |_| release.held_ns);
    }

    /// Counts the end of a hold, which lasted as long as is said.
    #[inline]
    pub(super) fn hold_over(&self, op: u64, now_ns: u64, held_ns: impl FnOnce(&Operation) -> u64) {
        let held = self.operations.remove_if(op, |operation| operation.phase != Phase::Waiting);
        let Some(held) = held else { return };
        let Some(row) = self.rows.get(held.row) else { return };
        let blamed_ns = self.hold_ended(op, &held, || now_ns);
        let held_ns = held_ns(&held);
        self.figures(row, held.site).count_hold(held_ns, blamed_ns, &self.budget);
        self.timeline.hold(op, &held, held_ns, || now_ns);
    }
}

/// As much of a text as is kept.
fn kept(text: &str) -> String {
    super::fields::cut(text).to_owned()
}
