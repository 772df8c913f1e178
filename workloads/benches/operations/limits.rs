//! What no primitive can beat, or what people compare it with: blocking locks and bare machine operations.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{Block, forever};

/// Two compare-and-swaps that succeed: the portable minimum of a lock that can hand over.
pub fn two_compare_and_swaps(_size: usize) -> Block {
    let word = forever(AtomicUsize::new(0));
    Box::new(move |n, watch| {
        watch.measure(n, || {
            for _ in 0..n {
                let word = black_box(word);
                // Ordering: Acquire and Release as a lock has them; there is no second thread.
                assert!(word.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok());
                assert!(word.compare_exchange(1, 0, Ordering::Release, Ordering::Relaxed).is_ok());
            }
        });
    })
}

/// parking_lot's blocking lock and unlock.
pub fn parking_lot_pair(_size: usize) -> Block {
    let mutex = forever(parking_lot::Mutex::new(0_u64));
    Box::new(move |n, watch| {
        watch.measure(n, || {
            for _ in 0..n {
                *black_box(mutex).lock() += 1;
            }
        });
    })
}

/// `std::sync::Mutex`'s blocking lock and unlock, with its poison flag.
pub fn std_pair(_size: usize) -> Block {
    let mutex = forever(std::sync::Mutex::new(0_u64));
    Box::new(move |n, watch| {
        watch.measure(n, || {
            for _ in 0..n {
                *black_box(mutex).lock().expect("nobody panicked") += 1;
            }
        });
    })
}

/// One load, looked at.
pub fn one_load(_size: usize) -> Block {
    let flag = forever(AtomicBool::new(true));
    Box::new(move |n, watch| {
        watch.measure(n, || {
            for _ in 0..n {
                // Ordering: Acquire, as waiting for an event needs it; there is no second thread.
                assert!(black_box(flag).load(Ordering::Acquire));
            }
        });
    })
}
