//! What each span does to the figures.

use dashboard::Collector;
use sync::schema::{field, outcome, primitive};

use crate::support::{acquire, collected, grant, only_row, release, wait};

#[test]
fn an_uncontended_acquisition_holds_until_its_release() {
    let collector = Collector::new();
    collected(&collector, || {
        drop(acquire(primitive::MUTEX, 1));
        let snapshot = collector.snapshot();
        let row = only_row(&snapshot);
        assert_eq!((row.primitive.as_str(), row.name.as_str()), ("mutex", "cache"));
        assert_eq!(row.location, "src/main.rs:33");
        assert_eq!((row.acquisitions, row.contended, row.objects), (1, 0, 1));
        assert_eq!((row.holders_count, row.holders.len()), (1, 1));
        let holder = &row.holders[0];
        assert_eq!((holder.op, holder.task, holder.permits), (1, 11, 2));
        assert_eq!(holder.site, "src/service.rs:120:17");

        release(primitive::MUTEX, 1, 250);
    });
    let snapshot = collector.snapshot();
    let row = only_row(&snapshot);
    assert_eq!((row.holders_count, row.holders.len()), (0, 0));
    assert_eq!((row.hold_ns.count, row.hold_ns.p50), (1, 250));
    assert_eq!(row.wait_ns.count, 0);
    assert_eq!(snapshot.overhead.spans, 2);
    assert_eq!(snapshot.overhead.malformed, 0);
}

#[test]
fn a_wait_inside_an_acquire_is_seen_while_it_lasts_and_counted_once() {
    let collector = Collector::new();
    collected(&collector, || {
        let acquire = acquire(primitive::SEMAPHORE, 5);
        let wait = acquire.in_scope(|| wait(primitive::SEMAPHORE, 5));
        let snapshot = collector.snapshot();
        let row = only_row(&snapshot);
        assert_eq!((row.waiters, row.acquisitions, row.contended), (1, 0, 0));
        assert_eq!(snapshot.waits.len(), 1);
        let waiting = &snapshot.waits[0];
        assert_eq!((waiting.op, waiting.object, waiting.task), (5, 7, 11));
        assert_eq!((waiting.queue, waiting.permits, waiting.primitive_id), (3, 2, row.id));
        assert_eq!(waiting.site, "src/service.rs:120:17");
        assert!(row.longest_wait_ns >= waiting.age_ns);

        grant(&wait, 1_000, 200);
        drop(wait);
        drop(acquire);
    });
    let snapshot = collector.snapshot();
    let row = only_row(&snapshot);
    assert_eq!((row.waiters, row.acquisitions, row.contended), (0, 1, 1));
    assert_eq!((row.longest_wait_ns, snapshot.waits.len()), (0, 0));
    assert_eq!(row.holders_count, 1);
    for (distribution, expected) in [(&row.queued_ns, 1_003), (&row.wake_ns, 200), (&row.wait_ns, 1_207)] {
        assert_eq!((distribution.count, distribution.max), (1, expected));
    }
    let site = &row.sites[0];
    assert_eq!((site.acquisitions, site.contended, site.cancelled), (1, 1, 0));
    assert_eq!(site.wait_total_ns, 1_200);
}

#[test]
fn at_debug_the_waits_are_the_acquisitions_and_holders_are_not_known() {
    let collector = Collector::new();
    collected(&collector, || {
        let wait = wait(primitive::MUTEX, 9);
        assert_eq!(only_row(&collector.snapshot()).waiters, 1);
        grant(&wait, 10, 20);
    });
    let snapshot = collector.snapshot();
    let row = only_row(&snapshot);
    assert_eq!((row.acquisitions, row.contended, row.waiters, row.holders_count), (1, 1, 0, 0));
    assert_eq!(row.wait_ns.count, 1);
}

#[test]
fn cancelled_and_closed_waits_are_neither_acquisitions_nor_holders() {
    for with_acquire in [false, true] {
        let collector = Collector::new();
        collected(&collector, || {
            for (op, outcome) in [(1, outcome::CANCELLED), (2, outcome::CLOSED)] {
                let acquire =
                    if with_acquire { acquire(primitive::SEMAPHORE, op) } else { tracing::Span::none() };
                let wait = acquire.in_scope(|| wait(primitive::SEMAPHORE, op));
                wait.record(field::OUTCOME, outcome);
                drop(wait);
                acquire.record(field::OUTCOME, outcome);
            }
        });
        let snapshot = collector.snapshot();
        let row = only_row(&snapshot);
        assert_eq!((row.acquisitions, row.contended, row.cancelled, row.closed), (0, 0, 1, 1));
        assert_eq!((row.waiters, row.holders_count, row.wait_ns.count), (0, 0, 0));
        assert_eq!(row.sites[0].cancelled, 1);
    }
}

#[test]
fn a_failed_wait_speaks_for_its_acquire() {
    let collector = Collector::new();
    collected(&collector, || {
        let acquire = acquire(primitive::MUTEX, 1);
        let wait = acquire.in_scope(|| wait(primitive::MUTEX, 1));
        wait.record(field::OUTCOME, outcome::CANCELLED);
        drop(wait);
    });
    let snapshot = collector.snapshot();
    let row = only_row(&snapshot);
    assert_eq!((row.acquisitions, row.cancelled, row.holders_count), (0, 1, 0));
}

