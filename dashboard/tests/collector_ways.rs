//! The ways in which a collector hears, and its levels: every way tells the same of the same program. Levels and probe are
//! global to a process, so these tests have one of their own and run one at a time.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use dashboard::snapshot::{Distribution, PrimitiveSnapshot, SiteSnapshot, Snapshot};
use dashboard::{Collector, Level};
use sync::{Barrier, Condition, Event, Mutex, Semaphore};
use tracing::span::{Attributes, Id};
use tracing::{Dispatch, Subscriber, dispatcher};
use tracing_core::LevelFilter;
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};
use tracing_subscriber::registry;

fn one_at_a_time() -> MutexGuard<'static, ()> {
    static LOCK: StdMutex<()> = StdMutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn ready<F: Future>(future: Pin<&mut F>) -> F::Output {
    match poll(future) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it has to wait"),
    }
}

/// A way to hear.
type Way = fn(&Collector) -> Dispatch;

const WAYS: [(&str, Way); 4] = [
    ("layer", |collector| Dispatch::new(registry().with(collector.clone()))),
    ("filtered layer", |collector| Dispatch::new(registry().with(collector.layer()))),
    ("listener", |collector| Dispatch::new(registry().with(collector.listener()))),
    ("listener with spans", |collector| Dispatch::new(registry().with(collector.listener().with_spans()))),
];

/// A program that is looked at in between.
type Program = fn(&mut dyn FnMut());

fn free_locks(look: &mut dyn FnMut()) {
    let mutex = Mutex::new(0).with_name("counter");
    for _ in 0..3 {
        let guard = ready(pin!(mutex.lock()));
        look();
        drop(guard);
    }
    drop(mutex.try_lock());
    let semaphore = Semaphore::new(4);
    let permits = ready(pin!(semaphore.acquire_many(3))).unwrap();
    look();
    assert!(semaphore.try_acquire_many(2).is_err());
    drop(permits);
}

fn contended_mutex(look: &mut dyn FnMut()) {
    let mutex = Mutex::new(0).with_name("cache");
    let guard = ready(pin!(mutex.lock()));
    let (mut second, mut third) = (Box::pin(mutex.lock()), Box::pin(mutex.lock()));
    assert!(poll(second.as_mut()).is_pending());
    look();
    assert!(poll(third.as_mut()).is_pending());
    look();
    drop(guard);
    let guard = ready(second.as_mut());
    look();
    drop(third);
    look();
    drop(guard);
}

fn shared_semaphore(look: &mut dyn FnMut()) {
    let semaphore = Semaphore::new(3);
    let one = ready(pin!(semaphore.acquire())).unwrap();
    let two = ready(pin!(semaphore.acquire_many(2))).unwrap();
    let (mut waiting, mut other) = (Box::pin(semaphore.acquire_many(2)), Box::pin(semaphore.acquire()));
    assert!(poll(waiting.as_mut()).is_pending());
    assert!(poll(other.as_mut()).is_pending());
    look();
    drop(two);
    let two = ready(waiting.as_mut()).unwrap();
    look();
    drop(one);
    drop(ready(other.as_mut()).unwrap());
    drop(two);
    look();
}

fn closed_semaphore(look: &mut dyn FnMut()) {
    let semaphore = Semaphore::new(0);
    let mut waiting = pin!(semaphore.acquire());
    assert!(poll(waiting.as_mut()).is_pending());
    semaphore.close();
    assert!(ready(waiting.as_mut()).is_err());
    look();
    assert!(ready(pin!(semaphore.acquire())).is_err());
}

fn dropped_after_the_grant(look: &mut dyn FnMut()) {
    let mutex = Mutex::new(0);
    let guard = ready(pin!(mutex.lock()));
    let mut waiting = Box::pin(mutex.lock());
    assert!(poll(waiting.as_mut()).is_pending());
    drop(guard);
    look();
    drop(waiting);
    look();
    drop(ready(pin!(mutex.lock())));
}

fn events_barriers_and_conditions(look: &mut dyn FnMut()) {
    let event = Event::new().with_name("ready");
    let mut waiting = pin!(event.wait());
    assert!(poll(waiting.as_mut()).is_pending());
    look();
    event.set();
    ready(waiting.as_mut());
    ready(pin!(event.wait()));
    let barrier = Barrier::new(2);
    let (mut first, mut second) = (pin!(barrier.wait()), pin!(barrier.wait()));
    assert!(poll(first.as_mut()).is_pending());
    ready(second.as_mut()).unwrap();
    ready(first.as_mut()).unwrap();
    let condition = Condition::new(0);
    let guard = ready(pin!(condition.lock()));
    let mut waiting = pin!(guard.wait());
    assert!(poll(waiting.as_mut()).is_pending());
    look();
    let guard = ready(pin!(condition.lock()));
    guard.notify_one();
    drop(guard);
    drop(ready(waiting.as_mut()));
    look();
}

