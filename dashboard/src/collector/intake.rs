//! Everything that the collector knows, and the few functions in which all ways of hearing end.

use std::sync::atomic::{AtomicBool, Ordering};

use super::budget::Budget;
use super::cost::Cost;
use super::counter::{Counter, StripedCounter};
use super::fields::{Fields, Kind, Texts};
use super::figures::{Figures, Waited};
use super::hash;
use super::in_flight::{Inserted, OpenSpan, Table};
use super::limits::{OBJECTS, OPEN_SPANS};
use super::objects::{Objects, Sighting};
use super::operations::{Operation, Operations, Phase};
use super::queues::{Blocker, Mark, Queues};
use super::rows::{self, Row, RowIndex, Rows};
use super::sites::{NO_SITE, SiteIndex};
use super::timeline::Timeline;
use super::worst::WorstWait;
use crate::snapshot::WaitOutcome;

/// Everything that the collector knows.
#[derive(Debug)]
pub(super) struct Intake {
    /// Told apart from other collectors of the process in the memories of threads.
    pub(super) collector: u64,
    pub(super) enabled: AtomicBool,
    /// Whether every call is heard, and not waits alone.
    pub(super) every_call: AtomicBool,
    pub(super) timeline: Timeline,
    pub(super) rows: Rows,
    pub(super) objects: Objects,
    pub(super) spans: Table<OpenSpan>,
    pub(super) operations: Operations,
    pub(super) queues: Queues,
    pub(super) budget: Budget,
    pub(super) cost: Cost,
    /// The lock of a condition, by their numbers. Spans do not tell of it.
    pub(super) locks: Table<u64>,
    pub(super) taken: StripedCounter,
    pub(super) malformed: Counter,
    pub(super) rows_dropped: Counter,
    pub(super) sites_dropped: Counter,
    pub(super) objects_dropped: Counter,
    pub(super) in_flight_dropped: Counter,
}

impl Intake {
    pub(super) fn new(collector: u64) -> Self {
        Self {
            collector,
            enabled: AtomicBool::new(true),
            every_call: AtomicBool::new(true),
            timeline: Timeline::default(),
            rows: Rows::default(),
            objects: Objects::default(),
            spans: Table::new(OPEN_SPANS),
            operations: Operations::new(),
            queues: Queues::default(),
            budget: Budget::default(),
            cost: Cost::default(),
            locks: Table::new(OBJECTS),
            taken: StripedCounter::default(),
            malformed: Counter::default(),
            rows_dropped: Counter::default(),
            sites_dropped: Counter::default(),
            objects_dropped: Counter::default(),
            in_flight_dropped: Counter::default(),
        }
    }

