//! Models of `BoundedSemaphore`, of what it has beyond `Semaphore`.

use std::sync::Arc;
// Not shuttle's: a note of what has happened is no step of its own, so that no thread comes between the two.
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::thread;
use sync::{BoundedPermit, BoundedSemaphore};

use crate::{below, block_on, check, give_up, together, wait_for};

const BOUND: usize = 3;

/// A semaphore with notes of where its permits are. Each is taken off a note before it leaves that place, and put on
/// one after it has come there, so that the notes and the count never add up to too many.
struct Noted {
    semaphore: BoundedSemaphore,
    held: AtomicUsize,
    forgotten: AtomicUsize,
}

impl Noted {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            semaphore: BoundedSemaphore::new(BOUND),
            held: AtomicUsize::new(0),
            forgotten: AtomicUsize::new(0),
        })
    }

    /// Asserts what holds at every moment.
    fn look(&self) {
        // Another thread can run before this step, but not behind it.
        let free = self.semaphore.available_permits();
        let (held, forgotten) = (self.held.load(Ordering::SeqCst), self.forgotten.load(Ordering::SeqCst));
        let sum = free + held + forgotten;
        assert!(sum <= BOUND, "{free} free, {held} held, {forgotten} forgotten: more than {BOUND}");
    }

    /// Releases what this thread forgot, which nobody else may.
    fn forgot(&self, n: usize) {
        self.forgotten.fetch_add(n, Ordering::SeqCst);
        self.look();
        self.forgotten.fetch_sub(n, Ordering::SeqCst);
        self.semaphore.release(n).expect("it was forgotten");
    }

    fn hold(&self, mut permit: BoundedPermit<'_>) {
        let n = permit.num_permits();
        self.held.fetch_add(n, Ordering::SeqCst);
        self.look();
        // With what is held here it is too many, whatever the others do.
        assert!(self.semaphore.release(BOUND - n + 1).is_err());
        self.look();
        match below(4) {
            0 => {
                self.held.fetch_sub(n, Ordering::SeqCst);
                permit.forget();
                self.forgot(n);
            }
            1 if n > 1 => {
                let part = permit.split(1).expect("there are two at least");
                self.held.fetch_sub(1, Ordering::SeqCst);
                part.forget();
                self.forgot(1);
                self.held.fetch_sub(n - 1, Ordering::SeqCst);
                drop(permit);
            }
            _ => {
                self.held.fetch_sub(n, Ordering::SeqCst);
                drop(permit);
            }
        }
        self.look();
    }

    fn assert_whole(&self) {
        let statistics = self.semaphore.statistics();
        assert_eq!((statistics.available, statistics.waiting), (BOUND, 0));
        assert!(self.semaphore.release(1).is_err(), "past the bound");
        assert_eq!(self.semaphore.available_permits(), BOUND);
    }
}

/// Requests of all sizes, cancellations, permits forgotten and released again, and releases of too many: free, held and
/// forgotten ones are never more than the bound, and none is lost.
#[test]
fn permits_are_within_the_bound_at_every_moment() {
    check(|| {
        let noted = Noted::new();
        together(5, {
            let noted = Arc::clone(&noted);
            move |_| {
                let semaphore = &noted.semaphore;
                for _ in 0..3 {
                    let n = 1 + below(BOUND) as u32;
                    match below(6) {
                        0 => give_up(semaphore.acquire_many(n))
                            .into_iter()
                            .for_each(|got| noted.hold(got.unwrap())),
                        1 => semaphore.try_acquire_many(n).into_iter().for_each(|got| noted.hold(got)),
                        2 => noted.forgot(semaphore.forget_permits(n as usize)),
                        3 => noted.hold(semaphore.blocking_acquire_many(n).unwrap()),
                        _ => noted.hold(wait_for(semaphore.acquire_many(n)).unwrap()),
                    }
                }
            }
        });
        noted.assert_whole();
    });
}

/// Some forget, and others release whatever there is to release: each forgotten permit comes back once.
#[test]
fn each_forgotten_permit_is_released_once_whoever_tries() {
    check(|| {
        let semaphore = Arc::new(BoundedSemaphore::new(BOUND));
        let forgotten = Arc::new(AtomicUsize::new(0));
        let released = Arc::new(AtomicUsize::new(0));
        together(6, {
            let (semaphore, forgotten, released) =
                (Arc::clone(&semaphore), Arc::clone(&forgotten), Arc::clone(&released));
            move |i| {
                for _ in 0..3 {
                    let n = 1 + below(2);
                    if i % 2 == 0 {
                        if semaphore.release(n).is_ok() {
                            released.fetch_add(n, Ordering::SeqCst);
                        }
                    } else if below(2) == 0 {
                        forgotten.fetch_add(semaphore.forget_permits(n), Ordering::SeqCst);
                    } else if let Ok(permit) = semaphore.try_acquire_many(n as u32) {
                        permit.forget();
                        forgotten.fetch_add(n, Ordering::SeqCst);
                    }
                    assert!(semaphore.available_permits() <= BOUND);
                }
            }
        });
        let rest = forgotten.load(Ordering::SeqCst) - released.load(Ordering::SeqCst);
        assert_eq!(semaphore.available_permits() + rest, BOUND);
        assert!(semaphore.release(rest + 1).is_err());
        assert_eq!(semaphore.available_permits() + rest, BOUND);
        semaphore.release(rest).unwrap();
        assert_eq!(semaphore.available_permits(), BOUND);
    });
}

/// All permits are forgotten, and those who wait live on what is released alone, a permit at a time.
#[test]
fn waiters_are_served_by_releases_alone() {
    check(|| {
        let semaphore = Arc::new(BoundedSemaphore::new(BOUND));
        assert_eq!(semaphore.forget_permits(BOUND), BOUND);
        let waiters: Vec<_> = [BOUND as u32, 1, 2]
            .into_iter()
            .map(|n| {
                let semaphore = Arc::clone(&semaphore);
                thread::spawn(move || drop(block_on(semaphore.acquire_many(n)).unwrap()))
            })
            .collect();
        together(BOUND, {
            let semaphore = Arc::clone(&semaphore);
            move |_| {
                drop(give_up(semaphore.acquire()));
                semaphore.release(1).expect("one for each of us was forgotten");
            }
        });
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert_eq!(semaphore.available_permits(), BOUND);
        assert!(semaphore.release(1).is_err());
    });
}
