//! Models of `Barrier`.

use std::sync::Arc;

use shuttle::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use shuttle::thread;
use sync::{Barrier, BarrierError, BarrierWaitResult};

use crate::{Boxed, below, block_on, check, give_up, queue_up, together, wait_for};

type Outcome = Result<BarrierWaitResult, BarrierError>;

/// How often each index was given.
struct Tally<const PARTIES: usize>([AtomicUsize; PARTIES]);

impl<const PARTIES: usize> Tally<PARTIES> {
    fn new() -> Arc<Self> {
        Arc::new(Self(std::array::from_fn(|_| AtomicUsize::new(0))))
    }

    fn note(&self, result: &BarrierWaitResult) {
        assert_eq!(result.is_leader(), result.index() == PARTIES - 1);
        self.0[result.index()].fetch_add(1, Ordering::SeqCst);
    }

    fn counts(&self) -> [usize; PARTIES] {
        self.0.each_ref().map(|count| count.load(Ordering::SeqCst))
    }
}

/// Five go through four phases. Nobody leaves one before all have come, and each index is given once in each.
#[test]
fn phases_are_kept_in_step() {
    const PARTIES: usize = 5;
    const PHASES: usize = 4;
    check(|| {
        let barrier = Arc::new(Barrier::new(PARTIES));
        let tally = Tally::<PARTIES>::new();
        let come = Arc::new(AtomicUsize::new(0));
        together(PARTIES, {
            let (barrier, tally) = (Arc::clone(&barrier), Arc::clone(&tally));
            move |_| {
                for phase in 1..=PHASES {
                    come.fetch_add(1, Ordering::SeqCst);
                    tally.note(&wait_for(barrier.wait()).unwrap());
                    assert!(come.load(Ordering::SeqCst) >= phase * PARTIES, "released a party short");
                }
            }
        });
        assert_eq!(tally.counts(), [PHASES; PARTIES]);
        assert_eq!(barrier.waiting(), 0);
    });
}

/// Two of those who wait are given up while others arrive. Either an arrival is taken back, or its phase is over; who
/// stays is released in whole phases, and the rest waits on.
#[test]
fn arrival_is_taken_back_or_was_released() {
    const PARTIES: usize = 4;
    check(|| {
        let barrier = Arc::new(Barrier::new(PARTIES));
        let tally = Tally::<PARTIES>::new();
        let mut arrived: Vec<Boxed<Outcome>> =
            (0..3).map(|_| -> Boxed<Outcome> { Box::pin(Arc::clone(&barrier).wait_owned()) }).collect();
        for arrival in &mut arrived {
            queue_up(arrival.as_mut());
        }
        let gone: Vec<_> = (0..2).map(|_| arrived.remove(below(arrived.len()))).collect();
        let over = Arc::new(AtomicBool::new(false));
        let others = (0..3).map(|_| -> Boxed<Outcome> { Box::pin(Arc::clone(&barrier).wait_owned()) });
        let threads: Vec<_> = arrived
            .into_iter()
            .chain(others)
            .map(|arrival| {
                let (tally, over) = (Arc::clone(&tally), Arc::clone(&over));
                thread::spawn(move || match block_on(arrival) {
                    Ok(result) => {
                        tally.note(&result);
                        if result.is_leader() {
                            over.store(true, Ordering::SeqCst);
                        }
                        1
                    }
                    Err(_) => 0,
                })
            })
            .collect();
        let cancellers: Vec<_> =
            gone.into_iter().map(|arrival| thread::spawn(move || drop(arrival))).collect();
        for canceller in cancellers {
            canceller.join().unwrap();
        }
        // Four stay and two go: there is exactly one phase, whichever two or none of them it lost.
        while !over.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        barrier.abort();
        let released: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert!((2..=PARTIES).contains(&released), "{released} were released");
        let counts = tally.counts();
        assert_eq!(counts.iter().sum::<usize>(), released);
        assert!(counts.iter().all(|count| *count <= 1), "an index was given twice: {counts:?}");
        assert_eq!(counts[PARTIES - 1], 1, "one leader");
    });
}

/// Seven arrive at a barrier for three while it is reset and, in the end, aborted. A phase is released whole or broken
/// whole: all indices are given equally often.
#[test]
fn phase_is_released_whole_or_broken_whole() {
    const PARTIES: usize = 3;
    check(|| {
        let barrier = Arc::new(Barrier::new(PARTIES));
        let tally = Tally::<PARTIES>::new();
        let breaker = {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || {
                barrier.reset();
                assert!(!barrier.is_broken());
                barrier.abort();
            })
        };
        together(7, {
            let (barrier, tally) = (Arc::clone(&barrier), Arc::clone(&tally));
            move |_| {
                if let Ok(result) = wait_for(barrier.wait()) {
                    tally.note(&result);
                }
            }
        });
        breaker.join().unwrap();
        let [first, ..] = tally.counts();
        assert_eq!(tally.counts(), [first; PARTIES]);
        assert!(barrier.is_broken());
        assert_eq!(barrier.waiting(), 0);
    });
}

/// Visitors that give up meet aborts and resets in every phase of theirs. Nobody is left asleep, and no arrival stays.
#[test]
fn nobody_is_left_behind_a_broken_phase() {
    check(|| {
        let barrier = Arc::new(Barrier::new(3));
        together(6, {
            let barrier = Arc::clone(&barrier);
            move |i| match i {
                0 => {
                    barrier.abort();
                    barrier.reset();
                    barrier.abort();
                }
                1 | 2 => drop(give_up(barrier.wait())),
                _ => drop(wait_for(barrier.wait())),
            }
        });
        assert_eq!(barrier.waiting(), 0);
        barrier.reset();
        let last: Vec<_> = (0..3)
            .map(|_| {
                let barrier = Arc::clone(&barrier);
                thread::spawn(move || block_on(barrier.wait()).unwrap())
            })
            .collect();
        let mut indices: Vec<_> = last.into_iter().map(|thread| thread.join().unwrap().index()).collect();
        indices.sort_unstable();
        assert_eq!(indices, [0, 1, 2]);
    });
}
