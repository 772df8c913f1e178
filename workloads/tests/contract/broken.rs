//! A backend that breaks its promise is caught by the law of the workload that relies on it.

use std::future::Future;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::support::{FLAVOURS, Run, Until, run};
use tokio::sync::{Barrier, Mutex, MutexGuard, Notify};
use workloads::backend::{
    BarrierBackend, ConditionBackend, EventBackend, Library, MutexBackend, SemaphoreBackend, Side,
};
use workloads::backends;
use workloads::buffer::Buffer;
use workloads::workloads::{barrier, condition, event, mutex, semaphore};
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
        _ready: impl FnMut(&Buffer) -> bool + Send,
    ) -> impl Future<Output = Self::Guard<'_>> + Send {
        pair.lock()
    }

    async fn notify_other<'a>(_pair: &'a Self::Pair, _side: Side, _guard: Self::Guard<'a>) {}

    async fn notify_all_others<'a>(_pair: &'a Self::Pair, _side: Side, _guard: Self::Guard<'a>) {}

    async fn notify_everyone<'a>(_pair: &'a Self::Pair, _side: Side, _guard: Self::Guard<'a>) {}
}

#[test]
fn condition_that_does_not_wait_is_caught() {
    for case in [condition::bounded_buffer::<NoCondition>, condition::bounded_buffer_all::<NoCondition>] {
        let law = law_of(case, &defaults(&condition::WORKLOAD));
        // Whoever comes first finds it empty or full.
        let breach = |law: &String| law.contains("was due, None was taken") || law.contains("held 1 already");
        assert!(law.as_ref().is_err_and(breach), "{law:?}");
    }
}

#[test]
fn condition_that_lets_sleepers_take_turns_out_of_order_is_caught() {
    let law = law_of(condition::sleepers::<NoCondition>, &defaults(&condition::WORKLOAD));
    assert!(law.as_ref().is_err_and(|law| law.contains("took a turn that was task")), "{law:?}");
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

#[test]
fn event_that_wakes_a_partner_who_was_not_told_is_caught() {
    let law = law_of(event::ping_pong::<Impatient>, &defaults(&event::WORKLOAD));
    assert!(law.as_ref().is_err_and(|law| law.contains("before its partner had set its event")), "{law:?}");
}

/// An event that nobody ever waits for, but which gives its waiters a few turns.
struct NoEvent;

impl Library for NoEvent {}

impl EventBackend for NoEvent {
    type Event = AtomicUsize;

    fn new() -> AtomicUsize {
        AtomicUsize::new(0)
    }

    fn set(_turns: &AtomicUsize) {}

    fn clear(_turns: &AtomicUsize) {}

    /// Every other wait is over at once, so that it cannot be a pulse that has let go of it.
    async fn wait(turns: &AtomicUsize) {
        if turns.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            tokio::task::yield_now().await;
        }
    }
}

#[test]
fn event_that_lets_go_between_two_pulses_is_caught() {
    let law = law_of(event::pulse::<NoEvent>, &defaults(&event::WORKLOAD));
    assert!(law.as_ref().is_err_and(|law| law.contains("without the event being set")), "{law:?}");
}

/// The event that everyone writes first: whoever was woken looks at the flag again, and sleeps on if it was cleared.
struct LooksAgain;

impl Library for LooksAgain {}

impl EventBackend for LooksAgain {
    type Event = (AtomicBool, Notify);

    fn new() -> (AtomicBool, Notify) {
        (AtomicBool::new(false), Notify::new())
    }

    fn set((flag, notify): &(AtomicBool, Notify)) {
        flag.store(true, Ordering::Release);
        notify.notify_waiters();
    }

    fn clear((flag, _): &(AtomicBool, Notify)) {
        flag.store(false, Ordering::Release);
    }

    async fn wait((flag, notify): &(AtomicBool, Notify)) {
        loop {
            let notified = notify.notified();
            if flag.load(Ordering::Acquire) {
                return;
            }
            notified.await;
        }
    }
}

