//! Whatever a program does, and whatever spans others make under our names: nothing breaks, and figures agree with each other.
//!
//! `PROPTEST_CASES=100000 cargo test -p dashboard --test collector_stories` for a long run. The same stories are told to a
//! fuzzer in `dashboard/fuzz`, and a file that it found is told again by
//! `COLLECTOR_STORY=FILE cargo test -p dashboard --test collector_stories`.

#[path = "support/story.rs"]
mod story;

use dashboard::Collector;
use proptest::prelude::*;
use std::sync::{Mutex, PoisonError};
use story::{Bytes, Program};
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

/// Levels and probe are global to a process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

const WAYS: [fn(&Collector) -> Dispatch; 3] = [
    |collector| Dispatch::new(registry().with(collector.clone())),
    |collector| Dispatch::new(registry().with(collector.layer())),
    |collector| Dispatch::new(registry().with(collector.listener())),
];

fn heard(way: fn(&Collector) -> Dispatch, run: impl FnOnce(&Collector)) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let collector = Collector::new();
    tracing::dispatcher::with_default(&way(&collector), || run(&collector));
}

/// What a program made of bytes comes to, step by step: waiters, holders and counts of each row.
fn figures(way: fn(&Collector) -> Dispatch, bytes: &[u8]) -> Vec<Vec<[u64; 10]>> {
    let mut seen = Vec::new();
    heard(way, |collector| {
        let (mut program, mut left) = (Program::new(), Bytes::new(bytes));
        for _ in 0..bytes.len() / 2 {
            program.step(&mut left);
            seen.push(rows(collector));
        }
        drop(program);
        let last = rows(collector);
        assert!(last.iter().all(|row| row[..2] == [0, 0]), "nobody waits or holds any more: {last:?}");
        seen.push(last);
        let snapshot = collector.snapshot();
        assert_eq!(snapshot.overhead.malformed, 0);
        story::check(&snapshot);
    });
    seen
}

fn rows(collector: &Collector) -> Vec<[u64; 10]> {
    let rows = collector.snapshot().primitives;
    let figures = rows.iter().map(|row| {
        let charged = row.sites.iter().filter(|site| site.blamed_ns > 0).count() as u64;
        [
            row.waiters,
            row.holders_count,
            row.objects,
            row.acquisitions,
            row.contended,
            row.cancelled,
            row.closed,
            row.hold_ns.count,
            row.worst_waits.len() as u64,
            charged,
        ]
    });
    figures.collect()
}

#[test]
fn a_story_from_a_file_breaks_nothing() {
    let Some(file) = std::env::var_os("COLLECTOR_STORY") else { return };
    let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    WAYS.into_iter().for_each(|way| heard(way, |collector| story::tell(collector, &bytes)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn foreign_spans_and_changes_of_level_break_nothing(
        bytes in prop::collection::vec(any::<u8>(), 0..600), way in 0..WAYS.len()
    ) {
        heard(WAYS[way], |collector| story::tell(collector, &bytes));
    }

    #[test]
    fn every_way_gives_the_same_figures_step_by_step(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let [layer, filtered, listener] = WAYS.map(|way| figures(way, &bytes));
        prop_assert_eq!(&layer, &filtered);
        prop_assert_eq!(&layer, &listener);
    }
}
