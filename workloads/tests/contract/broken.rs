//! A backend that breaks its promise is caught by the law of the workload that relies on it.

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use crate::support::{FLAVOURS, Run, Until, run};
use tokio::sync::{Barrier, Mutex, MutexGuard, Notify};
use tokio::task::yield_now;
use workloads::backend::{
    BarrierBackend, ConditionBackend, EventBackend, Library, MutexBackend, PostBackend, SemaphoreBackend,
    Side, WeightedSemaphoreBackend,
};
use workloads::backends;
use workloads::backends::sync::Primitives as Sound;
use workloads::buffer::Buffer;
use workloads::workloads::condition;
use workloads::workloads::{barrier, event, mix, mutex, semaphore};
use workloads::{HoldMode, Params, Pass, Slot, SlotOutcome, WORKLOADS, Workload};

/// Lets a few thousand operations pass on one thread, on which everything below is deterministic.
fn law_of(case: fn(Slot<'_>) -> SlotOutcome, params: &Params) -> Result<(), String> {
    let Run { outcome, .. } = run(case, params, Pass::Latency, FLAVOURS[0], Until::Samples(2_000));
    outcome.law
}

/// Of the workload's first variant.
fn defaults(workload: &str) -> Params {
    (workload_of(workload).variants[0].defaults)()
}

fn defaults_of(workload: &str, variant: &str) -> Params {
    let known = workload_of(workload).variants.iter().find(|known| known.name == variant);
    (known.expect(variant).defaults)()
}

fn workload_of(name: &str) -> &'static Workload {
    WORKLOADS.iter().find(|known| known.name == name).expect(name)
}

fn assert_caught(law: &Result<(), String>, words: &str) {
    assert!(law.as_ref().is_err_and(|law| law.contains(words)), "{law:?}");
}

/// A lock that lets everyone in, beside an event and a semaphore that are sound.
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
        let copied = Copied { value: mutex.load(Ordering::Relaxed), origin: mutex };
        // Where nothing is held this is the only place at which another task can come between.
        yield_now().await;
        copied
    }

    fn try_lock(mutex: &AtomicU64) -> Option<Copied<'_>> {
        Some(Copied { value: mutex.load(Ordering::Relaxed), origin: mutex })
    }
}

impl SemaphoreBackend for NoExclusion {
    type Semaphore = <Sound as SemaphoreBackend>::Semaphore;
    type Permit<'a> = <Sound as SemaphoreBackend>::Permit<'a>;

    fn new(permits: usize) -> Self::Semaphore {
        <Sound as SemaphoreBackend>::new(permits)
    }

    fn acquire(semaphore: &Self::Semaphore) -> impl Future<Output = Self::Permit<'_>> + Send {
        Sound::acquire(semaphore)
    }

    fn try_acquire(semaphore: &Self::Semaphore) -> Option<Self::Permit<'_>> {
        Sound::try_acquire(semaphore)
    }

    fn available(semaphore: &Self::Semaphore) -> usize {
        Sound::available(semaphore)
    }
}

#[test]
fn lock_that_does_not_exclude_loses_updates() {
    let law = law_of(mutex::exclusive::<NoExclusion>, &defaults("mutex"));
    assert_caught(&law, "let two in");
    let law = law_of(mutex::speed::<NoExclusion>, &defaults_of("mutex", "speed"));
    assert_caught(&law, "let two in");
}

#[test]
fn one_of_many_locks_that_does_not_exclude_loses_updates() {
    let params = Params { locks: 3, ..defaults_of("mutex", "many-locks") };
    assert_caught(&law_of(mutex::many_locks::<NoExclusion>, &params), "let two in");
}

#[test]
fn lock_of_a_service_that_does_not_exclude_loses_requests() {
    assert_caught(&law_of(mix::request::<NoExclusion>, &defaults("mix")), "let two in");
}

/// Goes to those who have left: what a dropped wait was waiting for is never free again.
struct GrantsTheAbsent;

impl Library for GrantsTheAbsent {}

/// A lock, or the one permit of a semaphore.
#[derive(Default)]
struct Haunted {
    taken: AtomicBool,
    /// Waits that were dropped, and that nobody took out of the queue.
    absent: AtomicUsize,
    counter: AtomicU64,
}

/// Holds it; its value is written back as that of a sound lock is.
struct Held<'a> {
    haunted: &'a Haunted,
    value: u64,
}

impl Haunted {
    fn try_take(&self) -> Option<Held<'_>> {
        let free = !self.taken.swap(true, Ordering::Relaxed);
        free.then(|| Held { haunted: self, value: self.counter.load(Ordering::Relaxed) })
    }

    async fn take(&self) -> Held<'_> {
        let mut waits = Waits { haunted: self, waiting: false };
        poll_fn(|context| {
            waits.waiting = true;
            let Some(held) = self.try_take() else {
                context.waker().wake_by_ref();
                return Poll::Pending;
            };
            waits.waiting = false;
            Poll::Ready(held)
        })
        .await
    }
}

