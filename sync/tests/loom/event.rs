//! Models of `Event`.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use sync::Event;

use crate::{Boxed, Figure, block_on, check, expect_ready, queue_up};

fn shared() -> Arc<Event> {
    Arc::new(Event::new())
}

fn wait(event: &Arc<Event>) -> Boxed<()> {
    Box::pin(Arc::clone(event).wait_owned())
}

/// A future that waits and is in the queue already.
fn registered(event: &Arc<Event>) -> Boxed<()> {
    let mut waiter = wait(event);
    queue_up(waiter.as_mut());
    waiter
}

/// The lost wake-up proper, and that a wait shows what was done before the `set`, on both of its paths.
#[test]
fn wait_during_a_set_ends_and_sees_what_came_before() {
    check(|| {
        let event = shared();
        let figure = Arc::new(Figure::default());
        let setter = {
            let (event, figure) = (Arc::clone(&event), Arc::clone(&figure));
            thread::spawn(move || {
                figure.increase();
                event.set();
            })
        };
        block_on(event.wait());
        assert_eq!(figure.get(), 1);
        setter.join().unwrap();
    });
}

/// A `set` of another thread lands before or after our `clear`: one that is seen after it was published.
#[test]
fn set_that_is_seen_after_a_clear_publishes() {
    check(|| {
        let event = shared();
        let figure = Arc::new(Figure::default());
        event.set();
        let setter = {
            let (event, figure) = (Arc::clone(&event), Arc::clone(&figure));
            thread::spawn(move || {
                figure.increase();
                event.set();
            })
        };
        event.clear();
        if event.is_set() {
            assert_eq!(figure.get(), 1);
        }
        setter.join().unwrap();
    });
}

/// Who clears, looks and then waits misses no change: the `clear` that takes a mark away sees what came before it.
#[test]
fn change_is_seen_by_who_clears_before_looking() {
    check(|| {
        let event = shared();
        let changed = Arc::new(AtomicBool::new(false));
        let changer = {
            let (event, changed) = (Arc::clone(&event), Arc::clone(&changed));
            thread::spawn(move || {
                changed.store(true, Ordering::Relaxed);
                event.set();
            })
        };
        loop {
            event.clear();
            if changed.load(Ordering::Relaxed) {
                break;
            }
            block_on(event.wait());
        }
        changer.join().unwrap();
    });
}

/// `set(); clear()` in one go releases those who are registered, though they never see it set.
#[test]
fn set_and_clear_at_once_release_those_who_wait() {
    check(|| {
        let event = shared();
        let (first, mut second) = (registered(&event), registered(&event));
        let setter = {
            let event = Arc::clone(&event);
            thread::spawn(move || {
                event.set();
                event.clear();
            })
        };
        block_on(first);
        setter.join().unwrap();
        expect_ready(second.as_mut());
        assert!(!event.is_set());
    });
}

/// Who comes after the `clear` waits for the next `set`, while the first one's waiters are still on their way.
#[test]
fn waiter_that_comes_after_a_clear_is_not_released() {
    check(|| {
        let event = shared();
        let first = registered(&event);
        let setter = {
            let event = Arc::clone(&event);
            thread::spawn(move || {
                event.set();
                event.clear();
                registered(&event)
            })
        };
        block_on(first);
        let mut late = setter.join().unwrap();
        queue_up(late.as_mut());
        event.set();
        block_on(late);
    });
}

/// A `clear` of another thread comes at any moment of a `set`.
#[test]
fn clear_during_a_set_holds_no_waiter_back() {
    check(|| {
        let event = shared();
        let mut waiter = registered(&event);
        let setter = {
            let event = Arc::clone(&event);
            thread::spawn(move || event.set())
        };
        event.clear();
        setter.join().unwrap();
        expect_ready(waiter.as_mut());
        assert_eq!(event.statistics().waiting, 0);
    });
}

/// Two sets share the waiters between them; when either returns, all have been released.
#[test]
fn two_sets_release_everybody() {
    check(|| {
        let event = shared();
        let mut waiters = [registered(&event), registered(&event)];
        let setter = {
            let event = Arc::clone(&event);
            thread::spawn(move || event.set())
        };
        event.set();
        for waiter in &mut waiters {
            expect_ready(waiter.as_mut());
        }
        setter.join().unwrap();
        assert!(event.is_set());
    });
}

/// A cancellation meets the `set` that would release it, before or after: its neighbours are released.
#[test]
fn waiter_cancelled_during_a_set_takes_nobody_with_it() {
    check(|| {
        let event = shared();
        let (mut first, cancelled, mut last) = (registered(&event), registered(&event), registered(&event));
        let setter = {
            let event = Arc::clone(&event);
            thread::spawn(move || event.set())
        };
        drop(cancelled);
        setter.join().unwrap();
        expect_ready(first.as_mut());
        expect_ready(last.as_mut());
    });
}

/// A wait that was released but not resumed is dropped: the event is as it was, the others are released.
#[test]
fn waiter_cancelled_after_its_release_leaves_the_event_whole() {
    check(|| {
        let event = shared();
        let released = registered(&event);
        event.set();
        event.clear();
        let mut other = registered(&event);
        let canceller = thread::spawn(move || drop(released));
        event.set();
        expect_ready(other.as_mut());
        canceller.join().unwrap();
        assert_eq!(event.statistics().waiting, 0);
    });
}

/// The waker is replaced while the `set` takes it: the new one must be called, or the poll must see the release.
#[test]
fn waker_replaced_during_a_set_is_the_one_that_is_woken() {
    check(|| {
        let event = shared();
        let waiter = registered(&event);
        let setter = {
            let event = Arc::clone(&event);
            thread::spawn(move || event.set())
        };
        loom::future::block_on(waiter);
        setter.join().unwrap();
    });
}