#[test]
fn a_refused_try_counts_nowhere() {
    let collector = Collector::new();
    collected(&collector, || {
        acquire(primitive::MUTEX, 1).record(field::OUTCOME, outcome::REFUSED);
    });
    let snapshot = collector.snapshot();
    let row = only_row(&snapshot);
    assert_eq!((row.acquisitions, row.contended, row.cancelled, row.closed), (0, 0, 0, 0));
    assert_eq!(row.holders_count, 0);
    assert_eq!(snapshot.overhead.malformed, 0);
}

#[test]
fn nobody_holds_an_event_a_condition_or_a_barrier() {
    for primitive in [primitive::EVENT, primitive::CONDITION, primitive::BARRIER] {
        let collector = Collector::new();
        collected(&collector, || {
            let acquire = acquire(primitive, 1);
            let wait = acquire.in_scope(|| wait(primitive, 1));
            grant(&wait, 1, 1);
            drop(wait);
            drop(acquire);
            // A condition's wait goes on as an acquisition of its lock, under another number.
            drop(acquire_of_the_lock());
        });
        let snapshot = collector.snapshot();
        let row = snapshot.primitives.iter().find(|row| row.primitive == primitive).unwrap();
        assert_eq!((row.acquisitions, row.contended, row.holders_count), (1, 1, 0), "{primitive}");
        let lock = snapshot.primitives.iter().find(|row| row.primitive == "mutex").unwrap();
        assert_eq!((lock.acquisitions, lock.contended, lock.holders_count), (1, 0, 1));
    }
}

fn acquire_of_the_lock() -> tracing::Span {
    acquire(primitive::MUTEX, 2)
}

#[test]
fn a_release_of_an_unknown_operation_leaves_the_holders_alone() {
    let collector = Collector::new();
    collected(&collector, || {
        drop(acquire(primitive::MUTEX, 1));
        release(primitive::MUTEX, 2, 300);
        release(primitive::MUTEX, 0, 0);
    });
    let snapshot = collector.snapshot();
    let row = only_row(&snapshot);
    assert_eq!(row.holders_count, 1);
    // The object is known, so is how long it was held; without a number nobody measured it.
    assert_eq!((row.hold_ns.count, row.hold_ns.max), (1, 301));
    assert_eq!(snapshot.overhead.malformed, 0);
}

#[test]
fn a_release_before_its_acquire_closes_leaves_no_holder() {
    let collector = Collector::new();
    collected(&collector, || {
        let acquire = acquire(primitive::MUTEX, 1);
        release(primitive::MUTEX, 1, 300);
        drop(acquire);
    });
    let snapshot = collector.snapshot();
    assert_eq!(only_row(&snapshot).holders_count, 0);
    assert_eq!(only_row(&snapshot).acquisitions, 1);
}

#[test]
fn a_granted_wait_holds_before_its_acquire_closes() {
    let collector = Collector::new();
    collected(&collector, || {
        let acquire = acquire(primitive::MUTEX, 1);
        let wait = acquire.in_scope(|| wait(primitive::MUTEX, 1));
        grant(&wait, 1, 1);
        drop(wait);
        assert_eq!(only_row(&collector.snapshot()).holders_count, 1);
        drop(acquire);
        assert_eq!(only_row(&collector.snapshot()).holders_count, 1);
    });
}

#[test]
fn a_wait_without_durations_is_timed_by_the_collector() {
    let collector = Collector::new();
    collected(&collector, || {
        wait(primitive::MUTEX, 1).record(field::OUTCOME, outcome::GRANTED);
    });
    let snapshot = collector.snapshot();
    let row = only_row(&snapshot);
    assert_eq!((row.wait_ns.count, row.queued_ns.count, row.wake_ns.count), (1, 0, 0));
}

#[test]
fn objects_of_one_line_and_name_share_a_row_and_others_do_not() {
    let collector = Collector::new();
    collected(&collector, || {
        for (op, (id, made_line, name)) in
            [(1, 33, "cache"), (2, 33, "cache"), (3, 34, "cache"), (4, 33, "pool"), (1, 33, "cache")]
                .into_iter()
                .enumerate()
        {
            drop(tracing::trace_span!(
                target: "sync", "acquire", primitive = "mutex", name, id = id as u64, op = op as u64 + 1,
                made_file = "src/main.rs", made_line = made_line as u64
            ));
        }
    });
    let snapshot = collector.snapshot();
    let rows: Vec<_> = snapshot
        .primitives
        .iter()
        .map(|row| (row.id, row.name.as_str(), row.location.as_str(), row.objects, row.acquisitions))
        .collect();
    assert_eq!(
        rows,
        [
            (1, "cache", "src/main.rs:33", 2, 3),
            (2, "cache", "src/main.rs:34", 1, 1),
            (3, "pool", "src/main.rs:33", 1, 1)
        ]
    );
}

#[test]
fn reset_forgets_figures_and_keeps_rows_and_who_holds() {
    let collector = Collector::new();
    collected(&collector, || {
        drop(acquire(primitive::MUTEX, 1));
        release(primitive::MUTEX, 1, 250);
        drop(acquire(primitive::MUTEX, 2));
        collector.reset();
        let snapshot = collector.snapshot();
        let row = only_row(&snapshot);
        assert_eq!((row.acquisitions, row.hold_ns.count, row.sites.len()), (0, 0, 0));
        assert_eq!((row.holders_count, row.objects), (1, 1));
        assert_eq!(snapshot.overhead.spans, 0);
        release(primitive::MUTEX, 2, 250);
    });
    let snapshot = collector.snapshot();
    assert_eq!((only_row(&snapshot).holders_count, only_row(&snapshot).hold_ns.count), (0, 1));
}
