//! What tokio calls its spans, events and fields, and how they are read.

use std::fmt::Debug;

use tracing::field::{Field, Visit};
use tracing::span::Attributes;
use tracing::{Event, Level, Metadata};

use crate::collector::fields::{Kind, cut};

/// The part that a span or an event plays here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A primitive, from its making to its drop.
    Resource,
    /// A call that may have to wait.
    AsyncOp,
    Task,
    /// A span of the program, which says where it is.
    Place,
    /// A primitive has changed.
    StateUpdate,
    /// A call has been given something, or asks for it.
    OpUpdate,
    /// A call was polled.
    PollOp,
}

impl What {
    /// `None` for what is of no use here.
    pub(super) fn of(metadata: &Metadata<'_>) -> Option<Self> {
        if metadata.is_event() {
            return match metadata.target() {
                "runtime::resource::state_update" => Some(Self::StateUpdate),
                "runtime::resource::async_op::state_update" => Some(Self::OpUpdate),
                "runtime::resource::poll_op" => Some(Self::PollOp),
                _ => None,
            };
        }
        match metadata.name() {
            "runtime.resource" => Some(Self::Resource),
            "runtime.resource.async_op" => Some(Self::AsyncOp),
            "runtime.spawn" => Some(Self::Task),
            // Deeper spans are a library's own business, and would be made for this alone.
            _ if *metadata.level() <= Level::INFO => Some(Self::Place),
            _ => None,
        }
    }
}

/// Whether a span is tokio's own. Others may use its names, to be seen in its console.
pub(super) fn is_tokio(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    target == "tokio" || target.starts_with("tokio::")
}

/// How a value changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Sub,
    Override,
}

/// The fields of a span or an event, as far as they are of use.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Whether a type was named.
    pub(super) typed: bool,
    /// The kind of that type, where it is one of ours.
    pub(super) kind: Option<Kind>,
    pub(super) is_internal: bool,
    pub(super) file: String,
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) task: u64,
    /// The call gives a guard that may leave its task.
    pub(super) owned: bool,
    /// The call is for writing.
    pub(super) writes: bool,
    pub(super) is_ready: Option<bool>,
    pub(super) is_leader: bool,
    pub(super) locked: Option<bool>,
    pub(super) write_locked: Option<bool>,
    pub(super) readers: Option<u64>,
    pub(super) permits: Option<u64>,
    pub(super) requested: Option<u64>,
    pub(super) obtained: Option<u64>,
    pub(super) change: Option<Change>,
    /// A field of tokio's had another type.
    pub(super) odd: bool,
}

impl Read {
    pub(super) fn span(attributes: &Attributes<'_>) -> Self {
        let mut read = Self::default();
        attributes.record(&mut read);
        read
    }

    pub(super) fn event(event: &Event<'_>) -> Self {
        let mut read = Self::default();
        event.record(&mut read);
        read
    }
}

/// The kinds of tokio's types, under the names that they have there. What is not among them (timers, channels) is left out.
fn kind(concrete_type: &str) -> Option<Kind> {
    match concrete_type {
        "Mutex" => Some(Kind::Mutex),
        "RwLock" => Some(Kind::RwLock),
        "Semaphore" => Some(Kind::Semaphore),
        "Barrier" => Some(Kind::Barrier),
        _ => None,
    }
}

/// What a row of tokio's is called, so that it is told from those of `sync`: tokio knows no names of objects.
pub(super) fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Mutex => "tokio::sync::Mutex",
        Kind::RwLock => "tokio::sync::RwLock",
        Kind::Barrier => "tokio::sync::Barrier",
        _ => "tokio::sync::Semaphore",
    }
}

impl Visit for Read {
    fn record_bool(&mut self, field: &Field, value: bool) {
        match field.name() {
            "is_internal" => self.is_internal = value,
            "is_ready" => self.is_ready = Some(value),
            "is_leader" => self.is_leader = value,
            "locked" => self.locked = Some(value),
            "write_locked" => self.write_locked = Some(value),
            _ => self.other_type(field),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "loc.line" => self.line = value,
            "loc.col" => self.column = value,
            "task.id" => self.task = value,
            "permits" => self.permits = Some(value),
            "current_readers" => self.readers = Some(value),
            "permits_requested" => self.requested = Some(value),
            "permits_obtained" => self.obtained = Some(value),
            _ => self.other_type(field),
        }
    }

    /// A literal is an `i64`.
    fn record_i64(&mut self, field: &Field, value: i64) {
        match u64::try_from(value) {
            Ok(value) => self.record_u64(field, value),
            Err(_) => self.other_type(field),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "concrete_type" => {
                self.typed = true;
                self.kind = kind(value);
            }
            "loc.file" => cut(value).clone_into(&mut self.file),
            "source" => {
                self.owned = value.ends_with("_owned");
                self.writes = value.starts_with("RwLock::write");
            }
            "permits.op" | "current_readers.op" => {
                self.change = match value {
                    "add" => Some(Change::Add),
                    "sub" => Some(Change::Sub),
                    "override" => Some(Change::Override),
                    _ => None,
                };
                self.odd |= self.change.is_none();
            }
            _ => self.other_type(field),
        }
    }

    fn record_debug(&mut self, field: &Field, _: &dyn Debug) {
        self.other_type(field);
    }
}

impl Read {
    fn other_type(&mut self, field: &Field) {
        const READ: [&str; 17] = [
            "concrete_type",
            "is_internal",
            "loc.file",
            "loc.line",
            "loc.col",
            "task.id",
            "source",
            "is_ready",
            "is_leader",
            "locked",
            "write_locked",
            "current_readers",
            "current_readers.op",
            "permits",
            "permits.op",
            "permits_requested",
            "permits_obtained",
        ];
        self.odd |= READ.contains(&field.name());
    }
}
