//! Models of the `blocking_*` calls: threads that park, among tasks that wait and tasks that give up.

use std::sync::Arc;

use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::thread;
use sync::{Barrier, Condition, Event, Mutex, Semaphore};

use crate::{Figure, below, block_on, check, give_up, queue_up, together, wait_for};

/// Threads and tasks take turns at one lock.
#[test]
fn threads_and_tasks_exclude_each_other() {
    check(|| {
        let mutex = Arc::new(Mutex::new(Figure::default()));
        let taken = Arc::new(AtomicUsize::new(0));
        together(6, {
            let (mutex, taken) = (Arc::clone(&mutex), Arc::clone(&taken));
            move |i| {
                for _ in 0..3 {
                    match (i % 2, below(3)) {
                        (0, 0) => Arc::clone(&mutex).blocking_lock_owned().increase(),
                        (0, _) => mutex.blocking_lock().increase(),
                        (_, 0) => match give_up(mutex.lock()) {
                            Some(guard) => guard.increase(),
                            None => continue,
                        },
                        _ => wait_for(mutex.lock()).increase(),
                    }
                    taken.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        assert_eq!(mutex.statistics().waiting, 0);
        assert_eq!(mutex.try_lock().unwrap().get(), taken.load(Ordering::SeqCst));
    });
}

/// Threads come to wait behind a task whose grant comes while it is given up. They get through.
#[test]
fn grant_of_a_cancelled_task_reaches_the_parked_threads() {
    const THREADS: usize = 3;
    check(|| {
        let mutex = Arc::new(Mutex::new(Figure::default()));
        let holder = Arc::clone(&mutex).try_lock_owned().unwrap();
        let mut cancelled = Box::pin(Arc::clone(&mutex).lock_owned());
        queue_up(cancelled.as_mut());
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let mutex = Arc::clone(&mutex);
                thread::spawn(move || mutex.blocking_lock().increase())
            })
            .chain([thread::spawn(move || drop(cancelled)), thread::spawn(move || drop(holder))])
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(mutex.try_lock().unwrap().get(), THREADS);
    });
}

/// Requests of all sizes by threads and tasks, some of which give up, at a semaphore that may be closed under them:
/// everybody returns, and every permit comes back.
#[test]
fn permits_are_conserved_among_threads_and_tasks() {
    const PERMITS: usize = 3;
    check(|| {
        let semaphore = Arc::new(Semaphore::new(PERMITS));
        let out = Arc::new(AtomicUsize::new(0));
        let closes = below(2) == 0;
        together(6, {
            let (semaphore, out) = (Arc::clone(&semaphore), Arc::clone(&out));
            move |i| {
                if i == 0 && closes {
                    return semaphore.close();
                }
                for _ in 0..2 {
                    let n = 1 + below(PERMITS) as u32;
                    let got = match below(5) {
                        0 => give_up(semaphore.acquire_many(n)),
                        1 => Some(wait_for(semaphore.acquire_many(n))),
                        _ => Some(semaphore.blocking_acquire_many(n)),
                    };
                    match got {
                        Some(Ok(permit)) => {
                            let n = permit.num_permits();
                            assert!(out.fetch_add(n, Ordering::SeqCst) + n <= PERMITS);
                            out.fetch_sub(n, Ordering::SeqCst);
                        }
                        Some(Err(_)) => assert!(semaphore.is_closed()),
                        None => {}
                    }
                }
            }
        });
        let statistics = semaphore.statistics();
        assert_eq!((statistics.available, statistics.waiting), (PERMITS, 0));
    });
}

/// An event that is cleared at once after it was set lets go all that waited by then, parked or not; the second set
/// lets go the rest.
#[test]
fn event_lets_threads_and_tasks_go() {
    check(|| {
        let event = Arc::new(Event::new());
        let mut early = Box::pin(Arc::clone(&event).wait_owned());
        queue_up(early.as_mut());
        let early = thread::spawn(move || block_on(early));
        let waiting = {
            let event = Arc::clone(&event);
            thread::spawn(move || {
                together(4, move |i| match i {
                    0 | 1 => event.blocking_wait(),
                    2 => wait_for(event.wait()),
                    _ => _ = give_up(event.wait()),
                });
            })
        };
        event.set();
        event.clear();
        early.join().unwrap();
        event.set();
        waiting.join().unwrap();
        assert_eq!(event.statistics().waiting, 0);
    });
}

/// Notifications go to threads and tasks, of which one gives up, and hands on what it was given.
#[test]
fn notification_of_a_cancelled_task_reaches_a_parked_thread() {
    const ITEMS: usize = 3;
    check(|| {
        let condition = Arc::new(Condition::new(0_usize));
        together(ITEMS + 2, {
            let condition = Arc::clone(&condition);
            move |i| match i {
                0 => {
                    for _ in 0..ITEMS {
                        let mut items = condition.blocking_lock();
                        *items += 1;
                        items.notify_one();
                    }
                }
                1 => {
                    let visit = async { condition.lock().await.wait_for(|items| *items > 0).await };
                    // It takes nothing, so whoever was notified in its place must be.
                    give_up(visit).into_iter().for_each(|items| items.notify_one());
                }
                _ if below(3) == 0 => {
                    let take = async { condition.lock().await.wait_for(|items| *items > 0).await };
                    *wait_for(take) -= 1;
                }
                _ => *condition.blocking_lock().blocking_wait_for(|items| *items > 0) -= 1,
            }
        });
        assert_eq!(*condition.try_lock().unwrap(), 0);
        assert_eq!(condition.statistics().waiting, 0);
    });
}

/// Parked threads and tasks go through the phases of a barrier together.
#[test]
fn barrier_keeps_threads_and_tasks_in_step() {
    const PARTIES: usize = 4;
    const PHASES: usize = 3;
    check(|| {
        let barrier = Arc::new(Barrier::new(PARTIES));
        let (come, led) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        together(PARTIES, {
            let (barrier, come, led) = (Arc::clone(&barrier), Arc::clone(&come), Arc::clone(&led));
            move |i| {
                for phase in 1..=PHASES {
                    come.fetch_add(1, Ordering::SeqCst);
                    let passed =
                        if i % 2 == 0 { barrier.blocking_wait() } else { wait_for(barrier.wait()) }.unwrap();
                    assert!(come.load(Ordering::SeqCst) >= phase * PARTIES, "released a party short");
                    led.fetch_add(usize::from(passed.is_leader()), Ordering::SeqCst);
                }
            }
        });
        assert_eq!(led.load(Ordering::SeqCst), PHASES);
        assert_eq!(barrier.waiting(), 0);
    });
}

/// A task that arrived gives up while two threads come to the barrier. Either it was the first of three by then, or they
/// wait for another.
#[test]
fn parked_threads_are_not_released_a_party_short() {
    check(|| {
        let barrier = Arc::new(Barrier::new(3));
        let mut cancelled = Box::pin(Arc::clone(&barrier).wait_owned());
        queue_up(cancelled.as_mut());
        let released = Arc::new(AtomicUsize::new(0));
        let parked: Vec<_> = (0..2)
            .map(|_| {
                let (barrier, released) = (Arc::clone(&barrier), Arc::clone(&released));
                thread::spawn(move || {
                    let index = barrier.blocking_wait().unwrap().index();
                    released.fetch_add(1, Ordering::SeqCst);
                    index
                })
            })
            .collect();
        thread::spawn(move || drop(cancelled)).join().unwrap();
        let was_taken_back = loop {
            if barrier.waiting() == 2 {
                break true;
            }
            if released.load(Ordering::SeqCst) == 2 {
                break false;
            }
            thread::yield_now();
        };
        if was_taken_back {
            assert!(block_on(barrier.wait()).unwrap().is_leader());
        }
        let mut indices: Vec<_> = parked.into_iter().map(|thread| thread.join().unwrap()).collect();
        indices.sort_unstable();
        assert_eq!(indices, if was_taken_back { [0, 1] } else { [1, 2] });
        assert_eq!(barrier.waiting(), 0);
    });
}