#[test]
fn event_that_forgets_who_waited_when_it_is_cleared_is_caught() {
    // It releases nobody while the slot lasts, so there are no samples to wait for.
    let params = defaults(&event::WORKLOAD);
    let Run { outcome, .. } =
        run(event::pulse::<LooksAgain>, &params, Pass::Latency, FLAVOURS[0], Until::Milliseconds(4));
    let law = outcome.law;
    assert!(law.as_ref().is_err_and(|law| law.contains("and it was not released")), "{law:?}");
}

/// A barrier that expects so many parties too few, or has no leader, or lets now and then a follower lead as well.
struct Miscounts<const SHORT: usize, const LEADERS: usize>;

impl<const SHORT: usize, const LEADERS: usize> Library for Miscounts<SHORT, LEADERS> {}

impl<const SHORT: usize, const LEADERS: usize> BarrierBackend for Miscounts<SHORT, LEADERS> {
    const RETRACTS: bool = false;
    type Barrier = (Barrier, AtomicUsize);

    fn new(parties: usize) -> (Barrier, AtomicUsize) {
        (Barrier::new(parties - SHORT), AtomicUsize::new(0))
    }

    async fn wait((barrier, followers): &(Barrier, AtomicUsize)) -> bool {
        let led = barrier.wait().await.is_leader();
        match LEADERS {
            0 => false,
            1 => led,
            _ => led || followers.fetch_add(1, Ordering::Relaxed).is_multiple_of(7),
        }
    }
}

#[test]
fn barrier_that_lets_go_a_party_short_is_caught() {
    let law = law_of(barrier::phases::<Miscounts<1, 1>>, &defaults(&barrier::WORKLOAD));
    assert!(law.as_ref().is_err_and(|law| law.contains("before every party had come")), "{law:?}");
}

#[test]
fn barrier_without_a_leader_or_with_two_is_caught() {
    let law = law_of(barrier::phases::<Miscounts<0, 0>>, &defaults(&barrier::WORKLOAD));
    assert!(law.as_ref().is_err_and(|law| law.contains("0 phases were led")), "{law:?}");
    let law = law_of(barrier::phases::<Miscounts<0, 2>>, &defaults(&barrier::WORKLOAD));
    assert!(law.as_ref().is_err_and(|law| law.contains("had a leader already")), "{law:?}");
}

/// A backend's barrier, of which every third follower comes out two turns late, so that on one thread too parties are
/// still under way while others drop their waits. Says that it takes arrivals back, whether it does or not.
struct Late<B>(PhantomData<B>);

impl<B: BarrierBackend> Library for Late<B> {}

impl<B: BarrierBackend> BarrierBackend for Late<B> {
    const RETRACTS: bool = true;
    type Barrier = (B::Barrier, AtomicUsize);

    fn new(parties: usize) -> Self::Barrier {
        (B::new(parties), AtomicUsize::new(0))
    }

    async fn wait((barrier, followers): &Self::Barrier) -> bool {
        let led = B::wait(barrier).await;
        if !led && followers.fetch_add(1, Ordering::Relaxed).is_multiple_of(3) {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        }
        led
    }
}

#[test]
fn barrier_that_keeps_the_arrival_of_a_dropped_wait_is_caught_and_one_that_takes_it_back_is_not() {
    type Case = fn(Slot<'_>) -> SlotOutcome;
    let law =
        |case: Case, cancel_percent| law_of(case, &Params { cancel_percent, ..defaults(&barrier::WORKLOAD) });
    let takes_back: Case = barrier::phases::<Late<backends::sync::Primitives>>;
    let keeps: Case = barrier::phases::<Late<backends::tokio::Primitives>>;
    assert_eq!([law(takes_back, 0.0), law(takes_back, 50.0), law(keeps, 0.0)], [Ok(()), Ok(()), Ok(())]);
    let law = law(keeps, 50.0);
    assert!(law.as_ref().is_err_and(|law| law.contains("phases were led")), "{law:?}");
}
