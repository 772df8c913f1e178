//! With no subscriber in the process nothing is built: no call allocates, and none looks at the clock.
//!
//! What is checked: allocations of the calling thread (every platform), and its calls of the C library's
//! `clock_gettime` (64-bit Linux with glibc; see `counters`). That no span is built follows only in part: a span that was
//! built and disabled at once would allocate nothing. What a call costs then is for the benches to measure. No test
//! of this binary may install a subscriber: the level that is wanted is one for the whole process.
#![cfg(not(loom))]

mod counters;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use counters::{Counts, count};
use sync::{Barrier, BoundedSemaphore, Condition, Event, Mutex, Semaphore};

/// Polls with a waker that does nothing, and allocates nothing.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn ready<F: Future>(future: F) -> F::Output {
    finish(pin!(future))
}

#[track_caller]
fn finish<F: Future>(future: Pin<&mut F>) -> F::Output {
    match poll(future) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it is not ready"),
    }
}

#[track_caller]
fn assert_builds_nothing(scene: impl FnOnce()) {
    assert_eq!(count(scene), Counts::default());
}

#[test]
fn free_lock_builds_nothing() {
    assert_builds_nothing(|| {
        let mutex = Mutex::new(0).with_name("counter");
        *ready(mutex.lock()) += 1;
        *mutex.try_lock().expect("it is free") += 1;
        assert_eq!(mutex.into_inner(), 2);
    });
}

#[test]
fn contended_lock_builds_nothing() {
    let mutex = Mutex::new(());
    assert_builds_nothing(|| {
        let guard = ready(mutex.lock());
        assert!(mutex.try_lock().is_err());
        let mut one = pin!(mutex.lock());
        let mut two = pin!(mutex.lock());
        assert!(poll(one.as_mut()).is_pending());
        assert!(poll(two.as_mut()).is_pending());
        assert!(poll(one.as_mut()).is_pending(), "polled again while it waits");
        assert_eq!(mutex.statistics().waiting, 2);
        drop(guard);
        drop(finish(one.as_mut()));
        drop(finish(two.as_mut()));
    });
    assert!(!mutex.is_locked());
}

#[test]
fn owned_lock_builds_nothing_beside_the_callers_arc() {
    let mutex = Arc::new(Mutex::new(()));
    assert_builds_nothing(|| {
        let guard = ready(Arc::clone(&mutex).lock_owned());
        let mut waiting = pin!(Arc::clone(&mutex).lock_owned());
        assert!(poll(waiting.as_mut()).is_pending());
        assert!(Arc::clone(&mutex).try_lock_owned().is_err());
        drop(guard);
        drop(finish(waiting.as_mut()));
    });
}

#[test]
fn cancelled_lock_builds_nothing() {
    let mutex = Mutex::new(());
    assert_builds_nothing(|| {
        let guard = ready(mutex.lock());
        {
            let mut in_the_queue = pin!(mutex.lock());
            assert!(poll(in_the_queue.as_mut()).is_pending());
        }
        {
            let mut granted = pin!(mutex.lock());
            assert!(poll(granted.as_mut()).is_pending());
            drop(guard);
        }
        drop(mutex.lock());
    });
    assert!(!mutex.is_locked());
}

