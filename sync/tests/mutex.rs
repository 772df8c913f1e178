//! Behaviour of `Mutex`, poll by poll, and under two threads with cancellations.
#![cfg(not(loom))]

mod common;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use common::{
    Random, Task, assert_not_impl, is_send, is_sync, now, on_drop, on_wake, panic_message, poll_once,
};
use sync::futures::{Lock, LockOwned};
use sync::{Mutex, MutexGuard, OwnedMutexGuard};

#[test]
fn types_are_send_and_sync_as_tokios_are() {
    is_send::<Mutex<Cell<u8>>>();
    is_sync::<Mutex<Cell<u8>>>();
    is_send::<MutexGuard<'static, Cell<u8>>>();
    is_sync::<MutexGuard<'static, u8>>();
    is_send::<OwnedMutexGuard<Cell<u8>>>();
    is_sync::<OwnedMutexGuard<u8>>();
    is_send::<Lock<'static, Cell<u8>>>();
    is_send::<LockOwned<Cell<u8>>>();
}
assert_not_impl!(Mutex<*const u8>: Send);
assert_not_impl!(Mutex<*const u8>: Sync);
assert_not_impl!(MutexGuard<'static, *const u8>: Send);
assert_not_impl!(MutexGuard<'static, Cell<u8>>: Sync);
assert_not_impl!(MutexGuard<'static, std::sync::MutexGuard<'static, u8>>: Sync);
assert_not_impl!(OwnedMutexGuard<*const u8>: Send);
assert_not_impl!(OwnedMutexGuard<Cell<u8>>: Sync);
assert_not_impl!(Lock<'static, u8>: Unpin);
assert_not_impl!(LockOwned<u8>: Unpin);

#[test]
fn lock_is_granted_in_the_order_of_first_polls() {
    let mutex = Mutex::new(Vec::new());
    let guard = mutex.try_lock().unwrap();
    // Made in another order than polled.
    let mut tasks: Vec<_> = (0..10).map(|_| Task::new(mutex.lock())).collect();
    tasks.reverse();
    for task in &mut tasks {
        assert!(task.poll().is_pending());
    }
    drop(guard);
    for i in 0..tasks.len() {
        for later in &mut tasks[i + 1..] {
            later.assert_waits();
        }
        let mut guard = tasks[i].woken();
        guard.push(i);
    }
    assert_eq!(*mutex.try_lock().unwrap(), (0..10).collect::<Vec<_>>());
}

#[test]
fn unpolled_future_is_in_no_queue() {
    let mutex = Mutex::new(());
    let idle = mutex.lock();
    let guard = now(mutex.lock());
    assert_eq!(mutex.statistics().waiting, 0);
    drop(guard);
    drop(idle);
    assert!(!mutex.is_locked());
}

#[test]
fn dropped_waiter_leaves_the_queue_wherever_it_stands() {
    for gone in 0..3 {
        let mutex = Mutex::new(());
        let guard = mutex.try_lock().unwrap();
        let mut tasks: Vec<_> = (0..3).map(|_| Task::waiting(mutex.lock())).collect();
        assert_eq!(mutex.statistics().waiting, 3);
        drop(tasks.remove(gone));
        assert_eq!(mutex.statistics().waiting, 2);
        drop(guard);
        for task in &mut tasks {
            drop(task.woken());
        }
        assert_eq!(mutex.statistics().waiting, 0);
        assert!(!mutex.is_locked());
    }
}

#[test]
fn dropped_waiter_passes_its_grant_on() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let granted = Task::waiting(mutex.lock());
    let mut next = Task::waiting(mutex.lock());
    drop(guard);
    assert_eq!((granted.wakes(), next.wakes()), (1, 0));
    drop(granted);
    drop(next.woken());
    assert!(!mutex.is_locked());
}

#[test]
fn last_waiter_dropped_after_its_grant_leaves_the_lock_free() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let granted = Task::waiting(mutex.lock());
    drop(guard);
    assert!(mutex.is_locked());
    drop(granted);
    drop(mutex.try_lock().expect("free again"));
}

#[test]
fn nobody_overtakes_between_an_unlock_and_the_poll_of_the_next() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let mut next = Task::waiting(mutex.lock());
    drop(guard);
    assert!(mutex.is_locked());
    assert!(mutex.try_lock().is_err());
    let mut late = Task::waiting(mutex.lock());
    drop(next.woken());
    drop(late.woken());
}

