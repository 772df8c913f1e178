//! What is written is read back, by us and by the log's own reader; limits hold, and broken files are named.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use proptest::prelude::*;

use super::recorder::Writer;
use super::sums::Sums;
use super::tag::{Metric, Tag};
use super::totals::Buckets;
use super::*;
use crate::Collector;
use crate::collector::DURATION_MAX_NS;
use crate::snapshot::{Distribution, PrimitiveSnapshot, Snapshot};

/// A snapshot of rows with waits alone: name, and durations with their counts.
fn snapshot(rows: &[(&str, &[(u64, u64)])]) -> Snapshot {
    let row = |&(name, buckets): &(&str, &[(u64, u64)])| PrimitiveSnapshot {
        primitive: "mutex".to_owned(),
        name: name.to_owned(),
        location: "src/main.rs:7".to_owned(),
        wait_ns: Distribution::from_buckets(buckets.to_vec()),
        ..PrimitiveSnapshot::default()
    };
    Snapshot { primitives: rows.iter().map(row).collect(), ..Collector::new().snapshot() }
}

fn limits(file_bytes: u64, total_bytes: u64) -> RecordingLimits {
    RecordingLimits { file_bytes, total_bytes, ..RecordingLimits::default() }.bounded()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    folder::logs(folder).unwrap().into_iter().map(|file| file.path).collect()
}

fn waits(past: &Past, name: &str) -> Buckets {
    let row = past.primitives.iter().find(|row| row.name == name);
    row.map(|row| row.wait_ns.buckets.clone()).unwrap_or_default()
}

#[test]
fn intervals_hold_what_is_new_and_sum_up_to_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(folder.path().to_owned(), limits(8 << 20, 256 << 20));
    for (seconds, buckets) in
        [(10, vec![(100, 1)]), (20, vec![(100, 3), (200, 1)]), (30, vec![(100, 3), (200, 1)])]
    {
        let now = SystemTime::now() + Duration::from_secs(seconds);
        writer.step(&snapshot(&[("cache", &buckets), ("", &[(50, seconds)])]), now);
        assert_eq!(writer.status.problem, None);
    }
    assert_eq!((writer.status.intervals, writer.status.files), (3, 1));
    let recording = Recording::new(folder.path());
    let whole = recording.read(None, None).unwrap();
    assert_eq!((whole.problems.as_slice(), whole.intervals), ([].as_slice(), 3));
    assert_eq!(waits(&whole, "cache"), [(100, 3), (200, 1)]);
    assert_eq!(waits(&whole, "src/main.rs:7"), [(50, 30)], "what has no name goes by its line");

    // The second alone: each lies a moment before the `now` it was written with.
    let [from, until] = whole.recorded_s.unwrap();
    let second = recording.read(Some(from + 5.0), Some(from + 15.0)).unwrap();
    assert_eq!((second.intervals, waits(&second, "cache")), (1, vec![(100, 2), (200, 1)]));
    let last = recording.read(Some(until - 5.0), None).unwrap();
    assert_eq!((waits(&last, "cache"), waits(&last, "src/main.rs:7")), (vec![], vec![(50, 10)]));
    let none = recording.read(Some(until + 60.0), None).unwrap();
    assert_eq!((none.intervals, none.covered_s, none.recorded_s), (0, None, whole.recorded_s));
    // A file that was read before, and of which nothing was asked for, is read again once it has changed.
    writer.step(&snapshot(&[("cache", &[(100, 3), (200, 9)])]), SystemTime::now() + Duration::from_secs(90));
    let later = recording.read(Some(until + 30.0), None).unwrap();
    assert_eq!((later.intervals, waits(&later, "cache")), (1, vec![(200, 8)]));
    let all = recording.read(None, None).unwrap();
    assert_eq!((all.intervals, waits(&all, "cache")), (4, vec![(100, 3), (200, 9)]));
}

#[test]
fn figures_that_were_reset_begin_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(folder.path().to_owned(), limits(8 << 20, 256 << 20));
    for buckets in [[(100, 5)], [(100, 2)], [(301, 1)]] {
        writer.step(&snapshot(&[("cache", &buckets)]), SystemTime::now());
    }
    let past = Recording::new(folder.path()).read(None, None).unwrap();
    assert_eq!(waits(&past, "cache"), [(100, 7), (301, 1)]);
}

