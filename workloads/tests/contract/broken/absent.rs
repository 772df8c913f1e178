//! Grants to those who have left.

use super::*;

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