#[test]
fn repeated_polls_keep_the_place_and_wake_the_last_waker_once() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let mut first = Task::waiting(mutex.lock());
    let mut second = Task::waiting(mutex.lock());
    let replaced = Arc::new(AtomicUsize::new(0));
    let other = {
        let replaced = Arc::clone(&replaced);
        on_wake(move || _ = replaced.fetch_add(1, Ordering::SeqCst))
    };
    assert!(first.poll().is_pending());
    assert!(first.poll_with(&other).is_pending());
    assert_eq!(mutex.statistics().waiting, 2);
    drop(guard);
    assert_eq!((first.wakes(), replaced.load(Ordering::SeqCst), second.wakes()), (0, 1, 0));
    drop(first.ready());
    drop(second.woken());
}

#[test]
fn owned_guard_keeps_its_mutex_alive() {
    let mutex = Arc::new(Mutex::new(String::from("kept")));
    let mut waiter = Task::new(Arc::clone(&mutex).lock_owned());
    let guard = Arc::clone(&mutex).try_lock_owned().unwrap();
    assert!(Arc::clone(&mutex).try_lock_owned().is_err());
    assert!(Arc::ptr_eq(OwnedMutexGuard::mutex(&guard), &mutex));
    assert!(waiter.poll().is_pending());
    drop(mutex);
    drop(guard);
    let guard = waiter.woken();
    drop(waiter);
    assert_eq!(*guard, "kept");
}

#[test]
fn mutexes_made_in_statics_work() {
    static PLAIN: Mutex<u8> = Mutex::new(1);
    static NAMED: Mutex<Option<String>> = Mutex::const_new(None).with_name("named");
    *PLAIN.try_lock().unwrap() += 1;
    *now(NAMED.lock()) = Some("text".into());
    assert_eq!(*PLAIN.try_lock().unwrap(), 2);
    assert_eq!(NAMED.try_lock().unwrap().as_deref(), Some("text"));
}

#[test]
fn unsized_values_can_be_locked() {
    let mutex: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2, 3]));
    now(mutex.lock())[0] = 9;
    assert_eq!(now(mutex.lock_owned())[..], [9, 2, 3]);
}

#[test]
fn value_can_be_reached_without_locking_by_the_only_owner() {
    let mut mutex = Mutex::from(5);
    *mutex.get_mut() += 1;
    assert_eq!(mutex.into_inner(), 6);
    assert_eq!(*Mutex::<u8>::default().try_lock().unwrap(), 0);
}

#[test]
fn debug_shows_the_value_only_of_a_free_mutex() {
    let mutex = Arc::new(Mutex::new(7));
    assert_eq!(format!("{mutex:?}"), "Mutex { data: 7 }");
    let guard = mutex.try_lock().unwrap();
    assert_eq!(format!("{mutex:?}"), "Mutex { data: <locked> }");
    assert_eq!(format!("{guard:?} {guard}"), "7 7");
    let error = mutex.try_lock().unwrap_err();
    assert!(error.to_string().contains("held"));
    drop(guard);
    let guard = Arc::clone(&mutex).try_lock_owned().unwrap();
    assert_eq!(format!("{guard:?} {guard}"), "7 7");
    assert!(format!("{:?}", mutex.lock()).starts_with("Lock"));
    assert!(format!("{:?}", Arc::clone(&mutex).lock_owned()).starts_with("LockOwned"));
}

#[test]
fn debug_that_panics_leaves_the_mutex_free() {
    struct Bad;
    impl std::fmt::Debug for Bad {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("no debug");
        }
    }
    let mutex = Mutex::new(Bad);
    assert_eq!(panic_message(|| drop(format!("{mutex:?}"))), "no debug");
    assert!(!mutex.is_locked());
}

#[test]
fn guard_dropped_by_a_panic_unlocks_without_poisoning() {
    let mutex = Mutex::new(1);
    let message = panic_message(|| {
        let _guard = mutex.try_lock().unwrap();
        panic!("holder");
    });
    assert_eq!(message, "holder");
    assert_eq!(*mutex.try_lock().unwrap(), 1);
}

