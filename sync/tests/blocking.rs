//! Behaviour of the blocking calls: threads among tasks, threads in runtimes, and who else parks and unparks them.
//!
//! That a thread waits is seen from the queue, in which it stands before it parks. A test that fails may hang.
#![cfg(not(loom))]

mod common;

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;

use common::{Random, Task, now, on_wake, panic_message, poll_once};
use sync::{Barrier, BoundedSemaphore, Condition, Event, Mutex, Semaphore};

/// Lets other threads run until `condition` holds.
fn until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}

#[test]
fn free_calls_return_at_once() {
    let mutex = Arc::new(Mutex::new(1));
    *mutex.blocking_lock() += 1;
    *Arc::clone(&mutex).blocking_lock_owned() += 1;
    assert_eq!(*mutex.try_lock().unwrap(), 3);

    let semaphore = Arc::new(Semaphore::new(9));
    let permits = (semaphore.blocking_acquire().unwrap(), semaphore.blocking_acquire_many(2).unwrap());
    let owner = || Arc::clone(&semaphore);
    let owned = (owner().blocking_acquire_owned().unwrap(), owner().blocking_acquire_many_owned(4).unwrap());
    assert_eq!(semaphore.available_permits(), 1);
    assert_eq!((permits.1.num_permits(), owned.1.num_permits()), (2, 4));
    drop((permits, owned));
    assert_eq!(semaphore.available_permits(), 9);

    let bounded = Arc::new(BoundedSemaphore::new(9));
    let permits = (bounded.blocking_acquire().unwrap(), bounded.blocking_acquire_many(2).unwrap());
    let owner = || Arc::clone(&bounded);
    let owned = (owner().blocking_acquire_owned().unwrap(), owner().blocking_acquire_many_owned(4).unwrap());
    assert_eq!(bounded.available_permits(), 1);
    drop((permits, owned));
    assert_eq!(bounded.available_permits(), 9);

    let event = Event::new();
    event.set();
    event.blocking_wait();

    let condition = Condition::new(1);
    let guard = condition.blocking_lock().blocking_wait_for(|value| *value == 1);
    assert!(condition.try_lock().is_err());
    drop(guard);
}

#[test]
fn zero_permits_and_closed_semaphores_do_not_wait() {
    let semaphore = Arc::new(Semaphore::new(0));
    assert_eq!(semaphore.blocking_acquire_many(0).unwrap().num_permits(), 0);
    semaphore.close();
    assert!(semaphore.blocking_acquire().is_err());
    assert!(semaphore.blocking_acquire_many(1 << 28).is_err());
    assert!(Arc::clone(&semaphore).blocking_acquire_owned().is_err());
    assert!(semaphore.blocking_acquire_many_owned(0).is_err());
    let bounded = BoundedSemaphore::new(1);
    bounded.close();
    assert!(bounded.blocking_acquire().is_err());
}

#[test]
fn thread_takes_its_turn_among_tasks() {
    let mutex = Mutex::new(Vec::new());
    let guard = mutex.try_lock().unwrap();
    let mut first = Task::waiting(mutex.lock());
    thread::scope(|scope| {
        scope.spawn(|| mutex.blocking_lock().push("thread"));
        until(|| mutex.statistics().waiting == 2);
        let mut last = Task::waiting(mutex.lock());
        drop(guard);
        first.woken().push("first");
        until(|| last.wakes() == 1);
        last.woken().push("last");
    });
    assert_eq!(*mutex.blocking_lock(), ["first", "thread", "last"]);
}

#[test]
fn threads_are_served_in_the_order_in_which_they_came() {
    let mutex = Arc::new(Mutex::new(Vec::new()));
    let guard = mutex.try_lock().unwrap();
    thread::scope(|scope| {
        for i in 0..4 {
            let mutex = &mutex;
            scope.spawn(move || match i % 2 {
                0 => mutex.blocking_lock().push(i),
                _ => Arc::clone(mutex).blocking_lock_owned().push(i),
            });
            until(|| mutex.statistics().waiting == i + 1);
        }
        drop(guard);
    });
    assert_eq!(*mutex.blocking_lock(), [0, 1, 2, 3]);
}

#[test]
fn thread_waits_for_as_many_permits_as_it_asked_for() {
    let semaphore = Arc::new(Semaphore::new(2));
    thread::scope(|scope| {
        let many = scope.spawn(|| Arc::clone(&semaphore).blocking_acquire_many_owned(3).unwrap());
        until(|| semaphore.statistics().waiting == 1);
        let one = scope.spawn(|| semaphore.blocking_acquire().unwrap());
        until(|| semaphore.statistics().waiting == 2);
        semaphore.add_permits(1);
        let many = many.join().unwrap();
        assert_eq!((many.num_permits(), semaphore.statistics().waiting), (3, 1));
        drop(many);
        drop(one.join().unwrap());
    });
    assert_eq!(semaphore.available_permits(), 3);
}

