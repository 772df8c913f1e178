//! The free semaphore: more permits than anybody wants.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::Poll;

use workloads::backend::{SemaphoreBackend, WeightedSemaphoreBackend};

use super::by_hand::Hand;
use super::{Block, forever};

/// Permits of every semaphore here.
const PERMITS: usize = 5;

/// Acquire and release one permit, awaited in one async block.
pub fn free<B: SemaphoreBackend>(_size: usize) -> Block {
    let (semaphore, hand) = (forever(B::new(PERMITS)), Hand::new());
    Box::new(move |n, watch| {
        watch.measure(n, || {
            hand.poll_ready(async {
                for _ in 0..n {
                    black_box(&B::acquire(black_box(semaphore)).await);
                }
            });
        });
        assert_eq!(B::available(semaphore), PERMITS, "permits were lost");
    })
}

/// Acquire and release as a `select!` does it: a future made, pinned, polled once and dropped.
pub fn free_polled_once<B: SemaphoreBackend>(_size: usize) -> Block {
    let (semaphore, hand) = (forever(B::new(PERMITS)), Hand::new());
    Box::new(move |n, watch| {
        watch.measure(n, || {
            let mut context = hand.context();
            for _ in 0..n {
                match pin!(B::acquire(black_box(semaphore))).as_mut().poll(&mut context) {
                    Poll::Ready(permit) => drop(black_box(permit)),
                    Poll::Pending => panic!("a free permit had to be waited for"),
                }
            }
        });
        assert_eq!(B::available(semaphore), PERMITS, "permits were lost");
    })
}

/// Acquire and release three permits at once.
pub fn many<B: WeightedSemaphoreBackend>(_size: usize) -> Block {
    let (semaphore, hand) = (forever(B::new(PERMITS)), Hand::new());
    Box::new(move |n, watch| {
        watch.measure(n, || {
            hand.poll_ready(async {
                for _ in 0..n {
                    black_box(&B::acquire_many(black_box(semaphore), black_box(3)).await);
                }
            });
        });
        assert_eq!(B::available(semaphore), PERMITS, "permits were lost");
    })
}

/// `try_acquire` and release.
pub fn try_acquire<B: SemaphoreBackend>(_size: usize) -> Block {
    let semaphore = forever(B::new(PERMITS));
    Box::new(move |n, watch| {
        watch.measure(n, || {
            for _ in 0..n {
                black_box(&B::try_acquire(black_box(semaphore)).expect("there are five"));
            }
        });
        assert_eq!(B::available(semaphore), PERMITS, "permits were lost");
    })
}
