//! A million waiters, and the largest numbers that fit.
//!
//! Nothing here looks at a clock. What a queue does once for each of its waiters takes a million times some ten
//! steps; had one of these operations to walk the queue, it would be 10^12, and the test would not end.
#![cfg(not(any(loom, shuttle)))]

mod common;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use common::{Task, now, panic_message};
use sync::{Condition, Event, Mutex, Semaphore};

const MANY: usize = 1_000_000;

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Very many futures that wait, with one waker that counts.
struct Crowd<F> {
    futures: Vec<Option<Pin<Box<F>>>>,
    wakes: Arc<Wakes>,
}

impl<F: Future> Crowd<F> {
    /// As many as there are, polled in this order.
    fn waiting(futures: impl Iterator<Item = F>) -> Self {
        let wakes = Arc::<Wakes>::default();
        let waker = Waker::from(Arc::clone(&wakes));
        let mut cx = Context::from_waker(&waker);
        let futures = futures
            .map(|future| {
                let mut future = Box::pin(future);
                assert!(future.as_mut().poll(&mut cx).is_pending(), "it had nothing to wait for");
                Some(future)
            })
            .collect();
        Self { futures, wakes }
    }

    /// Cancels a third: from the front on, from the back on, and the rest of them from the middle outwards.
    fn thin_out(&mut self) {
        let chosen = (0..self.futures.len()).filter(|i| i % 3 == 1).collect::<Vec<_>>();
        let (front, rest) = chosen.split_at(chosen.len() / 4);
        let (middle, back) = rest.split_at(rest.len() / 2);
        let (left, right) = middle.split_at(middle.len() / 2);
        let outwards = left.iter().rev().zip(right).flat_map(|(l, r)| [l, r]);
        for i in front.iter().chain(back.iter().rev()).chain(outwards) {
            self.futures[*i] = None;
        }
        self.futures.retain(Option::is_some);
    }

    fn len(&self) -> usize {
        self.futures.len()
    }

    fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::Relaxed)
    }

    /// What they waited for, one after the other, each of which must be there by then.
    fn outputs(self) -> impl Iterator<Item = F::Output> {
        self.futures.into_iter().flatten().map(|mut future| match common::poll_once(future.as_mut()) {
            std::task::Poll::Ready(output) => output,
            std::task::Poll::Pending => panic!("it still waits"),
        })
    }
}

#[test]
fn mutex_with_a_million_waiters_serves_one_after_the_other() {
    let mutex = Mutex::new(0);
    let guard = mutex.try_lock().unwrap();
    let mut crowd = Crowd::waiting((0..MANY).map(|_| mutex.lock()));
    assert_eq!(mutex.statistics().waiting, MANY);
    crowd.thin_out();
    let n = crowd.len();
    assert_eq!(mutex.statistics().waiting, n);
    assert_eq!(crowd.wakes(), 0);
    drop(guard);
    let wakes = Arc::clone(&crowd.wakes);
    for (i, mut guard) in crowd.outputs().enumerate() {
        *guard += 1;
        assert_eq!(wakes.0.load(Ordering::Relaxed), i + 1, "one at a time");
    }
    assert_eq!(mutex.statistics().waiting, 0);
    assert_eq!(*mutex.try_lock().unwrap(), n);
}

#[test]
fn semaphore_serves_a_million_requests_of_mixed_sizes_by_one_release() {
    let semaphore = Semaphore::new(0);
    let sizes = |i: usize| 1 + (i % 5) as u32;
    let mut crowd = Crowd::waiting((0..MANY).map(|i| semaphore.acquire_many(sizes(i))));
    assert_eq!(semaphore.statistics().waiting, MANY);
    crowd.thin_out();
    let n = crowd.len();
    assert_eq!(semaphore.statistics().waiting, n);
    semaphore.add_permits(5 * MANY);
    assert_eq!(crowd.wakes(), n);
    let taken: usize = crowd
        .outputs()
        .map(|permit| {
            let permit = permit.unwrap();
            let taken = permit.num_permits();
            permit.forget();
            taken
        })
        .sum();
    assert_eq!(semaphore.available_permits(), 5 * MANY - taken);
}

