//! The free lock: nobody else wants it.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use workloads::backend::MutexBackend;

use super::arms::LockOwned;
use super::by_hand::Hand;
use super::{Block, forever};

/// Lock and unlock, awaited in one async block.
pub fn free<B: MutexBackend>(_size: usize) -> Block {
    let (mutex, hand) = (forever(B::new(0)), Hand::new());
    Box::new(move |n, watch| {
        watch.measure(n, || {
            hand.poll_ready(async {
                for _ in 0..n {
                    *B::lock(black_box(mutex)).await += 1;
                }
            });
        });
    })
}

/// Lock and unlock as a `select!` does it: a future made, pinned, polled once and dropped.
pub fn free_polled_once<B: MutexBackend>(_size: usize) -> Block {
    let (mutex, hand) = (forever(B::new(0)), Hand::new());
    Box::new(move |n, watch| {
        watch.measure(n, || {
            let mut context = hand.context();
            for _ in 0..n {
                match pin!(B::lock(black_box(mutex))).as_mut().poll(&mut context) {
                    Poll::Ready(mut guard) => *guard += 1,
                    Poll::Pending => panic!("a free lock had to be waited for"),
                }
            }
        });
    })
}

/// `try_lock` and unlock.
pub fn try_lock<B: MutexBackend>(_size: usize) -> Block {
    let mutex = forever(B::new(0));
    Box::new(move |n, watch| {
        watch.measure(n, || {
            for _ in 0..n {
                *B::try_lock(black_box(mutex)).expect("nobody has it") += 1;
            }
        });
    })
}

/// `lock_owned` and unlock, with the clone of the `Arc` that it takes.
pub fn owned<B: LockOwned>(_size: usize) -> Block {
    let (mutex, hand) = (Arc::new(B::new(0)), Hand::new());
    Box::new(move |n, watch| {
        watch.measure(n, || {
            hand.poll_ready(async {
                for _ in 0..n {
                    black_box(&B::lock_owned(black_box(&mutex)).await);
                }
            });
        });
    })
}
