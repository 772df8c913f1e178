//! Models of `Condition`.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;

use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::thread;
use sync::{Condition, Mutex};

use crate::{Boxed, Figure, below, block_on, check, give_up, queue_up, wait_for};

/// A bounded buffer with two conditions on one lock.
struct Buffer {
    has_room: Condition<VecDeque<usize>>,
    has_item: Condition<VecDeque<usize>>,
}

impl Buffer {
    const CAPACITY: usize = 2;

    fn new() -> Arc<Self> {
        let has_room = Condition::new(VecDeque::new());
        let has_item = Condition::with_mutex(Arc::clone(has_room.mutex()));
        Arc::new(Self { has_room, has_item })
    }

    async fn push(&self, item: usize) {
        let guard = self.has_room.lock().await;
        let mut guard = guard.wait_for(|items| items.len() < Self::CAPACITY).await;
        guard.push_back(item);
        guard.switch_to(&self.has_item).notify_one();
    }

    /// Loops by hand, as over asyncio's `wait`.
    async fn pop(&self) -> usize {
        let mut guard = self.has_item.lock().await;
        loop {
            if let Some(item) = guard.pop_front() {
                guard.switch_to(&self.has_room).notify_one();
                return item;
            }
            guard = guard.wait().await;
        }
    }

    /// Takes what is there, if the lock is free.
    fn try_pop(&self) -> Option<usize> {
        let mut guard = self.has_item.try_lock().ok()?;
        let item = guard.pop_front()?;
        guard.switch_to(&self.has_room).notify_one();
        Some(item)
    }
}

/// Completes, after some attempts that were given up. Whatever they were given is passed on.
fn insist<F: Future>(attempt: impl Fn() -> F) -> F::Output {
    for _ in 0..below(3) {
        if let Some(output) = give_up(attempt()) {
            return output;
        }
    }
    wait_for(attempt())
}

/// Three put in and three take out, each with single notifications and with attempts given up in any phase; two visitors
/// try once each and put back what they got. Were one notification lost, somebody would sleep for ever.
#[test]
fn bounded_buffer_loses_no_notification_to_cancellations() {
    check(|| {
        let buffer = Buffer::new();
        let sum = Arc::new(AtomicUsize::new(0));
        let mut threads = Vec::new();
        for i in 0..3 {
            let pushing = Arc::clone(&buffer);
            threads.push(thread::spawn(move || {
                for j in 0..3 {
                    insist(|| pushing.push(1 << (3 * i + j)));
                }
            }));
            let (popping, sum) = (Arc::clone(&buffer), Arc::clone(&sum));
            threads.push(thread::spawn(move || {
                for _ in 0..3 {
                    let item = popping.try_pop().unwrap_or_else(|| insist(|| popping.pop()));
                    sum.fetch_add(item, Ordering::SeqCst);
                }
            }));
        }
        for _ in 0..2 {
            let visited = Arc::clone(&buffer);
            threads.push(thread::spawn(move || {
                if let Some(item) = give_up(visited.pop()) {
                    insist(|| visited.push(item));
                }
            }));
        }
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(sum.load(Ordering::SeqCst), (1 << 9) - 1, "each item once");
        let statistics = buffer.has_item.statistics();
        assert_eq!(statistics.waiting, 0);
        assert_eq!(buffer.has_room.statistics().waiting, 0);
        assert!(!statistics.mutex.locked);
        assert_eq!(statistics.mutex.waiting, 0);
    });
}

/// A future that locks, waits once and increases, and that waits already.
fn parked(condition: &Arc<Condition<Figure>>) -> Boxed<()> {
    let shared = Arc::clone(condition);
    let mut waiter: Boxed<()> = Box::pin(async move {
        let guard = shared.lock().await;
        guard.wait().await.increase();
    });
    queue_up(waiter.as_mut());
    waiter
}

/// Of eight who wait, three are notified by three threads and two are cancelled by two others, in any phase. Exactly
/// three are served: a cancelled one passes its notification on, and only once.
#[test]
fn each_notification_serves_one_though_others_are_cancelled() {
    check(|| {
        let condition = Arc::new(Condition::new(Figure::default()));
        let mut waiters: Vec<_> = (0..8).map(|_| parked(&condition)).collect();
        let gone: Vec<_> = (0..2).map(|_| waiters.remove(below(waiters.len()))).collect();
        let waiters: Vec<_> =
            waiters.into_iter().map(|waiter| thread::spawn(move || block_on(waiter))).collect();
        let mut threads: Vec<_> =
            gone.into_iter().map(|waiter| thread::spawn(move || drop(waiter))).collect();
        for _ in 0..3 {
            let condition = Arc::clone(&condition);
            threads.push(thread::spawn(move || wait_for(condition.lock()).notify_one()));
        }
        for thread in threads {
            thread.join().unwrap();
        }
        // Whoever was notified joined the lock's queue before us.
        let guard = block_on(condition.lock());
        assert_eq!(guard.get(), 3);
        guard.notify_all();
        drop(guard);
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert_eq!(condition.try_lock().unwrap().get(), 6);
    });
}

/// Two conditions move their waiters onto one queue, in which lockers come and go. `notify(n)` of one never reaches
/// a waiter of the other.
#[test]
fn conditions_on_one_lock_keep_their_waiters_apart() {
    check(|| {
        let mutex = Arc::new(Mutex::new(Figure::default()));
        let left = Arc::new(Condition::with_mutex(Arc::clone(&mutex)));
        let right = Arc::new(Condition::with_mutex(Arc::clone(&mutex)));
        let mut kept = [parked(&right), parked(&right)];
        let mut threads: Vec<_> = [&left, &left, &left, &right]
            .map(|condition| {
                let waiter = parked(condition);
                thread::spawn(move || block_on(waiter))
            })
            .into();
        let [first, _] = &mut kept;
        // The head of the right queue goes, so that the one behind the two kept becomes the second.
        let cancelled = std::mem::replace(first, Box::pin(async {}));
        threads.push(thread::spawn(move || drop(cancelled)));
        threads.push({
            let (left, mutex) = (Arc::clone(&left), Arc::clone(&mutex));
            thread::spawn(move || {
                give_up(mutex.lock());
                wait_for(left.lock()).notify(2);
                wait_for(left.lock()).notify(usize::MAX);
            })
        });
        threads.push({
            let (right, mutex) = (Arc::clone(&right), Arc::clone(&mutex));
            thread::spawn(move || {
                drop(mutex.try_lock());
                // Whoever of the two it reaches: both are notified in the end.
                wait_for(right.lock()).notify(1);
                wait_for(right.lock()).notify_all();
            })
        });
        let [_, second] = kept;
        threads.push(thread::spawn(move || block_on(second)));
        for thread in threads {
            thread.join().unwrap();
        }
        let guard = block_on(mutex.lock());
        assert_eq!(guard.get(), 5);
        drop(guard);
        assert_eq!(left.statistics().waiting + right.statistics().waiting, 0);
    });
}
