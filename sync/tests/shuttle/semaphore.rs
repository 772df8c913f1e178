//! Models of `Semaphore`.

use std::sync::Arc;

use shuttle::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use shuttle::thread;
use sync::{Semaphore, SemaphorePermit};

use crate::{Boxed, below, block_on, check, give_up, queue_up, together, wait_for};

/// Permits that a model hands out.
const PERMITS: usize = 4;

/// A semaphore, and how many of its permits are in somebody's hands.
struct Counted {
    semaphore: Semaphore,
    out: AtomicUsize,
}

impl Counted {
    fn new() -> Arc<Self> {
        Arc::new(Self { semaphore: Semaphore::new(PERMITS), out: AtomicUsize::new(0) })
    }

    /// Notes that `n` permits are held for a while: never more than there are.
    fn hold(&self, n: usize) {
        let out = self.out.fetch_add(n, Ordering::SeqCst) + n;
        assert!(out <= PERMITS, "{out} permits of {PERMITS} are held");
        if below(2) == 0 {
            thread::yield_now();
        }
        self.out.fetch_sub(n, Ordering::SeqCst);
    }

    fn hold_permit<'a>(&'a self, mut permit: SemaphorePermit<'a>) {
        let n = permit.num_permits();
        match below(4) {
            // In two parts, of which one goes back first.
            0 if n > 1 => {
                let part = permit.split(1).expect("there are two at least");
                self.hold(n);
                drop(permit);
                self.hold(1);
                drop(part);
            }
            // Taken out of circulation, and put back by hand.
            1 => {
                permit.forget();
                self.hold(n);
                self.semaphore.add_permits(n);
            }
            2 => {
                if let Ok(more) = self.semaphore.try_acquire() {
                    permit.merge(more);
                }
                self.hold(permit.num_permits());
            }
            _ => self.hold(n),
        }
    }

    fn assert_whole(&self) {
        let statistics = self.semaphore.statistics();
        assert_eq!(statistics.available, PERMITS);
        assert_eq!(statistics.waiting, 0);
    }
}

/// Requests of one to four permits, tries, cancellations, permits forgotten and added again: there are never more
/// than four out, none is lost, and every request is served.
#[test]
fn permits_are_conserved_among_requests_of_all_sizes() {
    check(|| {
        let counted = Counted::new();
        together(6, {
            let counted = Arc::clone(&counted);
            move |_| {
                let semaphore = &counted.semaphore;
                for _ in 0..3 {
                    let n = 1 + below(PERMITS) as u32;
                    match below(8) {
                        0 | 1 => {
                            if let Some(permit) = give_up(semaphore.acquire_many(n)) {
                                counted.hold_permit(permit.unwrap());
                            }
                        }
                        2 => {
                            if let Ok(permit) = semaphore.try_acquire_many(n) {
                                counted.hold_permit(permit);
                            }
                        }
                        3 => {
                            // Also from under the feet of a large request.
                            let gone = semaphore.forget_permits(n as usize);
                            counted.hold(gone);
                            semaphore.add_permits(gone);
                        }
                        _ => counted.hold_permit(wait_for(semaphore.acquire_many(n)).unwrap()),
                    }
                }
            }
        });
        counted.assert_whole();
    });
}

/// A request for all permits stands before small ones. These and many newcomers come and go, and none of them gets a
/// permit before the large one has had its own.
#[test]
fn large_request_is_overtaken_by_nobody() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(PERMITS));
        let served = Arc::new(AtomicBool::new(false));
        let first = Arc::clone(&semaphore).try_acquire_owned().unwrap();
        let mut large: Boxed<()> = {
            let (semaphore, served) = (Arc::clone(&semaphore), Arc::clone(&served));
            Box::pin(async move {
                let _permits = semaphore.acquire_many(PERMITS as u32).await.unwrap();
                served.store(true, Ordering::SeqCst);
            })
        };
        queue_up(large.as_mut());
        let releaser = thread::spawn(move || drop(first));
        let large = thread::spawn(move || block_on(large));
        together(4, {
            let semaphore = Arc::clone(&semaphore);
            move |_| {
                for _ in 0..2 {
                    let permit = match below(4) {
                        0 => give_up(semaphore.acquire()).map(Result::unwrap),
                        1 => semaphore.try_acquire().ok(),
                        _ => Some(wait_for(semaphore.acquire_many(2)).unwrap()),
                    };
                    assert!(permit.is_none() || served.load(Ordering::SeqCst), "overtaken");
                }
            }
        });
        releaser.join().unwrap();
        large.join().unwrap();
        assert_eq!(semaphore.available_permits(), PERMITS);
    });
}

/// A large request that cannot be served is given up while a permit comes back. Those behind it get through by one or
/// the other, whichever is later.
#[test]
fn cancelled_large_request_strands_nobody() {
    check(|| {
        let semaphore = Arc::new(Semaphore::new(PERMITS));
        let [kept, returned] = [(); 2].map(|()| Arc::clone(&semaphore).try_acquire_owned().unwrap());
        let mut large = Box::pin(Arc::clone(&semaphore).acquire_many_owned(PERMITS as u32));
        queue_up(large.as_mut());
        let small: Vec<_> = [1, 2, 1, 2]
            .into_iter()
            .map(|n| {
                let mut small = Box::pin(Arc::clone(&semaphore).acquire_many_owned(n));
                queue_up(small.as_mut());
                thread::spawn(move || drop(block_on(small).unwrap()))
            })
            .collect();
        let canceller = thread::spawn(move || drop(large));
        let releaser = thread::spawn(move || drop(returned));
        for thread in small.into_iter().chain([canceller, releaser]) {
            thread.join().unwrap();
        }
        drop(kept);
        assert_eq!(semaphore.available_permits(), PERMITS);
        assert_eq!(semaphore.statistics().waiting, 0);
    });
}

/// Closing meets requests in every phase. All end, what was granted is kept, and no permit is lost.
#[test]
fn close_ends_every_request_and_loses_no_permit() {
    check(|| {
        let counted = Counted::new();
        together(7, {
            let counted = Arc::clone(&counted);
            move |i| {
                let semaphore = &counted.semaphore;
                if i == 0 {
                    semaphore.close();
                    assert!(semaphore.try_acquire().is_err());
                    return;
                }
                for _ in 0..2 {
                    let n = 1 + below(PERMITS) as u32;
                    let permit = if below(4) == 0 {
                        give_up(semaphore.acquire_many(n))
                    } else {
                        Some(wait_for(semaphore.acquire_many(n)))
                    };
                    match permit {
                        Some(Ok(permit)) => counted.hold_permit(permit),
                        Some(Err(_)) => assert!(semaphore.is_closed(), "closed, and then it is not"),
                        None => {}
                    }
                }
            }
        });
        counted.assert_whole();
        assert!(block_on(counted.semaphore.acquire()).is_err());
    });
}