/// In the queue.
struct Waits<'a> {
    haunted: &'a Haunted,
    waiting: bool,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        if self.waiting {
            self.haunted.absent.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Deref for Held<'_> {
    type Target = u64;

    fn deref(&self) -> &u64 {
        &self.value
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut u64 {
        &mut self.value
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.haunted.counter.store(self.value, Ordering::Relaxed);
        let granted = self.haunted.absent.load(Ordering::Relaxed) > 0;
        self.haunted.taken.store(granted, Ordering::Relaxed);
    }
}

impl MutexBackend for GrantsTheAbsent {
    type Mutex = Haunted;
    type Guard<'a> = Held<'a>;

    fn new(value: u64) -> Haunted {
        Haunted { counter: AtomicU64::new(value), ..Haunted::default() }
    }

    fn lock(mutex: &Haunted) -> impl Future<Output = Held<'_>> + Send {
        mutex.take()
    }

    fn try_lock(mutex: &Haunted) -> Option<Held<'_>> {
        mutex.try_take()
    }
}

impl SemaphoreBackend for GrantsTheAbsent {
    type Semaphore = Haunted;
    type Permit<'a> = Held<'a>;

    fn new(permits: usize) -> Haunted {
        assert_eq!(permits, 1, "it has one");
        Haunted::default()
    }

    fn acquire(semaphore: &Haunted) -> impl Future<Output = Held<'_>> + Send {
        semaphore.take()
    }

    fn try_acquire(semaphore: &Haunted) -> Option<Held<'_>> {
        semaphore.try_take()
    }

    fn available(semaphore: &Haunted) -> usize {
        usize::from(!semaphore.taken.load(Ordering::Relaxed))
    }
}

/// A storm in which every wait is dropped: with some that stay, the slot would not end, which is for the runner to see.
fn all_dropped(workload: &str) -> Params {
    Params { permits: 1, cancel_percent: 100.0, ..defaults_of(workload, "cancel-storm") }
}

fn law_of_storm(case: fn(Slot<'_>) -> SlotOutcome, params: &Params) -> Result<(), String> {
    // After the first grant nobody is granted anything, so that no number of samples would end it.
    run(case, params, Pass::Latency, FLAVOURS[0], Until::Milliseconds(20)).outcome.law
}

#[test]
fn lock_that_is_stranded_by_a_dropped_wait_is_caught() {
    let law = law_of_storm(mutex::exclusive::<GrantsTheAbsent>, &all_dropped("mutex"));
    assert_caught(&law, "a grant went to nobody");
}

#[test]
fn permit_that_is_stranded_by_a_dropped_wait_is_caught() {
    let law = law_of_storm(semaphore::pool::<GrantsTheAbsent>, &all_dropped("semaphore"));
    assert_caught(&law, "0 of 1 permits are free after");
}

/// A semaphore that counts right but makes nobody wait; with `LEAKS` it forgets a permit now and then as well.
struct Porous<const LEAKS: bool>;

impl<const LEAKS: bool> Library for Porous<LEAKS> {}

struct Counted<'a> {
    free: &'a AtomicUsize,
    permits: usize,
    leaks: bool,
}

impl<'a> Counted<'a> {
    fn take(free: &'a AtomicUsize, permits: usize, leaks: bool) -> Self {
        free.fetch_sub(permits, Ordering::Relaxed);
        Self { free, permits, leaks }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if !self.leaks {
            self.free.fetch_add(self.permits, Ordering::Relaxed);
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
        // Where nobody waits the poster of `post-wait` would never let a taker run.
        yield_now().await;
        Counted::take(semaphore, 1, LEAKS)
    }

    fn try_acquire(semaphore: &AtomicUsize) -> Option<Counted<'_>> {
        Some(Counted::take(semaphore, 1, LEAKS))
    }

    fn available(semaphore: &AtomicUsize) -> usize {
        semaphore.load(Ordering::Relaxed)
    }
}

impl<const LEAKS: bool> WeightedSemaphoreBackend for Porous<LEAKS> {
    type Permits<'a> = Counted<'a>;

    async fn acquire_many(semaphore: &AtomicUsize, permits: u32) -> Counted<'_> {
        Counted::take(semaphore, permits as usize, LEAKS)
    }

    fn try_acquire_many(semaphore: &AtomicUsize, permits: u32) -> Option<Counted<'_>> {
        Some(Counted::take(semaphore, permits as usize, LEAKS))
    }
}

impl<const LEAKS: bool> PostBackend for Porous<LEAKS> {
    fn post(semaphore: &AtomicUsize) {
        semaphore.fetch_add(1, Ordering::Relaxed);
    }

    fn consume(mut permit: Counted<'_>) {
        permit.permits = 0;
    }
}

impl<const LEAKS: bool> MutexBackend for Porous<LEAKS> {
    type Mutex = <Sound as MutexBackend>::Mutex;
    type Guard<'a> = <Sound as MutexBackend>::Guard<'a>;

    fn new(value: u64) -> Self::Mutex {
        <Sound as MutexBackend>::new(value)
    }