#[test]
fn files_and_all_of_them_together_stay_within_their_limits() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.hlog"), "#[Histogram log format of somebody else]\n").unwrap();
    let (file_bytes, total_bytes) = (4_000, 64 << 10);
    let mut writer = Writer::new(folder.path().to_owned(), limits(file_bytes, total_bytes));
    for step in 1..=1_500 {
        writer.step(&snapshot(&[("cache", &[(100, step)]), ("pool", &[(900, step)])]), SystemTime::now());
        let recorded = folder::recorded(folder.path()).unwrap();
        let sum: u64 = recorded.iter().map(|file| file.bytes).sum();
        assert!(sum <= total_bytes, "{sum}");
        assert!(recorded.iter().all(|file| file.bytes < file_bytes + 1_000));
        assert_eq!((writer.status.files, writer.status.bytes), (recorded.len() as u64, sum));
    }
    assert!(writer.status.files_removed > 0);
    assert!(folder.path().join("notes.hlog").exists(), "what others put there stays");
    let past = Recording::new(folder.path()).read(None, None).unwrap();
    assert_eq!(past.problems, []);
    let [(100, kept)] = waits(&past, "cache")[..] else { panic!("{past:?}") };
    assert!(kept > 100 && kept < 1_500, "the latest are kept: {kept}");
}

#[test]
fn a_folder_that_vanishes_is_said_and_nothing_is_lost_once_it_is_back() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("recording");
    fs::create_dir(&folder).unwrap();
    let mut writer = Writer::new(folder.clone(), limits(8 << 20, 256 << 20));
    writer.step(&snapshot(&[("cache", &[(100, 1)])]), SystemTime::now());
    fs::remove_dir_all(&folder).unwrap();
    for count in 2..5 {
        writer.step(&snapshot(&[("cache", &[(100, count)])]), SystemTime::now());
        assert!(writer.status.problem.is_some());
    }
    fs::create_dir(&folder).unwrap();
    writer.step(&snapshot(&[("cache", &[(100, 6)])]), SystemTime::now());
    assert_eq!(writer.status.problem, None);
    let past = Recording::new(&folder).read(None, None).unwrap();
    assert_eq!(
        waits(&past, "cache"),
        [(100, 5)],
        "all that came after the first, which went with the folder"
    );
}

#[test]
fn what_was_written_in_part_is_not_written_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(folder.path().to_owned(), limits(8 << 20, 256 << 20));
    writer.step(&snapshot(&[("cache", &[(100, 1)])]), SystemTime::now());
    let path = files(folder.path()).remove(0);
    let mut half = fs::read(&path).unwrap();
    half.extend(b"Tag=wait/mutex/cache,12.000,1.0");
    fs::write(&path, half).unwrap();
    writer.step(&snapshot(&[("cache", &[(100, 3)])]), SystemTime::now());
    let past = Recording::new(folder.path()).read(None, None).unwrap();
    assert_eq!(waits(&past, "cache"), [(100, 3)]);
    assert_eq!(past.problems.len(), 1);
    assert!(past.problems[0].error.contains("cut short"), "{:?}", past.problems);
}

#[test]
fn what_is_no_recording_is_named_and_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(folder.path().to_owned(), limits(8 << 20, 256 << 20));
    writer.step(&snapshot(&[("cache", &[(100, 1)])]), SystemTime::now());
    let line = "Tag=wait/mutex/other,1.000,1.000,5.000,";
    // A head that says it has four gigabytes, and one that is no base64.
    let huge = "HISTFAAAABx4nJNpmSzMwMDAxAABzFCaEUoz2X+AsxkAMKcDBA==";
    for (name, text) in [
        ("a-text.hlog", "not a log\n".to_owned()),
        ("b-foreign.hlog", format!("#[BaseTime: 5.000 (seconds since epoch)]\n1.000,1.000,5.000,{huge}\n")),
        ("c-empty.hlog", String::new()),
        ("d-base64.hlog", format!("{line}!!!!\n")),
        ("e-other-bounds.hlog", format!("{line}{huge}\n")),
        ("f-broken.hlog", format!("#comment\n{line}{huge}\nbroken\n{line}{huge}\n")),
        (
            "g-times.hlog",
            "Tag=wait/mutex/x,18446744073709551615.0,18446744073709551615.0,1.0,AAAA\n".to_owned(),
        ),
        ("h-bytes.hlog", "#\u{0}\n\u{ff}".to_owned()),
        ("unread.txt", "not looked at".to_owned()),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::create_dir(folder.path().join("i-folder.hlog")).unwrap();
    let past = Recording::new(folder.path()).read(None, None).unwrap();
    assert_eq!(waits(&past, "cache"), [(100, 1)]);
    assert_eq!(past.primitives.len(), 1);
    let said: BTreeMap<_, _> =
        past.problems.iter().map(|problem| (&*problem.file, &*problem.error)).collect();
    assert_eq!(
        said.keys().copied().collect::<Vec<_>>(),
        [
            "a-text.hlog",
            "b-foreign.hlog",
            "c-empty.hlog",
            "d-base64.hlog",
            "e-other-bounds.hlog",
            "f-broken.hlog",
            "g-times.hlog",
            "h-bytes.hlog"
        ]
    );
    assert!(said["a-text.hlog"].contains("line 1 "), "{said:?}");
    assert!(said["b-foreign.hlog"].contains("not of a recording"), "{said:?}");
    assert!(said["f-broken.hlog"].contains("line 3 "), "{said:?}");
    assert!(Recording::new(folder.path().join("nowhere")).read(None, None).is_err());
}

