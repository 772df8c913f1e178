//! Tokio's schema, told by hand: what a normal build can hold the collector to. With the real tokio see `tests/plain_tokio.rs`.

use dashboard::Collector;
use dashboard::snapshot::Snapshot;
use tracing::{Span, trace, trace_span};
use tracing_subscriber::prelude::*;

fn collected(collector: &Collector, program: impl FnOnce()) -> Snapshot {
    let subscriber =
        tracing_subscriber::registry().with(collector.listener()).with(collector.tokio_resources());
    tracing::subscriber::with_default(subscriber, program);
    collector.snapshot()
}

/// A mutex's span, of a target.
macro_rules! mutex {
    ($target:expr) => {
        trace_span!(
            target: $target, parent: None, "runtime.resource", concrete_type = "Mutex", kind = "Sync",
            loc.file = "src/shop.rs", loc.line = 7_u32, loc.col = 9_u32
        )
    };
}

fn locked(mutex: &Span, locked: bool) {
    mutex.in_scope(|| trace!(target: "runtime::resource::state_update", locked = locked));
}

/// A call of a primitive, and its span within that.
struct Call<'a> {
    resource: &'a Span,
    span: Span,
}

impl<'a> Call<'a> {
    fn of(resource: &'a Span) -> Self {
        let span = resource.in_scope(
            || trace_span!(target: "tokio::util::trace", "runtime.resource.async_op", source = "Mutex::lock"),
        );
        Self { resource, span }
    }

    fn polled(&self, is_ready: bool) {
        let _resource = self.resource.enter();
        let _call = self.span.enter();
        trace!(target: "runtime::resource::poll_op", op_name = "poll", is_ready = is_ready);
    }
}

#[test]
fn a_lock_is_asked_for_waited_for_held_and_given_back() {
    let collector = Collector::new();
    let snapshot = collected(&collector, || {
        let mutex = mutex!("tokio::sync::mutex");
        locked(&mutex, false);
        let (first, second) = (Call::of(&mutex), Call::of(&mutex));
        first.polled(true);
        locked(&mutex, true);
        second.polled(false);
        second.polled(false);
        // The next one has it before the last one says that it is free.
        second.polled(true);
        locked(&mutex, false);
        assert_eq!(collector.snapshot().primitives[0].holders_count, 1);
        locked(&mutex, true);
        drop(second);
        locked(&mutex, false);
        let dropped = Call::of(&mutex);
        dropped.polled(false);
    });
    let [row] = &snapshot.primitives[..] else { panic!("{snapshot:#?}") };
    assert_eq!(
        (row.primitive.as_str(), row.name.as_str(), row.location.as_str()),
        ("mutex", "tokio::sync::Mutex", "src/shop.rs:7")
    );
    assert_eq!((row.acquisitions, row.contended, row.cancelled, row.hold_ns.count), (2, 1, 1, 2));
    assert_eq!((row.waiters, row.holders_count), (0, 0));
    assert_eq!(snapshot.overhead.malformed, 0);
}

#[test]
fn spans_of_others_by_tokios_names_are_left_out() {
    let collector = Collector::new();
    let snapshot = collected(&collector, || {
        let around = mutex!("tokio::sync::mutex");
        let foreign = mutex!("a_lock_of_somebody_else");
        let _around = around.enter();
        locked(&foreign, true);
        Call::of(&foreign).polled(false);
    });
    let [row] = &snapshot.primitives[..] else { panic!("{snapshot:#?}") };
    assert_eq!((row.acquisitions, row.waiters, row.cancelled, row.holders_count), (0, 0, 0, 0));
}

#[test]
fn what_is_odd_is_counted_and_does_no_harm() {
    let collector = Collector::new();
    let snapshot = collected(&collector, || {
        // No type; a type that is none; a place that is none.
        drop(trace_span!(target: "tokio::sync::mutex", parent: None, "runtime.resource", kind = "Sync"));
        drop(trace_span!(target: "tokio::sync::mutex", "runtime.resource", concrete_type = 7));
        let mutex = trace_span!(
            target: "tokio::sync::mutex", "runtime.resource", concrete_type = "Mutex", loc.file = true, loc.line = -1
        );
        let call = Call::of(&mutex);
        mutex.in_scope(|| {
            call.span.in_scope(|| {
                trace!(target: "runtime::resource::poll_op", op_name = "poll");
                trace!(target: "runtime::resource::poll_op", is_ready = "soon");
                trace!(target: "runtime::resource::async_op::state_update", permits_obtained = -5, permits.op = "add");
                trace!(target: "runtime::resource::async_op::state_update", permits_obtained = u64::MAX, permits.op = "add");
                trace!(target: "runtime::resource::async_op::state_update", permits_obtained = u64::MAX, permits.op = "add");
            });
            trace!(target: "runtime::resource::state_update", locked = "yes");
            trace!(target: "runtime::resource::state_update", permits = 1, permits.op = "double");
        });
        // Given back without having been taken, and left without having been entered.
        locked(&mutex, false);
        // Events out of all spans.
        trace!(target: "runtime::resource::state_update", locked = true);
        trace!(target: "runtime::resource::poll_op", is_ready = true);
    });
    let [row] = &snapshot.primitives[..] else { panic!("{snapshot:#?}") };
    assert_eq!((row.acquisitions, row.holders_count), (0, 0));
    assert_eq!(snapshot.overhead.malformed, 8, "{:#?}", snapshot.overhead);
}

#[test]
fn more_readers_than_are_kept_are_counted() {
    const KEPT: u64 = 1_024;
    const READERS: u64 = KEPT + 76;
    let collector = Collector::new();
    let lock = |snapshot: &Snapshot| snapshot.primitives[0].clone();
    let snapshot = collected(&collector, || {
        let rwlock = trace_span!(
            target: "tokio::sync::rwlock", parent: None, "runtime.resource", concrete_type = "RwLock", kind = "Sync",
            loc.file = "src/shop.rs", loc.line = 8_u32, loc.col = 9_u32
        );
        let readers = |change: &str| {
            rwlock.in_scope(|| {
                trace!(target: "runtime::resource::state_update", current_readers = 1, current_readers.op = change);
            });
        };
        (0..READERS).for_each(|_| readers("add"));
        let row = lock(&collector.snapshot());
        assert_eq!((row.acquisitions, row.holders_count), (READERS, KEPT));
        (0..READERS).for_each(|_| readers("sub"));
    });
    let row = lock(&snapshot);
    assert_eq!((row.hold_ns.count, row.holders_count), (KEPT, 0));
    assert_eq!(snapshot.overhead.in_flight_dropped, READERS - KEPT);
}

#[test]
fn a_depth_without_end_is_cut_off_and_counted() {
    let collector = Collector::new();
    let snapshot = collected(&collector, || {
        let spans: Vec<_> = (0..2_000).map(|_| tracing::info_span!("deeper").entered()).collect();
        drop(spans);
        // All were left, so what comes now is found.
        let mutex = mutex!("tokio::sync::mutex");
        Call::of(&mutex).polled(true);
    });
    assert_eq!(snapshot.primitives[0].acquisitions, 1);
    assert!(snapshot.overhead.in_flight_dropped > 1_000);
}

#[test]
fn a_collector_that_was_not_asked_hears_nothing_of_tokio() {
    let collector = Collector::new();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(collector.listener()), || {
        let mutex = mutex!("tokio::sync::mutex");
        Call::of(&mutex).polled(true);
    });
    assert_eq!(collector.snapshot().primitives, []);
}
