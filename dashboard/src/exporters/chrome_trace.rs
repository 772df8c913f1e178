//! A timeline in Chrome's trace event format, which <https://ui.perfetto.dev> and `chrome://tracing` open.
//!
//! Each task is a track, on which its waits and holds are slices; a wait has two in it, `queued` and `wake`. Slices of a track
//! lie within each other or apart, so a task that holds two things which overlap otherwise has a second track below its own. What
//! tasks did that are not known is shown by object. An arrow leads from the hold whose release ended a wait to that wait, where both were
//! recorded.
//!
//! The format is that of <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>: complete events
//! (`X`), flows (`s`, `f`) and names (`M`). Times are microseconds since the recording began, with three decimals.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::json;

use crate::snapshot::{Timeline, TimelineEntry, TimelinePlace, TimelineWait};

/// Value of the `Content-Type` header.
pub const CONTENT_TYPE: &str = "application/json";

/// Tracks that one task is given at most; what finds none is left out, and counted.
const LANES: usize = 64;

/// Bytes of a piece, about.
const PIECE_BYTES: usize = 1 << 16;

/// Writes a timeline whole.
#[must_use]
pub fn encode(timeline: Timeline) -> String {
    pieces(timeline).collect()
}

/// Writes a timeline piece by piece: all of it may be tens of megabytes.
pub fn pieces(timeline: Timeline) -> impl Iterator<Item = String> + Send + 'static {
    let mut writer = Writer::new(timeline);
    std::iter::from_fn(move || writer.next_piece())
}

/// Where a writer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Head,
    /// The next entry.
    Entries(usize),
    Done,
}

#[derive(Debug)]
struct Writer {
    timeline: Timeline,
    tracks: Tracks,
    /// The track of each entry; none for one that found none.
    placed: Vec<Option<usize>>,
    /// Track and times of the hold of an operation.
    holds: HashMap<u64, Hold>,
    labels: Vec<Label>,
    /// What times are counted from.
    origin_ns: u64,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
struct Hold {
    track: usize,
    began_ns: u64,
    ended_ns: u64,
}

/// What a line is called, as JSON.
#[derive(Debug)]
struct Label {
    /// In quotes, without them.
    text: String,
    /// Members of an object.
    arguments: String,
}

impl Writer {
    fn new(mut timeline: Timeline) -> Self {
        // What lies around something else comes before it.
        timeline.entries.sort_by_key(|entry| (entry.began_ns, Reverse(entry.ended_ns)));
        let mut tracks = Tracks::default();
        let placed: Vec<_> =
            timeline.entries.iter().map(|entry| tracks.place(entry, &timeline.places)).collect();
        let holds = timeline.entries.iter().zip(&placed).filter_map(|(entry, track)| {
            let hold = Hold { track: (*track)?, began_ns: entry.began_ns, ended_ns: entry.ended_ns };
            (entry.wait.is_none() && entry.op != 0).then_some((entry.op, hold))
        });
        let first_ns = timeline.entries.first().map_or(u64::MAX, |entry| entry.began_ns);
        Self {
            tracks,
            holds: holds.collect(),
            labels: timeline.places.iter().map(label).collect(),
            // What was under way when it was switched on began before.
            origin_ns: first_ns.min(timeline.since_ns),
            placed,
            timeline,
            stage: Stage::Head,
        }
    }

    fn next_piece(&mut self) -> Option<String> {
        let mut text = String::new();
        while text.len() < PIECE_BYTES {
            self.stage = match self.stage {
                Stage::Head => {
                    self.head(&mut text);
                    Stage::Entries(0)
                }
                Stage::Entries(index) if index < self.placed.len() => {
                    self.entry(&mut text, index);
                    Stage::Entries(index + 1)
                }
                Stage::Entries(_) => {
                    text.push_str("\n]}\n");
                    Stage::Done
                }
                Stage::Done => break,
            };
        }
        (!text.is_empty()).then_some(text)
    }

    /// What is known of the whole, and the names of the tracks.
    fn head(&self, text: &mut String) {
        let Timeline { since_ns, until_ns, whole_since_ns, forgotten, dropped, .. } = self.timeline;
        let left_out = self.placed.iter().filter(|track| track.is_none()).count();
        let other = json!({
            "recorded_us": [self.micros(since_ns), self.micros(until_ns)],
            "whole_since_us": self.micros(whole_since_ns),
            "forgotten": forgotten,
            "dropped": dropped,
            "left_out": left_out,
        });
        let _ = writeln!(text, "{{\"displayTimeUnit\":\"ns\",\"otherData\":{other},\"traceEvents\":[");
        let process =
            json!({"ph": "M", "pid": 1, "tid": 0, "name": "process_name", "args": {"name": "sync"}});
        let _ = write!(text, "{process}");
        for (track, name) in self.tracks.names.iter().enumerate() {
            for (what, arguments) in
                [("thread_name", json!({"name": name})), ("thread_sort_index", json!({"sort_index": track}))]
            {
                let named = json!({"ph": "M", "pid": 1, "tid": tid(track), "name": what, "args": arguments});
                let _ = write!(text, ",\n{named}");
            }
        }
    }

    fn entry(&self, text: &mut String, index: usize) {
        let (entry, Some(track)) = (&self.timeline.entries[index], self.placed[index]) else { return };
        let Some(label) = self.labels.get(entry.place) else { return };
        let &TimelineEntry { op, object, permits, began_ns, ended_ns, took_ns, ref wait, .. } = entry;
        let what = if wait.is_some() { "wait" } else { "hold" };
        self.slice(text, what, track, (began_ns, ended_ns), &label.text);
        let _ = write!(text, ",\"args\":{{\"op\":{op},\"object\":{object},\"permits\":{permits}");
        let _ = write!(text, ",\"took_ns\":{took_ns},{}", label.arguments);
        if let Some(TimelineWait { outcome, given_by, .. }) = wait {
            let _ = write!(text, ",\"outcome\":\"{}\"", outcome.as_str());
            if *given_by != 0 {
                let _ = write!(text, ",\"given_by\":{given_by}");
            }
        }
        text.push_str("}}");
        if let Some(wait) = wait {
            self.parts(text, track, entry, wait);
        }
    }

