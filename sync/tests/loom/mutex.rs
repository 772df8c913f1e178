//! Models of `Mutex`.

use std::sync::Arc;

use loom::thread;
use sync::Mutex;

use crate::{Boxed, Figure, block_on, check, expect_ready, poll_once, queue_up};

type Shared = Arc<Mutex<Figure>>;

fn shared() -> Shared {
    Arc::new(Mutex::new(Figure::default()))
}

/// A future that locks and increases.
fn increase(mutex: &Shared) -> Boxed<()> {
    let mutex = Arc::clone(mutex);
    Box::pin(async move { mutex.lock().await.increase() })
}

fn figure(mutex: &Shared) -> usize {
    mutex.try_lock().expect("nobody holds it").get()
}

/// Exclusion and wake-ups in general: each thread's lock, unlock, queue and grant against those of the others.
#[test]
fn holders_exclude_each_other_and_all_get_through() {
    check(|| {
        let mutex = shared();
        let guard = mutex.try_lock().unwrap();
        let work = increase(&mutex);
        let other = thread::spawn(|| block_on(work));
        guard.increase();
        drop(guard);
        block_on(increase(&mutex));
        other.join().unwrap();
        assert_eq!(figure(&mutex), 3);
    });
}

/// The lost wake-up proper: a waiter looks, finds it locked, and joins while the holder lets go.
#[test]
fn waiter_that_joins_during_an_unlock_is_not_forgotten() {
    check(|| {
        let mutex = shared();
        let guard = mutex.try_lock().unwrap();
        let work = increase(&mutex);
        let waiter = thread::spawn(|| block_on(work));
        guard.increase();
        drop(guard);
        waiter.join().unwrap();
        assert_eq!(figure(&mutex), 2);
    });
}

/// A cancellation meets the unlock that would grant to it, before or after: the other waiter must be served.
#[test]
fn waiter_cancelled_during_an_unlock_does_not_keep_the_lock() {
    check(|| {
        let mutex = shared();
        let guard = Arc::clone(&mutex).try_lock_owned().unwrap();
        let (mut cancelled, mut served) = (increase(&mutex), increase(&mutex));
        queue_up(cancelled.as_mut());
        queue_up(served.as_mut());
        let unlocker = thread::spawn(move || drop(guard));
        drop(cancelled);
        unlocker.join().unwrap();
        expect_ready(served.as_mut());
        assert_eq!(figure(&mutex), 1);
    });
}

/// A grant on its way is given up while others come and queue.
#[test]
fn waiter_cancelled_after_its_grant_passes_the_lock_on() {
    check(|| {
        let mutex = shared();
        let guard = mutex.try_lock().unwrap();
        let mut granted = increase(&mutex);
        queue_up(granted.as_mut());
        drop(guard);
        let canceller = thread::spawn(move || drop(granted));
        block_on(increase(&mutex));
        canceller.join().unwrap();
        assert_eq!(figure(&mutex), 1);
    });
}

/// Two neighbours leave the list at the same time as its head is granted.
#[test]
fn two_waiters_leave_the_queue_during_an_unlock() {
    check(|| {
        let mutex = shared();
        let guard = Arc::clone(&mutex).try_lock_owned().unwrap();
        let mut waiters = [(); 4].map(|()| increase(&mutex));
        for waiter in &mut waiters {
            queue_up(waiter.as_mut());
        }
        let [mut first, second, third, mut last] = waiters;
        let canceller = thread::spawn(move || drop(second));
        drop(guard);
        drop(third);
        canceller.join().unwrap();
        expect_ready(first.as_mut());
        expect_ready(last.as_mut());
        assert_eq!(figure(&mutex), 2);
    });
}

