//! A recording read back: what was counted in a span of time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::file::{self, Interval};
use super::folder::{self, Recorded};
use super::tag::Tag;
use crate::snapshot::{Distribution, PrimitiveSnapshot};

/// Bytes of a file that is read at most; a recorder's own are smaller unless it was told otherwise.
const FILE_BYTES: u64 = 64 << 20;

/// Times in a log have three decimals, so that one interval may seem to begin before the one before it ends.
const EDGE_S: f64 = 0.002;

/// The files of a folder.
#[derive(Clone, Debug)]
pub struct Recording {
    folder: PathBuf,
    /// What files had that were read, so that those of another time are not read again.
    known: Arc<Mutex<HashMap<PathBuf, Known>>>,
}

/// A file as it was when it was read.
#[derive(Clone, Debug)]
struct Known {
    modified: Option<SystemTime>,
    bytes: u64,
    summary: Summary,
}

/// What a file has, whatever was asked for.
#[derive(Clone, Debug, Default)]
struct Summary {
    recorded_s: Option<[f64; 2]>,
    /// The shortest interval; zero where there is none.
    interval_s: f64,
    problem: Option<String>,
}

/// What was counted in a span of a recording.
///
/// Times are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Past {
    /// When the recording begins and ends; nothing where it is empty.
    pub recorded_s: Option<[f64; 2]>,
    /// Where the intervals begin and end that were added up: those that the span asked for has a part of.
    pub covered_s: Option<[f64; 2]>,
    /// How many they are.
    pub intervals: usize,
    /// The shortest interval of the recording.
    pub interval_s: f64,
    /// What was counted, by kind and name.
    pub primitives: Vec<PastPrimitive>,
    /// Files that are none, or of which something is missing.
    pub problems: Vec<Problem>,
}

/// Primitives of one kind and name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PastPrimitive {
    /// `mutex`, `condition`, `semaphore`, `event` or `barrier`.
    pub primitive: String,
    /// The name, or where it has none the line that made it.
    pub name: String,
    /// Joined the queue → resumed.
    pub wait_ns: Distribution,
    /// Granted → released.
    pub hold_ns: Distribution,
    /// Joined the queue → granted.
    pub queued_ns: Distribution,
    /// Granted → resumed.
    pub wake_ns: Distribution,
    /// Joined the queue → dropped.
    pub cancelled_wait_ns: Distribution,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Its name.
    pub file: String,
    /// What.
    pub error: String,
}

impl Recording {
    /// That of a folder, which is looked at whenever something is asked.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), known: Arc::default() }
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What was counted from a moment until another, in seconds since 1970; from the beginning and until the end where none is given.
    ///
    /// # Errors
    /// Where the folder cannot be read. A file that cannot be is one of [`Past::problems`].
    pub fn read(&self, from_s: Option<f64>, to_s: Option<f64>) -> io::Result<Past> {
        let mut reading = Reading {
            from_s: from_s.unwrap_or(f64::NEG_INFINITY),
            to_s: to_s.unwrap_or(f64::INFINITY),
            past: Past::default(),
            intervals: BTreeSet::new(),
            sums: BTreeMap::new(),
        };
        let files = folder::logs(&self.folder)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        known.retain(|path, _| files.iter().any(|file| file.path == *path));
        for file in &files {
            let modified = fs::metadata(&file.path).and_then(|found| found.modified()).ok();
            let before = known.get(&file.path);
            let before = before.filter(|before| before.modified == modified && before.bytes == file.bytes);
            let summary = match before {
                Some(before) if !reading.has_part_of(before.summary.recorded_s) => before.summary.clone(),
                _ => reading.file(file),
            };
            reading.note(file, &summary);
            known.insert(file.path.clone(), Known { modified, bytes: file.bytes, summary });
        }
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(reading.done())
    }
}

struct Reading {
    from_s: f64,
    to_s: f64,
    past: Past,
    /// By start and end: each has many lines.
    intervals: BTreeSet<(Duration, Duration)>,
    sums: BTreeMap<Tag, BTreeMap<u64, u64>>,
}

impl Reading {
    /// Whether something of what lies between two moments was asked for.
    fn has_part_of(&self, span: Option<[f64; 2]>) -> bool {
        span.is_some_and(|[start, end]| start < self.to_s - EDGE_S && end > self.from_s + EDGE_S)
    }

    /// Reads a file, and adds up what of it was asked for.
    fn file(&mut self, recorded: &Recorded) -> Summary {
        let mut summary = Summary::default();
        if recorded.bytes > FILE_BYTES {
            summary.problem = Some(format!("it has more than {} MiB and is not read", FILE_BYTES >> 20));
            return summary;
        }
        let bytes = match fs::read(&recorded.path) {
            Ok(bytes) => bytes,
            Err(error) => return Summary { problem: Some(error.to_string()), ..summary },
        };
        let contents = file::read(&bytes);
        summary.problem = contents.problem;
        for interval in &contents.intervals {
            let span = [interval.start, interval.end()].map(|time| time.as_secs_f64());
            widen(&mut summary.recorded_s, span);
            shorten(&mut summary.interval_s, interval.length.as_secs_f64());
            if let Err(error) = self.interval(interval, span) {
                let left_out = format!("a histogram cannot be read and is left out: {error}");
                summary.problem.get_or_insert(left_out);
            }
        }
        summary
    }

    fn interval(&mut self, interval: &Interval<'_>, span: [f64; 2]) -> Result<(), String> {
        if !self.has_part_of(Some(span)) {
            return Ok(());
        }
        let buckets = interval.buckets()?;
        widen(&mut self.past.covered_s, span);
        self.intervals.insert((interval.start, interval.end()));
        let sums = self.sums.entry(interval.tag.clone()).or_default();
        for (highest, count) in buckets {
            let sum = sums.entry(highest).or_default();
            *sum = sum.saturating_add(count);
        }
        Ok(())
    }

    /// Adds a file to what is told of the whole.
    fn note(&mut self, recorded: &Recorded, summary: &Summary) {
        if let Some(span) = summary.recorded_s {
            widen(&mut self.past.recorded_s, span);
            shorten(&mut self.past.interval_s, summary.interval_s);
        }
        if let Some(error) = summary.problem.clone() {
            let file = recorded.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            self.past.problems.push(Problem { file, error });
        }
    }

    fn done(self) -> Past {
        let mut rows: BTreeMap<(String, String), PrimitiveSnapshot> = BTreeMap::new();
        for (tag, buckets) in self.sums {
            let row = rows.entry((tag.primitive, tag.name)).or_default();
            *tag.metric.of_mut(row) = Distribution::from_buckets(buckets.into_iter().collect());
        }
        let primitives = rows.into_iter().map(|((primitive, name), row)| PastPrimitive {
            primitive,
            name,
            wait_ns: row.wait_ns,
            hold_ns: row.hold_ns,
            queued_ns: row.queued_ns,
            wake_ns: row.wake_ns,
            cancelled_wait_ns: row.cancelled_wait_ns,
        });
        Past { primitives: primitives.collect(), intervals: self.intervals.len(), ..self.past }
    }
}

/// Has a span cover another.
fn widen(span: &mut Option<[f64; 2]>, by: [f64; 2]) {
    *span = Some(span.map_or(by, |[start, end]| [start.min(by[0]), end.max(by[1])]));
}

/// The shorter of the two; zero is none.
fn shorten(shortest: &mut f64, length: f64) {
    if *shortest == 0.0 || length < *shortest {
        *shortest = length;
    }
}