    /// What lies in a wait, and the arrow to it.
    fn parts(&self, text: &mut String, track: usize, entry: &TimelineEntry, wait: &TimelineWait) {
        let &TimelineEntry { began_ns, ended_ns, .. } = entry;
        let mut granted_ns = ended_ns;
        if let TimelineWait { queued_ns: Some(queued_ns), wake_ns: Some(_), .. } = wait {
            granted_ns = began_ns.saturating_add(*queued_ns).min(ended_ns);
            for (part, times) in [("queued", (began_ns, granted_ns)), ("wake", (granted_ns, ended_ns))] {
                self.slice(text, part, track, times, "");
                text.push('}');
            }
        }
        // A hold that ended after it gave the rest to others did not end the wait by its end.
        let giver = self.holds.get(&wait.given_by).filter(|hold| hold.ended_ns <= ended_ns);
        if let (Some(hold), false) = (giver, entry.op == 0) {
            // An arrow belongs to the slice that is open at its time, which one that ends then is not.
            let from_ns = hold.ended_ns.saturating_sub(1).max(hold.began_ns);
            let to_ns = granted_ns.min(ended_ns.saturating_sub(1)).max(began_ns);
            for (phase, track, at_ns) in [("s", hold.track, from_ns), ("f\",\"bp\":\"e", track, to_ns)] {
                let _ = write!(
                    text,
                    ",\n{{\"ph\":\"{phase}\",\"name\":\"gives\",\"cat\":\"gives\",\"id\":{}",
                    entry.op
                );
                let _ = write!(text, ",\"pid\":1,\"tid\":{},\"ts\":{}}}", tid(track), self.micros(at_ns));
            }
        }
    }

    /// A slice without its end, so that arguments may follow.
    fn slice(&self, text: &mut String, what: &str, track: usize, (began_ns, ended_ns): (u64, u64), of: &str) {
        let space = if of.is_empty() { "" } else { " " };
        let _ = write!(text, ",\n{{\"ph\":\"X\",\"name\":\"{what}{space}{of}\",\"cat\":\"{what}\",\"pid\":1");
        let (ts, dur) = (self.micros(began_ns), Micros(ended_ns.saturating_sub(began_ns)));
        let _ = write!(text, ",\"tid\":{},\"ts\":{ts},\"dur\":{dur}", tid(track));
    }

    fn micros(&self, at_ns: u64) -> Micros {
        Micros(at_ns.saturating_sub(self.origin_ns))
    }
}

/// Numbers of threads begin after that of the process: viewers take a thread of the same number for the main one, and say so.
fn tid(track: usize) -> usize {
    track + 2
}

fn label(place: &TimelinePlace) -> Label {
    let TimelinePlace { primitive, name, location, site, .. } = place;
    let shown = if name.is_empty() { location } else { name };
    let quoted = json!(format!("{primitive} {shown}")).to_string();
    let arguments =
        json!({"primitive": primitive, "name": name, "line": site, "made_at": location}).to_string();
    let within = |text: &str| text.get(1..text.len().saturating_sub(1)).unwrap_or_default().to_owned();
    Label { text: within(&quoted), arguments: within(&arguments) }
}

/// Nanoseconds, written as microseconds.
#[derive(Clone, Copy, Debug)]
struct Micros(u64);

impl std::fmt::Display for Micros {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

impl serde::Serialize for Micros {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / 1e3)
    }
}

/// Whose slices go together: a task's, or an object's where the task is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Owner {
    Task(u64),
    Object(u64),
}

/// The tracks, and what lies open on each.
#[derive(Debug, Default)]
struct Tracks {
    of: HashMap<Owner, Vec<usize>>,
    names: Vec<String>,
    /// Ends of the slices that lie around the place where a track has come to, the innermost last.
    open: Vec<Vec<u64>>,
}

impl Tracks {
    /// The first track of its owner in which an entry lies within others or apart from them. They come in the order in
    /// which they begin.
    fn place(&mut self, entry: &TimelineEntry, places: &[TimelinePlace]) -> Option<usize> {
        let owner = if entry.task == 0 { Owner::Object(entry.object) } else { Owner::Task(entry.task) };
        let lanes = self.of.entry(owner).or_default();
        let fits = |open: &mut Vec<u64>| {
            while open.last().is_some_and(|&end_ns| end_ns <= entry.began_ns) {
                open.pop();
            }
            open.last().is_none_or(|&end_ns| end_ns >= entry.ended_ns)
        };
        let found = lanes.iter().copied().find(|&track| fits(&mut self.open[track]));
        if found.is_none() && lanes.len() == LANES {
            return None;
        }
        let track = found.unwrap_or_else(|| {
            let mut name = match owner {
                Owner::Task(task) => format!("task #{task:x}"),
                Owner::Object(object) => {
                    let primitive = places.get(entry.place).map_or("object", |place| &place.primitive);
                    format!("unknown tasks at {primitive} {object}")
                }
            };
            if !lanes.is_empty() {
                let _ = write!(name, " ({})", lanes.len() + 1);
            }
            self.names.push(name);
            self.open.push(Vec::new());
            lanes.push(self.names.len() - 1);
            self.names.len() - 1
        });
        self.open[track].push(entry.ended_ns);
        Some(track)
    }
}

#[cfg(test)]
mod tests;
