//! Finished waits and holds with their times.

/// What a collector recorded while its timeline was on.
///
/// Times are those of the collector's clock, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// Whether it goes on.
    pub recording: bool,
    /// When it was switched on.
    pub since_ns: u64,
    /// Until when.
    pub until_ns: u64,
    /// From when on nothing was forgotten for what came later.
    pub whole_since_ns: u64,
    /// Waits and holds that were forgotten for what came later.
    pub forgotten: u64,
    /// Waits and holds that were not recorded, since another looked at the place for them.
    pub dropped: u64,
    /// Lines that [`TimelineEntry::place`] points to.
    pub places: Vec<TimelinePlace>,
    /// What was recorded, in the order in which it began.
    pub entries: Vec<TimelineEntry>,
}

/// A line that acquires a primitive.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimelinePlace {
    /// Row of the primitive, as [`PrimitiveSnapshot::id`](super::PrimitiveSnapshot::id).
    pub primitive_id: u64,
    /// `mutex`, `condition`, `semaphore`, `event` or `barrier`.
    pub primitive: String,
    /// As given by `with_name`; empty when there is none.
    pub name: String,
    /// Where the primitive was made; empty when unknown.
    pub location: String,
    /// The line that acquires: `src/main.rs:20:14`; empty when unknown.
    pub site: String,
}

/// A wait or a hold that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineEntry {
    /// The operation; 0 when unknown.
    pub op: u64,
    /// The task, as in the spans; 0 when unknown.
    pub task: u64,
    /// Object, as in the spans.
    pub object: u64,
    /// Which of [`Timeline::places`].
    pub place: usize,
    /// Permits asked for or held.
    pub permits: u64,
    /// Joined the queue, or was granted.
    pub began_ns: u64,
    /// Resumed or was dropped, or released.
    pub ended_ns: u64,
    /// How long it took, as the figures of a snapshot count it. Spans are measured by another clock, and told of a moment later.
    pub took_ns: u64,
    /// What only a wait has; nothing for a hold.
    pub wait: Option<TimelineWait>,
}

/// What is known of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelineWait {
    /// How it ended.
    pub outcome: WaitOutcome,
    /// Joined the queue → granted.
    pub queued_ns: Option<u64>,
    /// Granted → resumed.
    pub wake_ns: Option<u64>,
    /// The operation whose release ended it; 0 where that is not known.
    pub given_by: u64,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitOutcome {
    /// It got what it waited for.
    Granted,
    /// Its future was dropped.
    Cancelled,
    /// The primitive was closed, or broken.
    Closed,
}

impl WaitOutcome {
    /// As spans have it: a name of [`sync::schema::outcome`].
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => sync::schema::outcome::GRANTED,
            Self::Cancelled => sync::schema::outcome::CANCELLED,
            Self::Closed => sync::schema::outcome::CLOSED,
        }
    }
}
