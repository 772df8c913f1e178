//! Behaviour of `Event`, poll by poll, and under several tasks with cancellations.
#![cfg(not(loom))]

mod common;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use common::{
    Random, Task, assert_not_impl, is_send, is_sync, now, on_drop, on_wake, panic_message, poll_once,
};
use sync::Event;
use sync::futures::{EventWait, EventWaitOwned};

#[test]
fn types_are_send_and_sync() {
    is_send::<Event>();
    is_sync::<Event>();
    is_send::<EventWait<'static>>();
    is_send::<EventWaitOwned>();
}
assert_not_impl!(EventWait<'static>: Unpin);
assert_not_impl!(EventWaitOwned: Unpin);

#[test]
fn wait_on_a_set_event_is_ready_at_once() {
    let event = Arc::new(Event::new());
    event.set();
    event.set();
    now(event.wait());
    now(Arc::clone(&event).wait_owned());
    assert!(event.is_set());
    event.clear();
    event.clear();
    assert!(!event.is_set());
    Task::waiting(event.wait()).assert_waits();
}

#[test]
fn set_releases_everybody_in_the_order_of_first_polls() {
    // More than a batch.
    const N: usize = 100;
    let event = Event::new();
    let order = Arc::new(StdMutex::new(Vec::new()));
    let mut tasks: Vec<_> = (0..N).map(|_| Task::new(event.wait())).collect();
    for (i, task) in tasks.iter_mut().enumerate() {
        let order = Arc::clone(&order);
        assert!(task.poll_with(&on_wake(move || order.lock().unwrap().push(i))).is_pending());
    }
    assert_eq!(event.statistics().waiting, N);
    event.set();
    assert_eq!(*order.lock().unwrap(), (0..N).collect::<Vec<_>>());
    assert_eq!(event.statistics().waiting, 0);
    for task in &mut tasks {
        task.ready();
    }
}

#[test]
fn set_and_clear_release_who_waited_and_nobody_who_came_later() {
    let event = Event::new();
    for n in [1, 31, 32, 33, 64, 65, 200] {
        let mut before: Vec<_> = (0..n).map(|_| Task::waiting(event.wait())).collect();
        event.set();
        event.clear();
        let mut after = Task::waiting(event.wait());
        for task in &mut before {
            task.woken();
        }
        after.assert_waits();
        assert_eq!(event.statistics().waiting, 1);
        event.set();
        event.clear();
        after.woken();
    }
}

/// A waker that calls back into the event between the batches of a `set`.
#[test]
fn waiter_that_joins_from_within_a_set_is_left_to_the_next() {
    let event = Arc::new(Event::new());
    let late = Arc::new(StdMutex::new(Vec::<Task<EventWaitOwned>>::new()));
    let mut first = Task::new(event.wait());
    let waker = {
        let (event, late) = (Arc::clone(&event), Arc::clone(&late));
        on_wake(move || {
            assert!(event.is_set());
            now(event.wait());
            event.clear();
            late.lock().unwrap().push(Task::waiting(Arc::clone(&event).wait_owned()));
        })
    };
    assert!(first.poll_with(&waker).is_pending());
    let mut others: Vec<_> = (0..100).map(|_| Task::waiting(event.wait())).collect();
    event.set();
    first.ready();
    for task in &mut others {
        task.woken();
    }
    let mut late = late.lock().unwrap().pop().unwrap();
    late.assert_waits();
    assert!(!event.is_set());
    event.set();
    late.woken();
}

#[test]
fn set_from_within_a_set_releases_those_who_joined_in_between() {
    let event = Arc::new(Event::new());
    let late = Arc::new(StdMutex::new(Vec::<Task<EventWaitOwned>>::new()));
    let mut first = Task::new(event.wait());
    let waker = {
        let (event, late) = (Arc::clone(&event), Arc::clone(&late));
        on_wake(move || {
            event.clear();
            let joined = Task::waiting(Arc::clone(&event).wait_owned());
            event.set();
            event.clear();
            late.lock().unwrap().push(joined);
            late.lock().unwrap().push(Task::waiting(Arc::clone(&event).wait_owned()));
        })
    };
    assert!(first.poll_with(&waker).is_pending());
    let mut others: Vec<_> = (0..100).map(|_| Task::waiting(event.wait())).collect();
    event.set();
    for task in &mut others {
        task.woken();
    }
    let mut late = late.lock().unwrap();
    late[1].assert_waits();
    late[0].woken();
    assert!(!event.is_set());
}

#[test]
fn dropped_waiter_leaves_the_queue_wherever_it_stands() {
    for gone in 0..3 {
        let event = Event::new();
        let mut tasks: Vec<_> = (0..3).map(|_| Task::waiting(event.wait())).collect();
        drop(tasks.remove(gone));
        assert_eq!(event.statistics().waiting, 2);
        event.set();
        for task in &mut tasks {
            task.woken();
        }
        assert_eq!(event.statistics().waiting, 0);
    }
}

#[test]
fn released_waiter_can_be_dropped_unpolled() {
    let event = Event::new();
    let released = Task::waiting(event.wait());
    event.set();
    event.clear();
    let mut next = Task::waiting(event.wait());
    drop(released);
    next.assert_waits();
    event.set();
    next.woken();
}

#[test]
fn released_waiter_is_ready_though_the_event_was_cleared() {
    let event = Event::new();
    let mut released = Task::waiting(event.wait());
    event.set();
    event.clear();
    released.woken();
    assert!(!event.is_set());
}

#[test]
fn last_waker_is_the_one_that_is_woken() {
    let event = Event::new();
    let mut task = Task::waiting(event.wait());
    let woken = Arc::new(AtomicUsize::new(0));
    let waker = {
        let woken = Arc::clone(&woken);
        on_wake(move || _ = woken.fetch_add(1, Ordering::SeqCst))
    };
    assert!(task.poll_with(&waker).is_pending());
    event.set();
    assert_eq!((task.wakes(), woken.load(Ordering::SeqCst)), (0, 1));
    task.ready();
}

#[test]
fn owned_wait_keeps_its_event_alive() {
    let event = Arc::new(Event::new());
    let mut task = Task::waiting(Arc::clone(&event).wait_owned());
    let setter = Arc::clone(&event);
    drop(event);
    setter.set();
    drop(setter);
    task.woken();
}

#[test]
fn events_made_in_statics_work() {
    static PLAIN: Event = Event::new();
    static NAMED: Event = Event::new().with_name("named");
    PLAIN.set();
    assert!(PLAIN.is_set() && !NAMED.is_set());
    assert!(!Event::default().is_set());
}

#[test]
fn debug_says_whether_it_is_set() {
    let event = Arc::new(Event::new());
    assert_eq!(format!("{event:?}"), "Event { set: false, .. }");
    event.set();
    assert_eq!(format!("{event:?}"), "Event { set: true, .. }");
    assert!(format!("{:?}", event.wait()).starts_with("EventWait"));
    assert!(format!("{:?}", Arc::clone(&event).wait_owned()).starts_with("EventWaitOwned"));
}

#[test]
fn poll_after_ready_panics() {
    let event = Event::new();
    let mut task = Task::waiting(event.wait());
    event.set();
    task.woken();
    assert!(panic_message(|| _ = task.poll()).contains("polled after it was ready"));
    let mut at_once = Task::new(event.wait());
    at_once.ready();
    assert!(panic_message(|| _ = at_once.poll()).contains("polled after it was ready"));
}

#[test]
fn wakers_that_panic_keep_nobody_from_being_woken() {
    let event = Event::new();
    let mut bad: Vec<_> = (0..3).map(|_| Task::new(event.wait())).collect();
    let mut good = Vec::new();
    for (i, task) in bad.iter_mut().enumerate() {
        assert!(task.poll_with(&on_wake(move || panic!("bad waker {i}"))).is_pending());
        good.extend((0..40).map(|_| Task::waiting(event.wait())));
    }
    assert_eq!(panic_message(|| event.set()), "bad waker 0");
    assert!(event.is_set());
    for task in &mut good {
        task.woken();
    }
    for task in &mut bad {
        task.ready();
    }
}

#[test]
fn waker_may_drop_other_waiters_when_it_is_woken() {
    let event = Arc::new(Event::new());
    let victims = Arc::new(StdMutex::new(Vec::<Pin<Box<EventWaitOwned>>>::new()));
    let mut first = Task::new(event.wait());
    let waker = {
        let victims = Arc::clone(&victims);
        on_wake(move || victims.lock().unwrap().clear())
    };
    assert!(first.poll_with(&waker).is_pending());
    for _ in 0..100 {
        let mut victim = Box::pin(Arc::clone(&event).wait_owned());
        assert!(poll_once(victim.as_mut()).is_pending());
        victims.lock().unwrap().push(victim);
    }
    event.set();
    assert!(victims.lock().unwrap().is_empty());
    assert_eq!(event.statistics().waiting, 0);
    first.ready();
}

#[test]
fn waker_may_use_the_event_when_it_is_dropped() {
    let event = Arc::new(Event::new());
    let dropped = Arc::new(AtomicUsize::new(0));
    let waker = || {
        let (event, dropped) = (Arc::clone(&event), Arc::clone(&dropped));
        on_drop(move || {
            event.clear();
            let _ = event.statistics();
            dropped.fetch_add(1, Ordering::SeqCst);
        })
    };
    let mut task = Task::new(event.wait());
    assert!(task.poll_with(&waker()).is_pending());
    assert!(task.poll_with(&waker()).is_pending());
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    event.set();
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
    assert!(!event.is_set());
    task.ready();
    let mut task = Task::new(event.wait());
    assert!(task.poll_with(&waker()).is_pending());
    drop(task);
    assert_eq!(dropped.load(Ordering::SeqCst), 3);
}

/// The event is set while the waker is cloned, between the look at the flag and the queue.
#[test]
fn set_from_within_the_clone_of_a_waker_is_seen() {
    use std::task::{RawWaker, RawWakerVTable};
    static EVENT: Event = Event::new();
    fn clone(_: *const ()) -> RawWaker {
        EVENT.set();
        RawWaker::new(std::ptr::null(), &VTABLE)
    }
    static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, |_| (), |_| (), |_| ());
    // SAFETY: the functions use nothing of the pointer, and may be called from any thread.
    let waker = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) };
    let mut task = Task::new(EVENT.wait());
    assert!(task.poll_with(&waker).is_ready());
}

