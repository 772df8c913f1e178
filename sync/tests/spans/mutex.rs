//! Spans of [`Mutex`], and what all primitives have in common.

use std::pin::pin;
use std::sync::Arc;

use sync::Mutex;
use sync::schema::{self, field, outcome, primitive, span};
use tracing::info_span;
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::filter::LevelFilter;

use crate::capture::{named, names, only, watch};
use crate::places::{assert_called_at, assert_made_at};
use crate::task::Task;

const HERE: &str = include_str!("mutex.rs");

#[test]
fn free_lock_is_an_acquire_and_its_release() {
    let task = Task::new();
    let mut line = 0;
    let spans = watch(LevelFilter::TRACE, |log| {
        let mutex = Mutex::new(()).with_name("ledger");
        line = line!() + 1;
        let guard = task.run(mutex.lock());
        assert!(log.only(span::ACQUIRE).closed.is_some(), "it is open until granted");
        drop(guard);
    });

    assert_eq!(names(&spans), [span::ACQUIRE, span::RELEASE]);
    let acquire = only(&spans, span::ACQUIRE);
    assert_eq!(acquire.target, "sync");
    assert_eq!(acquire.text(field::PRIMITIVE), primitive::MUTEX);
    assert_eq!(acquire.text(field::NAME), "ledger");
    assert_eq!(acquire.number(field::TASK), task.id());
    assert_eq!(acquire.number(field::PERMITS), 1);
    assert_eq!(acquire.number(field::LINE), u64::from(line));
    assert_eq!(acquire.outcome(), None);
    assert_ne!(acquire.number(field::OP), 0);
    assert_called_at(acquire, file!(), HERE, "lock()");
    assert_made_at(acquire, file!(), HERE, "Mutex::new(())");

    let release = only(&spans, span::RELEASE);
    assert_eq!(release.target, "sync");
    for same in [field::PRIMITIVE, field::NAME, field::ID, field::OP, field::TASK] {
        assert_eq!(release.value(same), acquire.value(same), "{same}");
    }
    assert_eq!(release.number(field::WOKEN), 0);
}

#[test]
fn contended_lock_waits_within_its_acquire() {
    let (holder, first, second) = (Task::new(), Task::new(), Task::new());
    let spans = watch(LevelFilter::TRACE, |log| {
        let mutex = Mutex::new(()).with_name("ledger");
        let guard = holder.run(mutex.lock());
        let mut one = pin!(mutex.lock());
        let mut two = pin!(mutex.lock());
        first.wait(one.as_mut());
        second.wait(two.as_mut());
        let open = |name| named(&log.spans(), name).iter().filter(|span| span.closed.is_none()).count();
        assert_eq!((open(span::ACQUIRE), open(span::WAIT)), (2, 2));

        drop(guard);
        assert_eq!(open(span::WAIT), 2, "it is open until the task resumes, not only until it is granted");
        drop(first.finish(one.as_mut()));
        assert_eq!((open(span::ACQUIRE), open(span::WAIT)), (1, 1));
        drop(second.finish(two.as_mut()));
    });

    let acquires = named(&spans, span::ACQUIRE);
    let waits = named(&spans, span::WAIT);
    let releases = named(&spans, span::RELEASE);
    assert_eq!((acquires.len(), waits.len(), releases.len()), (3, 2, 3));
    for ((wait, acquire), (task, ahead)) in waits.iter().zip(&acquires[1..]).zip([(&first, 0), (&second, 1)])
    {
        assert!(std::ptr::eq(&spans[wait.parent.expect("it has a parent")], *acquire));
        for (name, value) in &acquire.at_open {
            assert_eq!(wait.value(name), Some(value), "{name}");
        }
        assert_eq!(wait.target, "sync");
        assert_eq!(wait.number(field::TASK), task.id());
        assert_eq!(wait.number(field::QUEUE), ahead);
        assert_eq!(wait.outcome(), Some(outcome::GRANTED));
        assert_eq!(acquire.outcome(), None, "an acquire says nothing where it was granted");
        assert!(wait.opened > acquire.opened && wait.closed() < acquire.closed());
    }
    for (release, (acquire, woken)) in releases.iter().zip(acquires.iter().zip([1, 1, 0])) {
        assert_eq!(release.number(field::OP), acquire.number(field::OP));
        assert_eq!(release.number(field::TASK), acquire.number(field::TASK));
        assert_eq!(release.number(field::WOKEN), woken);
    }
}

#[test]
fn operations_have_numbers_of_their_own() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Mutex::new(());
        for _ in 0..3000 {
            drop(Task::new().run(mutex.lock()));
        }
    });
    let mut ops: Vec<_> = named(&spans, span::ACQUIRE).iter().map(|span| span.number(field::OP)).collect();
    ops.sort_unstable();
    ops.dedup();
    assert_eq!(ops.len(), 3000);
}

