//! The event: waiting for what has happened, and the three parts of a broadcast, each by itself.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;

use workloads::backend::EventBackend;

use super::by_hand::Hand;
use super::{Block, Stopwatch, forever, wakers};

/// Waits at least in one stretch, so that reading the clock does not count: where an event has fewer waiters
/// there are as many events.
const WAITS_PER_STRETCH: usize = 500;

/// Waits on an event that is set.
pub fn wait_set<B: EventBackend>(_size: usize) -> Block {
    let (event, hand) = (forever(B::new()), Hand::new());
    B::set(event);
    Box::new(move |n, watch| {
        watch.measure(n, || {
            hand.poll_ready(async {
                for _ in 0..n {
                    B::wait(black_box(event)).await;
                }
            });
        });
    })
}

/// Sets and clears an event that nobody waits for.
pub fn set_clear<B: EventBackend>(_size: usize) -> Block {
    let event = forever(B::new());
    Box::new(move |n, watch| {
        watch.measure(n, || {
            for _ in 0..n {
                B::set(black_box(event));
                B::clear(black_box(event));
            }
        });
    })
}

/// A part of a broadcast.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A wait is made and polled for the first time.
    Arm,
    /// The event is set; an operation is one waiter's share of it.
    Set,
    /// A wait that was let go is polled, and dropped.
    Resume,
}

/// A wait's first poll.
pub fn arm<B: EventBackend>(waiters: usize) -> Block {
    broadcast::<B>(waiters, Part::Arm)
}

/// A waiter's share of `set`.
pub fn set<B: EventBackend>(waiters: usize) -> Block {
    broadcast::<B>(waiters, Part::Set)
}

/// A wait's last poll, and its drop.
pub fn resume<B: EventBackend>(waiters: usize) -> Block {
    broadcast::<B>(waiters, Part::Resume)
}

fn broadcast<B: EventBackend>(waiters: usize, measured: Part) -> Block {
    let events: Vec<&'static B::Event> =
        (0..WAITS_PER_STRETCH.div_ceil(waiters)).map(|_| forever(B::new())).collect();
    let hand = Hand::new();
    // Each wait lies where a task of its own would have it.
    let mut waits: Vec<_> = events.iter().flat_map(|_| 0..waiters).map(|_| Box::pin(None)).collect();
    let waits_per_stretch = waits.len() as u64;
    Box::new(move |n, watch| {
        for _ in 0..n.div_ceil(waits_per_stretch) {
            part(watch, measured == Part::Arm, waits_per_stretch, || {
                for (event, waits) in events.iter().zip(waits.chunks_mut(waiters)) {
                    for slot in waits {
                        slot.set(Some(B::wait(event)));
                        assert!(!poll(slot, &hand), "a wait was over before the event was set");
                    }
                }
            });
            let before = wakers::wakes();
            part(watch, measured == Part::Set, waits_per_stretch, || {
                for event in &events {
                    B::set(black_box(event));
                }
            });
            assert_eq!(wakers::wakes() - before, waits_per_stretch, "each is woken, and once");
            part(watch, measured == Part::Resume, waits_per_stretch, || {
                for slot in &mut waits {
                    assert!(poll(slot, &hand), "a wait that was let go is not over");
                    slot.set(None);
                }
            });
            for event in &events {
                B::clear(event);
            }
        }
    })
}

/// Does one part of a cycle, measured or not.
fn part(watch: &mut Stopwatch, measured: bool, operations: u64, work: impl FnOnce()) {
    if measured {
        watch.measure(operations, work);
    } else {
        work();
    }
}

#[inline]
fn poll<F: Future>(slot: &mut Pin<Box<Option<F>>>, hand: &Hand) -> bool {
    let wait = slot.as_mut().as_pin_mut().expect("armed before");
    wait.poll(&mut hand.context()).is_ready()
}
