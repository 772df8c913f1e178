//! Models of `Mutex`.

use std::sync::Arc;

use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::thread;
use sync::Mutex;

use crate::{Boxed, Figure, below, block_on, check, give_up, queue_up, together, wait_for};

/// Six threads lock in every way there is, some giving up while they wait or after they were granted.
#[test]
fn holders_exclude_each_other_while_others_give_up() {
    check(|| {
        let mutex = Arc::new(Mutex::new(Figure::default()));
        let taken = Arc::new(AtomicUsize::new(0));
        together(6, {
            let (mutex, taken) = (Arc::clone(&mutex), Arc::clone(&taken));
            move |_| {
                for _ in 0..3 {
                    let got = match below(6) {
                        0 => give_up(mutex.lock()).map(|guard| guard.increase()).is_some(),
                        1 => give_up(Arc::clone(&mutex).lock_owned()).map(|guard| guard.increase()).is_some(),
                        2 => mutex.try_lock().map(|guard| guard.increase()).is_ok(),
                        3 => {
                            wait_for(Arc::clone(&mutex).lock_owned()).increase();
                            true
                        }
                        _ => {
                            wait_for(mutex.lock()).increase();
                            true
                        }
                    };
                    taken.fetch_add(usize::from(got), Ordering::SeqCst);
                }
            }
        });
        let statistics = mutex.statistics();
        assert!(!statistics.locked);
        assert_eq!(statistics.waiting, 0);
        assert_eq!(mutex.try_lock().unwrap().get(), taken.load(Ordering::SeqCst));
    });
}

/// Eight wait in a known order and are polled by as many threads; three of them go at any time. Who stays gets the
/// lock in that order, whoever polls first.
#[test]
fn order_of_the_queue_survives_cancellations_and_moves_between_threads() {
    check(|| {
        let mutex = Arc::new(Mutex::new(Vec::new()));
        let holder = Arc::clone(&mutex).try_lock_owned().unwrap();
        let mut waiters: Vec<(usize, Boxed<()>)> = (0..8)
            .map(|i| {
                let mutex = Arc::clone(&mutex);
                let mut waiter: Boxed<()> = Box::pin(async move { mutex.lock().await.push(i) });
                queue_up(waiter.as_mut());
                (i, waiter)
            })
            .collect();
        let gone: Vec<_> = (0..3).map(|_| waiters.remove(below(waiters.len()))).collect();
        let mut expected: Vec<_> = waiters.iter().map(|(i, _)| *i).collect();
        let threads: Vec<_> = waiters
            .into_iter()
            .map(|(_, waiter)| thread::spawn(move || block_on(waiter)))
            .chain([thread::spawn(move || drop(gone)), thread::spawn(move || drop(holder))])
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let order = std::mem::take(&mut *mutex.try_lock().unwrap());
        expected.sort_unstable();
        assert_eq!(order, expected);
    });
}

/// The shortest critical sections, many of them: the free path against the queue's at every step.
#[test]
fn nobody_is_left_asleep_in_a_busy_queue() {
    check(|| {
        let mutex = Arc::new(Mutex::new(Figure::default()));
        together(4, {
            let mutex = Arc::clone(&mutex);
            move |_| {
                for _ in 0..6 {
                    block_on(mutex.lock()).increase();
                }
            }
        });
        assert_eq!(mutex.try_lock().unwrap().get(), 24);
    });
}
