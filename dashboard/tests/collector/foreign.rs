//! Spans that are not what they say: whatever comes, nothing panics and what is odd is counted.

use std::sync::atomic::{AtomicU64, Ordering};

use dashboard::Collector;
use proptest::prelude::*;
use sync::schema::TARGET;
use tracing::field::{self, Empty, Value};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Span, Subscriber, trace_span};
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{acquire, collected, grant, only_row, request, wait};

fn malformed_after(run: impl FnOnce()) -> (u64, usize) {
    let collector = Collector::new();
    collected(&collector, run);
    let snapshot = collector.snapshot();
    (snapshot.overhead.malformed, snapshot.primitives.len())
}

#[test]
fn a_span_without_what_it_cannot_do_without_is_left_out_and_counted() {
    let spans: [fn() -> Span; 7] = [
        || trace_span!(target: TARGET, "acquire"),
        || trace_span!(target: TARGET, "acquire", id = 1_u64, op = 1_u64),
        || trace_span!(target: TARGET, "acquire", primitive = "mutex", op = 1_u64),
        || trace_span!(target: TARGET, "wait", primitive = "mutex", id = 1_u64),
        || trace_span!(target: TARGET, "release", primitive = "mutex", held_ns = 1_u64),
        || trace_span!(target: TARGET, "acquire", primitive = "rwlock", id = 1_u64, op = 1_u64),
        || trace_span!(target: TARGET, "http request", primitive = "mutex", id = 1_u64, op = 1_u64),
    ];
    for (number, span) in spans.into_iter().enumerate() {
        assert_eq!(malformed_after(|| drop(span())), (1, 0), "span {number}");
    }
}

#[test]
fn a_field_of_another_type_counts_as_missing() {
    let spans: [fn() -> Span; 6] = [
        || trace_span!(target: TARGET, "acquire", primitive = "mutex", id = "seven", op = 1_u64),
        || trace_span!(target: TARGET, "acquire", primitive = "mutex", id = -7_i64, op = 1_u64),
        || trace_span!(target: TARGET, "acquire", primitive = "mutex", id = 7.0, op = 1_u64),
        || trace_span!(target: TARGET, "acquire", primitive = "mutex", id = true, op = 1_u64),
        || trace_span!(target: TARGET, "acquire", primitive = 7_u64, id = 7_u64, op = 1_u64),
        || trace_span!(target: TARGET, "acquire", primitive = ?"mutex", id = 7_u64, op = 1_u64),
    ];
    for (number, span) in spans.into_iter().enumerate() {
        assert_eq!(malformed_after(|| drop(span())), (1, 0), "span {number}");
    }
    // One that can be done without leaves the rest standing.
    let span =
        || trace_span!(target: TARGET, "acquire", primitive = "mutex", id = 7, op = 1, line = "twelve");
    assert_eq!(malformed_after(|| drop(span())), (1, 1));
}

#[test]
fn a_field_that_is_not_ours_is_none_of_our_business() {
    let span = || {
        trace_span!(
            target: TARGET, "acquire", primitive = "mutex", id = 7_u64, op = 1_u64,
            colour = "red", weight = f64::NAN, big = u128::MAX
        )
    };
    assert_eq!(malformed_after(|| drop(span())), (0, 1));
}

#[test]
fn absurd_durations_are_counted_and_not_believed() {
    let collector = Collector::new();
    collected(&collector, || {
        let wait = wait("mutex", 1);
        grant(&wait, u64::MAX, 5);
        drop(wait);
        crate::support::release("mutex", 1, u64::MAX);
    });
    let snapshot = collector.snapshot();
    let row = only_row(&snapshot);
    assert_eq!((row.contended, row.wait_ns.count, row.queued_ns.count), (1, 1, 0));
    assert_eq!(row.hold_ns.count, 0);
    assert_eq!(snapshot.overhead.malformed, 2);
}

#[test]
fn a_wait_that_does_not_say_how_it_ended_is_odd() {
    let collector = Collector::new();
    collected(&collector, || {
        drop(wait("mutex", 1));
        wait("mutex", 2).record("outcome", "vanished");
    });
    let snapshot = collector.snapshot();
    let row = only_row(&snapshot);
    assert_eq!((row.acquisitions, row.contended, row.waiters), (0, 0, 0));
    assert_eq!(snapshot.overhead.malformed, 3);
}

#[test]
fn spans_of_other_targets_and_events_are_not_looked_at() {
    let collector = Collector::new();
    collected(&collector, || {
        let span = trace_span!(target: "tower", "acquire", primitive = "mutex", id = 7_u64, op = 1_u64);
        span.record("op", "x");
        tracing::info!(target: TARGET, primitive = 7, "not a span");
    });
    let snapshot = collector.snapshot();
    assert_eq!(snapshot.primitives, []);
    assert_eq!((snapshot.overhead.spans, snapshot.overhead.malformed), (0, 0));
}

