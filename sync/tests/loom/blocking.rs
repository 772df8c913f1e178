//! Models of the blocking calls: a parked thread against those who await, cancel, unpark, close, set and notify.

use std::sync::Arc;

use loom::thread;
use sync::{Condition, Event, Mutex, Semaphore};

use crate::{Boxed, Figure, block_on, check, queue_up};

type Shared = Arc<Mutex<Figure>>;

fn shared() -> Shared {
    Arc::new(Mutex::new(Figure::default()))
}

/// A future that locks and increases.
fn increase(mutex: &Shared) -> Boxed<()> {
    let mutex = Arc::clone(mutex);
    Box::pin(async move { mutex.lock().await.increase() })
}

/// A thread that locks, parked until it has the lock, and increases.
fn spawn_increase(mutex: &Shared) -> thread::JoinHandle<()> {
    let mutex = Arc::clone(mutex);
    thread::spawn(move || mutex.blocking_lock().increase())
}

fn figure(mutex: &Shared) -> usize {
    mutex.try_lock().expect("nobody holds it").get()
}

/// The lost wake-up proper: the unlock comes anywhere between the first look and the park.
#[test]
fn thread_that_parks_during_an_unlock_is_not_forgotten() {
    check(|| {
        let mutex = shared();
        let guard = mutex.try_lock().unwrap();
        let other = spawn_increase(&mutex);
        guard.increase();
        drop(guard);
        other.join().unwrap();
        assert_eq!(figure(&mutex), 2);
    });
}

/// A blocked thread and a task want the same lock, and both get it.
#[test]
fn blocking_and_awaiting_exclude_each_other_and_both_get_through() {
    check(|| {
        let mutex = shared();
        let other = spawn_increase(&mutex);
        block_on(increase(&mutex));
        other.join().unwrap();
        assert_eq!(figure(&mutex), 2);
    });
}

/// A cancelled waiter ahead passes its grant on to the thread, or the unlock grants to the thread at once.
#[test]
fn thread_behind_a_cancelled_waiter_is_served() {
    check(|| {
        let mutex = shared();
        let guard = mutex.try_lock().unwrap();
        let mut cancelled = increase(&mutex);
        queue_up(cancelled.as_mut());
        let other = spawn_increase(&mutex);
        drop(guard);
        drop(cancelled);
        other.join().unwrap();
        assert_eq!(figure(&mutex), 1);
    });
}

/// Somebody unparks the thread for reasons of their own: it neither takes the lock nor sleeps through its grant.
#[test]
fn thread_unparked_for_nothing_waits_on_and_is_woken() {
    check(|| {
        let mutex = shared();
        let guard = Arc::clone(&mutex).try_lock_owned().unwrap();
        let other = spawn_increase(&mutex);
        other.thread().unpark();
        guard.increase();
        drop(guard);
        other.join().unwrap();
        assert_eq!(figure(&mutex), 2);
    });
}

/// The same thread waits twice, with the same parker: what is left of the first wait does not end or hang the second.
#[test]
fn thread_that_waits_twice_is_woken_twice() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let other = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || {
                semaphore.blocking_acquire().unwrap().forget();
                semaphore.blocking_acquire().unwrap().forget();
            })
        };
        semaphore.add_permits(1);
        semaphore.add_permits(1);
        other.join().unwrap();
        assert_eq!(semaphore.available_permits(), 0);
    });
}

/// Closing ends the wait of a thread, wherever it stands.
#[test]
fn thread_that_waits_during_a_close_gets_an_error() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let other = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || semaphore.blocking_acquire_many(2).is_err())
        };
        semaphore.close();
        assert!(other.join().unwrap());
    });
}

/// Setting an event releases a thread that waits, and shows it what came before.
#[test]
fn set_releases_a_thread_and_publishes() {
    check(|| {
        let shared = Arc::new((Event::new(), Figure::default()));
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.0.blocking_wait();
                shared.1.increase();
            })
        };
        shared.1.increase();
        shared.0.set();
        other.join().unwrap();
        assert_eq!(shared.1.get(), 2);
    });
}

/// A thread that waits for a condition is notified by whoever changes the value before or after it waits.
#[test]
fn notified_thread_resumes_with_the_lock() {
    check(|| {
        let condition = Arc::new(Condition::new(Figure::default()));
        let other = {
            let condition = Arc::clone(&condition);
            thread::spawn(move || {
                condition.blocking_lock().blocking_wait_for(|figure| figure.get() == 1).increase();
            })
        };
        let guard = block_on(condition.lock());
        guard.increase();
        guard.notify_one();
        drop(guard);
        other.join().unwrap();
        assert_eq!(condition.try_lock().unwrap().get(), 2);
    });
}