#[test]
fn hundred_thousand_waiters_leave_in_any_order() {
    let event = Event::new();
    let mut waiters: Vec<Pin<Box<_>>> = (0..100_000).map(|_| Box::pin(event.wait())).collect();
    for waiter in &mut waiters {
        assert!(poll_once(waiter.as_mut()).is_pending());
    }
    Random(4).shuffle(&mut waiters);
    let rest = waiters.split_off(50_000);
    drop(waiters);
    assert_eq!(event.statistics().waiting, 50_000);
    event.set();
    assert_eq!(event.statistics().waiting, 0);
    for mut waiter in rest {
        assert!(poll_once(waiter.as_mut()).is_ready());
    }
}

#[test]
fn random_steps_agree_with_a_plain_model() {
    for seed in 0..20 {
        let event = Event::new();
        let mut random = Random(seed);
        let mut set = false;
        let mut waiting: Vec<Task<EventWait<'_>>> = Vec::new();
        for _ in 0..2_000 {
            match random.below(12) {
                0 => {
                    event.set();
                    set = true;
                    for mut task in waiting.drain(..) {
                        task.woken();
                    }
                }
                1 | 2 => {
                    event.clear();
                    set = false;
                }
                3 if !waiting.is_empty() => drop(waiting.swap_remove(random.below(waiting.len()))),
                _ => {
                    let mut task = Task::new(event.wait());
                    assert_eq!(task.poll().is_ready(), set);
                    if !set {
                        waiting.push(task);
                    }
                }
            }
            assert_eq!(event.is_set(), set);
            assert_eq!(event.statistics().waiting, waiting.len());
            assert!(waiting.iter().all(|task| task.wakes() == 0));
        }
    }
}

/// Each round every waiter is released by a `set` that is followed by a `clear` at once, while others come and go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hammer_with_cancellations_releases_everybody() {
    const ROUNDS: usize = 2_000;
    let event = Arc::new(Event::new());
    let done = Arc::new(AtomicUsize::new(0));
    let waiters: Vec<_> = (0..6)
        .map(|seed| {
            let (event, done) = (Arc::clone(&event), Arc::clone(&done));
            tokio::spawn(async move {
                let mut random = Random(seed);
                for _ in 0..ROUNDS {
                    if random.below(3) == 0 {
                        let mut cancelled = Box::pin(event.wait());
                        if poll_once(cancelled.as_mut()).is_pending() {
                            tokio::task::yield_now().await;
                        }
                    } else {
                        event.wait().await;
                    }
                }
                done.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    let setter = {
        let (event, done) = (Arc::clone(&event), Arc::clone(&done));
        tokio::spawn(async move {
            while done.load(Ordering::SeqCst) < 6 {
                event.set();
                event.clear();
                tokio::task::yield_now().await;
            }
        })
    };
    for waiter in waiters {
        waiter.await.unwrap();
    }
    setter.await.unwrap();
    assert_eq!(event.statistics().waiting, 0);
}