/// The waker is replaced while the grant takes it: the new one must be called, or the poll must see the grant.
#[test]
fn waker_replaced_during_an_unlock_is_the_one_that_is_woken() {
    check(|| {
        let mutex = shared();
        let guard = Arc::clone(&mutex).try_lock_owned().unwrap();
        let mut waiter = increase(&mutex);
        queue_up(waiter.as_mut());
        let unlocker = thread::spawn(move || drop(guard));
        loom::future::block_on(waiter);
        unlocker.join().unwrap();
        assert_eq!(figure(&mutex), 1);
    });
}

/// A poll that nobody asked for finds the grant by the waiter's state alone, which must publish what came before.
#[test]
fn grant_that_is_polled_before_its_wake_publishes() {
    check(|| {
        let mutex = shared();
        let guard = Arc::clone(&mutex).try_lock_owned().unwrap();
        let mut waiter = increase(&mutex);
        queue_up(waiter.as_mut());
        let unlocker = thread::spawn(move || {
            guard.increase();
            drop(guard);
        });
        let early = poll_once(waiter.as_mut()).is_ready();
        unlocker.join().unwrap();
        if !early {
            expect_ready(waiter.as_mut());
        }
        assert_eq!(figure(&mutex), 2);
    });
}

/// `try_lock` looks while an unlock may take the free path, or the queue's.
#[test]
fn try_lock_during_an_unlock_excludes() {
    check(|| {
        let mutex = shared();
        let guard = Arc::clone(&mutex).try_lock_owned().unwrap();
        let unlocker = thread::spawn(move || {
            guard.increase();
            drop(guard);
        });
        let taken = mutex.try_lock().map(|guard| guard.increase()).is_ok();
        unlocker.join().unwrap();
        assert_eq!(figure(&mutex), 1 + usize::from(taken));
    });
}

/// `try_lock` succeeds while another joins the queue, who must be served by the unlock.
#[test]
fn try_lock_while_another_joins_strands_nobody() {
    check(|| {
        let mutex = shared();
        let work = increase(&mutex);
        let waiter = thread::spawn(|| block_on(work));
        let taken = mutex.try_lock().map(|guard| guard.increase()).is_ok();
        waiter.join().unwrap();
        assert_eq!(figure(&mutex), 1 + usize::from(taken));
    });
}

/// Between the unlock and the poll of the waiter that was granted the lock nobody else gets it.
#[test]
fn try_lock_never_overtakes_a_waiter() {
    check(|| {
        let mutex = shared();
        let guard = Arc::clone(&mutex).try_lock_owned().unwrap();
        let mut waiter = increase(&mutex);
        queue_up(waiter.as_mut());
        let unlocker = thread::spawn(move || drop(guard));
        assert!(mutex.try_lock().is_err(), "overtaken");
        unlocker.join().unwrap();
        assert!(mutex.try_lock().is_err(), "overtaken after the unlock");
        expect_ready(waiter.as_mut());
        assert_eq!(figure(&mutex), 1);
    });
}

/// Counting the waiters walks into the list's lock from outside.
#[test]
fn statistics_during_an_unlock_disturb_nobody() {
    check(|| {
        let mutex = shared();
        let guard = Arc::clone(&mutex).try_lock_owned().unwrap();
        let mut waiter = increase(&mutex);
        queue_up(waiter.as_mut());
        let unlocker = thread::spawn(move || drop(guard));
        assert!(mutex.statistics().waiting <= 1);
        unlocker.join().unwrap();
        expect_ready(waiter.as_mut());
        assert_eq!(mutex.statistics().waiting, 0);
        assert!(!mutex.is_locked());
    });
}

/// The count of a held mutex hides the rest of its word for a moment when it is given back; who counts meanwhile, or
/// locks the list while it is given back, leaves it whole.
#[test]
fn statistics_during_a_free_unlock_disturb_nobody() {
    check(|| {
        let mutex = shared();
        let guard = Arc::clone(&mutex).try_lock_owned().unwrap();
        let unlocker = thread::spawn(move || drop(guard));
        assert_eq!(mutex.statistics().waiting, 0);
        unlocker.join().unwrap();
        assert!(!mutex.is_locked());
        block_on(increase(&mutex));
    });
}