#[test]
fn closing_ends_the_wait_of_every_thread() {
    let semaphore = Semaphore::new(0);
    let bounded = Arc::new(BoundedSemaphore::new(0));
    thread::scope(|scope| {
        let waits = [
            scope.spawn(|| semaphore.blocking_acquire().is_err()),
            scope.spawn(|| semaphore.blocking_acquire_many(2).is_err()),
            scope.spawn(|| bounded.blocking_acquire().is_err()),
            scope.spawn(|| Arc::clone(&bounded).blocking_acquire_many_owned(2).is_err()),
        ];
        until(|| semaphore.statistics().waiting == 2 && bounded.statistics().waiting == 2);
        semaphore.close();
        bounded.close();
        assert!(waits.into_iter().all(|wait| wait.join().unwrap()));
    });
}

#[test]
fn event_that_is_cleared_at_once_has_released_its_threads() {
    let event = Event::new();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| event.blocking_wait());
        }
        until(|| event.statistics().waiting == 3);
        event.set();
        event.clear();
    });
    assert!(!event.is_set());
}

#[test]
fn threads_and_tasks_notify_each_other() {
    let condition = Condition::new(0);
    thread::scope(|scope| {
        let plain = scope.spawn(|| *condition.blocking_lock().blocking_wait());
        until(|| condition.statistics().waiting == 1);
        let even = scope.spawn(|| {
            let mut looks = 0;
            let guard = condition.blocking_lock().blocking_wait_for(|value| {
                looks += 1;
                *value == 2
            });
            guard.notify_all();
            looks
        });
        until(|| condition.statistics().waiting == 2);
        let mut task = Task::waiting(now(condition.lock()).wait());

        let mut guard = condition.blocking_lock();
        *guard = 1;
        guard.notify(2);
        drop(guard);
        assert_eq!(plain.join().unwrap(), 1);
        until(|| condition.statistics().waiting == 2);
        let mut guard = condition.blocking_lock();
        *guard = 2;
        guard.notify_all();
        drop(guard);
        until(|| task.wakes() == 1);
        drop(task.woken());
        assert_eq!(even.join().unwrap(), 3);
    });
    assert!(!condition.mutex().is_locked());
}

#[test]
fn predicate_that_panics_releases_the_lock() {
    let condition = Condition::new(());
    let guard = condition.blocking_lock();
    assert_eq!(
        panic_message(|| drop(guard.blocking_wait_for(|()| panic!("bad predicate")))),
        "bad predicate"
    );
    assert!(!condition.mutex().is_locked());
}

#[test]
fn thread_passed_over_by_a_panicking_waker_is_woken() {
    let semaphore = Semaphore::new(0);
    let mut bad = Task::new(semaphore.acquire());
    assert!(bad.poll_with(&on_wake(|| panic!("bad waker"))).is_pending());
    thread::scope(|scope| {
        let good = scope.spawn(|| drop(semaphore.blocking_acquire().unwrap()));
        until(|| semaphore.statistics().waiting == 2);
        assert_eq!(panic_message(|| semaphore.add_permits(2)), "bad waker");
        good.join().unwrap();
    });
    drop(bad.ready());
}

/// Holds `mutex` on another thread until somebody waits for it.
fn hold_until_waited_for(mutex: &Arc<Mutex<u32>>) -> thread::JoinHandle<()> {
    let guard = Arc::clone(mutex).try_lock_owned().unwrap();
    let mutex = Arc::clone(mutex);
    thread::spawn(move || {
        until(|| mutex.statistics().waiting == 1);
        drop(guard);
    })
}

