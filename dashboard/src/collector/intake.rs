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

use super::clock::now_ns;
use super::counter::{Counter, StripedCounter};
use super::fields::{Fields, Kind, Layout, Outcome, Stage, Texts};
use super::hash;
use super::in_flight::{Inserted, OpenSpan, Table};
use super::limits::{OBJECTS, OPEN_SPANS};
use super::objects::{Objects, Sighting};
use super::operations::{Operation, Operations, Phase, Turn};
use super::rows::{self, Row, RowIndex, Rows};
use super::sites::{NO_SITE, SiteIndex};

/// Everything that the collector knows.
#[derive(Debug)]
pub(super) struct Intake {
    /// Told apart from other collectors of the process in the memories of threads.
    pub(super) collector: u64,
    pub(super) enabled: AtomicBool,
    pub(super) rows: Rows,
    pub(super) objects: Objects,
    pub(super) spans: Table<OpenSpan>,
    pub(super) operations: Operations,
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
            rows: Rows::default(),
            objects: Objects::default(),
            spans: Table::new(OPEN_SPANS),
            operations: Operations::new(),
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

    /// A span of our target was opened.
    #[inline]
    pub(super) fn opened(&self, attributes: &Attributes<'_>, span: u64) {
        self.taken.add(span);
        let (stage, fields) = Layout::with(attributes.metadata(), |layout| match layout.stage {
            Some(Stage::Call) => (layout.stage, Fields::default()),
            stage => (stage, Fields::of_span(layout, attributes)),
        });
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
            turn: Turn::None,
        };
        let inside_acquire = waits && self.waits_inside(op, &operation);
        if !inside_acquire {
            self.count_insertion(&self.operations.insert(op, &operation, &self.enabled));
        }
        let open = OpenSpan { stage, op, row: row_index, site, inside_acquire, since_ns, end: fields.end };
        let inserted = self.spans.insert(span, open, &self.enabled);
        self.count_insertion(&inserted);
        if let Inserted::Replaced(lost) = inserted
            && lost.op != op
        {
            // Nobody will close it any more.
            self.operations.remove_if(lost.op, |operation| operation.phase != Phase::Holding);
        }
        Some(())
    }

    /// Turns an operation whose `acquire` is open into a waiting one; false when there is none.
    fn waits_inside(&self, op: u64, waiting: &Operation) -> bool {
        let turned = self.operations.update(op, |operation| {
            if operation.acquiring {
                *operation = Operation { acquiring: true, ..*waiting };
            }
            operation.acquiring
        });
        turned == Some(true)
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
        let held = match op {
            0 => None,
            op => self.operations.remove_if(op, |operation| operation.phase != Phase::Waiting),
        };
        let row = held.map(|operation| operation.row).or_else(|| self.objects.row(object));
        if let (Some(row), Some(held_ns)) = (row.and_then(|row| self.rows.get(row)), fields.held_ns)
            && op != 0
        {
            row.hold.record(held_ns);
        }
        Some(())
    }

    /// Something was recorded on a span that may be ours.
    pub(super) fn recorded(&self, record: &Record<'_>, span: u64) {
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
        if open.stage == Stage::Wait {
            self.wait_ended(row, &open);
        } else {
            self.acquire_ended(row, &open);
        }
    }

    fn wait_ended(&self, row: &Row, open: &OpenSpan) {
        let now_ns = now_ns();
        match open.end.outcome {
            Some(Outcome::Granted) => {
                let seen_ns = now_ns.saturating_sub(open.since_ns);
                row.count_wait_as_seen(open.site, open.end.queued_ns, open.end.wake_ns, seen_ns);
                if !open.inside_acquire {
                    row.count_acquisition(open.site);
                }
            }
            Some(Outcome::Cancelled) => {
                row.count_cancelled(open.site);
            }
            Some(Outcome::Closed) => row.closed.add(1),
            // A wait that does not say how it ended, or that was refused without waiting.
            Some(Outcome::Refused) | None => self.malformed.add(1),
        }
        let granted = open.end.outcome == Some(Outcome::Granted);
        if open.inside_acquire {
            let holds = granted && row.kind.is_held();
            self.operations.remove_if(open.op, |operation| {
                operation.phase = if holds { Phase::Holding } else { Phase::Asking };
                operation.failed = !granted;
                operation.since_ns = now_ns;
                // Its `acquire` closes after it as a rule, and then decides.
                !operation.acquiring && !holds
            });
        } else {
            // Where the operation is another's by now, it does not wait.
            self.operations.remove_if(open.op, |operation| operation.phase == Phase::Waiting);
        }
    }

    #[inline]
    fn acquire_ended(&self, row: &Row, open: &OpenSpan) {
        let mut granted = matches!(open.end.outcome, None | Some(Outcome::Granted));
        let now_ns = if granted && row.kind.is_held() { now_ns() } else { 0 };
        self.operations.remove_if(open.op, |operation| {
            granted &= !operation.failed;
            operation.acquiring = false;
            let holds = granted && row.kind.is_held();
            if holds && operation.phase != Phase::Holding {
                operation.phase = Phase::Holding;
                operation.since_ns = now_ns;
            }
            !holds
        });
        if granted {
            row.count_acquisition(open.site);
        }
    }

    /// Forgets what is under way.
    pub(super) fn forget_in_flight(&self) {
        self.spans.clear();
        self.operations.clear();
    }

    /// Forgets the figures; rows, objects and what is under way stay.
    pub(super) fn reset(&self) {
        self.rows.iter().for_each(|(_, row)| row.reset());
        self.taken.reset();
        let dropped =
            [&self.rows_dropped, &self.sites_dropped, &self.objects_dropped, &self.in_flight_dropped];
        dropped.into_iter().chain([&self.malformed]).for_each(Counter::reset);
    }
}

/// Set in the key of an operation that came without a number of its own.
const NUMBERLESS: u64 = 1 << 62;

/// Key of an operation; one without a number, or with one past all that `sync` hands out, is told by its span.
fn operation_key(op: u64, span: u64) -> u64 {
    if op == 0 || op >= NUMBERLESS { hash::mix(2, span) >> 2 | NUMBERLESS } else { op }
}

/// The number of an operation; zero for one that came without.
pub(super) fn number(key: u64) -> u64 {
    if key & NUMBERLESS == 0 { key } else { 0 }
}
