//! A program that uses plain `tokio::sync` is seen by the collector, without a word about it in the program. With the real tokio: how to build
//! it stands in `dashboard/README.md`.
#![cfg(tokio_unstable)]

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use dashboard::snapshot::{PrimitiveSnapshot, Snapshot};
use dashboard::{Collector, Level, Thresholds};
use tokio::sync::{Barrier, Mutex, RwLock, Semaphore, oneshot};
use tracing::instrument;
use tracing_subscriber::prelude::*;

/// Runs with the collector as its users have it: the listener, and this.
fn collected<F: Future>(collector: &Collector, program: F) -> F::Output {
    let subscriber =
        tracing_subscriber::registry().with(collector.listener()).with(collector.tokio_resources());
    tracing::subscriber::with_default(subscriber, || {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(program)
    })
}

/// Lets the other tasks go on until a snapshot is as wanted.
async fn until(collector: &Collector, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
    for _ in 0..1_000 {
        let snapshot = collector.snapshot();
        if wanted(&snapshot) {
            return snapshot;
        }
        tokio::task::yield_now().await;
    }
    panic!("never came to pass: {:#?}", collector.snapshot().primitives);
}

fn row<'a>(snapshot: &'a Snapshot, name: &str) -> &'a PrimitiveSnapshot {
    let mut rows = snapshot.primitives.iter().filter(|row| row.name == name);
    let row = rows.next().unwrap_or_else(|| panic!("no {name} in {:#?}", snapshot.primitives));
    assert!(rows.next().is_none(), "more than one {name}");
    row
}

fn mutex(snapshot: &Snapshot) -> &PrimitiveSnapshot {
    row(snapshot, "tokio::sync::Mutex")
}

fn semaphore(snapshot: &Snapshot) -> &PrimitiveSnapshot {
    row(snapshot, "tokio::sync::Semaphore")
}

fn rwlock(snapshot: &Snapshot) -> &PrimitiveSnapshot {
    row(snapshot, "tokio::sync::RwLock")
}