#[test]
fn close_ends_a_million_requests() {
    let semaphore = Semaphore::new(1);
    let mut crowd = Crowd::waiting((0..MANY).map(|_| semaphore.acquire_many(2)));
    crowd.thin_out();
    let n = crowd.len();
    semaphore.close();
    assert_eq!(crowd.wakes(), n);
    assert_eq!(semaphore.statistics().waiting, 0);
    assert!(crowd.outputs().all(|output| output.is_err()));
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn million_requests_are_cancelled_after_they_were_granted() {
    let semaphore = Semaphore::new(0);
    let crowd = Crowd::waiting((0..MANY).map(|_| semaphore.acquire()));
    semaphore.add_permits(1);
    // The one permit goes through all hands.
    drop(crowd);
    assert_eq!(semaphore.available_permits(), 1);
    assert_eq!(semaphore.statistics().waiting, 0);
}

#[test]
fn event_lets_a_million_go_and_stays_clear() {
    let event = Event::new();
    let mut crowd = Crowd::waiting((0..MANY).map(|_| event.wait()));
    crowd.thin_out();
    let n = crowd.len();
    assert_eq!(event.statistics().waiting, n);
    event.set();
    event.clear();
    assert_eq!(crowd.wakes(), n);
    assert_eq!(event.statistics().waiting, 0);
    let mut newcomer = Task::waiting(event.wait());
    assert_eq!(crowd.outputs().count(), n);
    newcomer.assert_waits();
}

#[test]
fn condition_moves_a_million_and_wakes_one_with_each_unlock() {
    let condition = Condition::new(0);
    let wait = |_| condition.try_lock().unwrap().wait();
    let mut crowd = Crowd::waiting((0..MANY).map(wait));
    assert_eq!(condition.statistics().waiting, MANY);
    crowd.thin_out();
    let n = crowd.len();
    let guard = condition.try_lock().unwrap();
    guard.notify(n / 2);
    assert_eq!(condition.statistics().mutex.waiting, n / 2);
    guard.notify_all();
    assert_eq!(condition.statistics().mutex.waiting, n);
    assert_eq!(condition.statistics().waiting, 0);
    assert_eq!(crowd.wakes(), 0, "nobody is woken to block again");
    drop(guard);
    let wakes = Arc::clone(&crowd.wakes);
    for (i, mut guard) in crowd.outputs().enumerate() {
        *guard += 1;
        assert_eq!(wakes.0.load(Ordering::Relaxed), i + 1, "one at a time");
    }
    assert_eq!(*condition.try_lock().unwrap(), n);
}

#[test]
fn notification_passes_through_a_million_cancelled_waiters() {
    let condition = Condition::new(());
    let mut crowd = Crowd::waiting((0..MANY).map(|_| condition.try_lock().unwrap().wait()));
    condition.try_lock().unwrap().notify_one();
    let last = crowd.futures.pop();
    drop(std::mem::take(&mut crowd.futures));
    crowd.futures.push(last.expect("there are a million"));
    assert_eq!(crowd.wakes(), MANY, "each once, as the lock came to it");
    assert_eq!(crowd.outputs().count(), 1);
    assert_eq!(condition.statistics().waiting, 0);
}

#[test]
fn semaphore_holds_as_many_permits_as_fit_and_not_one_more() {
    let semaphore = Semaphore::new(Semaphore::MAX_PERMITS);
    let full = || assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS);
    for n in [1, Semaphore::MAX_PERMITS, usize::MAX] {
        let message = panic_message(|| semaphore.add_permits(n));
        assert_eq!(message, format!("Semaphore::add_permits({n}): more permits than Semaphore::MAX_PERMITS"));
        full();
    }
    semaphore.add_permits(0);
    full();
    assert!(!semaphore.is_closed() && semaphore.statistics().waiting == 0, "no carry into the other bits");
    assert_eq!(semaphore.forget_permits(usize::MAX), Semaphore::MAX_PERMITS);
    assert_eq!(semaphore.available_permits(), 0);
    semaphore.add_permits(Semaphore::MAX_PERMITS);
    full();
    let message = panic_message(|| _ = Semaphore::new(Semaphore::MAX_PERMITS + 1));
    assert!(message.starts_with("Semaphore::new"), "{message}");
}

#[test]
fn too_many_permits_are_refused_while_somebody_waits_for_more() {
    let semaphore = Semaphore::new(1);
    let mut large = Task::waiting(semaphore.acquire_many(2));
    for n in [Semaphore::MAX_PERMITS, usize::MAX] {
        panic_message(|| semaphore.add_permits(n));
        assert_eq!(semaphore.available_permits(), 1);
        large.assert_waits();
    }
    semaphore.add_permits(Semaphore::MAX_PERMITS - 1);
    let permits = large.woken().unwrap();
    assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS - 2);
    drop(permits);
    assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS);
}

#[cfg(target_pointer_width = "64")]
#[test]
fn largest_requests_are_served() {
    const LARGEST: usize = u32::MAX as usize;
    let semaphore = Semaphore::new(LARGEST - 1);
    assert!(matches!(semaphore.try_acquire_many(u32::MAX), Err(sync::TryAcquireError::NoPermits)));
    let mut first = Task::waiting(semaphore.acquire_many(u32::MAX));
    let mut second = Task::waiting(semaphore.acquire_many(u32::MAX));
    semaphore.add_permits(1);
    let mut all = first.woken().unwrap();
    second.assert_waits();
    semaphore.add_permits(LARGEST);
    all.merge(second.woken().unwrap());
    assert_eq!(all.num_permits(), 2 * LARGEST);
    assert_eq!(semaphore.available_permits(), 0);
    assert!(all.split(usize::MAX).is_none());
    let part = all.split(LARGEST + 1).unwrap();
    drop(all);
    assert_eq!(semaphore.available_permits(), LARGEST - 1);
    drop(part);
    assert_eq!(semaphore.available_permits(), 2 * LARGEST);
}

/// Nobody can be told of it in a destructor, so what is past the bound is gone.
#[test]
fn permits_that_come_back_to_a_full_semaphore_are_dropped() {
    let semaphore = Semaphore::new(Semaphore::MAX_PERMITS);
    let permits = now(semaphore.acquire_many(3)).unwrap();
    semaphore.add_permits(2);
    drop(permits);
    assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS - 1);
    assert!(!semaphore.is_closed());
}

#[test]
fn notifying_nobody_or_everybody_is_the_same_with_nobody_there() {
    let condition = Condition::new(());
    let guard = condition.try_lock().unwrap();
    for n in [0, 1, usize::MAX] {
        guard.notify(n);
    }
    drop(guard);
    let mut waiter = Task::waiting(condition.try_lock().unwrap().wait());
    condition.try_lock().unwrap().notify(0);
    waiter.assert_waits();
    condition.try_lock().unwrap().notify(usize::MAX);
    drop(waiter.woken());
}
