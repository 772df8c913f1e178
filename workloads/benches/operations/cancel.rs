//! A wait that is given up in the middle of a queue: what leaving costs, by the place in the line.

use std::future::Future;

use workloads::backend::MutexBackend;

use super::by_hand::Hand;
use super::{Block, forever};

/// Waits in the queue while the first is dropped.
const QUEUED: usize = 1_000;
/// Dropped in one stretch, so that reading the clock does not count; the queue gets that much shorter.
const DROPPED: usize = 100;

/// Drops waits from the head of the queue on.
pub fn head<B: MutexBackend>(_size: usize) -> Block {
    cancel::<B>(0..DROPPED)
}

/// Drops waits around the middle of the queue.
pub fn middle<B: MutexBackend>(_size: usize) -> Block {
    let start = (QUEUED - DROPPED) / 2;
    cancel::<B>(start..start + DROPPED)
}

/// Drops waits from the tail of the queue back.
pub fn tail<B: MutexBackend>(_size: usize) -> Block {
    cancel::<B>((QUEUED - DROPPED..QUEUED).rev())
}

fn cancel<B: MutexBackend>(places: impl Iterator<Item = usize> + Clone + 'static) -> Block {
    let (mutex, hand) = (forever(B::new(0)), Hand::new());
    let held = hand.poll_ready(B::lock(mutex));
    let mut waits: Vec<_> = (0..QUEUED).map(|_| Box::pin(None)).collect();
    Box::new(move |n, watch| {
        let _held = &held;
        for _ in 0..n.div_ceil(DROPPED as u64) {
            for slot in &mut waits {
                slot.set(Some(B::lock(mutex)));
                let wait = slot.as_mut().as_pin_mut().expect("just set");
                assert!(wait.poll(&mut hand.context()).is_pending(), "a lock that is held was had");
            }
            let places = places.clone();
            watch.measure(DROPPED as u64, || {
                for place in places {
                    waits[place].set(None);
                }
            });
            for slot in &mut waits {
                slot.set(None);
            }
        }
    })
}
