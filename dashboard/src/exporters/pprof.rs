//! A snapshot as `pprof` reads it: where time is spent waiting, and who is to blame.
//!
//! A profile of contention as Go's runtime gives it, so that `go tool pprof`, its web page and what else reads the format (flame graphs,
//! continuous profilers) work on it: a sample for each line that acquires a primitive, below the primitive. Of three values:
//!
//! | value | what it is |
//! |---|---|
//! | `contentions` | acquisitions that waited there, and waits given up |
//! | `delay` | time waited there |
//! | `blamed` | time that others waited while somebody held what was acquired there |
//!
//! The format is `profile.proto` of <https://github.com/google/pprof>, compressed with gzip. It is written with the
//! numbers of its fields and no more of them than are used.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;

use crate::snapshot::{PrimitiveSnapshot, SiteSnapshot, Snapshot};

/// Value of the `Content-Type` header.
pub const CONTENT_TYPE: &str = "application/octet-stream";

/// Writes the profile of a snapshot that was taken `since_epoch` after 1970.
///
/// # Errors
/// Where compressing fails, which into memory it does not.
pub fn encode(snapshot: &Snapshot, since_epoch: Duration) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&profile(snapshot, since_epoch).encode_to_vec())?;
    encoder.finish()
}

fn profile(snapshot: &Snapshot, since_epoch: Duration) -> Profile {
    let mut builder = ProfileBuilder::new();
    for row in &snapshot.primitives {
        for site in &row.sites {
            builder.add(row, site);
        }
    }
    let sample_type = [("contentions", "count"), ("delay", "nanoseconds"), ("blamed", "nanoseconds")]
        .map(|(kind, unit)| ValueType { kind: builder.text(kind), unit: builder.text(unit) });
    let default_sample_type = builder.text("delay");
    let uptime = Duration::try_from_secs_f64(snapshot.uptime_s).unwrap_or_default();
    Profile {
        period: 1,
        period_type: Some(sample_type[0]),
        sample_type: sample_type.to_vec(),
        time_nanos: i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX),
        duration_nanos: i64::try_from(uptime.as_nanos()).unwrap_or(i64::MAX),
        default_sample_type,
        ..builder.profile
    }
}

/// A profile whose texts and places stand in it once.
struct ProfileBuilder {
    profile: Profile,
    texts: HashMap<String, i64>,
    /// Numbers of the locations by function, file and line.
    locations: HashMap<(i64, i64, i64), u64>,
}

impl ProfileBuilder {
    fn new() -> Self {
        let mut builder =
            Self { profile: Profile::default(), texts: HashMap::new(), locations: HashMap::new() };
        // The format wants the empty text first.
        builder.text("");
        builder
    }

    fn add(&mut self, row: &PrimitiveSnapshot, site: &SiteSnapshot) {
        let values = [site.contended.saturating_add(site.cancelled), site.wait_total_ns, site.blamed_ns];
        if values == [0; 3] {
            return;
        }
        let name = if row.name.is_empty() { &row.location } else { &row.name };
        let owner = self.location(&format!("{} {name}", row.primitive), &row.location);
        let line = if site.site.is_empty() { "(elsewhere)" } else { &site.site };
        let asking = self.location(line, &site.site);
        let label = [("primitive", &row.primitive), ("name", &row.name)]
            .map(|(key, value)| Label { key: self.text(key), text: self.text(value) });
        self.profile.sample.push(Sample {
            // The innermost first.
            location_id: vec![asking, owner],
            value: values.map(|value| i64::try_from(value).unwrap_or(i64::MAX)).to_vec(),
            label: label.to_vec(),
        });
    }

    /// The number of a location that shows as `function` at a `place` such as `src/main.rs:20:14`.
    fn location(&mut self, function: &str, place: &str) -> u64 {
        let (file, line) = split(place);
        let (name, filename) = (self.text(function), self.text(file));
        let next = self.locations.len() as u64 + 1;
        let id = *self.locations.entry((name, filename, line)).or_insert(next);
        if id == next {
            self.profile.function.push(Function { id, name, filename });
            self.profile.location.push(Location { id, line: vec![Line { function_id: id, line }] });
        }
        id
    }

    /// The number of a text.
    fn text(&mut self, text: &str) -> i64 {
        if let Some(&number) = self.texts.get(text) {
            return number;
        }
        let number = self.texts.len() as i64;
        self.texts.insert(text.to_owned(), number);
        self.profile.string_table.push(text.to_owned());
        number
    }
}

/// File and line of `src/main.rs:20` or `src/main.rs:20:14`; what is neither is a file without a line.
fn split(place: &str) -> (&str, i64) {
    let number = |text: &str| text.parse::<u32>().ok();
    let Some((rest, last)) = place.rsplit_once(':') else { return (place, 0) };
    let Some(last) = number(last) else { return (place, 0) };
    match rest.rsplit_once(':').and_then(|(file, line)| Some((file, number(line)?))) {
        Some((file, line)) => (file, line.into()),
        None => (rest, last.into()),
    }
}