const PROGRAMS: [(&str, Program); 6] = [
    ("free locks", free_locks),
    ("a contended mutex", contended_mutex),
    ("a shared semaphore", shared_semaphore),
    ("a closed semaphore", closed_semaphore),
    ("a wait that was dropped after its grant", dropped_after_the_grant),
    ("events, barriers and conditions", events_barriers_and_conditions),
];

/// All that a snapshot says but times and numbers, which differ from run to run.
fn meaning(snapshot: &Snapshot) -> String {
    let counts = |of: [&Distribution; 5]| of.map(|distribution| distribution.count);
    let site = |site: &SiteSnapshot| {
        let blamed = if site.blamed_ns > 0 { "blamed" } else { "" };
        let counts =
            counts([&site.wait_ns, &site.hold_ns, &site.queued_ns, &site.wake_ns, &site.cancelled_wait_ns]);
        let SiteSnapshot { site, acquisitions, contended, cancelled, closed, .. } = site;
        format!("    {site} {acquisitions} {contended} {cancelled} {closed} {counts:?} {blamed}\n")
    };
    let row = |row: &PrimitiveSnapshot| {
        let mut sites: Vec<_> = row.sites.iter().map(site).collect();
        sites.sort_unstable();
        let holders: Vec<_> = row.holders.iter().map(|holder| (&holder.site, holder.permits)).collect();
        let mut worst: Vec<_> = row
            .worst_waits
            .iter()
            .map(|wait| {
                let blocker = wait.blocker.as_ref().map(|blocker| (&blocker.site, blocker.released));
                format!("{} {} {blocker:?}", wait.site, wait.outcome)
            })
            .collect();
        worst.sort_unstable();
        let counts =
            counts([&row.wait_ns, &row.hold_ns, &row.queued_ns, &row.wake_ns, &row.cancelled_wait_ns]);
        let PrimitiveSnapshot { primitive, name, location, objects, acquisitions, contended, .. } = row;
        let PrimitiveSnapshot { cancelled, closed, waiters, holders_count, .. } = row;
        format!(
            "{primitive} {name} {location}: {objects} {acquisitions} {contended} {cancelled} {closed} {counts:?}\n  \
             {waiters} wait, {holders_count} hold: {holders:?}\n  {worst:?}\n{}",
            sites.concat()
        )
    };
    let waits: Vec<_> = snapshot.waits.iter().map(|wait| (&wait.site, wait.queue, wait.permits)).collect();
    let mut rows: Vec<_> = snapshot.primitives.iter().map(row).collect();
    rows.sort_unstable();
    format!("{}{waits:?} malformed {}", rows.concat(), snapshot.overhead.malformed)
}

/// What a collector says of a program, each time that it is looked at and at the end.
fn said(way: Way, level: Level, program: Program) -> Vec<String> {
    let collector = Collector::new();
    dispatcher::with_default(&way(&collector), || {
        collector.set_level(level);
        let mut said = Vec::new();
        program(&mut || said.push(meaning(&collector.snapshot())));
        said.push(meaning(&collector.snapshot()));
        said
    })
}

#[test]
fn every_way_tells_the_same_of_the_same_program() {
    let _alone = one_at_a_time();
    for level in [Level::Waits, Level::Calls] {
        for (name, program) in PROGRAMS {
            let [by_layer, by_filtered, by_listener, with_spans] =
                WAYS.map(|(_, way)| said(way, level, program));
            assert_eq!(by_layer, by_filtered, "{name} at {level}");
            assert_eq!(by_listener, with_spans, "{name} at {level}");
            for (place, (layer, listener)) in by_layer.iter().zip(&by_listener).enumerate() {
                assert!(
                    layer == listener,
                    "{name} at {level}, look {place}\nlayer:\n{layer}\nlistener:\n{listener}"
                );
            }
        }
    }
}

#[test]
fn waiting_is_charged_to_the_line_that_holds() {
    let _alone = one_at_a_time();
    for (name, way) in WAYS {
        let collector = Collector::new();
        let held_line = line!() + 4;
        dispatcher::with_default(&way(&collector), || {
            let mutex = Mutex::new(0);
            let mut waiting = Box::pin(mutex.lock());
            let guard = ready(pin!(mutex.lock()));
            assert!(poll(waiting.as_mut()).is_pending());
            let holder = &collector.snapshot().primitives[0].holders[0];
            assert!(holder.blamed_ns > 0 && holder.blamed_ns <= holder.age_ns, "{name}: {holder:?}");
            drop(guard);
            drop(ready(waiting.as_mut()));
        });
        let row = &collector.snapshot().primitives[0];
        let line = format!("{}:{held_line}:", file!());
        let (held, waited) = match &row.sites[..] {
            [waited, held] if held.site.starts_with(&line) => (held, waited),
            sites => panic!("{name}: {sites:#?}"),
        };
        assert!(held.blamed_ns > 0 && held.blamed_ns <= waited.wait_total_ns, "{name}: {row:#?}");
        assert_eq!((held.wait_total_ns, waited.blamed_ns), (0, 0), "{name}");
        let worst = &row.worst_waits[0];
        let blocker = worst.blocker.as_ref().unwrap();
        assert_eq!(
            (&worst.site, &blocker.site, blocker.released),
            (&waited.site, &held.site, true),
            "{name}"
        );
        assert!(held.hold_ns.buckets.is_empty() && held.hold_ns.count == 1, "{name}");
    }
}

