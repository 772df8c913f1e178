//! Why something could not be read as a report.
//!
//! The messages name neither file nor next step: whoever asked for the file knows both.

use std::io;

use crate::SCHEMA;

/// Why something could not be read as a report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no report of that name.
    #[error("no such report")]
    NotFound,
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Io(#[source] io::Error),
    /// A folder, pipe or device.
    #[error("is not a regular file")]
    NotAFile,
    /// Too large to be a report of ours.
    #[error("is {size_bytes} bytes long, and a report has at most {limit_bytes}")]
    TooLarge {
        /// Its size.
        size_bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// Nothing in it.
    #[error("is empty")]
    Empty,
    /// The JSON ends too early.
    #[error("is cut short: the JSON ends unfinished at line {line}, column {column}")]
    CutShort {
        /// Line of the end, from 1.
        line: usize,
        /// Column of the end, from 0.
        column: usize,
    },
    /// No JSON.
    #[error("is not JSON: {reason}")]
    NotJson {
        /// What the parser says, with line and column.
        reason: String,
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 0.
        column: usize,
    },
    /// JSON, but of something else.
    #[error("is JSON, but not a report: {reason}")]
    NotAReport {
        /// How that shows.
        reason: String,
    },
    /// A report of another version of this project.
    #[error("is a report of schema `{found}`, and this program reads `{SCHEMA}`")]
    OtherVersion {
        /// The schema it names.
        found: String,
    },
    /// A field is missing, or has a value of another type.
    #[error("is a report with a fault at {}: {reason}", place(path))]
    Field {
        /// Where: `cells[3].rounds[0].ops`; `.` for the top level.
        path: String,
        /// What the parser says, with line and column.
        reason: String,
    },
    /// The histogram in a [`WaitSummary`](crate::WaitSummary) cannot be decoded.
    #[error("has a histogram that cannot be decoded: {reason}")]
    Histogram {
        /// What is wrong with it.
        reason: String,
    },
}

fn place(path: &str) -> String {
    if path == "." { "its top level".to_owned() } else { format!("`{path}`") }
}
