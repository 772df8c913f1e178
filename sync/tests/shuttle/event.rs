//! Models of `Event`.

use std::sync::Arc;

use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::thread;
use sync::Event;

use crate::{Boxed, block_on, check, give_up, poll_once, queue_up, together, wait_for};

/// A future that waits already.
fn waiting(event: &Arc<Event>) -> Boxed<()> {
    let mut waiter: Boxed<()> = Box::pin(Arc::clone(event).wait_owned());
    queue_up(waiter.as_mut());
    waiter
}

/// More than one batch waits, in the hands of four threads, while two set and clear at once and one thread gives some
/// of the waits up. All who waited before are let go, though the event is never left set.
#[test]
fn set_and_clear_release_all_who_waited_before() {
    check(|| {
        let event = Arc::new(Event::new());
        let released = Arc::new(AtomicUsize::new(0));
        let mut hands: Vec<Vec<_>> = (0..5).map(|_| (0..9).map(|_| waiting(&event)).collect()).collect();
        let mut gone = hands.pop().expect("there are five");
        // Those who go stand among the others.
        for (hand, lot) in hands.iter_mut().enumerate() {
            std::mem::swap(&mut lot[hand], &mut gone[hand]);
        }
        let mut threads: Vec<_> = hands
            .into_iter()
            .map(|hand| {
                let released = Arc::clone(&released);
                thread::spawn(move || {
                    for waiter in hand {
                        block_on(waiter);
                        released.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        threads.push(thread::spawn(move || drop(gone)));
        for _ in 0..2 {
            let event = Arc::clone(&event);
            threads.push(thread::spawn(move || {
                event.set();
                event.clear();
            }));
        }
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(released.load(Ordering::SeqCst), 36);
        let statistics = event.statistics();
        assert!(!statistics.set);
        assert_eq!(statistics.waiting, 0);
    });
}

/// Who joins after the `clear` of a `set` that is still letting others go waits for the next one.
#[test]
fn newcomer_after_a_clear_is_not_let_go_by_the_set_before() {
    check(|| {
        let event = Arc::new(Event::new());
        let old: Vec<_> = (0..40).map(|_| waiting(&event)).collect();
        let setter = {
            let event = Arc::clone(&event);
            thread::spawn(move || event.set())
        };
        let waiter = thread::spawn(move || old.into_iter().for_each(block_on));
        while !event.is_set() {
            thread::yield_now();
        }
        event.clear();
        let mut newcomers = [waiting(&event), waiting(&event)];
        setter.join().unwrap();
        waiter.join().unwrap();
        assert_eq!(event.statistics().waiting, newcomers.len());
        for newcomer in &mut newcomers {
            queue_up(newcomer.as_mut());
        }
        event.set();
        for newcomer in &mut newcomers {
            assert!(poll_once(newcomer.as_mut()).is_ready());
        }
    });
}

/// Waits of all kinds against sets and clears of all threads, and one last `set`: nobody is left.
#[test]
fn nobody_sleeps_through_the_last_set() {
    check(|| {
        let event = Arc::new(Event::new());
        let passed = Arc::new(AtomicUsize::new(0));
        let waiters: Vec<_> = (0..5)
            .map(|i| {
                let (event, passed) = (Arc::clone(&event), Arc::clone(&passed));
                thread::spawn(move || {
                    for _ in 0..2 {
                        if i == 0 {
                            give_up(event.wait());
                        }
                        wait_for(event.wait());
                        passed.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        together(2, {
            let event = Arc::clone(&event);
            move |_| {
                for _ in 0..2 {
                    event.set();
                    event.clear();
                }
            }
        });
        event.set();
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert_eq!(passed.load(Ordering::SeqCst), 10);
        assert_eq!(event.statistics().waiting, 0);
    });
}

/// Polls that nobody asked for find their wait over while `set` is still at the list: the event is set by then.
#[test]
fn who_was_let_go_finds_it_set() {
    check(|| {
        let event = Arc::new(Event::new());
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let (mut waiter, event) = (waiting(&event), Arc::clone(&event));
                thread::spawn(move || {
                    while poll_once(waiter.as_mut()).is_pending() {
                        thread::yield_now();
                    }
                    assert!(event.is_set(), "let go, and it is not set");
                })
            })
            .collect();
        event.set();
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
}
