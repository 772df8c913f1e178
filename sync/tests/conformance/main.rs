//! What CPython's tests of `asyncio.locks` (3.13) and tokio's tests of the same primitives (1.54) pin down, said again
//! by tests of our own.
//!
//! There is a file for each primitive. It opens with a table: on the left a test of theirs, on the right the tests here
//! that pin down the same, or "none" and the reason. Where we mean something else, the test says so in its name and
//! `docs/differences.md` tells users. The tests below keep the tables whole.
//!
//! These files may only use what is public. What else is tested of a primitive stands in the file of its name one
//! folder up.
#![cfg(not(loom))]

#[path = "../common/mod.rs"]
mod common;

mod barrier;
mod bounded_semaphore;
mod condition;
mod event;
mod mutex;
mod semaphore;

use std::collections::BTreeMap;

const FILES: [(&str, &str); 6] = [
    ("mutex.rs", include_str!("mutex.rs")),
    ("condition.rs", include_str!("condition.rs")),
    (
        "semaphore.rs",
        concat!(
            include_str!("semaphore.rs"),
            include_str!("semaphore/blocking.rs"),
            include_str!("semaphore/counts.rs")
        ),
    ),
    ("bounded_semaphore.rs", include_str!("bounded_semaphore.rs")),
    ("event.rs", include_str!("event.rs")),
    ("barrier.rs", include_str!("barrier.rs")),
];

/// Where rows that begin with "loom" find their models.
const MODELS: &str = include_str!("../loom/semaphore.rs");

/// How many tests each suite has.
const SUITES: [(&str, usize); 10] = [
    ("asyncio LockTests", 12),
    ("asyncio EventTests", 6),
    ("asyncio ConditionTests", 20),
    ("asyncio SemaphoreTests", 15),
    ("asyncio BarrierTests", 22),
    ("tokio sync_mutex", 9 + 6),
    ("tokio sync_semaphore", 35 + 13),
    ("tokio sync_barrier", 5),
    ("tokio semaphore_batch", 21 + 8),
    ("tokio sync_panic", 3),
];

/// Rows of the table that opens a file: what stands on the left, and on the right.
fn rows(source: &str) -> impl Iterator<Item = (&str, &str)> {
    source.lines().map_while(|line| line.strip_prefix("//!")).filter_map(|line| {
        let (theirs, ours) = line.trim().strip_prefix('|')?.strip_suffix('|')?.split_once('|')?;
        let theirs = theirs.trim();
        (theirs.starts_with("asyncio ") || theirs.starts_with("tokio ")).then_some((theirs, ours.trim()))
    })
}

#[test]
fn each_test_of_theirs_stands_in_one_table_once() {
    let mut seen = BTreeMap::new();
    for (file, source) in FILES {
        for (theirs, _) in rows(source) {
            assert_eq!(seen.insert(theirs, file), None, "{theirs} stands in two rows");
        }
    }
    for (suite, count) in SUITES {
        let rows = seen.keys().filter(|theirs| theirs.starts_with(suite)).count();
        assert_eq!(rows, count, "{suite}");
    }
    assert_eq!(seen.len(), SUITES.iter().map(|(_, count)| count).sum());
}

#[test]
fn each_row_names_a_test_here_or_says_why_there_is_none() {
    for (file, source) in FILES {
        for (theirs, ours) in rows(source) {
            if let Some(reason) = ours.strip_prefix("none: ") {
                assert!(reason.len() > 10, "{file}: {theirs}: no reason");
                continue;
            }
            let names: Vec<_> = ours.split('`').skip(1).step_by(2).collect();
            assert!(!names.is_empty(), "{file}: {theirs}: no test");
            let source = if ours.starts_with("loom: ") { MODELS } else { source };
            for name in names {
                assert!(source.contains(&format!("fn {name}()")), "{file}: {theirs}: there is no {name}");
            }
        }
    }
}
