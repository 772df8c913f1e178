//! Grants and notifications that a probe is told before their tasks know of them. One process has one probe, so one test
//! runs at a time.
#![cfg(all(feature = "tracing", not(any(loom, shuttle))))]

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex as StdMutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use sync::probe::{self, Called, Operation, Outcome, Probe};
use sync::{Condition, Mutex, Semaphore};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

#[derive(Clone, Debug, PartialEq)]
enum Said {
    Granted { op: u64, owned: bool },
    Waits { op: u64, task: u64, owned: bool, lock: bool },
    Handed { op: u64, by: u64, by_task: u64 },
    Notified { op: u64 },
    Resumed { op: u64 },
    Released { op: u64 },
}

use Said::*;

#[derive(Default)]
struct Told {
    said: StdMutex<Vec<Said>>,
    panics_when_handed: AtomicBool,
}

impl Told {
    fn say(&self, said: Said) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).push(said);
    }

    fn take(&self) -> Vec<Said> {
        std::mem::take(&mut self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Probe for Told {
    fn now_ns(&self) -> u64 {
        7
    }

    fn granted(&self, operation: &Operation, _: u64) {
        self.say(Granted { op: operation.op, owned: operation.owned });
    }

    fn refused(&self, _: &Operation, _: Outcome) {}

    fn waiting(&self, operation: &Operation, _: usize, _: u64) {
        let Operation { op, task, owned, lock, .. } = *operation;
        self.say(Waits { op, task, owned, lock: lock != 0 && lock != operation.id });
    }

    fn resumed(&self, wait: &probe::Resumed) {
        self.say(Resumed { op: wait.op });
    }

    fn released(&self, release: &probe::Released) {
        self.say(Released { op: release.op });
    }

    fn called(&self, _: &Called) {}

    fn handed(&self, handed: &probe::Handed) {
        assert!(handed.now_ns >= 7, "{handed:?}");
        self.say(Handed { op: handed.op, by: handed.by, by_task: handed.by_task });
        assert!(!self.panics_when_handed.load(Ordering::Relaxed), "on purpose");
    }

    fn notified(&self, op: u64, _: u64) {
        self.say(Notified { op });
    }
}

/// Wants no span, and lets DEBUG or TRACE through.
struct Level(AtomicBool);

static LEVEL: Level = Level(AtomicBool::new(true));

impl Subscriber for &'static Level {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::never()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(if self.0.load(Ordering::Relaxed) { LevelFilter::TRACE } else { LevelFilter::DEBUG })
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The probe, of every call or of waits alone; the guard keeps the other tests away.
fn listen(every_call: bool) -> (MutexGuard<'static, ()>, &'static Told) {
    static TOLD: LazyLock<&'static Told> = LazyLock::new(|| {
        let told: &'static Told = Box::leak(Box::default());
        probe::install(told);
        tracing::subscriber::set_global_default(&LEVEL).expect("nobody else sets one");
        told
    });
    static ONE: StdMutex<()> = StdMutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let told = *TOLD;
    LEVEL.0.store(every_call, Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
    told.panics_when_handed.store(false, Ordering::Relaxed);
    told.take();
    (guard, told)
}

/// A task, which notes that it was woken.
#[derive(Default)]
struct Task(AtomicBool);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn poll<F: Future>(task: &Arc<Task>, future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(task))))
}

fn number(task: &Arc<Task>) -> u64 {
    Arc::as_ptr(task).addr() as u64
}

#[test]
fn a_release_tells_whom_it_gives_the_lock_before_that_one_resumes() {
    let (_one, told) = listen(true);
    let (holder, waiter) = (Arc::default(), Arc::default());
    let mutex = Mutex::new(());
    let guard = poll(&holder, pin!(mutex.lock()));
    let mut wait = pin!(mutex.lock());
    assert!(poll(&waiter, wait.as_mut()).is_pending());
    drop(guard);
    let said = told.take();
    let [Granted { op: held, .. }, Waits { op, task, .. }, _, handed] = &said[..] else { panic!("{said:?}") };
    assert_eq!(*task, number(&waiter));
    assert_eq!(said[2], Released { op: *held });
    assert_eq!(*handed, Handed { op: *op, by: *held, by_task: number(&holder) });
    assert!(waiter.0.load(Ordering::Relaxed));
    let guard = poll(&waiter, wait);
    assert_eq!(told.take(), [Resumed { op: *op }]);
    drop(guard);
    assert_eq!(told.take(), [Released { op: *op }], "nobody waits, nobody is told of");
}

#[test]
fn where_waits_alone_are_watched_grants_are_told_without_who_gave() {
    let (_one, told) = listen(false);
    let waiter = Arc::default();
    let (mutex, semaphore) = (Mutex::new(()), Semaphore::new(1));
    let (guard, permit) = (mutex.try_lock().unwrap(), semaphore.try_acquire().unwrap());
    let (mut lock, mut acquire) = (pin!(mutex.lock()), pin!(semaphore.acquire()));
    assert!(poll(&waiter, lock.as_mut()).is_pending());
    assert!(poll(&waiter, acquire.as_mut()).is_pending());
    drop((guard, permit));
    let said = told.take();
    let [Waits { op: first, .. }, Waits { op: second, .. }, ..] = &said[..] else { panic!("{said:?}") };
    let handed = |op| Handed { op, by: 0, by_task: 0 };
    assert_eq!(said[2..], [handed(*first), handed(*second)]);
}