#[test]
fn a_wait_that_gave_up_names_who_held_on() {
    let _alone = one_at_a_time();
    for (name, way) in WAYS {
        let collector = Collector::new();
        dispatcher::with_default(&way(&collector), || {
            let mutex = Mutex::new(0);
            let guard = ready(pin!(mutex.lock()));
            let mut waiting = Box::pin(mutex.lock());
            assert!(poll(waiting.as_mut()).is_pending());
            drop(waiting);
            drop(guard);
        });
        let row = &collector.snapshot().primitives[0];
        assert_eq!((row.cancelled, row.cancelled_wait_ns.count, row.wait_ns.count), (1, 1, 0), "{name}");
        let worst = &row.worst_waits[0];
        let blocker = worst.blocker.as_ref().unwrap();
        assert_eq!((worst.outcome.as_str(), blocker.released), ("cancelled", false), "{name}");
        assert_ne!(blocker.site, worst.site, "{name}");
    }
}

#[test]
fn a_level_is_what_is_asked_of_the_process_and_what_is_seen() {
    let _alone = one_at_a_time();
    for (name, way) in WAYS {
        let collector = Collector::new();
        dispatcher::with_default(&way(&collector), || {
            let mutex = Mutex::new(0);
            let asked = [
                (Level::Waits, LevelFilter::DEBUG),
                (Level::Off, LevelFilter::OFF),
                (Level::Calls, LevelFilter::TRACE),
            ];
            for (level, filter) in asked {
                collector.set_level(level);
                // Who leaves the spans to others has no opinion on what those want.
                let filter = if name == "listener with spans" { LevelFilter::TRACE } else { filter };
                assert_eq!((collector.level(), LevelFilter::current()), (level, filter), "{name}");
                drop(ready(pin!(mutex.lock())));
            }
            collector.set_level(Level::Waits);
            collector.set_enabled(false);
            assert_eq!(collector.level(), Level::Off);
            collector.set_enabled(true);
            assert_eq!(collector.level(), Level::Waits, "on is the level that it had before");
        });
        let rows = collector.snapshot().primitives;
        assert_eq!((rows.len(), rows[0].acquisitions), (1, 1), "{name}: only one of the three was seen");
    }
}

#[test]
fn who_waits_stays_known_when_holders_are_no_longer_asked_for() {
    let _alone = one_at_a_time();
    for (name, way) in WAYS {
        let collector = Collector::new();
        dispatcher::with_default(&way(&collector), || {
            let mutex = Mutex::new(0);
            let guard = ready(pin!(mutex.lock()));
            let mut waiting = Box::pin(mutex.lock());
            assert!(poll(waiting.as_mut()).is_pending());
            collector.set_level(Level::Waits);
            let row = &collector.snapshot().primitives[0];
            assert_eq!((row.waiters, row.holders_count), (1, 0), "{name}");
            drop(guard);
            drop(ready(waiting.as_mut()));
        });
        let snapshot = collector.snapshot();
        let row = &snapshot.primitives[0];
        assert_eq!((row.waiters, row.holders_count, row.contended, row.acquisitions), (0, 0, 1, 2), "{name}");
        assert_eq!(snapshot.overhead.malformed, 0, "{name}");
    }
}

/// Writes down the spans that it is given.
#[derive(Clone, Default)]
struct Log(Arc<StdMutex<Vec<&'static str>>>);

impl<S: Subscriber> Layer<S> for Log {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: LayerContext<'_, S>) {
        self.0.lock().unwrap().push(attributes.metadata().name());
    }
}