#[test]
fn poll_after_ready_panics_and_takes_nothing() {
    let mutex = Arc::new(Mutex::new(()));
    let mut borrowed = Task::new(mutex.lock());
    drop(borrowed.ready());
    assert!(panic_message(|| drop(borrowed.poll())).contains("polled after it was ready"));
    let mut owned = Task::new(Arc::clone(&mutex).lock_owned());
    drop(owned.ready());
    assert!(panic_message(|| drop(owned.poll())).contains("polled after it was ready"));
    drop((borrowed, owned));
    assert!(!mutex.is_locked());
}

#[test]
fn waker_that_panics_surfaces_after_the_lock_has_moved_on() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let mut first = Task::new(mutex.lock());
    assert!(first.poll_with(&on_wake(|| panic!("bad waker"))).is_pending());
    let mut second = Task::waiting(mutex.lock());
    assert_eq!(panic_message(|| drop(guard)), "bad waker");
    drop(first.ready());
    drop(second.woken());
    assert!(!mutex.is_locked());
}

#[test]
fn waker_may_lock_or_drop_other_waiters_when_it_is_woken() {
    let mutex = Arc::new(Mutex::new(0));
    let guard = mutex.try_lock().unwrap();
    let victim = Arc::new(std::sync::Mutex::new(Some(Box::pin(Arc::clone(&mutex).lock_owned()))));
    let mut first = Task::new(mutex.lock());
    let waker = {
        let (mutex, victim) = (Arc::clone(&mutex), Arc::clone(&victim));
        on_wake(move || {
            assert!(mutex.try_lock().is_err());
            assert_eq!(mutex.statistics().waiting, 1);
            let taken = victim.lock().unwrap().take();
            drop(taken);
            assert_eq!(mutex.statistics().waiting, 0);
        })
    };
    assert!(first.poll_with(&waker).is_pending());
    assert!(poll_once(victim.lock().unwrap().as_mut().unwrap().as_mut()).is_pending());
    drop(guard);
    assert!(victim.lock().unwrap().is_none());
    *first.ready() += 1;
    assert_eq!(*mutex.try_lock().unwrap(), 1);
}

#[test]
fn waker_may_use_the_mutex_when_it_is_dropped() {
    let mutex = Arc::new(Mutex::new(()));
    let dropped = Arc::new(AtomicUsize::new(0));
    let waker = || {
        let (mutex, dropped) = (Arc::clone(&mutex), Arc::clone(&dropped));
        on_drop(move || {
            let _ = mutex.statistics();
            let _ = mutex.try_lock();
            dropped.fetch_add(1, Ordering::SeqCst);
        })
    };
    let guard = mutex.try_lock().unwrap();
    // Replaced by a second one, which goes with the future.
    let mut task = Task::new(mutex.lock());
    assert!(task.poll_with(&waker()).is_pending());
    assert!(task.poll_with(&waker()).is_pending());
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    drop(task);
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
    // Taken by a grant.
    let mut task = Task::new(mutex.lock());
    assert!(task.poll_with(&waker()).is_pending());
    drop(guard);
    assert_eq!(dropped.load(Ordering::SeqCst), 3);
    drop(task.ready());
}

#[test]
fn waker_whose_drop_panics_leaves_the_mutex_whole() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let mut first = Task::new(mutex.lock());
    let mut second = Task::waiting(mutex.lock());
    assert!(first.poll_with(&on_drop(|| panic!("bad drop"))).is_pending());
    assert_eq!(mutex.statistics().waiting, 2);
    assert_eq!(panic_message(|| drop(first)), "bad drop");
    assert_eq!(mutex.statistics().waiting, 1);
    drop(guard);
    drop(second.woken());
}

#[test]
fn future_may_be_moved_before_its_first_poll() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let futures: Vec<_> = (0..3).map(|_| mutex.lock()).collect();
    let mut tasks: Vec<_> = futures.into_iter().map(Task::waiting).collect();
    drop(guard);
    for task in &mut tasks {
        drop(task.woken());
    }
}