#[test]
fn operations_without_a_number_are_told_apart() {
    let collector = Collector::new();
    collected(&collector, || {
        let (first, second) = (wait("mutex", 0), wait("mutex", 0));
        let snapshot = collector.snapshot();
        assert_eq!(only_row(&snapshot).waiters, 2);
        assert_eq!(snapshot.waits[0].op, 0);
        grant(&first, 1, 1);
        grant(&second, 1, 1);
    });
    assert_eq!(only_row(&collector.snapshot()).waiters, 0);
    assert_eq!(collector.snapshot().overhead.malformed, 0);
}

#[test]
fn names_of_any_length_and_content_are_kept_within_the_bound() {
    let collector = Collector::new();
    let name = "né\n\"\\{}".repeat(1_000);
    collected(&collector, || {
        drop(trace_span!(
            target: TARGET, "acquire", primitive = "mutex", id = 1, op = 1, name, file = name, line = u64::MAX,
            made_file = name, made_line = u64::MAX
        ));
    });
    let snapshot = collector.snapshot();
    let row = only_row(&snapshot);
    assert!(row.name.len() <= 256 && name.starts_with(&row.name));
    assert!(row.location.ends_with(&format!(":{}", u64::MAX)));
}

/// A subscriber that is no registry, and hands out each id again soon, whether it was closed or not.
struct FewIds {
    ids: u64,
    next: AtomicU64,
}

impl Subscriber for FewIds {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(self.next.fetch_add(1, Ordering::Relaxed) % self.ids + 1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}

    fn try_close(&self, _: Id) -> bool {
        true
    }
}

fn few_ids(collector: &Collector, ids: u64) -> Dispatch {
    Dispatch::new(FewIds { ids, next: AtomicU64::new(0) }.with(collector.clone()))
}

#[test]
fn an_id_that_comes_again_while_it_is_open_leaves_no_waiter_behind() {
    let collector = Collector::new();
    tracing::dispatcher::with_default(&few_ids(&collector, 1), || {
        let first = wait("mutex", 1);
        let second = wait("mutex", 2);
        assert_eq!(only_row(&collector.snapshot()).waiters, 1);
        drop((first, second));
    });
    assert_eq!(only_row(&collector.snapshot()).waiters, 0);
    assert!(collector.snapshot().overhead.malformed > 0);
}

#[test]
fn closing_what_was_never_opened_is_harmless() {
    let collector = Collector::new();
    let dispatch = few_ids(&collector, 8);
    for id in [1, 77, u64::MAX] {
        dispatch.try_close(Id::from_u64(id));
    }
    assert_eq!(collector.snapshot().overhead.malformed, 0);
}

#[test]
fn a_collector_that_comes_late_ignores_what_was_open_before() {
    let collector = Collector::new();
    let early = tracing_subscriber::registry();
    let early = Dispatch::new(early);
    let span = tracing::dispatcher::with_default(&early, || acquire("mutex", 1));
    // The same numbers, now under the collector.
    let late = few_ids(&collector, 8);
    let id = span.id().unwrap();
    tracing::dispatcher::with_default(&late, || drop(request!(TRACE, "acquire", "mutex", 2_u64, 1_u64)));
    late.try_close(id);
    let snapshot = collector.snapshot();
    assert_eq!((only_row(&snapshot).acquisitions, snapshot.overhead.malformed), (1, 0));
}

/// A value of any type.
#[derive(Clone, Debug)]
enum Any {
    Missing,
    U64(u64),
    I64(i64),
    F64(f64),
    Bool(bool),
    U128(u128),
    Text(String),
    Debug(String),
}

impl Any {
    fn with<R>(&self, run: impl FnOnce(&dyn Value) -> R) -> R {
        match self {
            Self::Missing => run(&Empty),
            Self::U64(value) => run(value),
            Self::I64(value) => run(value),
            Self::F64(value) => run(value),
            Self::Bool(value) => run(value),
            Self::U128(value) => run(value),
            Self::Text(value) => run(&value.as_str()),
            Self::Debug(value) => run(&field::debug(value)),
        }
    }
}

fn any_value() -> impl Strategy<Value = Any> {
    let known =
        ["mutex", "semaphore", "event", "condition", "granted", "cancelled", "closed", "refused", "src/a.rs"];
    prop_oneof![
        1 => Just(Any::Missing),
        8 => (0..6_u64).prop_map(Any::U64),
        1 => prop_oneof![any::<u64>(), Just(u64::MAX)].prop_map(Any::U64),
        1 => any::<i64>().prop_map(Any::I64),
        1 => prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::INFINITY)].prop_map(Any::F64),
        1 => any::<bool>().prop_map(Any::Bool),
        1 => any::<u128>().prop_map(Any::U128),
        8 => prop::sample::select(known.to_vec()).prop_map(|text| Any::Text(text.to_owned())),
        1 => any::<String>().prop_map(Any::Text),
        1 => any::<String>().prop_map(Any::Debug),
    ]
}