#[test]
fn many_who_are_let_go_at_once_are_all_told_of_in_order_and_woken() {
    let (_one, told) = listen(true);
    let semaphore = Semaphore::new(0);
    let tasks: Vec<Arc<Task>> = (0..100).map(|_| Arc::default()).collect();
    let mut waits: Vec<_> = tasks.iter().map(|_| Box::pin(semaphore.acquire())).collect();
    for (task, wait) in tasks.iter().zip(&mut waits) {
        assert!(poll(task, wait.as_mut()).is_pending());
    }
    let waiting: Vec<u64> =
        told.take().iter().map(|said| if let Waits { op, .. } = said { *op } else { 0 }).collect();
    semaphore.add_permits(100);
    let expected: Vec<Said> = waiting.iter().map(|&op| Handed { op, by: 0, by_task: 0 }).collect();
    assert_eq!(told.take(), expected);
    assert!(tasks.iter().all(|task| task.0.load(Ordering::Relaxed)));
}

#[test]
fn a_dropped_wait_tells_whom_it_passes_its_grant_on_to() {
    let (_one, told) = listen(true);
    let (first, second) = (Arc::default(), Arc::default());
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let mut granted = Box::pin(mutex.lock());
    assert!(poll(&first, granted.as_mut()).is_pending());
    let mut behind = pin!(mutex.lock());
    assert!(poll(&second, behind.as_mut()).is_pending());
    drop(guard);
    let said = told.take();
    let [.., Waits { op, .. }, Released { .. }, Handed { .. }] = said[..] else { panic!("{said:?}") };
    drop(granted);
    let said = told.take();
    assert!(said.contains(&Handed { op, by: 0, by_task: 0 }), "{said:?}");
    assert!(poll(&second, behind).is_ready());
}

#[test]
fn a_conditions_waiter_is_told_to_be_notified_and_then_to_be_given_the_lock() {
    let (_one, told) = listen(true);
    let (waiter, notifier) = (Arc::default(), Arc::default());
    let condition = Condition::new(());
    let Poll::Ready(guard) = poll(&waiter, pin!(condition.lock())) else { panic!("it is free") };
    let mut wait = pin!(guard.wait());
    assert!(poll(&waiter, wait.as_mut()).is_pending());
    let said = told.take();
    let [Granted { op: first, .. }, Waits { op, lock: true, .. }, ..] = said[..] else { panic!("{said:?}") };
    assert_eq!(said[2..], [Released { op: first }]);

    let Poll::Ready(guard) = poll(&notifier, pin!(condition.lock())) else { panic!("it is free") };
    told.take();
    guard.notify_all();
    assert_eq!(told.take(), [Notified { op }]);
    drop(guard);
    let said = told.take();
    let [Released { op: by }, handed] = &said[..] else { panic!("{said:?}") };
    assert_eq!(*handed, Handed { op, by: *by, by_task: number(&notifier) });
    let guard = poll(&waiter, wait);
    let said = told.take();
    assert!(
        matches!(said[..], [Resumed { .. }, Granted { .. }]),
        "it holds under a number of its own: {said:?}"
    );
    drop(guard);
}

#[test]
fn owned_guards_and_permits_are_told_from_borrowed_ones() {
    let (_one, told) = listen(true);
    let task = Arc::default();
    let (mutex, semaphore) = (Arc::new(Mutex::new(())), Arc::new(Semaphore::new(1)));
    drop(poll(&task, pin!(mutex.lock())));
    drop(poll(&task, pin!(Arc::clone(&mutex).lock_owned())));
    drop(poll(&task, pin!(semaphore.acquire())));
    let permit = poll(&task, pin!(Arc::clone(&semaphore).acquire_owned()));
    let mut wait = pin!(Arc::clone(&semaphore).acquire_owned());
    assert!(poll(&task, wait.as_mut()).is_pending());
    drop(permit);
    let owned: Vec<bool> = told
        .take()
        .iter()
        .filter_map(|said| match said {
            Granted { owned, .. } | Waits { owned, .. } => Some(*owned),
            _ => None,
        })
        .collect();
    assert_eq!(owned, [false, true, false, true, true]);
}

#[test]
fn a_probe_that_panics_when_it_is_told_of_a_grant_keeps_nobody_from_it() {
    let (_one, told) = listen(true);
    let semaphore = Semaphore::new(0);
    let tasks: Vec<Arc<Task>> = (0..100).map(|_| Arc::default()).collect();
    let mut waits: Vec<_> = tasks.iter().map(|_| Box::pin(semaphore.acquire())).collect();
    for (task, wait) in tasks.iter().zip(&mut waits) {
        assert!(poll(task, wait.as_mut()).is_pending());
    }
    told.panics_when_handed.store(true, Ordering::Relaxed);
    assert!(catch_unwind(AssertUnwindSafe(|| semaphore.add_permits(100))).is_err());
    told.panics_when_handed.store(false, Ordering::Relaxed);
    assert!(tasks.iter().all(|task| task.0.load(Ordering::Relaxed)), "somebody sleeps on");
    for (task, mut wait) in tasks.iter().zip(waits) {
        assert!(poll(task, wait.as_mut()).is_ready());
    }

    let condition = Condition::new(());
    let mut waits: Vec<_> = tasks
        .iter()
        .map(|task| match poll(task, pin!(condition.lock())) {
            Poll::Ready(guard) => {
                let mut wait = Box::pin(guard.wait());
                assert!(poll(task, wait.as_mut()).is_pending());
                wait
            }
            Poll::Pending => panic!("it is free"),
        })
        .collect();
    let guard = condition.try_lock().unwrap();
    guard.notify_all();
    told.panics_when_handed.store(true, Ordering::Relaxed);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(guard))).is_err());
    told.panics_when_handed.store(false, Ordering::Relaxed);
    for (task, wait) in tasks.iter().zip(&mut waits) {
        assert!(poll(task, wait.as_mut()).is_ready(), "it was not given the lock");
    }
}