#[test]
fn a_file_that_is_cut_at_any_byte_gives_what_is_whole_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(folder.path().to_owned(), limits(8 << 20, 256 << 20));
    for step in 1..=3 {
        writer.step(&snapshot(&[("a cache, of two", &[(100, step), (70_000, step)])]), SystemTime::now());
    }
    let bytes = fs::read(files(folder.path()).remove(0)).unwrap();
    let mut most = 0;
    for end in 0..=bytes.len() {
        let contents = file::read(&bytes[..end]);
        let lines = bytes[..end].iter().filter(|&&byte| byte == b'\n').count();
        assert_eq!(contents.intervals.len(), lines.saturating_sub(4), "{end}");
        for interval in &contents.intervals {
            assert_eq!(file::Histograms::new().of(interval).unwrap(), [(100, 1), (70_143, 1)]);
        }
        let is_whole = end == 0 || bytes[end - 1] == b'\n';
        if !is_whole {
            assert!(contents.problem.is_some(), "{end}");
        }
        most = most.max(contents.intervals.len());
    }
    assert_eq!(most, 3);
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z, %/\\t\\n]{0,12}"]
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        rows in prop::collection::btree_map(names(), prop::collection::btree_map(0..DURATION_MAX_NS, 1..1_000_000_u64, 1..20), 1..4)
    ) {
        let parts: BTreeMap<Tag, Buckets> = rows.iter().zip(Metric::ALL.iter().cycle()).map(|((name, durations), &metric)| {
            let oracle = Histogram::<u64>::new_with_bounds(1, DURATION_MAX_NS, 2).unwrap();
            let mut buckets = BTreeMap::new();
            for (&duration, &count) in durations {
                *buckets.entry(oracle.highest_equivalent(duration)).or_default() += count;
            }
            (Tag { primitive: "semaphore".to_owned(), name: name.clone(), metric }, buckets.into_iter().collect())
        }).collect();
        let mut bytes = file::head(Duration::from_millis(1_795_000_000_123)).unwrap();
        let (after, length) = (Duration::from_millis(45_678), Duration::from_millis(1_500));
        bytes.extend(file::interval(after, length, parts.iter().map(|(tag, buckets)| (tag, buckets.clone()))).unwrap());

        let contents = file::read(&bytes);
        prop_assert_eq!(&contents.problem, &None);
        let read: BTreeMap<Tag, Buckets> = contents.intervals.iter()
            .map(|interval| (interval.tag.clone(), file::Histograms::new().of(interval).unwrap())).collect();
        prop_assert_eq!(&read, &parts);
        prop_assert!(contents.intervals.iter().all(|interval| interval.length == length));
        prop_assert!(contents.intervals.iter().all(|interval| interval.start == Duration::from_millis(1_795_000_045_801)));

        // By the log's own reader too.
        let mut lines = 0;
        for entry in IntervalLogIterator::new(&bytes) {
            if let LogEntry::Interval(line) = entry.unwrap() {
                let text = line.encoded_histogram();
                let encoded = STANDARD.decode(text).unwrap();
                let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut encoded.as_slice()).unwrap();
                let tag = Tag::read(line.tag().unwrap().as_str()).unwrap();
                prop_assert_eq!(&Distribution::from(&histogram).buckets, &parts[&tag]);
                lines += 1;
            }
        }
        prop_assert_eq!(lines, parts.len());
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), at in any::<prop::sample::Index>(), by in any::<u8>()) {
        file::read(&bytes).intervals.iter().for_each(|interval| _ = file::Histograms::new().of(interval));
        // One byte of a good file is another.
        let tag = Tag { primitive: "mutex".to_owned(), name: "cache".to_owned(), metric: Metric::Wait };
        let mut good = file::head(Duration::from_secs(5)).unwrap();
        good.extend(file::interval(Duration::ZERO, Duration::from_secs(1), [(&tag, vec![(100, 5), (9_023, 1)])]).unwrap());
        let place = at.index(good.len());
        good[place] = by;
        file::read(&good).intervals.iter().for_each(|interval| _ = file::Histograms::new().of(interval));
    }

    #[test]
    fn a_histogram_that_is_off_is_read_without_a_panic(
        at in 0..100_usize, by in any::<u8>(), cut in 0..100_usize, more in prop::collection::vec(any::<u8>(), 0..30)
    ) {
        let tag = Tag { primitive: "mutex".to_owned(), name: "cache".to_owned(), metric: Metric::Wait };
        let line = |encoded: &str| format!("Tag={},1.000,1.000,5.000,{encoded}\n", tag.written());
        let good = file::interval(Duration::ZERO, Duration::from_secs(1), [(&tag, vec![(100, 5), (9_023, 1)])]).unwrap();
        let good = String::from_utf8(good).unwrap();
        let encoded = STANDARD.decode(good.trim_end().rsplit(',').next().unwrap()).unwrap();
        let mut plain = Vec::new();
        ZlibDecoder::new(&encoded[8..]).read_to_end(&mut plain).unwrap();

        // What was inflated is changed, and made to say that it is as long as it is.
        plain.truncate(plain.len() - cut.min(plain.len() - 40));
        plain.extend(more);
        let place = at % plain.len();
        plain[place] = by;
        let length = (plain.len() - 40) as u32;
        plain[4..8].copy_from_slice(&length.to_be_bytes());
        let mut deflated = ZlibEncoder::new(Vec::new(), Compression::fast());
        deflated.write_all(&plain).unwrap();
        let deflated = deflated.finish().unwrap();
        let odd = [&encoded[..4], &(deflated.len() as u32).to_be_bytes(), &deflated].concat();
        let text = line(&STANDARD.encode(odd));
        let contents = file::read(text.as_bytes());
        prop_assert_eq!(contents.intervals.len(), 1);
        _ = file::Histograms::new().of(&contents.intervals[0]);
    }
}