#[test]
fn semaphore_builds_nothing() {
    let semaphore = Semaphore::new(2);
    assert_builds_nothing(|| {
        let both = ready(semaphore.acquire_many(2)).expect("it is open");
        assert!(semaphore.try_acquire().is_err());
        let mut one = pin!(semaphore.acquire());
        let mut two = pin!(semaphore.acquire());
        assert!(poll(one.as_mut()).is_pending());
        assert!(poll(two.as_mut()).is_pending());
        drop(both);
        drop((finish(one.as_mut()), finish(two.as_mut())));
        semaphore.add_permits(1);
        assert_eq!(semaphore.forget_permits(1), 1);
    });
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn bounded_semaphore_builds_nothing() {
    let semaphore = BoundedSemaphore::new(2);
    assert_builds_nothing(|| {
        ready(semaphore.acquire()).expect("it is open").forget();
        let one = ready(semaphore.acquire()).expect("it is open");
        let mut waiting = pin!(semaphore.acquire());
        assert!(poll(waiting.as_mut()).is_pending());
        assert!(semaphore.release(2).is_err());
        semaphore.release(1).expect("it was forgotten");
        drop((one, finish(waiting.as_mut())));
    });
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn free_blocking_calls_build_nothing() {
    let (mutex, semaphore, event) = (Mutex::new(()), Semaphore::new(1), Event::new());
    event.set();
    assert_builds_nothing(|| {
        drop(mutex.blocking_lock());
        drop(semaphore.blocking_acquire());
        event.blocking_wait();
    });
}

#[test]
fn blocked_thread_builds_nothing_after_its_first_wait() {
    let event = Event::new();
    std::thread::scope(|scope| {
        for first in [true, false] {
            scope.spawn(|| {
                while event.statistics().waiting == 0 {
                    std::thread::yield_now();
                }
                event.set();
            });
            let counts = count(|| event.blocking_wait());
            assert_eq!(counts, Counts { allocations: u64::from(first), clock_reads: 0 });
            event.clear();
        }
    });
}

#[test]
fn closing_builds_nothing() {
    let semaphore = Semaphore::new(0);
    assert_builds_nothing(|| {
        let mut waiting = pin!(semaphore.acquire());
        assert!(poll(waiting.as_mut()).is_pending());
        semaphore.close();
        assert!(finish(waiting.as_mut()).is_err());
        assert!(ready(semaphore.acquire()).is_err());
    });
}

#[test]
fn event_builds_nothing() {
    const WAITERS: usize = 100;
    let event = Event::new();
    // More than are woken in one go; the list of the futures is the test's own.
    let mut waits: Vec<_> = (0..WAITERS).map(|_| Box::pin(event.wait())).collect();
    assert_builds_nothing(|| {
        for wait in &mut waits {
            assert!(poll(wait.as_mut()).is_pending());
        }
        event.set();
        event.set();
        for wait in &mut waits {
            finish(wait.as_mut());
        }
        ready(event.wait());
        event.clear();
        let mut cancelled = pin!(event.wait());
        assert!(poll(cancelled.as_mut()).is_pending());
    });
}

#[test]
fn barrier_builds_nothing() {
    const WAITERS: usize = 100;
    let barrier = Barrier::new(WAITERS + 1);
    // More than are woken in one go; the list of the futures is the test's own.
    let mut waits: Vec<_> = (0..2 * WAITERS).map(|_| Box::pin(barrier.wait())).collect();
    let (released, broken) = waits.split_at_mut(WAITERS);
    assert_builds_nothing(|| {
        for wait in &mut *released {
            assert!(poll(wait.as_mut()).is_pending());
        }
        ready(barrier.wait()).expect("it was the last");
        for wait in released {
            finish(wait.as_mut()).expect("it was released");
        }
        for wait in &mut *broken {
            assert!(poll(wait.as_mut()).is_pending());
            assert!(poll(wait.as_mut()).is_pending(), "polled again while it waits");
        }
        barrier.abort();
        for wait in broken {
            finish(wait.as_mut()).expect_err("it was broken");
        }
        ready(barrier.wait()).expect_err("it is broken");
        barrier.reset();
        let mut cancelled = pin!(barrier.wait());
        assert!(poll(cancelled.as_mut()).is_pending());
    });
    assert_eq!(barrier.waiting(), 0);
}

#[test]
fn condition_builds_nothing() {
    const WAITERS: usize = 100;
    let condition = Condition::new(0);
    let mut waits: Vec<_> =
        (0..WAITERS).map(|_| Box::pin(async { drop(condition.lock().await.wait().await) })).collect();
    assert_builds_nothing(|| {
        for wait in &mut waits {
            assert!(poll(wait.as_mut()).is_pending());
        }
        let guard = ready(condition.lock());
        guard.notify_one();
        guard.notify(2);
        guard.notify_all();
        drop(guard);
        for wait in &mut waits {
            finish(wait.as_mut());
        }
        let guard = condition.try_lock().expect("it is free");
        drop(ready(guard.wait_for(|value| *value == 0)));
    });
    assert!(!condition.mutex().is_locked());
}

#[test]
fn cancelled_condition_wait_builds_nothing() {
    let condition = Condition::new(());
    assert_builds_nothing(|| {
        let mut notified = pin!(Some(ready(condition.lock()).wait()));
        assert!(poll(notified.as_mut().as_pin_mut().expect("it is there")).is_pending());
        let mut next = pin!(ready(condition.lock()).wait());
        assert!(poll(next.as_mut()).is_pending());
        ready(condition.lock()).notify_one();
        notified.set(None);
        drop(finish(next.as_mut()));
        let mut parked = pin!(ready(condition.lock()).wait());
        assert!(poll(parked.as_mut()).is_pending());
    });
}
