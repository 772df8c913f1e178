//! What a report can be exported to: one file for each format, and one line in [`FORMATS`].

mod bmf;
mod critcmp;
mod csv;
mod github_action_benchmark;
mod hgrm;
mod hlog;
mod html;
mod json;
mod markdown;
mod parts;

use crate::{ReadError, Report};

/// A format that a report can be exported to.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Name on the command line.
    pub name: &'static str,
    /// Ending of files, without the dot.
    pub extension: &'static str,
    /// What it is for, in one line.
    pub summary: &'static str,
    /// Writes a report. Fails where the report's own histograms are needed and cannot be read.
    pub write: fn(&Report) -> Result<String, ReadError>,
}

/// All formats.
pub const FORMATS: &[Format] = &[
    json::FORMAT,
    markdown::FORMAT,
    html::FORMAT,
    csv::FORMAT,
    bmf::FORMAT,
    github_action_benchmark::FORMAT,
    critcmp::FORMAT,
    hgrm::FORMAT,
    hlog::FORMAT,
];

/// The format of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}
