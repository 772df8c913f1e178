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

use tracing::span::{Attributes, Record};

use super::clock::now_ns;
use super::fields::{Fields, Kind, Layout, Outcome, Stage, Texts};
use super::figures::Waited;
use super::hash;
use super::in_flight::{Inserted, OpenSpan};
use super::intake::{EndedWait, Intake, is_number, operation_key};
use super::operations::{Operation, Phase, Turn};
use super::queues::Mark;
use super::rows::Row;
use super::sites::NO_SITE;
use crate::snapshot::WaitOutcome;

impl Intake {
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

    /// Has a queue forget an operation whose end will not be heard of.
    fn lost(&self, operation: &Operation) {
        if operation.phase == Phase::Waiting {
            self.queues.gave_up(operation.object, now_ns());
        }
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
}