    fn lock(mutex: &Self::Mutex) -> impl Future<Output = Self::Guard<'_>> + Send {
        Sound::lock(mutex)
    }

    fn try_lock(mutex: &Self::Mutex) -> Option<Self::Guard<'_>> {
        Sound::try_lock(mutex)
    }
}

/// An event for a library of which something else is broken.
macro_rules! sound_event {
    ($library:ty $(, const $leaks:ident)?) => {
        impl$(<const $leaks: bool>)? EventBackend for $library {
            type Event = <Sound as EventBackend>::Event;

            fn new() -> Self::Event {
                <Sound as EventBackend>::new()
            }

            fn set(event: &Self::Event) {
                Sound::set(event);
            }

            fn clear(event: &Self::Event) {
                Sound::clear(event);
            }

            fn wait(event: &Self::Event) -> impl Future<Output = ()> + Send {
                <Sound as EventBackend>::wait(event)
            }
        }
    };
}

sound_event!(NoExclusion);
sound_event!(Porous<LEAKS>, const LEAKS);

#[test]
fn semaphore_that_lets_too_many_in_is_caught() {
    let law = law_of(semaphore::pool::<Porous<false>>, &defaults("semaphore"));
    assert_caught(&law, "at the same time");
    let params = Params { hold_mode: HoldMode::Yield, ..defaults_of("semaphore", "limiter") };
    // As fast as can be, for the limiter's own rate would let the few in that it may.
    let params = Params { hold: Duration::ZERO, rate_ops_per_s: Some(Params::MAX_RATE), ..params };
    assert_caught(&law_of(semaphore::pool::<Porous<false>>, &params), "at the same time");
}

#[test]
fn semaphore_that_lets_too_much_weight_in_is_caught() {
    let params = defaults_of("semaphore", "weighted");
    assert_caught(&law_of(semaphore::weighted::<Porous<false>>, &params), "at the same time");
    let params = Params { tasks: 1, ..params };
    assert_caught(&law_of(semaphore::weighted::<Porous<true>>, &params), "permits are free after");
}

#[test]
fn permit_that_was_never_posted_is_caught() {
    let params = defaults_of("semaphore", "post-wait");
    assert_caught(&law_of(semaphore::post_wait::<Porous<false>>, &params), "were used up and");
}

#[test]
fn pool_of_a_service_that_lets_too_many_in_is_caught() {
    let params = defaults("mix");
    assert_caught(&law_of(mix::request::<Porous<false>>, &params), "at the same time");
    let params = Params { tasks: 1, ..params };
    assert_caught(&law_of(mix::request::<Porous<true>>, &params), "permits are free after");
}

#[test]
fn semaphore_that_loses_permits_is_caught() {
    let params = Params { tasks: 1, ..defaults("semaphore") };
    let law = law_of(semaphore::pool::<Porous<true>>, &params);
    assert_caught(&law, "permits are free after");
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
        let law = law_of(case, &defaults("condition"));
        // Whoever comes first finds it empty or full.
        let breach = |law: &String| law.contains("was due, None was taken") || law.contains("held 1 already");
        assert!(law.as_ref().is_err_and(breach), "{law:?}");
    }
}

#[test]
fn condition_that_lets_sleepers_take_turns_out_of_order_is_caught() {
    let law = law_of(condition::sleepers::<NoCondition>, &defaults("condition"));
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
        yield_now().await;
    }
}

#[test]
fn event_that_releases_without_being_set_is_caught() {
    let law = law_of(event::broadcast::<Impatient>, &defaults("event"));
    assert!(law.as_ref().is_err_and(|law| law.contains("before the event was set")), "{law:?}");
}

#[test]
fn event_that_wakes_a_partner_who_was_not_told_is_caught() {
    let law = law_of(event::ping_pong::<Impatient>, &defaults("event"));
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
    let law = law_of(event::pulse::<NoEvent>, &defaults("event"));
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
    let params = defaults("event");
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
    let law = law_of(barrier::phases::<Miscounts<1, 1>>, &defaults("barrier"));
    assert!(law.as_ref().is_err_and(|law| law.contains("before every party had come")), "{law:?}");
}

#[test]
fn barrier_without_a_leader_or_with_two_is_caught() {
    let law = law_of(barrier::phases::<Miscounts<0, 0>>, &defaults("barrier"));
    assert!(law.as_ref().is_err_and(|law| law.contains("0 phases were led")), "{law:?}");
    let law = law_of(barrier::phases::<Miscounts<0, 2>>, &defaults("barrier"));
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
    let law = |case: Case, cancel_percent| law_of(case, &Params { cancel_percent, ..defaults("barrier") });
    let takes_back: Case = barrier::phases::<Late<backends::sync::Primitives>>;
    let keeps: Case = barrier::phases::<Late<backends::tokio::Primitives>>;
    assert_eq!([law(takes_back, 0.0), law(takes_back, 50.0), law(keeps, 0.0)], [Ok(()), Ok(()), Ok(())]);
    let law = law(keeps, 50.0);
    assert!(law.as_ref().is_err_and(|law| law.contains("phases were led")), "{law:?}");
}
