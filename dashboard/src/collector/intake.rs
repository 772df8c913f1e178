//! What the spans mean: from opened and closed spans to figures, waiters and holders.
//!
//! | span | opened | closed |
//! |---|---|---|
//! | `acquire` | the operation is asking | no bad outcome: an acquisition, and it holds if there is something to hold |
//! | `wait` | the operation is waiting | granted: contended, and its durations; else cancelled or closed |
//! | `release` | the operation ends, and how long it held | – |
//!
//! Below TRACE there are waits alone: a granted one is then the acquisition too, and holders are not known.
//! Nothing here may panic, whatever a span carries.

use std::sync::atomic::{AtomicBool, Ordering};

use tracing::span::{Attributes, Record};

use super::budget::Budget;
use super::clock::now_ns;
use super::cost::Cost;
use super::counter::{Counter, StripedCounter};
use super::fields::{Fields, Kind, Layout, Outcome, Stage, Texts};
use super::figures::{Figures, Waited};
use super::hash;
use super::in_flight::{Inserted, OpenSpan, Table};
use super::limits::{OBJECTS, OPEN_SPANS};
use super::objects::{Objects, Sighting};
use super::operations::{Operation, Operations, Phase, Turn};
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

    /// A span of our target was opened.
    #[inline]
    pub(super) fn opened(&self, attributes: &Attributes<'_>, span: u64) {
        self.cost.of(hash::mix(6, span), || self.take(attributes, span));
    }

    #[inline]
    fn take(&self, attributes: &Attributes<'_>, span: u64) {
        let (stage, fields) = Layout::with(attributes.metadata(), |layout| match layout.stage {
            Some(Stage::Call) => (layout.stage, Fields::default()),
            stage => (stage, Fields::of_span(layout, attributes)),
        });
        if !self.hears_every_call() && matches!(stage, Some(Stage::Acquire | Stage::Release | Stage::Call)) {
            // Somebody else of the stack wants it.
            return;
        }
        self.taken.add(span);
        if fields.odd {
            self.malformed.add(1);
        }
        let read = match stage {
            Some(Stage::Call) => Some(()),
            Some(Stage::Release) => self.released(&fields),
            Some(stage) => self.asked(stage, &fields, attributes, span),
            None => None,
        };
        if read.is_none() && !fields.odd {
            self.malformed.add(1);
        }
    }

    /// An `acquire` or a `wait` was opened. `None`: a field it cannot do without is missing.
    #[inline]
    fn asked(&self, stage: Stage, fields: &Fields, attributes: &Attributes<'_>, span: u64) -> Option<()> {
        let kind = fields.kind?;
        let object = fields.object?;
        let op = operation_key(fields.op?, span);
        let row_index = self.row_of(kind, object, fields, || Texts::of_span(attributes));
        let site = self.rows.get(row_index).map_or(NO_SITE, |row| {
            // Spans do not say whether a permit is an owned one, which its task may give away.
            if kind == Kind::Semaphore {
                row.mark_as_lending();
            }
            let line = (fields.file_hash, fields.line, fields.column);
            self.site_of(row, line, || Texts::of_span(attributes).file)
        });
        let waits = stage == Stage::Wait;
        let since_ns = if waits { now_ns() } else { 0 };
        let operation = Operation {
            row: row_index,
            site,
            phase: if waits { Phase::Waiting } else { Phase::Asking },
            acquiring: !waits,
            failed: false,
            object,
            task: fields.task,
            permits: fields.permits.unwrap_or(1),
            queue: fields.queue,
            since_ns,
            mark: Mark::default(),
            turn: Turn::None,
        };
        let inside_acquire = waits && self.waits_inside(op, &operation);
        if !inside_acquire {
            self.enter(op, &operation);
        }
        let open = OpenSpan { stage, op, row: row_index, site, inside_acquire, since_ns, end: fields.end };
        let inserted = self.spans.insert(span, open, &self.enabled);
        self.count_insertion(&inserted);
        if let Inserted::Replaced(lost) = inserted
            && lost.op != op
        {
            // Nobody will close it any more.
            let lost = self.operations.remove_if(lost.op, |operation| operation.phase != Phase::Holding);
            lost.iter().for_each(|operation| self.lost(operation));
        }
        Some(())
    }

    /// Turns an operation whose `acquire` is open into a waiting one; false when there is none.
    fn waits_inside(&self, op: u64, waiting: &Operation) -> bool {
        let turned = self.operations.update(op, |operation| {
            let before = *operation;
            if operation.acquiring {
                *operation = Operation { acquiring: true, ..*waiting };
            }
            before
        });
        let Some(before) = turned.filter(|before| before.acquiring) else { return false };
        self.lost(&before);
        self.joined(waiting);
        true
    }

    /// Enters an operation that waits or asks.
    fn enter(&self, op: u64, operation: &Operation) {
        let inserted = self.operations.insert(op, operation, &self.enabled);
        self.count_insertion(&inserted);
        if let Inserted::Replaced(before) = &inserted {
            self.lost(before);
        }
        if matches!(inserted, Inserted::Fresh | Inserted::Replaced(_)) && operation.phase == Phase::Waiting {
            self.joined(operation);
        }
    }

    /// Has a queue count an operation that began to wait.
    pub(super) fn joined(&self, operation: &Operation) {
        let Some(row) = self.rows.get(operation.row).filter(|row| row.kind.is_held()) else { return };
        self.queues
            .joined(operation.object, operation.since_ns, || self.permits_held(row.kind, operation.object));
    }

    /// Has a queue forget an operation whose end will not be heard of.
    fn lost(&self, operation: &Operation) {
        if operation.phase == Phase::Waiting {
            self.queues.gave_up(operation.object, now_ns());
        }
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

    /// A `release` was opened. `None`: a field it cannot do without is missing.
    #[inline]
    fn released(&self, fields: &Fields) -> Option<()> {
        let object = fields.object?;
        fields.kind?;
        let op = fields.op?;
        // A wait is not ended by a release: another operation has come by its number.
        let held = if is_number(op) {
            self.operations.remove_if(op, |operation| operation.phase != Phase::Waiting)
        } else {
            None
        };
        let row = held.map(|operation| operation.row).or_else(|| self.objects.row(object));
        let blamed_ns = held.map_or(0, |operation| self.hold_ended(op, &operation, now_ns));
        if let (Some(row), Some(held_ns)) = (row.and_then(|row| self.rows.get(row)), fields.held_ns)
            && op != 0
        {
            let site = held.map_or(NO_SITE, |operation| operation.site);
            self.figures(row, site).count_hold(held_ns, blamed_ns, &self.budget);
            held.iter().for_each(|held| self.timeline.hold(op, held, held_ns, now_ns));
        }
        Some(())
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

    /// Something was recorded on a span that may be ours.
    pub(super) fn recorded(&self, record: &Record<'_>, span: u64) {
        if self.spans.is_surely_without(span) {
            return;
        }
        // Read before the lock is taken: it runs the visitor of whoever made the span.
        let fields = Fields::of_record(record);
        let known = self.spans.update(span, |open| open.end.update(&fields.end));
        if known.is_some() && fields.odd {
            self.malformed.add(1);
        }
    }

    /// A span that may be ours was closed.
    #[inline]
    pub(super) fn closed(&self, span: u64) {
        let Some(open) = self.spans.remove(span) else { return };
        let Some(row) = self.rows.get(open.row) else { return };
        self.cost.of(hash::mix(6, span), || match open.stage {
            Stage::Wait => self.wait_ended(row, &open),
            _ => self.acquire_ended(row, &open),
        });
    }

    fn wait_ended(&self, row: &Row, open: &OpenSpan) {
        let now_ns = now_ns();
        let granted = open.end.outcome == Some(Outcome::Granted);
        let holds = open.inside_acquire && granted && row.kind.is_held() && self.hears_every_call();
        let mut ended = None;
        self.operations.remove_if(open.op, |operation| {
            if operation.phase != Phase::Waiting {
                // It is another's by now.
                return false;
            }
            let before = *operation;
            let (mark, in_the_way) = self.left_queue(row, open.op, operation, now_ns, granted, holds);
            ended = Some((before, in_the_way));
            operation.phase = if holds { Phase::Holding } else { Phase::Asking };
            operation.failed = !granted;
            operation.since_ns = now_ns;
            operation.mark = mark;
            // Its `acquire` closes after it as a rule, and then decides.
            !(open.inside_acquire && (operation.acquiring || holds))
        });
        let waited = Waited {
            queued_ns: open.end.queued_ns,
            wake_ns: open.end.wake_ns,
            seen_ns: now_ns.saturating_sub(open.since_ns),
        };
        // Where the operation is not known any more, its wait is counted all the same.
        let (operation, blocker) = ended.unwrap_or_else(|| (open.operation(), None));
        let cancelled = open.end.outcome == Some(Outcome::Cancelled);
        let operation = &Operation { site: open.site, ..operation };
        let shared = row.kind != Kind::Mutex;
        let ended = EndedWait { op: open.op, operation, waited, cancelled, now_ns, blocker, shared };
        match open.end.outcome {
            Some(Outcome::Granted | Outcome::Cancelled) => self.count_wait(row, &ended),
            Some(Outcome::Closed) => {
                self.figures(row, open.site).count_closed();
                self.timeline.wait(&ended, WaitOutcome::Closed);
            }
            // A wait that does not say how it ended, or that was refused without waiting.
            Some(Outcome::Refused) | None => self.malformed.add(1),
        }
        if granted && !open.inside_acquire {
            self.figures(row, open.site).count_acquisition();
        }
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

    #[inline]
    fn acquire_ended(&self, row: &Row, open: &OpenSpan) {
        let mut granted = matches!(open.end.outcome, None | Some(Outcome::Granted));
        let mut closed = open.end.outcome == Some(Outcome::Closed);
        let may_hold = row.kind.is_held() && self.hears_every_call();
        let now_ns = if granted && may_hold { now_ns() } else { 0 };
        let mut waiting = None;
        let known = self.operations.remove_if(open.op, |operation| {
            granted &= !operation.failed;
            // A wait that failed was counted by itself.
            closed &= !operation.failed;
            operation.acquiring = false;
            let holds = granted && may_hold;
            if operation.phase == Phase::Waiting {
                waiting = Some(*operation);
            }
            if holds && operation.phase != Phase::Holding {
                operation.phase = Phase::Holding;
                operation.since_ns = now_ns;
                operation.mark = self.hold_begun(open.op, operation, now_ns);
            }
            !holds
        });
        // Its wait was never closed.
        waiting.iter().for_each(|operation| self.lost(operation));
        if granted {
            self.figures(row, open.site).count_acquisition();
        } else if closed && known.is_some() {
            self.figures(row, open.site).count_closed();
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
fn operation_key(op: u64, span: u64) -> u64 {
    if is_number(op) { op } else { hash::mix(2, span) >> 2 | NUMBERLESS }
}

/// Whether it is a number that `sync` may have handed out.
fn is_number(op: u64) -> bool {
    op != 0 && op < NUMBERLESS
}

/// The number of an operation; zero for one that came without.
pub(super) fn number(key: u64) -> u64 {
    if key & NUMBERLESS == 0 { key } else { 0 }
}
