//! The bounds of the collector, in one place.
//!
//! Whatever an application does, the collector takes no more than these allow. What is beyond is folded
//! together or left out, and counted in [`Overhead`](crate::snapshot::Overhead).

/// Rows: pairs of a name and a line that makes primitives.
pub(super) const ROWS: usize = 1_024;

/// Slots of the table of rows; twice [`ROWS`], so that a look-up ends soon. A power of two.
pub(super) const ROW_SLOTS: usize = 2 * ROWS;

/// Call sites kept for a row. A power of two, below 255.
pub(super) const SITES_PER_ROW: usize = 64;

/// Parts of a line's figures, so that threads do not share cache lines. A power of two.
pub(super) const STRIPES: usize = 16;

/// Waits and holds in a chunk of the timeline.
pub(super) const TIMELINE_CHUNK: usize = 512;

/// Chunks of the timeline in all stripes together; each may have two, whatever the others have. 6 MiB, taken while it is on.
pub(super) const TIMELINE_CHUNKS: usize = 128;

/// Memory of the figures of all rows: counters and histograms. Past half of it threads share stripes; past all of it no
/// histogram grows any more and what it has no room for is counted. Counters and one stripe a line are kept even then: they have
/// their bound in [`ROWS`] and [`SITES_PER_ROW`].
///
/// A line that is taken by one thread and never waited at takes 1 KiB and 1 KiB for each power of two that its holds fall
/// in, 3 to 5 KiB as a rule; each further thread as much again, up to [`STRIPES`]; waits add 3 KiB and their own powers of two.
pub(super) const FIGURES_BYTES: usize = 64 << 20;

/// Objects whose waiting is charged to holders, those that waited last. Four to a bucket; a power of two.
pub(super) const QUEUES: usize = 2_048;

/// Waits that a row remembers as its worst.
pub(super) const WORST_WAITS: usize = 8;

/// Objects that are told apart, in all shards together.
pub(super) const OBJECTS: usize = 131_072;

/// Spans open at one time, in all shards together.
pub(super) const OPEN_SPANS: usize = 131_072;

/// Operations that wait or hold at one time, in all shards together.
pub(super) const OPERATIONS: usize = 131_072;

/// Shards of the tables above: enough that two threads seldom meet. A power of two.
pub(super) const SHARDS: usize = 64;

/// Callsites whose field layout is remembered; the fields of others are found by name each time. A power of two.
pub(super) const CALLSITES: usize = 256;

/// Bytes kept of a name or a file; what is longer is cut.
pub(super) const TEXT_BYTES: usize = 256;

/// The longest duration a histogram tells apart, one hour; longer ones count as this.
pub(crate) const DURATION_MAX_NS: u64 = 3_600_000_000_000;

/// A duration that nobody has waited, ten years: the span that carries it is odd.
pub(super) const DURATION_ABSURD_NS: u64 = 10 * 365 * 24 * DURATION_MAX_NS;

/// Waits in progress that graph and alerts look at, the oldest.
pub(super) const SCENE_WAITS: usize = 4_096;

/// Operations that an alert lists as its evidence.
pub(super) const EVIDENCE: usize = 16;

/// Waits that `GET /api/v1/graph` lists.
pub(super) const GRAPH_WAITS: usize = 1_024;

/// Spans of `tokio::sync` that a thread remembers having entered, one in another.
pub(super) const ENTERED: usize = 256;

/// Guards of one lock or semaphore of `tokio::sync` that are told apart.
pub(super) const GUARDS: usize = 1_024;