#[test]
fn objects_keep_a_number_of_their_own() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutexes = [Mutex::new(()), Mutex::new(())];
        for mutex in mutexes.iter().chain(&mutexes) {
            drop(Task::new().run(mutex.lock()));
        }
    });
    let ids: Vec<_> = named(&spans, span::ACQUIRE).iter().map(|span| span.number(field::ID)).collect();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[..2], ids[2..]);
    assert!(spans.iter().all(|span| span.text(field::NAME).is_empty()), "nobody named them");
}

#[test]
fn dropped_wait_is_cancelled() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Mutex::new(());
        let _guard = Task::new().run(mutex.lock());
        let mut waiting = Box::pin(mutex.lock());
        Task::new().wait(waiting.as_mut());
    });
    let wait = only(&spans, span::WAIT);
    let acquire = named(&spans, span::ACQUIRE)[1];
    assert_eq!(wait.outcome(), Some(outcome::CANCELLED));
    assert_eq!(wait.number(field::WAKE_NS), 0, "it was never granted");
    assert_eq!(acquire.outcome(), Some(outcome::CANCELLED));
    assert!(wait.closed() < acquire.closed());
    assert_eq!(named(&spans, span::RELEASE).len(), 1, "who never had it does not release it");
}

#[test]
fn wait_dropped_after_its_grant_is_cancelled_and_the_next_is_granted() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Mutex::new(());
        let (first, second) = (Task::new(), Task::new());
        let guard = Task::new().run(mutex.lock());
        let mut one = Box::pin(mutex.lock());
        let mut two = pin!(mutex.lock());
        first.wait(one.as_mut());
        second.wait(two.as_mut());
        drop(guard);
        drop(one);
        drop(second.finish(two.as_mut()));
    });
    let outcomes: Vec<_> = named(&spans, span::WAIT).iter().map(|span| span.outcome()).collect();
    assert_eq!(outcomes, [Some(outcome::CANCELLED), Some(outcome::GRANTED)]);
    assert_eq!(named(&spans, span::RELEASE).len(), 2);
}

#[test]
fn future_that_was_never_polled_makes_no_span() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Mutex::new(());
        drop(mutex.lock());
    });
    assert!(spans.is_empty(), "{spans:#?}");
}

#[test]
fn polling_again_makes_no_further_span() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Mutex::new(());
        let _guard = Task::new().run(mutex.lock());
        let mut waiting = pin!(mutex.lock());
        Task::new().wait(waiting.as_mut());
        Task::new().wait(waiting.as_mut());
    });
    assert_eq!(named(&spans, span::WAIT).len(), 1);
    assert_eq!(named(&spans, span::ACQUIRE).len(), 2);
}

#[test]
fn refused_try_is_an_acquire_without_a_wait() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Mutex::new(());
        let _guard = mutex.try_lock().expect("it is free");
        mutex.try_lock().expect_err("it is locked");
    });
    assert_eq!(names(&spans), [span::ACQUIRE, span::ACQUIRE, span::RELEASE]);
    let [taken, refused] = named(&spans, span::ACQUIRE)[..] else { unreachable!("counted above") };
    assert_eq!(taken.outcome(), None);
    assert_eq!(refused.outcome(), Some(outcome::REFUSED));
    assert_called_at(taken, file!(), HERE, "try_lock().expect(");
    assert_called_at(refused, file!(), HERE, "try_lock().expect_err(");
    assert_eq!(taken.number(field::TASK), 0, "a try has no waker to tell the task by");
    assert_eq!(only(&spans, span::RELEASE).number(field::OP), taken.number(field::OP));
}

#[test]
fn owned_guards_make_the_same_spans() {
    let (holder, waiter) = (Task::new(), Task::new());
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Arc::new(Mutex::new(()));
        let guard = holder.run(Arc::clone(&mutex).lock_owned());
        let mut waiting = pin!(Arc::clone(&mutex).lock_owned());
        waiter.wait(waiting.as_mut());
        Arc::clone(&mutex).try_lock_owned().expect_err("it is locked");
        drop(guard);
        drop(waiter.finish(waiting.as_mut()));
    });
    let acquires = named(&spans, span::ACQUIRE);
    assert_called_at(acquires[0], file!(), HERE, "lock_owned()");
    assert_called_at(acquires[2], file!(), HERE, "try_lock_owned()");
    assert_eq!(acquires[2].outcome(), Some(outcome::REFUSED));
    let wait = only(&spans, span::WAIT);
    assert_eq!(wait.number(field::OP), acquires[1].number(field::OP));
    assert_eq!(wait.number(field::TASK), waiter.id());
    let released: Vec<_> = named(&spans, span::RELEASE).iter().map(|span| span.number(field::OP)).collect();
    assert_eq!(released, [acquires[0].number(field::OP), acquires[1].number(field::OP)]);
}

