//! What became of a recording to a folder.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A recording under way, as it stood after its latest interval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordingSnapshot {
    /// Where it is written to.
    pub folder: String,
    /// Intervals written; one in which nothing was counted is not.
    pub intervals: u64,
    /// Recorded files in the folder.
    pub files: u64,
    /// What they take.
    pub bytes: u64,
    /// Files that were removed for the limit of all of them together.
    pub files_removed: u64,
    /// Why the latest interval could not be written. It is tried again together with the next.
    pub problem: Option<String>,
}