#[tokio::test(flavor = "current_thread")]
async fn tasks_of_a_current_thread_runtime_may_block() {
    let mutex = Arc::new(Mutex::new(0));
    let task = tokio::spawn({
        let mutex = Arc::clone(&mutex);
        async move {
            for _ in 0..300 {
                let holder = hold_until_waited_for(&mutex);
                *mutex.blocking_lock() += 1;
                holder.join().unwrap();
            }
        }
    });
    task.await.unwrap();
    assert_eq!(*mutex.lock().await, 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_and_blocking_threads_of_a_runtime_may_block() {
    let mutex = Arc::new(Mutex::new(0));
    for _ in 0..20 {
        let holder = hold_until_waited_for(&mutex);
        *Arc::clone(&mutex).blocking_lock_owned() += 1;
        holder.join().unwrap();
        let holder = hold_until_waited_for(&mutex);
        let blocked = tokio::task::spawn_blocking({
            let mutex = Arc::clone(&mutex);
            move || *mutex.blocking_lock() += 1
        });
        blocked.await.unwrap();
        holder.join().unwrap();
    }
    assert_eq!(*mutex.lock().await, 40);
}

#[test]
fn unparking_a_thread_for_nothing_does_not_end_its_wait() {
    let event = Event::new();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            // A token from before.
            thread::current().unpark();
            event.blocking_wait();
            done.store(true, Ordering::SeqCst);
        });
        until(|| event.statistics().waiting == 1);
        for _ in 0..100 {
            waiter.thread().unpark();
            thread::yield_now();
            assert!(!done.load(Ordering::SeqCst));
        }
        event.set();
    });
    assert!(done.load(Ordering::SeqCst));
}

#[test]
fn token_that_was_meant_for_other_code_is_not_lost() {
    for _ in 0..100 {
        let event = Event::new();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                event.blocking_wait();
                // Whoever unparked this thread meant this.
                thread::park();
            });
            until(|| event.statistics().waiting == 1);
            waiter.thread().unpark();
            event.set();
        });
    }
}

#[test]
fn thread_whose_locals_are_gone_can_still_wait() {
    static EVENT: Event = Event::new();
    static WAITED: AtomicBool = AtomicBool::new(false);
    struct WaitsAtTheEnd;
    impl Drop for WaitsAtTheEnd {
        fn drop(&mut self) {
            EVENT.blocking_wait();
            EVENT.clear();
            EVENT.blocking_wait();
            WAITED.store(true, Ordering::SeqCst);
        }
    }
    thread_local! {
        // Made before this crate's own, so destroyed after it.
        static LAST: RefCell<Option<WaitsAtTheEnd>> = const { RefCell::new(None) };
    }
    let thread = thread::spawn(|| {
        LAST.set(Some(WaitsAtTheEnd));
        EVENT.blocking_wait();
        EVENT.clear();
    });
    for _ in 0..3 {
        until(|| EVENT.statistics().waiting == 1);
        EVENT.set();
    }
    thread.join().unwrap();
    assert!(WAITED.load(Ordering::SeqCst));
}

#[test]
fn hammer_of_threads_tasks_and_cancellations_loses_no_update() {
    const TURNS: usize = 3_000;
    let mutex = Mutex::new(0_usize);
    let semaphore = Semaphore::new(2);
    let cancelled = AtomicUsize::new(0);
    thread::scope(|scope| {
        for seed in 0..4 {
            let (mutex, semaphore, cancelled) = (&mutex, &semaphore, &cancelled);
            scope.spawn(move || {
                let mut random = Random(seed);
                for _ in 0..TURNS {
                    match random.below(2) {
                        0 => {
                            let mut future = Box::pin(mutex.lock());
                            if let Poll::Ready(mut guard) = poll_once(future.as_mut()) {
                                *guard += 1;
                            } else {
                                thread::yield_now();
                                cancelled.fetch_add(1, Ordering::SeqCst);
                            }
                        }
                        _ => *mutex.blocking_lock() += 1,
                    }
                    drop(semaphore.blocking_acquire_many(1 + (random.below(2) as u32)).unwrap());
                }
            });
        }
    });
    let cancelled = cancelled.load(Ordering::SeqCst);
    assert_eq!(*mutex.blocking_lock(), 4 * TURNS - cancelled);
    assert_eq!((semaphore.available_permits(), semaphore.statistics().waiting), (2, 0));
}

#[test]
fn threads_and_tasks_meet_at_a_barrier() {
    let barrier = Arc::new(Barrier::new(3));
    let mut task = Task::waiting(barrier.wait());
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || barrier.blocking_wait().unwrap().index())
        })
        .collect();
    let mut indices: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    indices.sort_unstable();
    assert_eq!(indices, [1, 2]);
    assert_eq!(task.woken().unwrap().index(), 0);
}

#[test]
fn abort_ends_the_wait_of_a_thread_at_a_barrier() {
    let barrier = Arc::new(Barrier::new(2));
    let thread = thread::spawn({
        let barrier = Arc::clone(&barrier);
        move || barrier.blocking_wait().is_err()
    });
    until(|| barrier.waiting() == 1);
    barrier.abort();
    assert!(thread.join().unwrap());
    assert!(barrier.blocking_wait().is_err());
}
