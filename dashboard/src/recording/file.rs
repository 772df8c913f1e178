//! One file of a recording: its head, its intervals, and what can be read of them.
//!
//! Reading trusts nothing: a histogram is only made of what has the bounds that are written here, so that no file says how
//! much memory it takes.

use std::io;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Decompress, FlushDecompress};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{
    IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, Tag as LogTag,
};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};

use super::tag::Tag;
use super::totals::Buckets;
use crate::collector::DURATION_MAX_NS;

/// Of what is counted: two digits, as the collector has them.
const DIGITS: u8 = 2;

/// Bytes of a histogram at most, once it is inflated: a head, and nine for each of its buckets.
const HISTOGRAM_BYTES: usize = 1 << 16;

/// An interval as it stands in a file, its histogram not yet looked at.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Interval<'f> {
    pub(super) tag: Tag,
    /// Since 1970.
    pub(super) start: Duration,
    pub(super) length: Duration,
    encoded: &'f str,
}

/// What a file has.
#[derive(Debug, Default)]
pub(super) struct Contents<'f> {
    pub(super) intervals: Vec<Interval<'f>>,
    /// What is wrong with the rest.
    pub(super) problem: Option<String>,
}

/// The first lines of a file whose times are counted from `base`, in whole milliseconds.
pub(super) fn head(base: Duration) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let base = SystemTime::UNIX_EPOCH + base;
    let mut serializer = V2DeflateSerializer::new();
    IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .add_comment("[Waits and holds in nanoseconds, tagged metric/primitive/name]")
        .with_start_time(base)
        .with_base_time(base)
        .begin_log_with(&mut head, &mut serializer)?;
    Ok(head)
}

/// The lines of one interval, which began `after` the base.
pub(super) fn interval<'t>(
    after: Duration,
    length: Duration,
    parts: impl IntoIterator<Item = (&'t Tag, Buckets)>,
) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut writer = IntervalLogWriterBuilder::new().begin_log_with(&mut lines, &mut serializer)?;
    for (tag, buckets) in parts {
        let tag = tag.written();
        let histogram = histogram(&buckets)?;
        writer.write_histogram(&histogram, after, length, LogTag::new(&tag)).map_err(io::Error::other)?;
    }
    Ok(lines)
}

fn histogram(buckets: &Buckets) -> io::Result<Histogram<u64>> {
    let mut histogram = Histogram::new_with_bounds(1, DURATION_MAX_NS, DIGITS).map_err(io::Error::other)?;
    for &(highest, count) in buckets {
        // The last bucket ends past the bound.
        histogram.saturating_record_n(highest.min(DURATION_MAX_NS), count);
    }
    Ok(histogram)
}

/// Reads as much of a file as can be read.
pub(super) fn read(bytes: &[u8]) -> Contents<'_> {
    let mut contents = Contents::default();
    let (mut base, mut foreign) = (Duration::ZERO, 0);
    for entry in IntervalLogIterator::new(bytes) {
        match entry {
            Ok(LogEntry::BaseTime(time)) => base = time,
            Ok(LogEntry::StartTime(_)) => {}
            Ok(LogEntry::Interval(line)) => {
                let tag = line.tag().and_then(|tag| Tag::read(tag.as_str()));
                let start = base.checked_add(line.start_timestamp());
                match (tag, start) {
                    (Some(tag), Some(start)) if start.checked_add(line.duration()).is_some() => {
                        let (length, encoded) = (line.duration(), line.encoded_histogram());
                        contents.intervals.push(Interval { tag, start, length, encoded });
                    }
                    _ => foreign += 1,
                }
            }
            Err(hdrhistogram::serialization::interval_log::LogIteratorError::ParseError { offset }) => {
                contents.problem = Some(unreadable(bytes, offset));
            }
        }
    }
    if foreign > 0 && contents.problem.is_none() {
        contents.problem = Some(format!("{foreign} lines are not of a recording of waits and holds"));
    } else if contents.intervals.is_empty() && contents.problem.is_none() && !is_head_alone(bytes) {
        contents.problem = Some("it is no recording of waits and holds".to_owned());
    }
    contents
}

/// Nothing was written into it yet.
fn is_head_alone(bytes: &[u8]) -> bool {
    bytes.starts_with(b"#[Histogram log format")
}

fn unreadable(bytes: &[u8], offset: usize) -> String {
    let rest = bytes.get(offset..).unwrap_or_default();
    if rest.contains(&b'\n') {
        let line = bytes.iter().take(offset).filter(|&&byte| byte == b'\n').count() + 1;
        format!("line {line} is not one of an interval log; it and what follows are left out")
    } else {
        "its last line is cut short and left out".to_owned()
    }
}

impl Interval<'_> {
    pub(super) fn end(&self) -> Duration {
        self.start.saturating_add(self.length)
    }
}

/// Reads histograms one after the other, in memory that it keeps: a folder has hundreds of thousands.
pub(super) struct Histograms {
    inflate: Decompress,
    deserializer: Deserializer,
    deflated: Vec<u8>,
    /// [`HISTOGRAM_BYTES`], of which the first few are of the latest histogram.
    plain: Vec<u8>,
}

impl Histograms {
    pub(super) fn new() -> Self {
        Self {
            inflate: Decompress::new(true),
            deserializer: Deserializer::new(),
            deflated: Vec::new(),
            plain: vec![0; HISTOGRAM_BYTES],
        }
    }

    /// What was counted in an interval: the highest value of each bucket, and its count.
    pub(super) fn of(&mut self, interval: &Interval<'_>) -> Result<Buckets, String> {
        self.deflated.clear();
        STANDARD
            .decode_vec(interval.encoded, &mut self.deflated)
            .map_err(|error| format!("a histogram is not base64: {error}"))?;
        let Some(plain) = self.inflate() else {
            return Err("a histogram is not a compressed one of version 2".to_owned());
        };
        let mut plain = &self.plain[..plain];
        if !has_our_bounds(plain) {
            return Err("the bounds of a histogram are not those of a recording".to_owned());
        }
        let histogram: Histogram<u64> = self
            .deserializer
            .deserialize(&mut plain)
            .map_err(|error| format!("a histogram cannot be read: {error}"))?;
        let recorded = histogram.iter_recorded();
        Ok(recorded
            .map(|step| (histogram.highest_equivalent(step.value_iterated_to()), step.count_at_value()))
            .collect())
    }

    /// Cookie, length, and the deflated rest, which ends within the room that there is. Returns how long it is.
    fn inflate(&mut self) -> Option<usize> {
        self.inflate.reset(true);
        let deflated = self.deflated.get(8..)?;
        let ended = self.inflate.decompress(deflated, &mut self.plain, FlushDecompress::Finish);
        let length = usize::try_from(self.inflate.total_out()).ok()?;
        matches!(ended, Ok(flate2::Status::StreamEnd)).then_some(length)
    }
}

/// Whether a histogram says that it is as long as it is, and of the bounds and digits that are written here.
fn has_our_bounds(plain: &[u8]) -> bool {
    let number = |at: usize| Some(u32::from_be_bytes(plain.get(at..at + 4)?.try_into().ok()?));
    let wide = |at: usize| Some(u64::from_be_bytes(plain.get(at..at + 8)?.try_into().ok()?));
    let length = plain.len().checked_sub(40).map(|length| length as u64);
    number(4).map(u64::from) == length
        && number(12) == Some(u32::from(DIGITS))
        && wide(16) == Some(1)
        && wide(24) == Some(DURATION_MAX_NS)
}