#[test]
fn spans_are_inside_the_callers_own() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Mutex::new(());
        let guard = mutex.try_lock().expect("it is free");
        let mut waiting = Box::pin(mutex.lock());
        info_span!("request").in_scope(|| Task::new().wait(waiting.as_mut()));
        info_span!("cleanup").in_scope(|| drop(guard));
        // Which span is current when the wait ends does not matter.
        drop(waiting);
    });
    let parent = |index: usize| spans[index].parent.map(|parent| spans[parent].name);
    let index = |name| spans.iter().rposition(|span| span.name == name).expect("it is there");
    assert_eq!(parent(index(span::ACQUIRE)), Some("request"));
    assert_eq!(parent(index(span::WAIT)), Some(span::ACQUIRE));
    assert_eq!(parent(index(span::RELEASE)), Some("cleanup"));
    assert_eq!(spans[0].parent, None, "the first lock was taken outside of any span");
}

#[test]
fn debug_shows_contention_alone() {
    let waiter = Task::new();
    let spans = watch(LevelFilter::DEBUG, |log| {
        let mutex = Mutex::new(()).with_name("ledger");
        drop(Task::new().run(mutex.lock()));
        let guard = mutex.try_lock().expect("it is free");
        mutex.try_lock().expect_err("it is locked");
        assert!(log.spans().is_empty(), "a call that does not wait leaves nothing");

        let mut waiting = pin!(mutex.lock());
        info_span!("request").in_scope(|| waiter.wait(waiting.as_mut()));
        drop(guard);
        drop(waiter.finish(waiting.as_mut()));
    });
    assert_eq!(names(&spans), ["request", span::WAIT]);
    let wait = &spans[1];
    assert_eq!(wait.parent, Some(0));
    assert_eq!(wait.text(field::PRIMITIVE), primitive::MUTEX);
    assert_eq!(wait.text(field::NAME), "ledger");
    assert_eq!(wait.number(field::TASK), waiter.id());
    assert_eq!(wait.number(field::PERMITS), 1);
    assert_eq!(wait.number(field::QUEUE), 0);
    assert_eq!(wait.outcome(), Some(outcome::GRANTED));
    assert_ne!(wait.number(field::OP), 0);
    assert_called_at(wait, file!(), HERE, "lock()");
}

#[test]
fn info_shows_nothing() {
    let spans = watch(LevelFilter::INFO, |_| {
        let mutex = Mutex::new(());
        let guard = mutex.try_lock().expect("it is free");
        let mut waiting = pin!(mutex.lock());
        Task::new().wait(waiting.as_mut());
        drop(guard);
        drop(Task::new().finish(waiting.as_mut()));
    });
    assert!(spans.is_empty(), "{spans:#?}");
}

#[test]
fn subscriber_that_comes_during_a_wait_sees_releases_of_no_known_operation() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Mutex::new(());
        let mut waiting = pin!(mutex.lock());
        let guard = tracing::subscriber::with_default(NoSubscriber::new(), || {
            let guard = mutex.try_lock().expect("it is free");
            Task::new().wait(waiting.as_mut());
            guard
        });
        drop(guard);
        drop(Task::new().finish(waiting.as_mut()));
    });
    assert_eq!(names(&spans), [span::RELEASE, span::RELEASE]);
    for (release, woken) in spans.iter().zip([1, 0]) {
        assert_eq!(release.number(field::OP), 0);
        assert_eq!(release.number(field::TASK), 0);
        assert_eq!(release.number(field::HELD_NS), 0);
        assert_eq!(release.number(field::WOKEN), woken);
    }
}

#[test]
fn looking_at_a_mutex_makes_no_span() {
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Mutex::new(7);
        assert!(format!("{mutex:?}").contains('7'));
        assert!(!mutex.is_locked() && !mutex.statistics().locked);
    });
    assert!(spans.is_empty(), "{spans:#?}");
}

#[test]
fn target_and_names_are_those_of_the_contract() {
    assert_eq!(schema::TARGET, "sync");
    assert_eq!(
        [span::ACQUIRE, span::WAIT, span::RELEASE, span::SET, span::CLEAR, span::NOTIFY],
        ["acquire", "wait", "release", "set", "clear", "notify"]
    );
    assert_eq!(
        [primitive::MUTEX, primitive::CONDITION, primitive::SEMAPHORE, primitive::EVENT, primitive::BARRIER],
        ["mutex", "condition", "semaphore", "event", "barrier"]
    );
    assert_eq!([outcome::GRANTED, outcome::CANCELLED, outcome::CLOSED], ["granted", "cancelled", "closed"]);
    assert_eq!(
        [
            field::PRIMITIVE,
            field::NAME,
            field::ID,
            field::OP,
            field::TASK,
            field::PERMITS,
            field::FILE,
            field::LINE,
            field::COLUMN,
            field::QUEUE,
            field::OUTCOME,
            field::QUEUED_NS,
            field::WAKE_NS,
            field::HELD_NS,
            field::WOKEN,
        ],
        [
            "primitive",
            "name",
            "id",
            "op",
            "task",
            "permits",
            "file",
            "line",
            "column",
            "queue",
            "outcome",
            "queued_ns",
            "wake_ns",
            "held_ns",
            "woken",
        ]
    );
}
