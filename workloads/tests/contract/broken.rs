//! A backend that breaks its promise is caught by the law of the workload that relies on it.

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::support::{FLAVOURS, Run, Until, run};
use tokio::sync::{Mutex, MutexGuard};
use workloads::backend::{ConditionBackend, EventBackend, Library, MutexBackend, SemaphoreBackend, Side};
use workloads::buffer::Buffer;
use workloads::workloads::condition;
use workloads::workloads::{event, mutex, semaphore};
use workloads::{Params, Pass, Slot, SlotOutcome};

/// Lets a few thousand operations pass on one thread, on which everything below is deterministic.
fn law_of(case: fn(Slot<'_>) -> SlotOutcome, params: &Params) -> Result<(), String> {
    let Run { outcome, .. } = run(case, params, Pass::Latency, FLAVOURS[0], Until::Samples(2_000));
    outcome.law
}

fn defaults(workload: &workloads::Workload) -> Params {
    (workload.variants[0].defaults)()
}

/// A lock that lets everyone in.
struct NoExclusion;

impl Library for NoExclusion {}

/// Works on a copy, as two threads do that have read the same value.
struct Copied<'a> {
    value: u64,
    origin: &'a AtomicU64,
}

impl Deref for Copied<'_> {
    type Target = u64;

    fn deref(&self) -> &u64 {
        &self.value
    }
}

impl DerefMut for Copied<'_> {
    fn deref_mut(&mut self) -> &mut u64 {
        &mut self.value
    }
}

impl Drop for Copied<'_> {
    fn drop(&mut self) {
        self.origin.store(self.value, Ordering::Relaxed);
    }
}

impl MutexBackend for NoExclusion {
    type Mutex = AtomicU64;
    type Guard<'a> = Copied<'a>;

    fn new(value: u64) -> AtomicU64 {
        AtomicU64::new(value)
    }

    async fn lock(mutex: &AtomicU64) -> Copied<'_> {
        Copied { value: mutex.load(Ordering::Relaxed), origin: mutex }
    }

    fn try_lock(mutex: &AtomicU64) -> Option<Copied<'_>> {
        Some(Copied { value: mutex.load(Ordering::Relaxed), origin: mutex })
    }
}

#[test]
fn lock_that_does_not_exclude_loses_updates() {
    let law = law_of(mutex::exclusive::<NoExclusion>, &defaults(&mutex::WORKLOAD));
    assert!(law.as_ref().is_err_and(|law| law.contains("let two in")), "{law:?}");
}

/// A semaphore that counts right but makes nobody wait; with `LEAKS` it forgets a permit now and then as well.
struct Porous<const LEAKS: bool>;

impl<const LEAKS: bool> Library for Porous<LEAKS> {}

struct Counted<'a> {
    free: &'a AtomicUsize,
    leaks: bool,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if !self.leaks {
            self.free.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<const LEAKS: bool> SemaphoreBackend for Porous<LEAKS> {
    type Semaphore = AtomicUsize;
    type Permit<'a> = Counted<'a>;

    fn new(permits: usize) -> AtomicUsize {
        AtomicUsize::new(permits)
    }

    async fn acquire(semaphore: &AtomicUsize) -> Counted<'_> {
        semaphore.fetch_sub(1, Ordering::Relaxed);
        Counted { free: semaphore, leaks: LEAKS }
    }

    fn try_acquire(semaphore: &AtomicUsize) -> Option<Counted<'_>> {
        semaphore.fetch_sub(1, Ordering::Relaxed);
        Some(Counted { free: semaphore, leaks: LEAKS })
    }

    fn available(semaphore: &AtomicUsize) -> usize {
        semaphore.load(Ordering::Relaxed)
    }
}

#[test]
fn semaphore_that_lets_too_many_in_is_caught() {
    let law = law_of(semaphore::pool::<Porous<false>>, &defaults(&semaphore::WORKLOAD));
    assert!(law.as_ref().is_err_and(|law| law.contains("at the same time")), "{law:?}");
}

#[test]
fn semaphore_that_loses_permits_is_caught() {
    let params = Params { tasks: 1, ..defaults(&semaphore::WORKLOAD) };
    let law = law_of(semaphore::pool::<Porous<true>>, &params);
    assert!(law.as_ref().is_err_and(|law| law.contains("permits are free after")), "{law:?}");
}

/// A condition that does not look at what it waits for.
struct NoCondition;

impl Library for NoCondition {}

impl ConditionBackend for NoCondition {
    type Pair = Mutex<Buffer>;
    type Guard<'a> = MutexGuard<'a, Buffer>;

    fn new(buffer: Buffer) -> Self::Pair {
        Mutex::new(buffer)
    }

    fn lock_when(
        pair: &Self::Pair,
        _side: Side,
        _ready: fn(&Buffer) -> bool,
    ) -> impl Future<Output = Self::Guard<'_>> + Send {
        pair.lock()
    }

    async fn notify_other<'a>(_pair: &'a Self::Pair, _side: Side, _guard: Self::Guard<'a>) {}

    async fn notify_everyone<'a>(_pair: &'a Self::Pair, _side: Side, _guard: Self::Guard<'a>) {}
}

#[test]
fn condition_that_does_not_wait_is_caught() {
    let law = law_of(condition::bounded_buffer::<NoCondition>, &defaults(&condition::WORKLOAD));
    // Whoever comes first finds it empty or full.
    let breach = |law: &String| law.contains("was due, None was taken") || law.contains("held 1 already");
    assert!(law.as_ref().is_err_and(breach), "{law:?}");
}

/// An event that is over after one turn of the executor, set or not.
struct Impatient;

impl Library for Impatient {}

impl EventBackend for Impatient {
    type Event = ();

    fn new() {}

    fn set((): &()) {}

    fn clear((): &()) {}

    async fn wait((): &()) {
        tokio::task::yield_now().await;
    }
}

#[test]
fn event_that_releases_without_being_set_is_caught() {
    let law = law_of(event::broadcast::<Impatient>, &defaults(&event::WORKLOAD));
    assert!(law.as_ref().is_err_and(|law| law.contains("before the event was set")), "{law:?}");
}