#[test]
fn a_listener_keeps_our_spans_from_the_stack_wherever_it_lies_and_lets_others_pass() {
    let _alone = one_at_a_time();
    type Build = fn(Log, &Collector) -> Dispatch;
    let stacks: [(&str, Build); 4] = [
        ("log, listener", |log, collector| Dispatch::new(registry().with(log).with(collector.listener()))),
        ("listener, log", |log, collector| Dispatch::new(registry().with(collector.listener()).with(log))),
        ("filtered log, listener", |log, collector| {
            Dispatch::new(registry().with(log.with_filter(LevelFilter::TRACE)).with(collector.listener()))
        }),
        ("listener in an option, log", |log, collector| {
            Dispatch::new(registry().with(Some(collector.listener())).with(log))
        }),
    ];
    for (name, build) in stacks {
        let (log, collector) = (Log::default(), Collector::new());
        dispatcher::with_default(&build(log.clone(), &collector), || {
            let _request = tracing::trace_span!(target: "app", "request").entered();
            let mutex = Mutex::new(0);
            let guard = ready(pin!(mutex.lock()));
            let mut waiting = Box::pin(mutex.lock());
            assert!(poll(waiting.as_mut()).is_pending());
            drop(guard);
            drop(ready(waiting.as_mut()));
        });
        assert_eq!(*log.0.lock().unwrap(), ["request"], "{name}");
        let row = &collector.snapshot().primitives[0];
        assert_eq!((row.acquisitions, row.contended, row.hold_ns.count), (2, 1, 2), "{name}");
    }
}

#[test]
fn a_listener_that_leaves_the_spans_takes_none_and_silences_nobody() {
    let _alone = one_at_a_time();
    type Build = fn(Log, &Collector) -> Dispatch;
    let stacks: [(&str, Build); 2] = [
        ("log, listener", |log, collector| {
            Dispatch::new(registry().with(log).with(collector.listener().with_spans()))
        }),
        ("listener, log", |log, collector| {
            Dispatch::new(registry().with(collector.listener().with_spans()).with(log))
        }),
    ];
    for (name, build) in stacks {
        let (log, collector) = (Log::default(), Collector::new());
        dispatcher::with_default(&build(log.clone(), &collector), || {
            drop(ready(pin!(Mutex::new(0).lock())));
            collector.set_level(Level::Waits);
            drop(ready(pin!(Mutex::new(0).lock())));
            collector.set_enabled(false);
            drop(ready(pin!(Mutex::new(0).lock())));
        });
        assert_eq!(*log.0.lock().unwrap(), ["acquire", "release"].repeat(3), "{name}");
        let snapshot = collector.snapshot();
        assert_eq!((snapshot.primitives.len(), snapshot.primitives[0].acquisitions), (1, 1), "{name}");
        assert_eq!(snapshot.overhead.spans, 0, "{name}");
    }
}

#[test]
fn a_listener_that_was_dropped_hears_nothing_and_the_layer_takes_over() {
    let _alone = one_at_a_time();
    let collector = Collector::new();
    let mutex = Mutex::new(0);
    let lock = || drop(ready(pin!(mutex.lock())));
    dispatcher::with_default(&Dispatch::new(registry().with(collector.listener())), lock);
    // Somebody else wants every call.
    dispatcher::with_default(&Dispatch::new(registry().with(LevelFilter::TRACE)), lock);
    assert_eq!(collector.snapshot().primitives[0].acquisitions, 1);
    dispatcher::with_default(&Dispatch::new(registry().with(collector.clone())), lock);
    assert_eq!(collector.snapshot().primitives[0].acquisitions, 2);
}

#[test]
fn of_two_listeners_the_latest_hears_and_nothing_counts_twice() {
    let _alone = one_at_a_time();
    let (first, second) = (Collector::new(), Collector::new());
    let stack = registry().with(first.listener()).with(second.listener());
    dispatcher::with_default(&Dispatch::new(stack), || drop(ready(pin!(Mutex::new(0).lock()))));
    assert_eq!((first.snapshot().primitives.len(), second.snapshot().primitives.len()), (0, 1));

    let collector = Collector::new();
    let stack = registry().with(collector.clone()).with(collector.listener()).with(collector.listener());
    dispatcher::with_default(&Dispatch::new(stack), || drop(ready(pin!(Mutex::new(0).lock()))));
    assert_eq!(collector.snapshot().primitives[0].acquisitions, 1);
}

#[test]
fn a_listener_that_comes_late_has_missed_what_was_before_and_nothing_else() {
    let _alone = one_at_a_time();
    let mutex = Mutex::new(0);
    let guard = ready(pin!(mutex.lock()));
    let (mut before, mut after) = (Box::pin(mutex.lock()), Box::pin(mutex.lock()));
    assert!(poll(before.as_mut()).is_pending());
    let collector = Collector::new();
    dispatcher::with_default(&Dispatch::new(registry().with(collector.listener())), || {
        assert!(poll(after.as_mut()).is_pending());
        drop(guard);
        drop(ready(before.as_mut()));
        drop(ready(after.as_mut()));
    });
    let snapshot = collector.snapshot();
    let row = &snapshot.primitives[0];
    assert_eq!((row.acquisitions, row.contended, row.waiters, row.holders_count), (1, 1, 0, 0));
    assert_eq!(snapshot.overhead.malformed, 0);
}
