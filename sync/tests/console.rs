//! What the feature `console` tells, in the order in which a console has to hear it, from any executor.
#![cfg(all(feature = "console", not(any(loom, shuttle))))]

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};

/// Writes down what happens in tokio's schema, with what is entered meanwhile.
#[derive(Clone, Default)]
struct Record(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    names: HashMap<u64, &'static str>,
    entered: Vec<u64>,
    lines: Vec<String>,
}

fn field(event: &Event<'_>) -> String {
    struct Fields(Vec<String>);
    impl tracing::field::Visit for Fields {
        fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
            if field.name() != "line" {
                self.0.push(format!("{}={value:?}", field.name()));
            }
        }
    }
    let mut fields = Fields(Vec::new());
    event.record(&mut fields);
    fields.0.join(" ")
}

impl<S: Subscriber> Layer<S> for Record {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: LayerContext<'_, S>) {
        let name = attributes.metadata().name();
        if name.starts_with("runtime.") {
            self.0.lock().unwrap().names.insert(id.into_u64(), name.rsplit('.').next().unwrap());
        }
    }

    fn on_enter(&self, id: &Id, _: LayerContext<'_, S>) {
        self.0.lock().unwrap().entered.push(id.into_u64());
    }

    fn on_exit(&self, id: &Id, _: LayerContext<'_, S>) {
        let left = self.0.lock().unwrap().entered.pop();
        assert_eq!(left, Some(id.into_u64()), "left in the order of entering");
    }

    fn on_event(&self, event: &Event<'_>, _: LayerContext<'_, S>) {
        if event.metadata().target().starts_with("runtime::") {
            let mut state = self.0.lock().unwrap();
            let within: Vec<_> = state.entered.iter().map(|span| state.names[span]).collect();
            let line = format!("{}: {}", within.join(" > "), field(event));
            state.lines.push(line);
        }
    }

    fn on_close(&self, id: Id, _: LayerContext<'_, S>) {
        let mut state = self.0.lock().unwrap();
        if let Some(name) = state.names.remove(&id.into_u64()) {
            state.lines.push(format!("{name} closed"));
        }
    }
}

impl Record {
    fn of(program: impl FnOnce()) -> Vec<String> {
        let record = Self::default();
        let subscriber = tracing_subscriber::registry().with(record.clone());
        tracing::subscriber::with_default(subscriber, program);
        std::mem::take(&mut record.0.lock().unwrap().lines)
    }
}

fn poll(future: std::pin::Pin<&mut impl Future>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn a_call_is_told_within_its_resource_and_its_poll_and_closes_before_the_object() {
    let lines = Record::of(|| {
        let mutex = sync::Mutex::new(()).with_name("stock");
        let guard = mutex.try_lock().unwrap();
        {
            let mut waits = pin!(mutex.lock());
            assert!(!poll(waits.as_mut()));
            drop(guard);
            assert!(poll(waits.as_mut()));
        }
    });
    let poll = "resource > async_op > poll:";
    let expected = [
        "resource: name=\"stock\"".to_owned(),
        "resource: locked=true".to_owned(),
        format!("{poll} permits_requested=1 permits_requested.op=\"override\""),
        format!("{poll} "),
        format!("{poll} queue=0 queue.op=\"override\""),
        format!("{poll} op_name=\"poll\" is_ready=false"),
        "resource: waiters=1 waiters.op=\"add\"".to_owned(),
        // Handed over: it is never free.
        "resource: locked=true".to_owned(),
        format!("{poll} permits_obtained=1 permits_obtained.op=\"override\""),
        format!("{poll} op_name=\"poll\" is_ready=true"),
        "resource: waiters=1 waiters.op=\"sub\"".to_owned(),
        "poll closed".to_owned(),
        "async_op closed".to_owned(),
        "resource: locked=true".to_owned(),
        "resource: locked=false".to_owned(),
        "resource closed".to_owned(),
    ];
    assert_eq!(lines, expected, "{lines:#?}");
}

#[test]
fn permits_that_come_and_go_without_a_guard_are_told() {
    let lines = Record::of(|| {
        let semaphore = sync::Semaphore::new(1);
        drop(semaphore.try_acquire().unwrap());
        semaphore.add_permits(2);
        assert_eq!(semaphore.forget_permits(1), 1);
        let bounded = sync::BoundedSemaphore::new(4);
        bounded.try_acquire().unwrap().forget();
        bounded.release(1).unwrap();
    });
    let permits = lines.iter().filter_map(|line| line.strip_prefix("resource: permits="));
    let permits: Vec<_> = permits.map(|rest| rest.split(' ').next().unwrap()).collect();
    // Forgotten is given back too, but nothing with it.
    assert_eq!(permits, ["0", "1", "3", "2", "3", "3", "4"], "{lines:#?}");
}

#[test]
fn a_grant_that_nobody_takes_leaves_the_lock_free() {
    let lines = Record::of(|| {
        let mutex = sync::Mutex::new(());
        let guard = mutex.try_lock().unwrap();
        let mut waits = Box::pin(mutex.lock());
        assert!(!poll(waits.as_mut()));
        drop(guard);
        drop(waits);
        assert!(!mutex.is_locked());
    });
    let locked = lines.iter().filter_map(|line| line.strip_prefix("resource: locked="));
    assert_eq!(locked.collect::<Vec<_>>(), ["true", "true", "false"], "{lines:#?}");
}

#[test]
fn an_object_that_nobody_watched_has_nothing_to_close() {
    assert_eq!(Record::of(|| drop(sync::Semaphore::new(1))), [""; 0]);
}

#[test]
fn what_is_not_wanted_is_not_made() {
    let record = Record::default();
    let subscriber = tracing_subscriber::registry()
        .with(record.clone())
        .with(tracing_subscriber::filter::LevelFilter::DEBUG);
    tracing::subscriber::with_default(subscriber, || {
        let mutex = sync::Mutex::new(());
        drop(mutex.try_lock().unwrap());
    });
    assert_eq!(record.0.lock().unwrap().lines, [""; 0]);
}

/// A subscriber whose own work takes a lock of ours.
struct Busy(sync::Mutex<u64>);

thread_local! {
    static WITHIN: RefCell<bool> = const { RefCell::new(false) };
}

impl Busy {
    fn work(&self) {
        if !WITHIN.replace(true) {
            *self.0.try_lock().expect("nobody else has it") += 1;
            WITHIN.replace(false);
        }
    }
}

impl<S: Subscriber> Layer<S> for Busy {
    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: LayerContext<'_, S>) {
        self.work();
    }

    fn on_event(&self, _: &Event<'_>, _: LayerContext<'_, S>) {
        self.work();
    }

    fn on_close(&self, _: Id, _: LayerContext<'_, S>) {
        self.work();
    }
}

#[test]
fn a_subscriber_may_use_the_primitives() {
    let subscriber = tracing_subscriber::registry().with(Busy(sync::Mutex::new(0)));
    tracing::subscriber::with_default(subscriber, || {
        let semaphore = sync::Semaphore::new(1).with_name("pool");
        drop(semaphore.try_acquire().unwrap());
        assert_eq!(semaphore.available_permits(), 1);
    });
}