    #[inline]
    pub(super) fn is_enabled(&self) -> bool {
        // Ordering: Relaxed, the tables ask again under their locks where it matters.
        self.enabled.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn hears_every_call(&self) -> bool {
        // Ordering: Relaxed, as above.
        self.every_call.load(Ordering::Relaxed)
    }

    /// Has a queue count an operation that began to wait.
    pub(super) fn joined(&self, operation: &Operation) {
        let Some(row) = self.rows.get(operation.row).filter(|row| row.kind.is_held()) else { return };
        self.queues
            .joined(operation.object, operation.since_ns, || self.permits_held(row.kind, operation.object));
    }

    /// Permits of an object that are held now, as far as is known; `None` where one holds at a time.
    fn permits_held(&self, kind: Kind, object: u64) -> Option<u64> {
        if kind == Kind::Mutex {
            return None;
        }
        let mut permits = 0_u64;
        self.operations.for_each(|_, operation| {
            if operation.phase == Phase::Holding && operation.object == object {
                permits = permits.saturating_add(operation.permits);
            }
        });
        Some(permits)
    }

    /// Who has held an object for the longest time, `except` an operation.
    fn holder_of(&self, object: u64, except: u64) -> Option<Blocker> {
        let mut oldest: Option<(u64, Blocker)> = None;
        self.operations.for_each(|op, operation| {
            let holds = operation.phase == Phase::Holding && operation.object == object && op != except;
            if holds && oldest.is_none_or(|(since_ns, _)| operation.since_ns < since_ns) {
                oldest = Some((operation.since_ns, blocker(op, operation)));
            }
        });
        oldest.map(|(_, holder)| holder)
    }

    /// Counts a wait that was granted or dropped.
    pub(super) fn count_wait(&self, row: &Row, ended: &EndedWait<'_>) {
        let &EndedWait { op, operation, waited, cancelled, .. } = ended;
        let figures = self.figures(row, operation.site);
        if cancelled {
            figures.count_cancelled(waited.total_ns(), &self.budget);
        } else {
            figures.count_wait(waited, &self.budget);
        }
        self.timeline.wait(ended, if cancelled { WaitOutcome::Cancelled } else { WaitOutcome::Granted });
        row.worst.consider(waited.total_ns(), || WorstWait {
            wait_ns: waited.total_ns(),
            ended_ns: ended.now_ns,
            op: number(op),
            object: operation.object,
            task: operation.task,
            site: operation.site,
            cancelled,
            blocker: ended.blocker.or_else(|| self.holder_of(operation.object, op)),
        });
    }

    /// Where the calling thread counts what happens at a line of a row.
    #[inline]
    pub(super) fn figures<'a>(&self, row: &'a Row, site: SiteIndex) -> &'a Figures {
        row.line(site).mine(&self.budget)
    }

    pub(super) fn count_insertion<T>(&self, inserted: &Inserted<T>) {
        match inserted {
            Inserted::Fresh | Inserted::Off => {}
            Inserted::Replaced(_) => self.malformed.add(1),
            Inserted::Full => self.in_flight_dropped.add(1),
        }
    }

    /// The row of an object, whose texts are asked for where it is new.
    #[inline]
    pub(super) fn row_of(
        &self,
        kind: Kind,
        object: u64,
        fields: &Fields,
        texts: impl FnOnce() -> Texts,
    ) -> RowIndex {
        let key = rows::key(kind, fields);
        if let Some(row) = self.objects.recall(self.collector, object, key) {
            return row;
        }
        let index = self.rows.find(key, kind, fields.made_line, texts);
        match self.objects.note(self.collector, object, key, index, &self.enabled) {
            Sighting::Known => {}
            Sighting::New => {
                if let Some(row) = self.rows.get(index) {
                    row.objects.add(1);
                }
                if Rows::is_overflow(index) {
                    self.rows_dropped.add(1);
                }
            }
            Sighting::Dropped => self.objects_dropped.add(1),
        }
        index
    }

    /// The site of a line, told by the hash of its file, line and column; its file is asked for where it is new.
    #[inline]
    pub(super) fn site_of(
        &self,
        row: &Row,
        line: (u64, u64, u64),
        file: impl FnOnce() -> String,
    ) -> SiteIndex {
        let site = row.sites.find(line, file);
        if site == NO_SITE {
            self.sites_dropped.add(1);
        }
        site
    }

    /// Has a queue count the end of a hold: the waiting that is charged to it.
    #[inline]
    pub(super) fn hold_ended(&self, op: u64, held: &Operation, now_ns: impl FnOnce() -> u64) -> u64 {
        if held.phase != Phase::Holding || !self.queues.may_know(held.object) {
            return 0;
        }
        self.queues.released(held.object, now_ns(), held.mark, held.permits, blocker(op, held))
    }

    /// Has a queue count a hold that begins without a wait.
    #[inline]
    pub(super) fn hold_begun(&self, op: u64, asked: &Operation, now_ns: u64) -> Mark {
        if !self.queues.may_know(asked.object) {
            return Mark::default();
        }
        self.queues.granted(asked.object, now_ns, asked.permits, blocker(op, asked))
    }

    /// Has a queue count the end of a wait: where its integral stands for the hold that begins, and who was in the way.
    pub(super) fn left_queue(
        &self,
        row: &Row,
        op: u64,
        operation: &Operation,
        now_ns: u64,
        granted: bool,
        holds: bool,
    ) -> (Mark, Option<Blocker>) {
        if !row.kind.is_held() {
            (Mark::default(), None)
        } else if granted {
            let holder = holds.then(|| blocker(op, operation));
            self.queues.resumed(operation.object, now_ns, operation.permits, holder)
        } else {
            (Mark::default(), self.queues.gave_up(operation.object, now_ns))
        }
    }

    /// Forgets what is under way.
    pub(super) fn forget_in_flight(&self) {
        self.spans.clear();
        self.operations.clear();
        self.queues.clear();
    }

    /// Forgets who holds: releases are not heard of from now on.
    pub(super) fn forget_holders(&self) {
        self.operations.forget_holders();
        self.queues.forget_holders();
    }

    /// Forgets the figures; rows, objects and what is under way stay.
    pub(super) fn reset(&self) {
        self.rows.iter().for_each(|(_, row)| row.reset());
        self.taken.reset();
        self.cost.reset();
        self.timeline.reset();
        let dropped = [
            &self.queues.dropped,
            &self.budget.durations_dropped,
            &self.rows_dropped,
            &self.sites_dropped,
            &self.objects_dropped,
            &self.in_flight_dropped,
        ];
        dropped.into_iter().chain([&self.malformed]).for_each(Counter::reset);
    }
}

/// A wait that was granted or dropped.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndedWait<'a> {
    pub(super) op: u64,
    pub(super) operation: &'a Operation,
    pub(super) waited: Waited,
    pub(super) cancelled: bool,
    pub(super) now_ns: u64,
    /// Who was in its way, if its queue knows.
    pub(super) blocker: Option<Blocker>,
    /// Whether several may hold the object at once.
    pub(super) shared: bool,
}

/// An operation as one who holds.
pub(super) fn blocker(op: u64, operation: &Operation) -> Blocker {
    Blocker { op: number(op), task: operation.task, site: operation.site, released: false }
}

/// Set in the key of an operation that came without a number of its own.
const NUMBERLESS: u64 = 1 << 62;

/// Key of an operation; one without a number, or with one past all that `sync` hands out, is told by its span.
pub(super) fn operation_key(op: u64, span: u64) -> u64 {
    if is_number(op) { op } else { hash::mix(2, span) >> 2 | NUMBERLESS }
}

/// Whether it is a number that `sync` may have handed out.
pub(super) fn is_number(op: u64) -> bool {
    op != 0 && op < NUMBERLESS
}

/// The number of an operation; zero for one that came without.
pub(super) fn number(key: u64) -> u64 {
    if key & NUMBERLESS == 0 { key } else { 0 }
}
