//! Subscribers that misbehave: they panic, or call back into the primitive whose span they are told of.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;

use sync::schema::{primitive, span};
use sync::{Barrier, Condition, Event, Mutex, Semaphore};
use tracing::Subscriber;
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::capture::{alone, is_not_for_the_console, named, watch};
use crate::task::Task;

thread_local! {
    /// Name of the span at whose opening, end or closing the subscriber panics.
    static TRAPS: Cell<[&'static str; 3]> = const { Cell::new([""; 3]) };
    /// Whether [`Reentrant`] is at work.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// When it is first told of a span.
const OPENING: usize = 0;
/// When what is known at its end is recorded.
const END: usize = 1;
/// When it is let go.
const CLOSING: usize = 2;

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
        Self::tread(OPENING, attributes.metadata().name());
    }

    fn on_record(&self, id: &Id, _values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            Self::tread(END, span.name());
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if let Some(span) = context.span(&id) {
            Self::tread(CLOSING, span.name());
        }
    }
}

/// Runs `scene` under a subscriber that panics where [`springs`] says.
fn among_panics(scene: impl FnOnce()) {
    let _alone = alone();
    let subscriber = tracing_subscriber::registry().with(LevelFilter::TRACE).with(Panicking);
    tracing::subscriber::with_default(subscriber, scene);
}

/// Asserts that `call` meets a trap set at that point of a span of that name.
#[track_caller]
fn springs<R>(which: usize, name: &'static str, call: impl FnOnce() -> R) {
    let mut traps = [""; 3];
    traps[which] = name;
    TRAPS.set(traps);
    let caught = catch_unwind(AssertUnwindSafe(|| drop(call())));
    assert!(caught.is_err(), "no span `{name}` came to that point");
    assert_eq!(TRAPS.get(), [""; 3]);
}

