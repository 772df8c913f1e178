//! What a rule has found, and how it is said.

use crate::collector::fields::Kind;
use crate::collector::rows::{RowIndex, Rows};
use crate::collector::scene::{Agent, Party, Stage};

/// What can look wrong. Told on the page, in metrics and in a log by these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::collector) enum AlertKind {
    Deadlock,
    Futurelock,
    LostWakeUp,
    LongWait,
    LongHold,
    Starvation,
}

impl AlertKind {
    pub(in crate::collector) const ALL: [Self; 6] = [
        Self::Deadlock,
        Self::Futurelock,
        Self::LostWakeUp,
        Self::LongWait,
        Self::LongHold,
        Self::Starvation,
    ];

    pub(in crate::collector) fn as_str(self) -> &'static str {
        match self {
            Self::Deadlock => "deadlock",
            Self::Futurelock => "futurelock",
            Self::LostWakeUp => "lost_wake_up",
            Self::LongWait => "long_wait",
            Self::LongHold => "long_hold",
            Self::Starvation => "starvation",
        }
    }

    /// Whether it does not end by itself.
    pub(super) fn is_critical(self) -> bool {
        matches!(self, Self::Deadlock | Self::Futurelock | Self::LostWakeUp)
    }

    /// What to look at, or to do.
    pub(super) fn next_step(self) -> &'static str {
        match self {
            Self::Deadlock => {
                "take these in the same order everywhere, or all permits in one acquire_many; a timeout around the acquisition ends it"
            }
            Self::Futurelock => {
                "poll the granted future together with the rest (join, or a task of its own), or drop it before waiting for the same thing again"
            }
            Self::LostWakeUp => {
                "see whether the task's executor still runs, and whether something keeps the future without polling it"
            }
            Self::LongWait => "look at the lines that hold it, and at how long each of them does",
            Self::LongHold => "shorten what is done while it is held, or do it before or after",
            Self::Starvation => {
                "see why others were served first: a fair primitive serves in the order of the queue"
            }
        }
    }
}

/// Something that looks wrong at this moment.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) kind: AlertKind,
    /// With the kind, what it is about: an operation or an object. It stays the same for as long as that lasts.
    pub(super) key: u64,
    pub(super) message: String,
    /// When that began, by the collector's clock.
    pub(super) since_ns: u64,
    pub(super) row: RowIndex,
    pub(super) object: u64,
    /// Who takes part, those that matter most first.
    pub(super) evidence: Vec<(Role, Party)>,
}

/// How an operation takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Waits,
    Holds,
    Granted,
    /// What else the task does.
    Elsewhere,
}

impl Role {
    pub(super) fn of(party: &Party) -> Self {
        match party.stage {
            Stage::Waits => Self::Waits,
            Stage::Granted => Self::Granted,
            Stage::Holds | Stage::Lent => Self::Holds,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Waits => "waits",
            Self::Holds => "holds",
            Self::Granted => "granted",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// Names what parties are about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a>(pub(super) &'a Rows);

impl Words<'_> {
    /// `mutex "cache"`
    pub(super) fn object(&self, party: &Party) -> String {
        let kind = party.kind.as_str();
        match self.0.get(party.row) {
            Some(row) if !row.name.is_empty() => format!("{kind} \"{}\"", row.name),
            Some(row) if !row.location.is_empty() => format!("{kind} made at {}", row.location),
            _ => format!("{kind} {}", party.object),
        }
    }

    /// `permits of semaphore "pool"`
    pub(super) fn wanted(&self, party: &Party) -> String {
        match (party.kind, party.permits) {
            (Kind::Semaphore, 0 | 1) => format!("a permit of {}", self.object(party)),
            (Kind::Semaphore, permits) => format!("{permits} permits of {}", self.object(party)),
            _ => self.object(party),
        }
    }

    /// The line that asked.
    pub(super) fn site(&self, party: &Party) -> String {
        let site = self.0.get(party.site_row).and_then(|row| row.sites.get(party.site));
        site.map(|site| site.name.clone())
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "an unknown line".to_owned())
    }

    /// `task 1f`
    pub(super) fn task(&self, agent: Option<Agent>) -> String {
        match agent {
            Some(Agent::Task(task)) => format!("task {task:x}"),
            Some(Agent::Operation(op)) => format!("the task of operation {op}"),
            None => "an unknown task".to_owned(),
        }
    }
}