/// A value that a field may well have, most of the time.
fn likely(usual: impl Strategy<Value = Any> + 'static) -> impl Strategy<Value = Any> {
    prop_oneof![6 => usual, 1 => any_value()]
}

fn number() -> impl Strategy<Value = Any> {
    (0..5_u64).prop_map(Any::U64)
}

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = Any> {
    prop::sample::select(texts).prop_map(|text| Any::Text(text.to_owned()))
}

#[derive(Clone, Debug)]
enum Step {
    /// Which span, and its primitive, id, op, outcome, a duration and a line.
    Open(usize, Box<[Any; 6]>),
    Record(usize, &'static str, Any),
    Close(usize),
    CloseUnknown(u64),
    Switch(bool),
    Reset,
    Look,
}

fn step() -> impl Strategy<Value = Step> {
    let fields = [
        likely(one_of(&["mutex", "semaphore", "event", "condition"])).boxed(),
        likely(number()).boxed(),
        likely(number()).boxed(),
        prop_oneof![4 => Just(Any::Missing), 1 => any_value()].boxed(),
        any_value().boxed(),
        any_value().boxed(),
    ];
    let names = prop::sample::select(vec!["outcome", "queued_ns", "wake_ns"]);
    prop_oneof![
        8 => (0..5_usize, fields).prop_map(|(span, fields)| Step::Open(span, Box::new(fields))),
        4 => (0..20_usize, names, any_value()).prop_map(|(span, name, value)| Step::Record(span, name, value)),
        4 => (0..20_usize, one_of(&["granted", "cancelled"])).prop_map(|(s, v)| Step::Record(s, "outcome", v)),
        8 => (0..20_usize).prop_map(Step::Close),
        1 => any::<u64>().prop_map(Step::CloseUnknown),
        1 => any::<bool>().prop_map(Step::Switch),
        1 => Just(Step::Reset),
        1 => Just(Step::Look),
    ]
}

/// One callsite for each span, as values decide at run time what the fields are.
fn open(span: usize, [primitive, id, op, outcome, duration, line]: &[Any; 6]) -> Span {
    macro_rules! opened {
        ($name:literal) => {
            primitive.with(|primitive| id.with(|id| op.with(|op| outcome.with(|outcome| {
                duration.with(|duration| line.with(|line| trace_span!(
                    target: TARGET, $name, primitive, id, op, outcome, task = line, permits = duration,
                    queue = line, file = line, line, column = duration, made_file = outcome, made_line = line,
                    name = outcome, queued_ns = duration, wake_ns = Empty, held_ns = duration, woken = id,
                )))
            }))))
        };
    }
    match span {
        0 => opened!("acquire"),
        1 => opened!("wait"),
        2 => opened!("release"),
        3 => opened!("notify"),
        _ => opened!("something else"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_nothing_panics_and_nobody_waits_once_all_is_closed(
        ids in prop::sample::select(vec![2_u64, 7, 1 << 40]),
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let collector = Collector::new();
        let dispatch = few_ids(&collector, ids);
        tracing::dispatcher::with_default(&dispatch, || {
            let mut spans: Vec<Span> = Vec::new();
            for step in steps {
                match step {
                    Step::Open(span, fields) => spans.push(open(span, &fields)),
                    Step::Record(span, name, value) => if let Some(span) = spans.get(span) {
                        value.with(|value| { span.record(name, value); });
                    },
                    Step::Close(span) => if span < spans.len() {
                        drop(spans.swap_remove(span));
                    },
                    Step::CloseUnknown(id) => { dispatch.try_close(Id::from_u64(id.max(1))); }
                    Step::Switch(enabled) => collector.set_enabled(enabled),
                    Step::Reset => collector.reset(),
                    Step::Look => drop(collector.snapshot()),
                }
            }
        });
        let snapshot = collector.snapshot();
        prop_assert_eq!(&snapshot.waits, &[]);
        for row in &snapshot.primitives {
            prop_assert_eq!(row.waiters, 0);
            prop_assert!(row.contended <= row.wait_ns.count);
            prop_assert!(row.wait_ns.mean.is_finite());
        }
        prop_assert!(serde_json::to_string(&snapshot).is_ok());
    }
}

#[test]
fn a_release_of_an_impossible_number_is_one_of_nobody() {
    let collector = Collector::new();
    collected(&collector, || {
        drop(acquire("mutex", 1));
        for op in [u64::MAX, 1 << 63, (1 << 63) | 1, 1 << 62] {
            crate::support::release("mutex", op, 5);
        }
    });
    let snapshot = collector.snapshot();
    assert_eq!((only_row(&snapshot).holders_count, only_row(&snapshot).hold_ns.count), (1, 4));
}
