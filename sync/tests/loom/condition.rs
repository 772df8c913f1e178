//! Models of `Condition`.

use std::sync::Arc;

use loom::thread;
use sync::{Condition, Mutex};

use crate::{Boxed, Figure, block_on, check, expect_ready, poll_once, queue_up};

type Shared = Arc<Condition<Figure>>;

fn shared() -> Shared {
    Arc::new(Condition::new(Figure::default()))
}

/// A future that locks, waits once, and increases.
fn wait(condition: &Shared) -> Boxed<()> {
    let condition = Arc::clone(condition);
    Box::pin(async move {
        let guard = condition.lock().await;
        guard.wait().await.increase();
    })
}

/// A future that waits and is parked already.
fn parked(condition: &Shared) -> Boxed<()> {
    let mut waiter = wait(condition);
    let before = condition.statistics().waiting;
    queue_up(waiter.as_mut());
    assert_eq!(condition.statistics().waiting, before + 1);
    waiter
}

/// A future that locks and notifies.
fn notify(condition: &Shared, n: usize) -> Boxed<()> {
    let condition = Arc::clone(condition);
    Box::pin(async move { condition.lock().await.notify(n) })
}

fn figure(condition: &Shared) -> usize {
    condition.try_lock().expect("nobody holds it").get()
}

/// The lost wake-up proper: a waiter looks at the value and parks while another changes it and notifies.
#[test]
fn change_is_never_missed() {
    check(|| {
        let condition = shared();
        let waiter = {
            let condition = Arc::clone(&condition);
            thread::spawn(move || {
                block_on(async {
                    let guard = condition.lock().await;
                    guard.wait_for(|figure| figure.get() == 1).await.increase();
                });
            })
        };
        {
            let guard = block_on(condition.lock());
            guard.increase();
            guard.notify_one();
        }
        waiter.join().unwrap();
        assert_eq!(figure(&condition), 2);
    });
}

/// `notify_all` puts both on the lock's queue, behind the one who notifies.
#[test]
fn notify_all_lets_everybody_through_one_at_a_time() {
    check(|| {
        let condition = shared();
        let (first, mut second) = (parked(&condition), parked(&condition));
        let work = notify(&condition, usize::MAX);
        let notifier = thread::spawn(|| block_on(work));
        block_on(first);
        notifier.join().unwrap();
        expect_ready(second.as_mut());
        assert_eq!(figure(&condition), 2);
    });
}

/// Two notifications of one each, from two threads, reach two waiters.
#[test]
fn two_notifications_reach_two_waiters() {
    check(|| {
        let condition = shared();
        let (first, mut second) = (parked(&condition), parked(&condition));
        let guard = condition.try_lock().unwrap();
        let work = notify(&condition, 1);
        let notifier = thread::spawn(|| block_on(work));
        guard.notify_one();
        drop(guard);
        block_on(first);
        notifier.join().unwrap();
        expect_ready(second.as_mut());
        assert_eq!(figure(&condition), 2);
    });
}

/// A cancellation meets the notification while the waiter is parked, being moved, queued or granted. One other gets
/// the notification in every case, and only one.
#[test]
fn waiter_cancelled_during_a_notification_passes_it_on_once() {
    check(|| {
        let condition = shared();
        let (cancelled, mut served, mut kept) = (parked(&condition), parked(&condition), parked(&condition));
        let work = notify(&condition, 1);
        let notifier = thread::spawn(|| block_on(work));
        drop(cancelled);
        notifier.join().unwrap();
        expect_ready(served.as_mut());
        queue_up(kept.as_mut());
        assert_eq!(condition.statistics().waiting, 1);
        drop(kept);
        assert_eq!(figure(&condition), 1);
    });
}

/// The waiter is on the lock's queue when it is cancelled, while the lock is let go.
#[test]
fn waiter_cancelled_on_the_locks_queue_passes_its_notification_on() {
    check(|| {
        let condition = shared();
        let (cancelled, mut served) = (parked(&condition), parked(&condition));
        let guard = condition.try_lock().unwrap();
        guard.notify_one();
        let canceller = thread::spawn(move || drop(cancelled));
        drop(guard);
        canceller.join().unwrap();
        expect_ready(served.as_mut());
        assert_eq!(figure(&condition), 1);
    });
}

