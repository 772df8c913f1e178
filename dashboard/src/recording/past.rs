//! A recording read back: what was counted in a span of time.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::file::{self, Histograms, Interval};
use super::folder::{self, Recorded};
use super::sums::{self, Sums};
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
    file: Recorded,
    summary: Summary,
    /// All of it, where that was asked for once: a file of 8 MiB takes a quarter of a second to read, and this next to nothing.
    whole: Option<Arc<Sums>>,
}

/// What a file has, whatever was asked for.
#[derive(Clone, Debug, Default)]
struct Summary {
    recorded_s: Option<[f64; 2]>,
    /// The first end of an interval, and the last start of one.
    inner_s: Option<[f64; 2]>,
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
    /// Files that were read whole before, and are as they were, are not read again.
    ///
    /// # Errors
    /// Where the folder cannot be read. A file that cannot be is one of [`Past::problems`].
    pub fn read(&self, from_s: Option<f64>, to_s: Option<f64>) -> io::Result<Past> {
        self.read_with_progress(from_s, to_s, |_, _| ())
    }

    /// As [`read`](Self::read), telling `progress` before each file how many bytes are done, and of how many. The first reading of
    /// 256 MiB takes some seconds.
    ///
    /// # Errors
    /// As those of `read`.
    pub fn read_with_progress(
        &self,
        from_s: Option<f64>,
        to_s: Option<f64>,
        mut progress: impl FnMut(u64, u64),
    ) -> io::Result<Past> {
        let mut reading = Reading {
            from_s: from_s.unwrap_or(f64::NEG_INFINITY),
            to_s: to_s.unwrap_or(f64::INFINITY),
            past: Past::default(),
            sums: Sums::default(),
            histograms: Histograms::new(),
        };
        let files = folder::logs(&self.folder)?;
        let before = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut known = HashMap::new();
        let (mut done, all) = (0, files.iter().map(|file| file.bytes).sum());
        let mut kept = 0;
        for file in &files {
            progress(done, all);
            done += file.bytes;
            let before = before.get(&file.path).filter(|before| before.file == *file);
            let (summary, whole) = reading.file(file, before);
            reading.note(file, &summary);
            kept += whole.as_ref().map_or(0, |whole| whole.weight());
            let whole = whole.filter(|_| kept <= sums::BUCKETS);
            known.insert(file.path.clone(), Known { file: file.clone(), summary, whole });
        }
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(reading.done())
    }
}

impl<P: Into<PathBuf>> From<P> for Recording {
    fn from(folder: P) -> Self {
        Self::new(folder)
    }
}

struct Reading {
    from_s: f64,
    to_s: f64,
    past: Past,
    sums: Sums,
    histograms: Histograms,
}

impl Reading {
    /// Whether something of what lies between two moments was asked for.
    fn has_part_of(&self, span: Option<[f64; 2]>) -> bool {
        span.is_some_and(|[start, end]| start < self.to_s - EDGE_S && end > self.from_s + EDGE_S)
    }

    /// Whether each interval of a file was asked for.
    fn has_all_of(&self, summary: &Summary) -> bool {
        let inner = summary.inner_s.map(|[first_end, last_start]| [last_start, first_end]);
        self.has_part_of(inner)
    }

    /// Adds up what was asked for of a file; reads it where it was not read whole before.
    fn file(&mut self, file: &Recorded, before: Option<&Known>) -> (Summary, Option<Arc<Sums>>) {
        let whole = before.and_then(|before| before.whole.clone());
        if let Some(before) = before {
            if !self.has_part_of(before.summary.recorded_s) {
                return (before.summary.clone(), whole);
            }
            if let Some(sums) = whole.as_ref().filter(|_| self.has_all_of(&before.summary)) {
                self.add(file, sums);
                return (before.summary.clone(), whole);
            }
        }
        let (summary, sums) = self.read(file);
        let sums = Arc::new(sums);
        self.add(file, &sums);
        let is_whole = self.has_all_of(&summary);
        (summary, if is_whole { Some(sums) } else { whole })
    }

    fn add(&mut self, file: &Recorded, sums: &Sums) {
        if let Err(error) = self.sums.add_all(sums) {
            self.problem(file, left_out(error));
        }
    }

    fn problem(&mut self, recorded: &Recorded, error: String) {
        let file = recorded.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.past.problems.push(Problem { file, error });
    }

    /// Reads a file, and adds up what of it was asked for.
    fn read(&mut self, recorded: &Recorded) -> (Summary, Sums) {
        let (mut summary, mut sums) = (Summary::default(), Sums::default());
        if recorded.bytes > FILE_BYTES {
            summary.problem = Some(format!("it has more than {} MiB and is not read", FILE_BYTES >> 20));
            return (summary, sums);
        }
        let bytes = match fs::read(&recorded.path) {
            Ok(bytes) => bytes,
            Err(error) => return (Summary { problem: Some(error.to_string()), ..summary }, sums),
        };
        let contents = file::read(&bytes);
        summary.problem = contents.problem;
        for interval in &contents.intervals {
            let span @ [start, end] = [interval.start, interval.end()].map(|time| time.as_secs_f64());
            widen(&mut summary.recorded_s, span);
            let [first_end, last_start] = summary.inner_s.get_or_insert([end, start]);
            (*first_end, *last_start) = (first_end.min(end), last_start.max(start));
            shorten(&mut summary.interval_s, interval.length.as_secs_f64());
            if self.has_part_of(Some(span))
                && let Err(error) = self.interval(interval, &mut sums)
            {
                summary.problem.get_or_insert_with(|| left_out(&error));
            }
        }
        (summary, sums)
    }

    fn interval(&mut self, interval: &Interval<'_>, sums: &mut Sums) -> Result<(), String> {
        let buckets = self.histograms.of(interval)?;
        sums.add(&interval.tag, (interval.start, interval.end()), &buckets).map_err(str::to_owned)
    }

    /// Adds a file to what is told of the whole.
    fn note(&mut self, recorded: &Recorded, summary: &Summary) {
        if let Some(span) = summary.recorded_s {
            widen(&mut self.past.recorded_s, span);
            shorten(&mut self.past.interval_s, summary.interval_s);
        }
        if let Some(error) = summary.problem.clone() {
            self.problem(recorded, error);
        }
    }

    fn done(self) -> Past {
        let mut past = self.past;
        let mut rows: BTreeMap<(String, String), PrimitiveSnapshot> = BTreeMap::new();
        let intervals = self.sums.intervals.len();
        for (start, end) in &self.sums.intervals {
            widen(&mut past.covered_s, [start, end].map(Duration::as_secs_f64));
        }
        for (tag, buckets) in self.sums.into_histograms() {
            let row = rows.entry((tag.primitive, tag.name)).or_default();
            *tag.metric.of_mut(row) = Distribution::from_buckets(buckets);
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
        Past { primitives: primitives.collect(), intervals, ..past }
    }
}

fn left_out(error: &str) -> String {
    format!("a part of it is left out: {error}")
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
