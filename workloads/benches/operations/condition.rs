//! The condition: its lock, and notifications from the call to the moment when each waiter has had the lock.

use std::cell::Cell;
use std::hint::black_box;

use workloads::backend::{ConditionBackend, Side};
use workloads::buffer::Buffer;

use super::by_hand::Hand;
use super::executor::Executor;
use super::{Block, forever};

/// Waiters at least in one cycle, so that reading the clock does not count.
const WAITERS_PER_STRETCH: usize = 500;

thread_local! {
    /// What the waiters wait for. Changed under their lock alone, by the one thread that there is.
    static RELEASED: Cell<bool> = const { Cell::new(false) };
}

fn released(_: &Buffer) -> bool {
    RELEASED.get()
}

fn always(_: &Buffer) -> bool {
    true
}

/// Lock and unlock through the condition.
pub fn free<B: ConditionBackend>(_size: usize) -> Block {
    let (pair, hand) = (forever(B::new(Buffer::new(1))), Hand::new());
    Box::new(move |n, watch| {
        watch.measure(n, || {
            hand.poll_ready(async {
                for _ in 0..n {
                    black_box(&*B::lock_when(black_box(pair), Side::Producer, always).await);
                }
            });
        });
    })
}

/// `notify_one` as often as there are waiters, each of whom has had the lock before the next; one waiter's share.
pub fn notify_one<B: ConditionBackend>(waiters: usize) -> Block {
    notify::<B>(
        waiters,
        |pair, hand| {
            hand.poll_ready(async {
                let guard = B::lock_when(pair, Side::Producer, always).await;
                B::notify_other(pair, Side::Producer, guard).await;
            });
        },
        waiters,
    )
}

/// `notify_all`, until every waiter has had the lock; one waiter's share.
pub fn notify_all<B: ConditionBackend>(waiters: usize) -> Block {
    notify::<B>(
        waiters,
        |pair, hand| {
            hand.poll_ready(async {
                let guard = B::lock_when(pair, Side::Producer, always).await;
                B::notify_everyone(pair, Side::Producer, guard).await;
            });
        },
        1,
    )
}

fn notify<B: ConditionBackend>(waiters: usize, call: fn(&'static B::Pair, &Hand), calls: usize) -> Block {
    let pairs: Vec<&'static B::Pair> =
        (0..WAITERS_PER_STRETCH.div_ceil(waiters)).map(|_| forever(B::new(Buffer::new(1)))).collect();
    let hand = Hand::new();
    Box::new(move |n, watch| {
        let waiters_per_stretch = waiters * pairs.len();
        for _ in 0..n.div_ceil(waiters_per_stretch as u64) {
            RELEASED.set(false);
            let waits = pairs.iter().flat_map(|pair| std::iter::repeat_n(pair, waiters));
            let mut executor = Executor::new(waits.map(|pair| async {
                B::lock_when(pair, Side::Consumer, released).await;
            }));
            assert_eq!(executor.run(), waiters_per_stretch, "a waiter did not wait");
            RELEASED.set(true);
            let unfinished = watch.measure(waiters_per_stretch as u64, || {
                let mut unfinished = 0;
                for pair in &pairs {
                    for _ in 0..calls {
                        call(pair, &hand);
                        unfinished = executor.run();
                    }
                }
                unfinished
            });
            assert_eq!(unfinished, 0, "a notification was lost");
        }
    })
}