/// The waiter has the lock and the notification when it is cancelled: both go on, while another wants the lock.
#[test]
fn waiter_cancelled_after_its_grant_passes_lock_and_notification_on() {
    check(|| {
        let condition = shared();
        let (granted, mut served) = (parked(&condition), parked(&condition));
        block_on(notify(&condition, 1));
        let canceller = thread::spawn(move || drop(granted));
        let mut locker = notify(&condition, 0);
        let early = poll_once(locker.as_mut()).is_ready();
        canceller.join().unwrap();
        if early {
            expect_ready(served.as_mut());
        } else {
            // They stand in the lock's queue in either order.
            let served_first = poll_once(served.as_mut()).is_ready();
            expect_ready(locker.as_mut());
            if !served_first {
                expect_ready(served.as_mut());
            }
        }
        assert_eq!(figure(&condition), 1);
    });
}

/// Two who were notified are cancelled at once, in different phases; the third gets one of the two notifications.
#[test]
fn two_notified_waiters_cancelled_at_once_pass_on_to_the_third() {
    check(|| {
        let condition = shared();
        let (first, second, mut third) = (parked(&condition), parked(&condition), parked(&condition));
        block_on(notify(&condition, 2));
        let canceller = thread::spawn(move || drop(first));
        drop(second);
        canceller.join().unwrap();
        expect_ready(third.as_mut());
        assert_eq!(figure(&condition), 1);
        assert_eq!(condition.statistics().waiting, 0);
    });
}

/// A parked waiter goes while its lock is used by others, with nobody notifying: it takes nothing with it.
#[test]
fn waiter_cancelled_while_parked_takes_nothing_with_it() {
    check(|| {
        let condition = shared();
        let (cancelled, mut kept) = (parked(&condition), parked(&condition));
        let canceller = thread::spawn(move || drop(cancelled));
        block_on(condition.lock()).increase();
        canceller.join().unwrap();
        queue_up(kept.as_mut());
        assert_eq!(condition.statistics().waiting, 1);
        assert_eq!(figure(&condition), 1);
    });
}

/// Both conditions move waiters onto the one queue of their lock.
#[test]
fn two_conditions_on_one_lock_keep_their_waiters_apart() {
    check(|| {
        let mutex = Arc::new(Mutex::new(Figure::default()));
        let left = Arc::new(Condition::with_mutex(Arc::clone(&mutex)));
        let right = Arc::new(Condition::with_mutex(mutex));
        let (of_left, of_right, mut kept) = (parked(&left), parked(&right), parked(&right));
        let guard = right.try_lock().unwrap();
        let work = notify(&left, 1);
        let notifier = thread::spawn(|| {
            block_on(work);
            block_on(of_left);
        });
        guard.notify_one();
        drop(guard);
        block_on(of_right);
        notifier.join().unwrap();
        queue_up(kept.as_mut());
        drop(kept);
        assert_eq!(figure(&left), 2);
    });
}

/// The waker is replaced while the waiter is moved and granted: the new one is woken, whichever list it is in.
#[test]
fn waker_replaced_during_a_notification_is_the_one_that_is_woken() {
    check(|| {
        let condition = shared();
        let waiter = parked(&condition);
        let work = notify(&condition, 1);
        let notifier = thread::spawn(|| block_on(work));
        loom::future::block_on(waiter);
        notifier.join().unwrap();
        assert_eq!(figure(&condition), 1);
    });
}

/// A wait and a lock are cancelled on the same queue while the lock is let go.
#[test]
fn notified_waiter_and_locker_cancelled_at_once_leave_the_lock_free() {
    check(|| {
        let condition = shared();
        let waiter = parked(&condition);
        let guard = condition.try_lock().unwrap();
        guard.notify_one();
        let mut locker = notify(&condition, 0);
        queue_up(locker.as_mut());
        let canceller = thread::spawn(move || drop(waiter));
        drop(guard);
        drop(locker);
        canceller.join().unwrap();
        assert_eq!(condition.statistics().mutex.waiting, 0);
        assert_eq!(figure(&condition), 0);
    });
}
