//! The histograms of the waits as an interval log of HdrHistogram, V2, compressed: for `HistogramLogProcessor`,
//! HistogramLogAnalyzer and the readers of its many ports.
//!
//! A cell is a line with its name as the tag. All cells were measured in turn over the whole of the run, so that
//! each interval begins with it and is as long. Values are in nanoseconds, and the column of the maximum too. A
//! tag may hold neither commas nor spaces, which become `;` and `_`.
//!
//! Read back by the `hdrhistogram` crate 7.6 (in the tests), and by hdrhistogram 0.10.8 of PyPI, which like Java
//! takes compressed histograms alone.

use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use jiff::Timestamp;

use super::Format;
use crate::{Cell, ReadError, Report, Run};

pub(super) const FORMAT: Format = Format {
    name: "hlog",
    extension: "hlog",
    summary: "histograms of the waits as an HdrHistogram interval log, a tagged line for each cell",
    write,
};

fn write(report: &Report) -> Result<String, ReadError> {
    let mut log = Vec::new();
    push(&mut log, report)?;
    // Comments and tags come from strings, and histograms are base64.
    Ok(String::from_utf8_lossy(&log).into_owned())
}

fn push(log: &mut Vec<u8>, report: &Report) -> Result<(), ReadError> {
    let mut serializer = V2DeflateSerializer::new();
    let mut writer = head(&report.run).begin_log_with(log, &mut serializer).map_err(ReadError::Io)?;
    let length = Duration::try_from_secs_f64(report.run.duration_s).unwrap_or_default();
    for cell in &report.cells {
        let (histogram, tag) = (cell.wait_ns.histogram()?, tag(cell));
        let written = writer.write_histogram(&histogram, Duration::ZERO, length, Tag::new(&tag));
        written.map_err(|error| ReadError::Histogram { reason: error.to_string() })?;
    }
    Ok(())
}

fn head(run: &Run) -> IntervalLogWriterBuilder {
    let mut head = IntervalLogWriterBuilder::new();
    head.add_comment("[Histogram log format version 1.3]");
    head.add_comment(&format!("[Waits of {} in nanoseconds]", run.id.replace(char::is_control, " ")));
    // A report whose start nobody can read has intervals all the same.
    if let Ok(started_at) = run.started_at.parse::<Timestamp>() {
        let started_at = SystemTime::from(started_at);
        head.with_start_time(started_at).with_base_time(started_at);
    }
    head
}

fn tag(cell: &Cell) -> String {
    let plain = |character: char| match character {
        ',' => ';',
        character if character.is_whitespace() || character.is_control() => '_',
        character => character,
    };
    cell.full_name().chars().map(plain).collect()
}