#[test]
fn panic_at_an_acquire_leaves_the_mutex_free() {
    among_panics(|| {
        let mutex = Arc::new(Mutex::new(()));
        for which in [OPENING, CLOSING] {
            springs(which, span::ACQUIRE, || mutex.try_lock());
            springs(which, span::ACQUIRE, || Arc::clone(&mutex).try_lock_owned());
            springs(which, span::ACQUIRE, || Task::new().run(mutex.lock()));
            springs(which, span::ACQUIRE, || Task::new().run(Arc::clone(&mutex).lock_owned()));
        }
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
        springs(OPENING, span::WAIT, || {
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
        for (which, name) in [(END, span::WAIT), (CLOSING, span::WAIT), (CLOSING, span::ACQUIRE)] {
            let guard = mutex.try_lock().expect("it is free");
            let mut one = Box::pin(mutex.lock());
            let mut two = pin!(mutex.lock());
            task.wait(one.as_mut());
            task.wait(two.as_mut());
            drop(guard);
            springs(which, name, || task.poll(one.as_mut()).is_ready());
            drop(one);
            drop(task.finish(two.as_mut()));
            assert!(!mutex.is_locked());
        }
    });
}

#[test]
fn panic_at_a_cancelled_wait_hands_the_lock_on() {
    among_panics(|| {
        let mutex = Mutex::new(());
        let task = Task::new();
        for (which, name) in [(END, span::WAIT), (CLOSING, span::WAIT), (END, span::ACQUIRE)] {
            let guard = mutex.try_lock().expect("it is free");
            let mut one = Box::pin(mutex.lock());
            let mut two = pin!(mutex.lock());
            task.wait(one.as_mut());
            task.wait(two.as_mut());
            drop(guard);
            springs(which, name, || drop(one));
            drop(task.finish(two.as_mut()));
            assert!(!mutex.is_locked());
        }
    });
}

#[test]
fn panic_at_a_release_releases() {
    among_panics(|| {
        let mutex = Mutex::new(());
        let task = Task::new();
        for which in [OPENING, END, CLOSING] {
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
        for which in [OPENING, CLOSING] {
            springs(which, span::ACQUIRE, || semaphore.try_acquire_many(2).is_ok());
            springs(which, span::ACQUIRE, || task.run(semaphore.acquire_many(2)).is_ok());
        }
        assert_eq!(semaphore.available_permits(), 3);

        let permits = semaphore.try_acquire_many(3).expect("they are free");
        let mut waiting = Box::pin(semaphore.acquire_many(2));
        task.wait(waiting.as_mut());
        springs(OPENING, span::RELEASE, || drop(permits));
        springs(END, span::WAIT, || task.poll(waiting.as_mut()).is_ready());
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
        for (which, name) in [
            (OPENING, span::ACQUIRE),
            (OPENING, span::WAIT),
            (OPENING, span::RELEASE),
            (END, span::RELEASE),
            (CLOSING, span::RELEASE),
        ] {
            let mut waiting = Box::pin(lock().wait());
            springs(which, name, || task.poll(waiting.as_mut()).is_pending());
            drop(waiting);
            assert_eq!(condition.statistics().waiting, 0, "{name}");
            drop(lock());
        }
        for (which, name) in
            [(END, span::WAIT), (CLOSING, span::WAIT), (OPENING, span::ACQUIRE), (CLOSING, span::ACQUIRE)]
        {
            let mut waiting = Box::pin(lock().wait());
            task.wait(waiting.as_mut());
            lock().notify_one();
            springs(which, name, || task.poll(waiting.as_mut()).is_ready());
            drop(waiting);
            drop(lock());
        }
        let guard = lock();
        springs(OPENING, span::NOTIFY, || guard.notify_one());
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
        springs(OPENING, span::SET, || event.set());
        springs(OPENING, span::CLEAR, || event.clear());
        event.set();
        task.finish(waiting.as_mut());
        springs(OPENING, span::ACQUIRE, || task.run(event.wait()));
        task.run(event.wait());
    });
}

/// More than a batch wait, so that those in the list are let go too, though the subscriber panics before they are.
#[test]
fn panic_at_the_last_arrival_lets_the_others_go() {
    among_panics(|| {
        let barrier = Barrier::new(101);
        let task = Task::new();
        for (which, name) in
            [(CLOSING, span::ACQUIRE), (OPENING, span::NOTIFY), (END, span::NOTIFY), (CLOSING, span::NOTIFY)]
        {
            let mut waits: Vec<_> = (0..100).map(|_| Box::pin(barrier.wait())).collect();
            for wait in &mut waits {
                task.wait(wait.as_mut());
            }
            springs(which, name, || task.run(barrier.wait()));
            for (wait, index) in waits.iter_mut().zip(0..) {
                assert_eq!(task.finish(wait.as_mut()).expect("it was released").index(), index);
            }
            assert_eq!(barrier.waiting(), 0);
        }
    });
}

#[test]
fn panic_at_a_wait_takes_the_arrival_back() {
    among_panics(|| {
        let barrier = Barrier::new(2);
        let task = Task::new();
        for (which, name) in [(OPENING, span::ACQUIRE), (OPENING, span::WAIT)] {
            springs(which, name, || task.poll(Box::pin(barrier.wait()).as_mut()).is_pending());
            assert_eq!(barrier.waiting(), 0);
        }
        for (which, name) in [(END, span::WAIT), (CLOSING, span::WAIT), (END, span::ACQUIRE)] {
            let mut waiting = Box::pin(barrier.wait());
            task.wait(waiting.as_mut());
            springs(which, name, || drop(waiting));
            assert_eq!(barrier.waiting(), 0);
        }
    });
}

#[test]
fn panic_at_an_abort_or_a_reset_leaves_the_barrier_usable() {
    among_panics(|| {
        let barrier = Barrier::new(3);
        let task = Task::new();
        let mut waiting = pin!(barrier.wait());
        task.wait(waiting.as_mut());
        springs(OPENING, span::SET, || barrier.abort());
        springs(OPENING, span::CLEAR, || barrier.reset());
        assert_eq!(barrier.waiting(), 1);
        springs(END, span::SET, || barrier.abort());
        task.finish(waiting.as_mut()).expect_err("it is broken");
        springs(END, span::ACQUIRE, || task.run(barrier.wait()));
        springs(END, span::CLEAR, || barrier.reset());
        assert!(!barrier.is_broken());
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

/// Notes the names of spans as their owner lets them go. A registry keeps a parent open for its child's sake, so it
/// would not tell.
#[derive(Default)]
struct LettingGo {
    names: std::sync::Mutex<Vec<&'static str>>,
    gone: Arc<std::sync::Mutex<Vec<&'static str>>>,
}

impl Subscriber for LettingGo {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        is_not_for_the_console(metadata)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut names = self.names.lock().expect("nobody panics");
        names.push(attributes.metadata().name());
        Id::from_u64(names.len() as u64)
    }

    fn record(&self, _id: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _id: &Id, _follows: &Id) {}

    fn event(&self, _event: &tracing::Event<'_>) {}

    fn enter(&self, _id: &Id) {}

    fn exit(&self, _id: &Id) {}

    fn try_close(&self, id: Id) -> bool {
        let index = usize::try_from(id.into_u64()).expect("spans are few") - 1;
        let name = self.names.lock().expect("nobody panics")[index];
        self.gone.lock().expect("nobody panics").push(name);
        true
    }
}

#[test]
fn wait_is_let_go_before_its_acquire() {
    let _alone = alone();
    let subscriber = LettingGo::default();
    let gone = Arc::clone(&subscriber.gone);
    tracing::subscriber::with_default(subscriber, || {
        let event = Event::new();
        let task = Task::new();
        let mut waiting = Box::pin(event.wait());
        task.wait(waiting.as_mut());
        drop(waiting);
        let mut waiting = pin!(event.wait());
        task.wait(waiting.as_mut());
        event.set();
        task.finish(waiting.as_mut());
    });
    assert_eq!(
        *gone.lock().expect("nobody panics"),
        [span::WAIT, span::ACQUIRE, span::SET, span::WAIT, span::ACQUIRE]
    );
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
