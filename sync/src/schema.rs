//! The names of the spans and of their fields, in one place.
//!
//! The primitives write them, a collector reads them. Nothing here depends on the `tracing` crate, so a
//! collector can use the names without switching instrumentation on.
//!
//! # Examples
//!
//! A filter that lets a layer see the waits of this crate, and nothing else:
//!
//! ```
//! use tracing_subscriber::filter::{LevelFilter, Targets};
//!
//! let waits = Targets::new().with_target(sync::schema::TARGET, LevelFilter::DEBUG);
//! # assert!(waits.would_enable("sync", &LevelFilter::DEBUG.into_level().unwrap()));
//! ```

/// The target of every span of this crate.
pub const TARGET: &str = "sync";

/// Names of the spans.
pub mod span {
    /// From the first poll of an acquisition until it is granted, cancelled or closed (TRACE).
    pub const ACQUIRE: &str = "acquire";
    /// From joining the queue until the task resumes; inside [`ACQUIRE`] when that is enabled (DEBUG).
    pub const WAIT: &str = "wait";
    /// From the drop of a guard or permit until the waiters it released were woken (TRACE).
    pub const RELEASE: &str = "release";
    /// A call that sets an event, or breaks a barrier: `abort` (TRACE).
    pub const SET: &str = "set";
    /// A call that clears an event, or mends a barrier: `reset` (TRACE).
    pub const CLEAR: &str = "clear";
    /// A call that notifies waiters of a condition, or a barrier's last arrival, which lets the others go (TRACE).
    pub const NOTIFY: &str = "notify";
}

/// Names of the fields.
pub mod field {
    /// Kind of the primitive, a string of [`primitive`](super::primitive).
    pub const PRIMITIVE: &str = "primitive";
    /// The name given by `with_name`, a string; empty when there is none.
    pub const NAME: &str = "name";
    /// The object, `u64`, unique in the process for as long as the object lives.
    pub const ID: &str = "id";
    /// The operation, `u64`; the same in an `acquire`, its `wait` and its `release`. Zero: unknown.
    pub const OP: &str = "op";
    /// The waiting task, `u64`: the address behind its waker, so equal for one task at a time. Zero: unknown.
    pub const TASK: &str = "task";
    /// Permits asked for, `u64`.
    pub const PERMITS: &str = "permits";
    /// File of the caller, a string.
    pub const FILE: &str = "file";
    /// Line of the caller, `u64`.
    pub const LINE: &str = "line";
    /// Column of the caller, `u64`.
    pub const COLUMN: &str = "column";
    /// Waiters ahead when the wait joined the queue, `u64`.
    pub const QUEUE: &str = "queue";
    /// How the wait ended, a string of [`outcome`](super::outcome). On an `acquire` only when not granted.
    pub const OUTCOME: &str = "outcome";
    /// Nanoseconds from joining the queue to the grant, `u64`.
    pub const QUEUED_NS: &str = "queued_ns";
    /// Nanoseconds from the grant until the task resumed, `u64`.
    pub const WAKE_NS: &str = "wake_ns";
    /// Nanoseconds that the guard or permit was held, `u64`.
    pub const HELD_NS: &str = "held_ns";
    /// Waiters that the call let go, `u64`.
    pub const WOKEN: &str = "woken";
    /// File of the line that made the object, a string (on `acquire` and `wait`).
    pub const MADE_FILE: &str = "made_file";
    /// Line of the line that made the object, `u64` (on `acquire` and `wait`).
    pub const MADE_LINE: &str = "made_line";
}

/// Values of [`field::PRIMITIVE`].
pub mod primitive {
    /// `Mutex`.
    pub const MUTEX: &str = "mutex";
    /// `Condition`.
    pub const CONDITION: &str = "condition";
    /// `Semaphore` and `BoundedSemaphore`.
    pub const SEMAPHORE: &str = "semaphore";
    /// `Event`.
    pub const EVENT: &str = "event";
    /// `Barrier`.
    pub const BARRIER: &str = "barrier";
}

/// Values of [`field::OUTCOME`].
pub mod outcome {
    /// The wait got what it asked for.
    pub const GRANTED: &str = "granted";
    /// The future was dropped before it was ready.
    pub const CANCELLED: &str = "cancelled";
    /// The primitive was closed.
    pub const CLOSED: &str = "closed";
    /// A `try_` call found nothing to take; it never waited.
    pub const REFUSED: &str = "refused";
}
