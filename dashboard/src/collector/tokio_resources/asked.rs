//! A call of one of tokio's primitives, from its making to its end.

use super::guards::Guard;
use crate::collector::fields::Kind;
use crate::collector::figures::Waited;
use crate::collector::operations::{Operation, Phase, Turn};
use crate::collector::queues::Mark;
use crate::collector::rows::RowIndex;
use crate::collector::sites::SiteIndex;

/// A call of a primitive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// The span of its primitive.
    pub(super) resource: u64,
    pub(super) op: u64,
    pub(super) kind: Kind,
    pub(super) object: u64,
    pub(super) row: RowIndex,
    pub(super) site: SiteIndex,
    pub(super) task: u64,
    pub(super) exclusive: bool,
    pub(super) since_ns: u64,
    pub(super) requested: u64,
    pub(super) obtained: u64,
    pub(super) granted_ns: Option<u64>,
    /// The call of its inner semaphore has said that it is ready, which one of a closed semaphore never does.
    pub(super) inner_is_through: bool,
    pub(super) progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Asks,
    Waits,
    Ended,
}

impl Asked {
    /// One that was tried, and had what it asked for when it began.
    pub(super) fn had_at_once(self) -> Self {
        Self {
            obtained: self.requested,
            granted_ns: Some(self.since_ns),
            inner_is_through: true,
            progress: Progress::Ended,
            ..self
        }
    }

    /// Takes note of a poll; returns how it was before.
    pub(super) fn polled(&mut self, is_ready: bool) -> Self {
        let before = *self;
        self.progress = match (self.progress, is_ready) {
            (Progress::Asks, false) if self.granted_ns.is_none() => Progress::Waits,
            (progress, false) => progress,
            (_, true) => Progress::Ended,
        };
        before
    }

    /// Permits as a row shows them: those of a semaphore. Tokio's own count for writing is all that there are.
    pub(super) fn permits(&self) -> u64 {
        if self.kind == Kind::Semaphore { self.requested } else { 1 }
    }

    /// Whether it ended because its semaphore was closed. Those of other primitives never are.
    pub(super) fn was_closed(&self) -> bool {
        self.kind == Kind::Semaphore && !self.inner_is_through
    }

    pub(super) fn guard(&self) -> Guard {
        Guard { op: self.op, task: self.task, permits: self.permits(), exclusive: self.exclusive }
    }

    pub(super) fn operation(&self, phase: Phase, since_ns: u64) -> Operation {
        Operation {
            row: self.row,
            site: self.site,
            phase,
            acquiring: false,
            failed: false,
            object: self.object,
            task: self.task,
            permits: self.permits(),
            queue: 0,
            since_ns,
            mark: Mark::default(),
            turn: Turn::None,
        }
    }

    pub(super) fn waited(&self, granted_ns: Option<u64>, now_ns: u64) -> Waited {
        Waited {
            queued_ns: granted_ns.map(|granted_ns| granted_ns.saturating_sub(self.since_ns)),
            wake_ns: granted_ns.map(|granted_ns| now_ns.saturating_sub(granted_ns)),
            seen_ns: now_ns.saturating_sub(self.since_ns),
        }
    }
}