/// Polls once, and finds it pending.
async fn wait_a_little<F: Future>(mut future: Pin<&mut F>) {
    poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

/// The line below, which stands for the one that asks.
const CHECKOUT: u32 = line!() + 2;

#[instrument(skip_all)]
async fn checkout(lock: Arc<Mutex<u64>>, told: oneshot::Receiver<()>) {
    let mut count = lock.lock().await;
    let _ = told.await;
    *count += 1;
}

#[test]
fn a_wait_for_a_mutex_is_seen_with_its_holder_while_it_lasts() {
    let collector = Collector::new();
    let line_of_new = line!() + 2;
    collected(&collector, async {
        let lock = Arc::new(Mutex::new(0));
        let (tell, told) = oneshot::channel();
        let (tell_next, told_next) = oneshot::channel();
        let first = tokio::spawn(checkout(Arc::clone(&lock), told));
        let snapshot = until(&collector, |snapshot| mutex(snapshot).holders_count == 1).await;
        let holder = mutex(&snapshot).holders[0].task;
        let second = tokio::spawn(checkout(Arc::clone(&lock), told_next));
        let snapshot = until(&collector, |snapshot| mutex(snapshot).waiters == 1).await;

        let row = mutex(&snapshot);
        assert_eq!(row.primitive, "mutex");
        assert_eq!(row.location, format!("{}:{line_of_new}", file!()));
        assert_eq!(row.holders.len(), 1);
        let [wait] = &snapshot.waits[..] else { panic!("{:#?}", snapshot.waits) };
        assert_ne!(wait.task, 0);
        assert_ne!(wait.task, holder);
        assert_eq!(wait.site, format!("{}:{CHECKOUT}", file!()));
        assert!(!snapshot.waits_for.edges.is_empty(), "who waits for whom");

        tell.send(()).unwrap();
        first.await.unwrap();
        let snapshot = until(&collector, |snapshot| mutex(snapshot).waiters == 0).await;
        assert_eq!(mutex(&snapshot).holders[0].task, wait.task, "the guard went over");
        tell_next.send(()).unwrap();
        second.await.unwrap();
    });
    let snapshot = collector.snapshot();
    let row = mutex(&snapshot);
    assert_eq!((row.acquisitions, row.contended, row.cancelled, row.objects), (2, 1, 0, 1));
    assert_eq!((row.waiters, row.holders_count), (0, 0));
    assert_eq!((row.wait_ns.count, row.hold_ns.count), (1, 2));
    assert_eq!((row.queued_ns.count, row.wake_ns.count), (1, 1), "the wait is split at the grant");
    assert_eq!(row.sites.len(), 1, "{:#?}", row.sites);
    assert_eq!(snapshot.overhead.malformed, 0);
    assert_eq!(snapshot.overhead.in_flight_dropped, 0);
    assert_eq!(
        snapshot.primitives.len(),
        1,
        "neither inner semaphores nor channels have rows: {snapshot:#?}"
    );
}

#[test]
fn a_wait_that_is_dropped_is_cancelled_and_what_it_was_given_goes_on() {
    let collector = Collector::new();
    collected(&collector, async {
        let lock = Mutex::new(0);
        let guard = lock.lock().await;
        wait_a_little(pin!(lock.lock())).await;
        let mut granted = Box::pin(lock.lock());
        wait_a_little(granted.as_mut()).await;
        drop(guard);
        drop(granted);
        drop(lock.try_lock().expect("free again"));
    });
    let snapshot = collector.snapshot();
    let row = mutex(&snapshot);
    assert_eq!((row.acquisitions, row.contended, row.cancelled), (2, 0, 2), "{row:#?}");
    assert_eq!((row.cancelled_wait_ns.count, row.hold_ns.count), (2, 2));
    assert_eq!((row.waiters, row.holders_count), (0, 0));
}

#[test]
fn guards_that_were_only_tried_for_and_owned_ones_are_held() {
    let collector = Collector::new();
    collected(&collector, async {
        let lock = Arc::new(Mutex::new(0));
        let guard = lock.try_lock().unwrap();
        assert!(lock.try_lock().is_err());
        assert_eq!(mutex(&collector.snapshot()).holders_count, 1);
        drop(guard);
        let owned = Arc::clone(&lock).lock_owned().await;
        assert_eq!(mutex(&collector.snapshot()).holders_count, 1);
        drop(owned);
        drop(tokio::sync::MutexGuard::map(lock.lock().await, |value| value));
    });
    let snapshot = collector.snapshot();
    assert_eq!((mutex(&snapshot).acquisitions, mutex(&snapshot).hold_ns.count), (3, 3));
    assert_eq!(mutex(&snapshot).holders_count, 0);
}

#[test]
fn permits_are_held_until_as_many_are_given_back() {
    let collector = Collector::new();
    collected(&collector, async {
        let permits = Arc::new(Semaphore::new(3));
        let two = permits.acquire_many(2).await.unwrap();
        let one = Arc::clone(&permits).acquire_owned().await.unwrap();
        let snapshot = collector.snapshot();
        let held: u64 = semaphore(&snapshot).holders.iter().map(|holder| holder.permits).sum();
        assert_eq!((held, semaphore(&snapshot).holders_count), (3, 2));

        let waiter = tokio::spawn({
            let permits = Arc::clone(&permits);
            async move { drop(permits.acquire_many(2).await.unwrap()) }
        });
        let snapshot = until(&collector, |snapshot| semaphore(snapshot).waiters == 1).await;
        assert_eq!(snapshot.waits[0].permits, 2);
        // Given away: the task that drops it has acquired nothing.
        tokio::spawn(async move { drop(one) }).await.unwrap();
        let snapshot = collector.snapshot();
        assert_eq!(semaphore(&snapshot).waiters, 1, "half of what it asks for");
        drop(two);
        waiter.await.unwrap();
    });
    let snapshot = collector.snapshot();
    let row = semaphore(&snapshot);
    assert_eq!((row.acquisitions, row.contended, row.cancelled), (3, 1, 0), "{row:#?}");
    assert_eq!((row.waiters, row.holders_count, row.hold_ns.count), (0, 0, 3));
    assert_eq!((row.queued_ns.count, row.wake_ns.count), (1, 1));
}

#[test]
fn a_permit_that_a_dropped_wait_gives_on_ends_nobody_elses_hold() {
    let collector = Collector::new();
    collected(&collector, async {
        let permits = Arc::new(Semaphore::new(2));
        let kept = Arc::clone(&permits).acquire_owned().await.unwrap();
        // Held by another task, so that whose it is can be told.
        let (tell, told) = oneshot::channel::<()>();
        let holder = tokio::spawn({
            let permits = Arc::clone(&permits);
            async move {
                let _held = permits.acquire().await.unwrap();
                let _ = told.await;
            }
        });
        until(&collector, |snapshot| semaphore(snapshot).holders_count == 2).await;
        let dropper = tokio::spawn({
            let permits = Arc::clone(&permits);
            async move {
                let mut wait = Box::pin(permits.acquire());
                wait_a_little(wait.as_mut()).await;
                drop(kept);
                drop(wait);
            }
        });
        dropper.await.unwrap();
        let snapshot = collector.snapshot();
        assert_eq!(semaphore(&snapshot).cancelled, 1);
        assert_eq!(semaphore(&snapshot).holders_count, 1, "{:#?}", semaphore(&snapshot));
        tell.send(()).unwrap();
        holder.await.unwrap();
        assert_eq!(permits.available_permits(), 2);
    });
    assert_eq!(semaphore(&collector.snapshot()).holders_count, 0);
}

#[test]
fn a_semaphore_that_closes_ends_its_waits_as_closed() {
    let collector = Collector::new();
    collected(&collector, async {
        let permits = Arc::new(Semaphore::new(0));
        let waiter = tokio::spawn({
            let permits = Arc::clone(&permits);
            async move { permits.acquire().await.is_err() }
        });
        until(&collector, |snapshot| semaphore(snapshot).waiters == 1).await;
        permits.close();
        assert!(waiter.await.unwrap());
        assert!(permits.acquire().await.is_err());
        permits.acquire_many(0).await.unwrap_err();
    });
    let snapshot = collector.snapshot();
    let row = semaphore(&snapshot);
    assert_eq!((row.acquisitions, row.contended, row.cancelled, row.waiters), (0, 0, 0, 0), "{row:#?}");
    assert_eq!(row.closed, 3);
}

#[test]
fn permits_on_their_way_to_a_closed_wait_end_nobody_elses_hold() {
    let collector = Collector::new();
    collected(&collector, async {
        let permits = Semaphore::new(2);
        let held = permits.acquire().await.unwrap();
        let other = permits.acquire().await.unwrap();
        let mut wait = Box::pin(permits.acquire_many(2));
        wait_a_little(wait.as_mut()).await;
        drop(other);
        permits.close();
        wait.await.expect_err("half of what it asked for was on its way, and goes back");
        assert_eq!(permits.available_permits(), 1);
        assert_eq!(semaphore(&collector.snapshot()).holders_count, 1);
        drop(held);
    });
    let snapshot = collector.snapshot();
    let row = semaphore(&snapshot);
    assert_eq!((row.acquisitions, row.closed, row.cancelled), (2, 1, 0), "{row:#?}");
    assert_eq!((row.holders_count, row.hold_ns.count), (0, 2));
}

#[test]
fn who_asks_for_no_permits_holds_none() {
    let collector = Collector::new();
    collected(&collector, async {
        let permits = Semaphore::new(1);
        let none = permits.acquire_many(0).await.unwrap();
        drop(permits.acquire().await.unwrap());
        let snapshot = collector.snapshot();
        let row = semaphore(&snapshot);
        assert_eq!((row.acquisitions, row.hold_ns.count, row.holders_count), (2, 1, 0), "{row:#?}");
        drop(none);
    });
    let snapshot = collector.snapshot();
    assert_eq!((semaphore(&snapshot).hold_ns.count, semaphore(&snapshot).holders_count), (1, 0));
}

#[test]
fn readers_share_a_lock_and_a_writer_has_it_alone() {
    let collector = Collector::new();
    collected(&collector, async {
        let lock = Arc::new(RwLock::new(0));
        let (first, second) = (lock.read().await, lock.try_read().unwrap());
        assert_eq!(rwlock(&collector.snapshot()).holders_count, 2);
        let writer = tokio::spawn({
            let lock = Arc::clone(&lock);
            async move { *lock.write().await += 1 }
        });
        until(&collector, |snapshot| rwlock(snapshot).waiters == 1).await;
        drop((first, second));
        writer.await.unwrap();
        let written = lock.write().await;
        assert_eq!(rwlock(&collector.snapshot()).holders_count, 1);
        drop(tokio::sync::RwLockWriteGuard::downgrade(written));
        drop(Arc::clone(&lock).write_owned().await);
        drop(lock.try_write().unwrap());
    });
    let snapshot = collector.snapshot();
    let row = rwlock(&snapshot);
    assert_eq!(row.primitive, "rwlock");
    assert_eq!((row.contended, row.waiters, row.holders_count), (1, 0, 0), "{row:#?}");
    assert_eq!((row.acquisitions, row.hold_ns.count), (7, 7), "a downgrade is two holds");
}

#[test]
fn those_who_arrive_at_a_barrier_wait_for_the_last() {
    let collector = Collector::new();
    collected(&collector, async {
        let barrier = Arc::new(Barrier::new(3));
        let arrive = |barrier: &Arc<Barrier>| {
            let barrier = Arc::clone(barrier);
            tokio::spawn(async move { barrier.wait().await.is_leader() })
        };
        let parties = [arrive(&barrier), arrive(&barrier)];
        until(&collector, |snapshot| row(snapshot, "tokio::sync::Barrier").waiters == 2).await;
        assert!(barrier.wait().await.is_leader());
        for party in parties {
            assert!(!party.await.unwrap());
        }
    });
    let snapshot = collector.snapshot();
    let row = row(&snapshot, "tokio::sync::Barrier");
    assert_eq!((row.acquisitions, row.contended, row.waiters, row.holders_count), (3, 2, 0, 0), "{row:#?}");
    assert_eq!(row.wake_ns.count, 2, "the last one's arrival is their grant");
}

#[test]
fn a_deadlock_of_plain_tokio_mutexes_is_found() {
    let collector = Collector::new();
    let alert = collected(&collector, async {
        let locks = [Arc::new(Mutex::new(())), Arc::new(Mutex::new(()))];
        let cross = |mine: usize, (tell, told): (oneshot::Sender<()>, oneshot::Receiver<()>)| {
            let (mine, others) = (Arc::clone(&locks[mine]), Arc::clone(&locks[1 - mine]));
            tokio::spawn(async move {
                let _mine = mine.lock().await;
                let _ = tell.send(());
                let _ = told.await;
                let _others = others.lock().await;
            })
        };
        let ((tell_first, told_first), (tell_second, told_second)) = (oneshot::channel(), oneshot::channel());
        let mut thresholds = Thresholds::default();
        thresholds.deadlock = Duration::ZERO;
        collector.set_thresholds(thresholds);
        let stuck = [cross(0, (tell_second, told_first)), cross(1, (tell_first, told_second))];
        let snapshot = until(&collector, |snapshot| !snapshot.alerts.is_empty()).await;
        stuck.iter().for_each(tokio::task::JoinHandle::abort);
        snapshot.alerts
    });
    assert!(alert.iter().any(|alert| alert.kind.as_str() == "deadlock"), "{alert:#?}");
}

#[test]
fn a_task_that_uses_up_its_turn_has_not_waited() {
    let collector = Collector::new();
    collected(&collector, async {
        let lock = Mutex::new(());
        for _ in 0..1_000 {
            drop(lock.lock().await);
        }
    });
    let snapshot = collector.snapshot();
    let row = mutex(&snapshot);
    assert_eq!((row.acquisitions, row.contended, row.hold_ns.count), (1_000, 0, 1_000));
}

#[test]
fn nothing_is_heard_while_off_and_old_locks_are_known_afterwards() {
    let collector = Collector::new();
    collected(&collector, async {
        let lock = Mutex::new(());
        drop(lock.lock().await);
        collector.set_enabled(false);
        drop(lock.lock().await);
        let made_while_off = Mutex::new(());
        let held = lock.lock().await;
        collector.set_enabled(true);
        drop(held);
        drop(lock.lock().await);
        drop(made_while_off.lock().await);
        collector.set_level(Level::Waits);
        let held = lock.lock().await;
        wait_a_little(pin!(lock.lock())).await;
        drop(held);
    });
    let snapshot = collector.snapshot();
    let rows: Vec<_> = snapshot.primitives.iter().map(|row| (row.acquisitions, row.cancelled)).collect();
    assert_eq!(rows, [(2, 1), (1, 0)]);
    assert!(snapshot.primitives.iter().all(|row| row.holders_count == 0 && row.waiters == 0));
}

#[test]
fn threads_that_hammer_one_lock_lose_no_guard() {
    let collector = Collector::new();
    let subscriber =
        tracing_subscriber::registry().with(collector.listener()).with(collector.tokio_resources());
    let dispatch = tracing::Dispatch::new(subscriber);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .on_thread_start({
            let dispatch = dispatch.clone();
            // For as long as the thread lives.
            move || std::mem::forget(tracing::dispatcher::set_default(&dispatch))
        })
        .build()
        .unwrap();
    tracing::dispatcher::with_default(&dispatch, || {
        runtime.block_on(async {
            let (lock, permits) = (Arc::new(Mutex::new(0_u64)), Arc::new(Semaphore::new(2)));
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    let (lock, permits) = (Arc::clone(&lock), Arc::clone(&permits));
                    tokio::spawn(async move {
                        for _ in 0..500 {
                            let _permit = permits.acquire().await.unwrap();
                            *lock.lock().await += 1;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(*lock.lock().await, 4_000);
        });
    });
    drop(runtime);
    let snapshot = collector.snapshot();
    let (lock, permits) = (mutex(&snapshot), semaphore(&snapshot));
    assert_eq!(
        (lock.acquisitions, lock.hold_ns.count, lock.holders_count, lock.waiters),
        (4_001, 4_001, 0, 0)
    );
    assert_eq!((permits.acquisitions, permits.holders_count, permits.waiters), (4_000, 0, 0));
    assert_eq!(snapshot.overhead.malformed, 0);
}