#[derive(Clone, PartialEq, Message)]
struct Profile {
    #[prost(message, repeated, tag = "1")]
    sample_type: Vec<ValueType>,
    #[prost(message, repeated, tag = "2")]
    sample: Vec<Sample>,
    #[prost(message, repeated, tag = "4")]
    location: Vec<Location>,
    #[prost(message, repeated, tag = "5")]
    function: Vec<Function>,
    #[prost(string, repeated, tag = "6")]
    string_table: Vec<String>,
    #[prost(int64, tag = "9")]
    time_nanos: i64,
    #[prost(int64, tag = "10")]
    duration_nanos: i64,
    #[prost(message, optional, tag = "11")]
    period_type: Option<ValueType>,
    #[prost(int64, tag = "12")]
    period: i64,
    #[prost(int64, tag = "14")]
    default_sample_type: i64,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct ValueType {
    #[prost(int64, tag = "1")]
    kind: i64,
    #[prost(int64, tag = "2")]
    unit: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(uint64, repeated, tag = "1")]
    location_id: Vec<u64>,
    #[prost(int64, repeated, tag = "2")]
    value: Vec<i64>,
    #[prost(message, repeated, tag = "3")]
    label: Vec<Label>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Label {
    #[prost(int64, tag = "1")]
    key: i64,
    #[prost(int64, tag = "2")]
    text: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Location {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(message, repeated, tag = "4")]
    line: Vec<Line>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Line {
    #[prost(uint64, tag = "1")]
    function_id: u64,
    #[prost(int64, tag = "2")]
    line: i64,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Function {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(int64, tag = "2")]
    name: i64,
    #[prost(int64, tag = "4")]
    filename: i64,
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;
    use crate::Collector;

    fn site(site: &str, contended: u64, wait_total_ns: u64) -> SiteSnapshot {
        SiteSnapshot { site: site.to_owned(), contended, wait_total_ns, ..SiteSnapshot::default() }
    }

    fn snapshot() -> Snapshot {
        let row = |name: &str, sites| PrimitiveSnapshot {
            primitive: "mutex".to_owned(),
            name: name.to_owned(),
            location: "src/cache.rs:7".to_owned(),
            sites,
            ..PrimitiveSnapshot::default()
        };
        let busy = SiteSnapshot { cancelled: 2, blamed_ns: 9, ..site("src/main.rs:20:14", 3, 1_500) };
        let calm = SiteSnapshot { acquisitions: 5, ..site("src/main.rs:30:5", 0, 0) };
        let odd = site("", 1, u64::MAX);
        let primitives = vec![row("cache", vec![busy, calm]), row("", vec![odd])];
        Snapshot { primitives, uptime_s: 2.5, ..Collector::new().snapshot() }
    }

    fn decoded(snapshot: &Snapshot) -> Profile {
        let bytes = encode(snapshot, Duration::from_secs(3)).unwrap();
        let mut plain = Vec::new();
        GzDecoder::new(&*bytes).read_to_end(&mut plain).unwrap();
        Profile::decode(&*plain).unwrap()
    }

    #[test]
    fn a_line_that_waited_is_a_sample_below_its_primitive() {
        let profile = decoded(&snapshot());
        let text = |number: i64| profile.string_table[usize::try_from(number).unwrap()].as_str();
        let types: Vec<_> =
            profile.sample_type.iter().map(|kind| (text(kind.kind), text(kind.unit))).collect();
        assert_eq!(types, [("contentions", "count"), ("delay", "nanoseconds"), ("blamed", "nanoseconds")]);
        assert_eq!(text(profile.default_sample_type), "delay");
        assert_eq!((profile.time_nanos, profile.duration_nanos), (3_000_000_000, 2_500_000_000));
        assert_eq!(profile.string_table[0], "");

        assert_eq!(profile.sample.len(), 2, "a line at which nobody waited is none");
        assert_eq!(profile.sample[0].value, [5, 1_500, 9]);
        let frames: Vec<_> = profile.sample[0]
            .location_id
            .iter()
            .map(|&id| {
                let location = profile.location.iter().find(|location| location.id == id).unwrap();
                let line = location.line[0];
                let function =
                    profile.function.iter().find(|function| function.id == line.function_id).unwrap();
                (text(function.name), text(function.filename), line.line)
            })
            .collect();
        assert_eq!(frames, [("src/main.rs:20:14", "src/main.rs", 20), ("mutex cache", "src/cache.rs", 7)]);
    }

    #[test]
    fn absurd_figures_and_unknown_places_are_bounded() {
        let profile = decoded(&snapshot());
        assert_eq!(profile.sample[1].value, [1, i64::MAX, 0]);
        assert!(profile.string_table.contains(&"(elsewhere)".to_owned()));
        assert!(profile.string_table.contains(&"mutex src/cache.rs:7".to_owned()));
    }

    #[test]
    fn places_are_taken_apart_from_their_end() {
        assert_eq!(split("src/main.rs:20:14"), ("src/main.rs", 20));
        assert_eq!(split("C:\\a.rs:7"), ("C:\\a.rs", 7));
        assert_eq!(split("no line"), ("no line", 0));
        assert_eq!(split("a:99999999999"), ("a:99999999999", 0));
    }
}
