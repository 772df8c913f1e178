//! Semaphores that let in too many, or lose some.

use super::*;

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
