//! Subscribers that misbehave: they panic, or call back into the primitive whose span they are told of.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;

use sync::schema::{primitive, span};
use sync::{Condition, Event, Mutex, Semaphore};
use tracing::Subscriber;
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::capture::{alone, named, watch};
use crate::task::Task;

thread_local! {
    /// Name of the span at whose opening the subscriber panics, and of the one at whose end.
    static TRAPS: Cell<[&'static str; 2]> = const { Cell::new([""; 2]) };
    /// Whether [`Reentrant`] is at work.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Panics where [`TRAPS`] says, once: a trap that sprang is gone, so that what unwinding drops meets none.
struct Panicking;

impl Panicking {
    fn tread(which: usize, name: &str) {
        let mut traps = TRAPS.get();
        if traps[which] == name {
            traps[which] = "";
            TRAPS.set(traps);
            panic!("the subscriber panics at `{name}`");
        }
    }
}

impl<S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>> Layer<S> for Panicking {
    fn on_new_span(&self, attributes: &Attributes<'_>, _id: &Id, _context: Context<'_, S>) {
        Self::tread(0, attributes.metadata().name());
    }

    fn on_record(&self, id: &Id, _values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            Self::tread(1, span.name());
        }
    }
}

/// Runs `scene` under a subscriber that panics where [`springs`] says.
fn among_panics(scene: impl FnOnce()) {
    let _alone = alone();
    let subscriber = tracing_subscriber::registry().with(LevelFilter::TRACE).with(Panicking);
    tracing::subscriber::with_default(subscriber, scene);
}

/// Asserts that `call` meets a trap set at the opening (0) or at the end (1) of a span of that name.
#[track_caller]
fn springs<R>(which: usize, name: &'static str, call: impl FnOnce() -> R) {
    let mut traps = [""; 2];
    traps[which] = name;
    TRAPS.set(traps);
    let caught = catch_unwind(AssertUnwindSafe(|| drop(call())));
    assert!(caught.is_err(), "no span `{name}` was opened");
    assert_eq!(TRAPS.get(), [""; 2]);
}

#[test]
fn panic_at_an_acquire_leaves_the_mutex_free() {
    among_panics(|| {
        let mutex = Arc::new(Mutex::new(()));
        springs(0, span::ACQUIRE, || mutex.try_lock());
        springs(0, span::ACQUIRE, || Arc::clone(&mutex).try_lock_owned());
        springs(0, span::ACQUIRE, || Task::new().run(mutex.lock()));
        springs(0, span::ACQUIRE, || Task::new().run(Arc::clone(&mutex).lock_owned()));
        assert!(!mutex.is_locked());
        drop(mutex.try_lock().expect("it is free"));
    });
}

#[test]
fn panic_at_a_wait_leaves_the_queue_whole() {
    among_panics(|| {
        let mutex = Mutex::new(());
        let task = Task::new();
        let guard = mutex.try_lock().expect("it is free");
        let mut behind = pin!(mutex.lock());
        springs(0, span::WAIT, || {
            let mut ahead = Box::pin(mutex.lock());
            task.poll(ahead.as_mut()).is_pending()
        });
        assert_eq!(mutex.statistics().waiting, 0);
        task.wait(behind.as_mut());
        drop(guard);
        drop(task.finish(behind.as_mut()));
        assert!(!mutex.is_locked());
    });
}

#[test]
fn panic_at_the_end_of_a_wait_hands_the_lock_on() {
    among_panics(|| {
        let mutex = Mutex::new(());
        let task = Task::new();
        let guard = mutex.try_lock().expect("it is free");
        let mut one = Box::pin(mutex.lock());
        let mut two = pin!(mutex.lock());
        task.wait(one.as_mut());
        task.wait(two.as_mut());
        drop(guard);
        springs(1, span::WAIT, || task.poll(one.as_mut()).is_ready());
        drop(one);
        drop(task.finish(two.as_mut()));
        assert!(!mutex.is_locked());
    });
}

#[test]
fn panic_at_a_release_releases() {
    among_panics(|| {
        let mutex = Mutex::new(());
        let task = Task::new();
        for which in [0, 1] {
            let guard = mutex.try_lock().expect("it is free");
            let mut waiting = pin!(mutex.lock());
            task.wait(waiting.as_mut());
            springs(which, span::RELEASE, || drop(guard));
            drop(task.finish(waiting.as_mut()));
        }
        assert!(!mutex.is_locked());
    });
}

#[test]
fn panics_strand_no_permit() {
    among_panics(|| {
        let semaphore = Semaphore::new(3);
        let task = Task::new();
        springs(0, span::ACQUIRE, || semaphore.try_acquire_many(2).is_ok());
        springs(0, span::ACQUIRE, || task.run(semaphore.acquire_many(2)).is_ok());
        assert_eq!(semaphore.available_permits(), 3);

        let permits = semaphore.try_acquire_many(3).expect("they are free");
        let mut waiting = Box::pin(semaphore.acquire_many(2));
        task.wait(waiting.as_mut());
        springs(0, span::RELEASE, || drop(permits));
        springs(1, span::WAIT, || task.poll(waiting.as_mut()).is_ready());
        drop(waiting);
        assert_eq!(semaphore.available_permits(), 3);
        assert_eq!(semaphore.statistics().waiting, 0);
    });
}

#[test]
fn panic_in_a_condition_wait_leaves_its_lock_released() {
    among_panics(|| {
        let condition = Condition::new(());
        let task = Task::new();
        let lock = || condition.try_lock().expect("it is free");
        // At its own spans, at the release of the lock, and at the acquire by which it has the lock again.
        for (which, name) in [(0, span::ACQUIRE), (0, span::WAIT), (0, span::RELEASE), (1, span::RELEASE)] {
            let mut waiting = Box::pin(lock().wait());
            springs(which, name, || task.poll(waiting.as_mut()).is_pending());
            drop(waiting);
            assert_eq!(condition.statistics().waiting, 0, "{name}");
            drop(lock());
        }
        for (which, name) in [(1, span::WAIT), (0, span::ACQUIRE)] {
            let mut waiting = Box::pin(lock().wait());
            task.wait(waiting.as_mut());
            lock().notify_one();
            springs(which, name, || task.poll(waiting.as_mut()).is_ready());
            drop(waiting);
            drop(lock());
        }
        let guard = lock();
        springs(0, span::NOTIFY, || guard.notify_one());
        drop(guard);
        drop(lock());
    });
}

#[test]
fn panic_at_a_set_or_a_clear_leaves_the_event_usable() {
    among_panics(|| {
        let event = Event::new();
        let task = Task::new();
        let mut waiting = pin!(event.wait());
        task.wait(waiting.as_mut());
        springs(0, span::SET, || event.set());
        springs(0, span::CLEAR, || event.clear());
        event.set();
        task.finish(waiting.as_mut());
        springs(0, span::ACQUIRE, || task.run(event.wait()));
        task.run(event.wait());
    });
}

/// Locks the mutex of which it is told, whatever the span.
struct Reentrant(Arc<Mutex<u64>>);

impl<S: Subscriber> Layer<S> for Reentrant {
    fn on_new_span(&self, _attributes: &Attributes<'_>, _id: &Id, _context: Context<'_, S>) {
        self.touch();
    }

    fn on_record(&self, _id: &Id, _values: &Record<'_>, _context: Context<'_, S>) {
        self.touch();
    }

    fn on_close(&self, _id: Id, _context: Context<'_, S>) {
        self.touch();
    }
}

impl Reentrant {
    /// What it does makes spans too; of those it does not want to hear.
    fn touch(&self) {
        if !INSIDE.replace(true) {
            self.use_mutex();
            INSIDE.set(false);
        }
    }

    fn use_mutex(&self) {
        if let Ok(mut calls) = self.0.try_lock() {
            *calls += 1;
        }
        let mut waiting = Box::pin(self.0.lock());
        // Ready or pending, it comes back.
        let _ = Task::new().poll(waiting.as_mut());
        assert!(format!("{:?}", self.0).starts_with("Mutex"));
        let _ = self.0.statistics();
    }
}

#[test]
fn subscriber_may_use_the_mutex_of_which_it_is_told() {
    let _alone = alone();
    let mutex = Arc::new(Mutex::new(0));
    let subscriber = tracing_subscriber::registry().with(LevelFilter::TRACE).with(Reentrant(mutex.clone()));
    tracing::subscriber::with_default(subscriber, || {
        let task = Task::new();
        let guard = task.run(mutex.lock());
        let mut one = Box::pin(mutex.lock());
        let mut two = Box::pin(mutex.lock());
        task.wait(one.as_mut());
        task.wait(two.as_mut());
        drop(two);
        drop(guard);
        drop(task.finish(one.as_mut()));
    });
    let calls = *mutex.try_lock().expect("it is free");
    assert_ne!(calls, 0, "the subscriber never got it: this tested nothing");
}

#[test]
fn subscriber_of_one_thread_sees_nothing_of_another() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Mutex::new(());
        drop(mutex.try_lock());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let guard = mutex.try_lock().expect("it is free");
                let mut waiting = pin!(mutex.lock());
                Task::new().wait(waiting.as_mut());
                drop(guard);
                drop(Task::new().finish(waiting.as_mut()));
            });
        });
        drop(mutex.try_lock());
    });
    assert_eq!(named(&spans, span::ACQUIRE).len(), 2);
    assert_eq!(named(&spans, span::RELEASE).len(), 2);
    assert_eq!(spans.len(), 4);
    assert!(spans.iter().all(|span| span.text("primitive") == primitive::MUTEX));
}
