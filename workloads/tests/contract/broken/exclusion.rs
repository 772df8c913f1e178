//! Locks that let in more than one.

use super::*;

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

sound_event!(NoExclusion);