#[test]
fn hundred_thousand_waiters_leave_in_any_order() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let mut waiters: Vec<Pin<Box<_>>> = (0..100_000).map(|_| Box::pin(mutex.lock())).collect();
    for waiter in &mut waiters {
        assert!(poll_once(waiter.as_mut()).is_pending());
    }
    let mut random = Random(1);
    random.shuffle(&mut waiters);
    let rest = waiters.split_off(99_990);
    drop(waiters);
    assert_eq!(mutex.statistics().waiting, 10);
    drop(guard);
    // One of them has the lock; each that goes hands it to the next.
    drop(rest);
    assert!(!mutex.is_locked());
    assert_eq!(mutex.statistics().waiting, 0);
}

#[test]
fn random_steps_keep_the_order_of_a_plain_list() {
    let mutex = Mutex::new(());
    let mut random = Random(2);
    // The model: who waits, in order; the first of them is granted while nobody has a guard.
    let queue = RefCell::new(Vec::new());
    let mut holder = Some(mutex.try_lock().unwrap());
    let mut granted = None;
    for step in 0..20_000_usize {
        let mut queue = queue.borrow_mut();
        match random.below(4) {
            0 | 1 if queue.len() < 40 => queue.push((step, Task::waiting(mutex.lock()))),
            2 if !queue.is_empty() => {
                let i = random.below(queue.len());
                drop(queue.remove(i));
            }
            _ => {
                holder = None;
                if !queue.is_empty() {
                    let (_, mut task) = queue.remove(0);
                    granted = Some(task.woken());
                } else {
                    granted = Some(mutex.try_lock().expect("free"));
                }
            }
        }
        if let Some(guard) = granted.take() {
            holder = Some(guard);
        }
        assert_eq!(mutex.statistics().waiting, queue.len());
        assert!(mutex.is_locked());
    }
    queue.borrow_mut().clear();
    drop(holder);
    assert!(!mutex.is_locked());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hammer_with_cancellations_loses_no_update() {
    const TASKS: usize = 8;
    const ROUNDS: usize = 5_000;
    let mutex = Arc::new(Mutex::new(0_usize));
    let tasks: Vec<_> = (0..TASKS)
        .map(|seed| {
            let mutex = Arc::clone(&mutex);
            tokio::spawn(async move {
                let mut random = Random(seed as u64);
                let mut done = 0;
                for _ in 0..ROUNDS {
                    match random.below(6) {
                        0 => {
                            let mut future = Box::pin(mutex.lock());
                            if let Poll::Ready(mut guard) = poll_once(future.as_mut()) {
                                *guard += 1;
                                done += 1;
                            } else if random.below(2) == 0 {
                                tokio::task::yield_now().await;
                            }
                        }
                        1 => {
                            if let Ok(mut guard) = mutex.try_lock() {
                                *guard += 1;
                                done += 1;
                            }
                        }
                        2 => {
                            let mut guard = Arc::clone(&mutex).lock_owned().await;
                            *guard += 1;
                            done += 1;
                            tokio::task::yield_now().await;
                        }
                        _ => {
                            *mutex.lock().await += 1;
                            done += 1;
                        }
                    }
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await.unwrap();
    }
    assert_eq!(*mutex.try_lock().expect("free in the end"), done);
    assert_eq!(mutex.statistics().waiting, 0);
}

#[test]
fn panic_of_a_waker_does_not_hide_the_panic_that_drops_the_guard() {
    let mutex = Mutex::new(());
    let mut task = Task::new(mutex.lock());
    let message = panic_message(|| {
        let _guard = mutex.try_lock().unwrap();
        assert!(task.poll_with(&on_wake(|| panic!("bad waker"))).is_pending());
        panic!("holder");
    });
    assert_eq!(message, "holder");
    drop(task.ready());
    assert!(catch_unwind(AssertUnwindSafe(|| mutex.try_lock().is_ok())).unwrap());
}

#[test]
fn payload_whose_drop_panics_is_not_dropped_in_a_panic() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("the payload was dropped");
        }
    }
    let mutex = Mutex::new(());
    let mut task = Task::new(mutex.lock());
    let message = panic_message(|| {
        let _guard = mutex.try_lock().unwrap();
        assert!(task.poll_with(&on_wake(|| std::panic::panic_any(Bomb))).is_pending());
        panic!("holder");
    });
    assert_eq!(message, "holder");
    drop(task.ready());
}
