//! The switch, and what other layers of the stack see. Levels are global to a process, so these tests have one of
//! their own and run one at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dashboard::Collector;
use tracing::span::{Attributes, Id};
use tracing::{Dispatch, Event, Subscriber, dispatcher};
use tracing_core::{Interest, LevelFilter, Metadata, callsite};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry;

fn one_at_a_time() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Another layer, as `fmt` is: without a filter of its own, it writes down all that it sees.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Log {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.write(attributes.metadata());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.write(event.metadata());
    }
}

impl Log {
    fn write(&self, metadata: &Metadata<'_>) {
        let name = if metadata.is_span() { metadata.name() } else { "event" };
        self.0.lock().unwrap().push(format!("{} {name}", metadata.target()));
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A span of ours, a span and an event of the application, all at TRACE.
fn emit() {
    drop(tracing::trace_span!(target: "sync", "acquire", primitive = "mutex", id = 1_u64, op = 1_u64));
    drop(tracing::trace_span!(target: "app", "request"));
    tracing::trace!(target: "app", "hello");
}

/// Makes a stack of the two.
type Build = fn(Log, Collector) -> Dispatch;

const ALL: [&str; 3] = ["sync acquire", "app request", "app event"];

fn spans_taken(collector: &Collector) -> u64 {
    collector.snapshot().overhead.spans
}

/// Emits with the collector on, off and on again; what the other layer saw each time.
fn on_off_on(collector: &Collector, log: &Log, subscriber: impl Into<Dispatch>) -> [Vec<String>; 3] {
    dispatcher::with_default(&subscriber.into(), || {
        [true, false, true].map(|enabled| {
            collector.set_enabled(enabled);
            assert_eq!(collector.is_enabled(), enabled);
            let before = spans_taken(collector);
            emit();
            assert_eq!(spans_taken(collector) - before, u64::from(enabled));
            log.take()
        })
    })
}

#[test]
fn alone_on_a_registry_off_means_off() {
    let _alone = one_at_a_time();
    for own_filter in [false, true] {
        let collector = Collector::new();
        let dispatch = if own_filter {
            Dispatch::new(registry().with(collector.layer()))
        } else {
            Dispatch::new(registry().with(collector.clone()))
        };
        dispatcher::with_default(&dispatch, || {
            assert_eq!(LevelFilter::current(), LevelFilter::TRACE);
            collector.set_enabled(false);
            assert_eq!(LevelFilter::current(), LevelFilter::OFF);
            let span = tracing::trace_span!(target: "sync", "acquire");
            assert!(span.is_disabled());
            collector.set_enabled(true);
            assert_eq!(LevelFilter::current(), LevelFilter::TRACE);
            let span = tracing::trace_span!(target: "sync", "acquire");
            assert!(!span.is_disabled());
        });
    }
}

#[test]
fn with_its_own_filter_alone_it_asks_for_nothing_of_other_targets() {
    let _alone = one_at_a_time();
    let collector = Collector::new();
    dispatcher::with_default(&Dispatch::new(registry().with(collector.layer())), || {
        assert!(tracing::trace_span!(target: "app", "request").is_disabled());
        assert!(!tracing::trace_span!(target: "sync", "acquire").is_disabled());
    });
}

#[test]
fn another_layer_sees_the_same_whatever_the_switch_says() {
    let _alone = one_at_a_time();
    let seen = |build: Build| {
        let (log, collector) = (Log::default(), Collector::new());
        on_off_on(&collector, &log, build(log.clone(), collector.clone()))
    };
    let stacks: [(&str, Build); 5] = [
        ("log, collector", |log, collector| Dispatch::new(registry().with(log).with(collector))),
        ("log, own filter", |log, collector| Dispatch::new(registry().with(log).with(collector.layer()))),
        ("own filter, log", |log, collector| Dispatch::new(registry().with(collector.layer()).with(log))),
        ("log, collector with a filter", |log, collector| {
            let ours = filter_fn(|metadata| metadata.target() == "sync");
            Dispatch::new(registry().with(log).with(collector.with_filter(ours)))
        }),
        ("filtered log, own filter", |log, collector| {
            let log = log.with_filter(LevelFilter::TRACE);
            Dispatch::new(registry().with(log).with(collector.layer()))
        }),
    ];
    for (name, build) in stacks {
        assert_eq!(seen(build), [ALL, ALL, ALL], "{name}");
    }
}

#[test]
fn a_layer_that_wants_little_gets_no_more_because_of_the_collector() {
    let _alone = one_at_a_time();
    let (log, collector) = (Log::default(), Collector::new());
    let quiet = log.clone().with_filter(LevelFilter::INFO);
    let subscriber = registry().with(quiet).with(collector.layer());
    let seen = dispatcher::with_default(&Dispatch::new(subscriber), || {
        [true, false].map(|enabled| {
            collector.set_enabled(enabled);
            emit();
            tracing::info!(target: "app", "hello");
            log.take()
        })
    });
    assert_eq!(seen, [["app event"], ["app event"]]);
    assert_eq!(spans_taken(&collector), 1);
}

#[test]
fn on_top_of_the_collector_a_layer_with_a_hint_is_not_silenced() {
    let _alone = one_at_a_time();
    let (log, collector) = (Log::default(), Collector::new());
    let subscriber = registry().with(collector.clone()).with(LevelFilter::TRACE).with(log.clone());
    assert_eq!(on_off_on(&collector, &log, Dispatch::new(subscriber)), [ALL, ALL, ALL]);
}

#[test]
fn switched_from_a_thread_without_a_subscriber_it_is_switched_all_the_same() {
    let _alone = one_at_a_time();
    let collector = Collector::new();
    dispatcher::with_default(&Dispatch::new(registry().with(collector.clone())), || {
        for enabled in [false, true] {
            std::thread::scope(|scope| scope.spawn(|| collector.set_enabled(enabled)).join().unwrap());
            emit();
            assert_eq!(LevelFilter::current() == LevelFilter::TRACE, enabled);
        }
    });
    assert_eq!(spans_taken(&collector), 1);
}

#[test]
fn what_was_under_way_is_forgotten_and_its_end_is_harmless() {
    let _alone = one_at_a_time();
    let collector = Collector::new();
    dispatcher::with_default(&Dispatch::new(registry().with(collector.clone())), || {
        let acquire = |op: u64| tracing::trace_span!(target: "sync", "acquire", primitive = "mutex", id = 1_u64, op, outcome = "granted");
        let wait = |op: u64| tracing::debug_span!(target: "sync", "wait", primitive = "mutex", id = 1_u64, op, outcome = "granted");
        let release = |op: u64| {
            drop(
                tracing::trace_span!(target: "sync", "release", primitive = "mutex", id = 1_u64, op, held_ns = 5_u64),
            );
        };
        drop(acquire(1));
        let open = (acquire(2), wait(3));
        let snapshot = collector.snapshot();
        assert_eq!((snapshot.waits.len(), snapshot.primitives[0].holders_count), (1, 1));

        collector.set_enabled(false);
        let snapshot = collector.snapshot();
        assert_eq!((snapshot.waits.len(), snapshot.primitives[0].holders_count), (0, 0));
        assert_eq!(snapshot.primitives[0].acquisitions, 1, "figures stay");
        let opened_while_off = acquire(4);

        collector.set_enabled(true);
        drop(open);
        drop(opened_while_off);
        release(1);
        release(2);
        let snapshot = collector.snapshot();
        let row = &snapshot.primitives[0];
        assert_eq!((row.waiters, row.holders_count, row.acquisitions), (0, 0, 1));
        assert_eq!(snapshot.overhead.malformed, 0);
    });
}

#[test]
fn a_collector_outlives_its_subscriber() {
    let _alone = one_at_a_time();
    let collector = Collector::new();
    dispatcher::with_default(&Dispatch::new(registry().with(collector.clone())), emit);
    collector.set_enabled(false);
    collector.set_enabled(true);
    callsite::rebuild_interest_cache();
    assert_eq!(spans_taken(&collector), 1);
}

#[test]
fn a_plain_layer_never_says_no_to_a_callsite() {
    let _alone = one_at_a_time();
    // What `register_callsite` answers is what others of the stack get at most.
    struct Asked;
    impl<S: Subscriber> Layer<S> for Asked {
        fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
            Interest::always()
        }
    }
    let collector = Collector::new();
    let dispatch = Dispatch::new(registry().with(Asked).with(collector.clone()));
    for enabled in [true, false] {
        collector.set_enabled(enabled);
        dispatcher::with_default(&dispatch, || {
            let span = tracing::trace_span!(target: "sync", "acquire");
            let metadata = span.metadata().expect("somebody wants it");
            assert!(dispatch.register_callsite(metadata).is_always());
            assert!(dispatch.enabled(metadata));
        });
    }
}