#[test]
fn what_was_read_whole_is_remembered_until_the_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(folder.path().to_owned(), limits(8 << 20, 256 << 20));
    for seconds in [10, 20, 30] {
        let now = SystemTime::now() + Duration::from_secs(seconds);
        writer.step(&snapshot(&[("cache", &[(100, seconds)])]), now);
    }
    let recording = Recording::new(folder.path());
    let mut told = Vec::new();
    let whole = recording.read_with_progress(None, None, |done, all| told.push((done, all))).unwrap();
    assert_eq!(told, [(0, writer.status.bytes)]);
    let [from, _] = whole.recorded_s.unwrap();
    let part = recording.read(Some(from + 5.0), None).unwrap();
    assert_eq!((part.intervals, waits(&part, "cache")), (2, vec![(100, 20)]));

    // Whoever reads the file anew finds nothing in it: it is as long as before and as old.
    let path = &files(folder.path())[0];
    let (modified, kept) = (fs::metadata(path).unwrap().modified().unwrap(), fs::read(path).unwrap());
    fs::write(path, vec![b'#'; kept.len()]).unwrap();
    fs::File::options().append(true).open(path).unwrap().set_modified(modified).unwrap();
    assert_eq!(recording.read(None, None).unwrap(), whole);
    assert_eq!(recording.read(Some(from + 60.0), None).unwrap().recorded_s, whole.recorded_s);
    let part = recording.read(Some(from + 5.0), None).unwrap();
    assert_eq!(waits(&part, "cache"), [], "a part is read from the file");

    fs::write(path, kept).unwrap();
    writer.step(&snapshot(&[("cache", &[(100, 77)])]), SystemTime::now() + Duration::from_secs(40));
    let longer = recording.read(None, None).unwrap();
    assert_eq!((longer.intervals, waits(&longer, "cache")), (4, vec![(100, 77)]));
}

proptest! {
    #[test]
    fn buckets_add_up_as_in_a_map(histograms in prop::collection::vec(prop::collection::btree_map(0..40_u64, 1..u64::MAX / 2, 0..20), 0..6)) {
        let (mut sum, mut map) = (Buckets::new(), BTreeMap::<u64, u64>::new());
        for histogram in histograms {
            sums::add(&mut sum, &histogram.iter().map(|(&highest, &count)| (highest, count)).collect::<Buckets>());
            for (highest, count) in histogram {
                let total = map.entry(highest).or_default();
                *total = total.saturating_add(count);
            }
        }
        prop_assert_eq!(sum, map.into_iter().collect::<Buckets>());
    }
}

#[test]
fn more_histograms_than_there_is_memory_for_are_left_out() {
    let mut sums = Sums::default();
    let interval = (Duration::ZERO, Duration::from_secs(1));
    let tag = |number: usize| Tag::read(&format!("wait/mutex/{number}")).unwrap();
    let a_thousand: Buckets = (0..1_000).map(|highest| (highest, 1)).collect();
    for number in 0..sums::BUCKETS / 1_000 + 1 {
        assert_eq!(sums.add(&tag(number), interval, &a_thousand), Ok(()));
    }
    assert!(sums.add(&tag(1 << 40), interval, &a_thousand).is_err());
    assert!(Sums::default().add_all(&sums).is_ok(), "as many have room elsewhere");
    assert!(sums.weight() < sums::BUCKETS + sums::BUCKETS / 100);
}
