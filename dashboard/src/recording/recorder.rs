//! Writes what a collector counted, interval by interval, on a thread of its own.
//!
//! What cannot be written is said once, as an event of the target `dashboard` and in the snapshot, and is not lost while the
//! program runs: the next interval that can be written begins where the last one ended.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use super::totals::Totals;
use super::{RecordingLimits, file, folder};
use crate::collector::Collector;
use crate::snapshot::{RecordingSnapshot, Snapshot};

/// Records a collector into a folder until it is dropped, which writes what is not written yet.
///
/// # Examples
///
/// ```
/// use dashboard::recording::{Recorder, Recording, RecordingLimits};
///
/// let folder = std::env::temp_dir().join(format!("recording-{}", std::process::id()));
/// let collector = dashboard::Collector::new();
/// let recorder = Recorder::start(&collector, &folder, RecordingLimits::default())?;
/// // A program that uses `sync`.
/// drop(recorder);
/// assert_eq!(Recording::new(&folder).read(None, None)?.problems, []);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "dropping it ends the recording"]
pub struct Recorder {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Begins to record; the folder is made where it is missing.
    ///
    /// # Errors
    /// Where the folder cannot be made or written to, or the thread cannot be made. What goes wrong later is no error.
    pub fn start(
        collector: &Collector,
        folder: impl Into<PathBuf>,
        limits: RecordingLimits,
    ) -> io::Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        let mut writer = Writer::new(folder, limits.bounded());
        let snapshot = collector.snapshot();
        writer.open()?;
        writer.before = Totals::of(&snapshot);
        collector.note_recording(writer.status.clone());
        let (collector, interval) = (collector.clone(), writer.limits.interval);
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("recorder".to_owned()).spawn(move || {
            loop {
                let over = stopped.recv_timeout(interval) != Err(RecvTimeoutError::Timeout);
                write(&mut writer, &collector);
                if over {
                    return;
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the recorder must not become one of the application.
            let _ = thread.join();
        }
    }
}

/// Writes an interval, and tells of what is new about that.
fn write(writer: &mut Writer, collector: &Collector) {
    let had_problem = writer.status.problem.is_some();
    writer.step(&collector.snapshot(), SystemTime::now());
    collector.note_recording(writer.status.clone());
    let folder = writer.folder.display().to_string();
    match &writer.status.problem {
        Some(problem) if !had_problem => collector.tell_as_own(|| {
            tracing::warn!(
                target: "dashboard",
                folder,
                next = "make room, or the folder writable: what was counted meanwhile is then written",
                "the recording cannot be written: {problem}"
            );
        }),
        None if had_problem => collector.tell_as_own(|| {
            tracing::info!(target: "dashboard", folder, "over: the recording is written again");
        }),
        _ => {}
    }
}

/// Files of one recorder at most; names order them up to here.
const NUMBERS: u64 = 1_000_000;

/// Where a recording has come to.
#[derive(Debug)]
pub(super) struct Writer {
    folder: PathBuf,
    limits: RecordingLimits,
    current: Option<Current>,
    /// Files begun.
    number: u64,
    /// What was written already.
    before: Totals,
    /// Since when nothing is written.
    since: Instant,
    pub(super) status: RecordingSnapshot,
}

/// A file that is written to.
#[derive(Debug)]
struct Current {
    file: File,
    path: PathBuf,
    base: Duration,
    /// All of it that is whole.
    bytes: u64,
}

impl Writer {
    pub(super) fn new(folder: PathBuf, limits: RecordingLimits) -> Self {
        let status =
            RecordingSnapshot { folder: folder.display().to_string(), ..RecordingSnapshot::default() };
        Self {
            folder,
            limits,
            current: None,
            number: 0,
            before: Totals::default(),
            since: Instant::now(),
            status,
        }
    }

    /// Begins a file.
    fn open(&mut self) -> io::Result<()> {
        // Times in a log have three decimals.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let base = Duration::from_millis(now.as_millis() as u64);
        let (mut file, path) = self.create(base)?;
        let head = file::head(base)?;
        let written = file.write_all(&head);
        self.current = Some(Current { file, path, base, bytes: 0 });
        written?;
        if let Some(current) = &mut self.current {
            current.bytes = head.len() as u64;
        }
        Ok(())
    }

    /// Makes a file of a name that is not there yet: another recorder may have begun within the same second.
    fn create(&mut self, base: Duration) -> io::Result<(File, PathBuf)> {
        loop {
            let path = self.folder.join(folder::name(base, self.number));
            let made = OpenOptions::new().write(true).create_new(true).open(&path);
            self.number += 1;
            match made {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && self.number < NUMBERS => {}
                made => return Ok((made?, path)),
            }
        }
    }

    /// Writes what is new in a snapshot that was taken at `now`.
    pub(super) fn step(&mut self, snapshot: &Snapshot, now: SystemTime) {
        let totals = Totals::of(snapshot);
        let length = self.since.elapsed();
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        match self.append(&totals, now.saturating_sub(length), length) {
            Ok(()) => {
                self.before = totals;
                self.since = Instant::now();
                self.status.problem = None;
            }
            Err(error) => {
                self.status.problem = Some(error.to_string());
                self.take_back();
            }
        }
    }

    fn append(&mut self, totals: &Totals, start: Duration, length: Duration) -> io::Result<()> {
        let new = totals.since(&self.before);
        if self.current.as_ref().is_none_or(|current| !is_there(current)) {
            self.open()?;
        }
        if new.is_empty() {
            return Ok(());
        }
        let Some(current) = &mut self.current else { return Ok(()) };
        // A clock that stepped back does not make an interval of another time than its file's.
        let lines = file::interval(start.saturating_sub(current.base), length, new)?;
        current.file.write_all(&lines)?;
        current.file.sync_data()?;
        current.bytes += lines.len() as u64;
        self.status.intervals += 1;
        if current.bytes >= self.limits.file_bytes {
            self.open()?;
        }
        self.trim()
    }

    fn trim(&mut self) -> io::Result<()> {
        let current = self.current.as_ref().map_or(Path::new(""), |current| &current.path);
        let (removed, files, bytes) = folder::trim(&self.folder, self.limits.total_bytes, current)?;
        self.status.files_removed += removed;
        (self.status.files, self.status.bytes) = (files, bytes);
        Ok(())
    }

    /// Cuts off what was written in part; a file that cannot be cut is not written to any more.
    fn take_back(&mut self) {
        use std::io::Seek as _;
        if let Some(current) = &mut self.current {
            let cut = current.file.set_len(current.bytes);
            let cut = cut.and_then(|()| current.file.seek(io::SeekFrom::Start(current.bytes)));
            if cut.is_err() || current.bytes == 0 {
                self.current = None;
            }
        }
    }
}

/// Whether a file is still in its folder, and nobody else has changed it. Writing to one that was removed does not fail.
fn is_there(current: &Current) -> bool {
    fs::metadata(&current.path).is_ok_and(|found| found.len() == current.bytes)
}
