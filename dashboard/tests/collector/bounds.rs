//! What is beyond the bounds is counted, and the figures stay exact.

use std::sync::Arc;

use dashboard::Collector;
use dashboard::snapshot::{PrimitiveSnapshot, Snapshot};
use tracing::trace_span;

use crate::support::{acquire, collected, dispatch, grant, only_row, release, request, wait};

#[test]
fn rows_beyond_the_bound_share_one() {
    let collector = Collector::new();
    collected(&collector, || {
        for line in 1..=1_100_u64 {
            drop(trace_span!(
                target: "sync", "acquire", primitive = "mutex", id = line, op = line,
                made_file = "src/main.rs", made_line = line
            ));
        }
    });
    let snapshot = collector.snapshot();
    assert_eq!(snapshot.primitives.len(), 1_025);
    assert_eq!((snapshot.overhead.rows, snapshot.overhead.rows_dropped), (1_025, 76));
    let shared = snapshot.primitives.last().unwrap();
    assert_eq!((shared.location.as_str(), shared.objects, shared.acquisitions), ("", 76, 76));
    assert_eq!(snapshot.primitives.iter().map(|row| row.acquisitions).sum::<u64>(), 1_100);
}

#[test]
fn sites_beyond_the_bound_are_counted_in_their_row_alone() {
    let collector = Collector::new();
    collected(&collector, || {
        for line in 1..=100_u64 {
            drop(request!(TRACE, "acquire", "semaphore", line, line));
        }
    });
    let snapshot = collector.snapshot();
    let row = only_row(&snapshot);
    assert_eq!((row.acquisitions, row.sites.len()), (100, 64));
    assert_eq!(snapshot.overhead.sites_dropped, 36);
}

#[test]
fn the_oldest_waits_and_holders_are_listed_and_the_rest_is_counted() {
    let collector = Collector::new();
    collected(&collector, || {
        let waits: Vec<_> = (1..=700).map(|op| wait("semaphore", op)).collect();
        for op in 1_001..=1_100 {
            drop(acquire("semaphore", op));
        }
        let snapshot = collector.snapshot();
        let row = only_row(&snapshot);
        assert_eq!((row.waiters, snapshot.waits.len()), (700, Snapshot::WAITS_LIMIT));
        assert_eq!(snapshot.overhead.waits_not_listed, 700 - Snapshot::WAITS_LIMIT as u64);
        assert!(snapshot.waits.iter().map(|wait| wait.op).eq(1..=Snapshot::WAITS_LIMIT as u64));
        assert_eq!((row.holders_count, row.holders.len()), (100, PrimitiveSnapshot::HOLDERS_LIMIT));
        assert!(row.holders.iter().map(|holder| holder.op).eq(1_001..=1_016));
        waits.iter().for_each(|wait| grant(wait, 1, 1));
    });
    assert_eq!(only_row(&collector.snapshot()).waiters, 0);
}

#[test]
fn holders_that_never_release_fill_the_table_and_no_figure_is_lost() {
    const HELD: u64 = 140_000;
    let collector = Collector::new();
    collected(&collector, || (1..=HELD).for_each(|op| drop(acquire("mutex", op))));
    let snapshot = collector.snapshot();
    let row = only_row(&snapshot);
    assert_eq!(row.acquisitions, HELD);
    assert!(snapshot.overhead.in_flight_dropped > 0);
    assert_eq!(row.holders_count + snapshot.overhead.in_flight_dropped, HELD);
}

#[test]
fn ten_thousand_objects_take_little_memory() {
    const OBJECTS: u64 = 10_000;
    let collector = Collector::new();
    collected(&collector, || {
        for id in 1..=OBJECTS {
            // Made at a hundred lines.
            drop(trace_span!(
                target: "sync", "acquire", primitive = "mutex", id, op = id, file = "src/service.rs", line = 1,
                made_file = "src/main.rs", made_line = id % 100
            ));
            drop(trace_span!(
                target: "sync", "release", primitive = "mutex", id, op = id, held_ns = 100 * id
            ));
        }
    });
    let snapshot = collector.snapshot();
    assert_eq!(snapshot.primitives.iter().map(|row| row.objects).sum::<u64>(), OBJECTS);
    assert_eq!(snapshot.primitives.iter().map(|row| row.hold_ns.count).sum::<u64>(), OBJECTS);
    let bytes = snapshot.overhead.memory_bytes;
    assert!(bytes < 1_024 * OBJECTS, "{bytes} bytes");
    assert!(bytes < 16 * 1_024 * snapshot.overhead.rows + 4_000_000, "{bytes} bytes");
}

#[test]
fn threads_that_share_an_object_give_exact_figures() {
    const THREADS: u64 = 4;
    const ROUNDS: u64 = 2_000;
    let collector = Collector::new();
    let dispatch = Arc::new(dispatch(&collector));
    std::thread::scope(|scope| {
        for thread in 1..=THREADS {
            let (dispatch, collector) = (Arc::clone(&dispatch), &collector);
            scope.spawn(move || {
                tracing::dispatcher::with_default(&dispatch, || {
                    for round in 0..ROUNDS {
                        let op = thread << 32 | round;
                        let acquire = acquire("mutex", op);
                        let wait = acquire.in_scope(|| wait("mutex", op));
                        grant(&wait, round, 1);
                        drop(wait);
                        drop(acquire);
                        release("mutex", op, round);
                        if round % 500 == 0 {
                            assert!(only_row(&collector.snapshot()).acquisitions > 0);
                        }
                    }
                });
            });
        }
    });
    let snapshot = collector.snapshot();
    let row = only_row(&snapshot);
    let all = THREADS * ROUNDS;
    assert_eq!((row.acquisitions, row.contended, row.objects), (all, all, 1));
    for distribution in [&row.wait_ns, &row.queued_ns, &row.wake_ns, &row.hold_ns] {
        assert_eq!(distribution.count, all);
    }
    assert_eq!(row.sites[0].wait_total_ns, THREADS * (ROUNDS * (ROUNDS - 1) / 2 + ROUNDS));
    assert_eq!((row.waiters, row.holders_count), (0, 0));
    assert_eq!((snapshot.overhead.spans, snapshot.overhead.malformed), (3 * all, 0));
}
