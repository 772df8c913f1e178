//! Models of `Barrier`. Wakers are woken one at a time here, so that three parties meet what comes between batches.

use std::sync::Arc;
use std::task::Poll;

use loom::thread;
use sync::{Barrier, BarrierError, BarrierWaitResult};

use crate::{Boxed, Figure, block_on, check, expect_ready, poll_once, queue_up};

type Outcome = Result<BarrierWaitResult, BarrierError>;

fn shared(parties: usize) -> Arc<Barrier> {
    Arc::new(Barrier::new(parties))
}

fn wait(barrier: &Arc<Barrier>) -> Boxed<Outcome> {
    Box::pin(Arc::clone(barrier).wait_owned())
}

/// A wait that has arrived already, and was not the last.
fn arrived(barrier: &Arc<Barrier>) -> Boxed<Outcome> {
    let mut waiter = wait(barrier);
    queue_up(waiter.as_mut());
    waiter
}

/// Arrives as the last one, on another thread.
fn last_elsewhere(barrier: &Arc<Barrier>) -> thread::JoinHandle<()> {
    let mut last = wait(barrier);
    let leader = barrier.parties() - 1;
    thread::spawn(move || assert_eq!(index(expect_ready(last.as_mut())), leader))
}

/// Plays `scene` while the last of `parties` lets the others go on another thread: the first has resumed, and of the
/// others, which the scene is given, loom decides.
///
/// To wait for the first would multiply the executions, and adds none in which the release is under way.
fn during_a_release<const OTHERS: usize>(
    parties: usize,
    scene: impl Fn(&Arc<Barrier>, [Boxed<Outcome>; OTHERS]) + Send + Sync + 'static,
) {
    assert_eq!(OTHERS + 2, parties);
    check(move || {
        let barrier = shared(parties);
        let mut first = arrived(&barrier);
        let others = std::array::from_fn(|_| arrived(&barrier));
        let last = last_elsewhere(&barrier);
        if let Poll::Ready(outcome) = poll_once(first.as_mut()) {
            assert_eq!(index(outcome), 0);
            scene(&barrier, others);
        }
        last.join().unwrap();
    });
}

#[track_caller]
fn index(outcome: Outcome) -> usize {
    outcome.expect("it was released").index()
}

#[track_caller]
fn expect_index(waiter: &mut Boxed<Outcome>, expected: usize) {
    assert_eq!(index(expect_ready(waiter.as_mut())), expected);
}

#[track_caller]
fn expect_broken(waiter: &mut Boxed<Outcome>) {
    expect_ready(waiter.as_mut()).expect_err("it was not released");
}

/// The lost wake-up proper; and each sees what the other did before, phase by phase.
#[test]
fn two_parties_see_what_the_other_did_before() {
    check(|| {
        let barrier = shared(2);
        let figures = Arc::new([Figure::default(), Figure::default()]);
        let run = |mine: usize| {
            let (barrier, figures) = (Arc::clone(&barrier), Arc::clone(&figures));
            move || {
                figures[mine].increase();
                let first = block_on(barrier.wait()).expect("nobody breaks it");
                assert_eq!((figures[0].get(), figures[1].get()), (1, 1));
                let second = block_on(barrier.wait()).expect("nobody breaks it");
                assert_eq!(first.is_leader(), first.index() == 1);
                [first.index(), second.index()]
            }
        };
        let other = thread::spawn(run(0));
        let mine = run(1)();
        let others = other.join().unwrap();
        assert_eq!((mine[0] + others[0], mine[1] + others[1]), (1, 1));
    });
}

/// What the last one did is seen by those whom it lets go in a second batch too, and what the first did by the last.
#[test]
fn three_parties_see_what_the_others_did_before() {
    check(|| {
        let barrier = shared(3);
        let figures = Arc::new([Figure::default(), Figure::default()]);
        let mut first = arrived(&barrier);
        let last = {
            let (barrier, figures) = (Arc::clone(&barrier), Arc::clone(&figures));
            thread::spawn(move || {
                figures[0].increase();
                block_on(barrier.wait()).expect("nobody breaks it");
                assert_eq!(figures[1].get(), 1);
            })
        };
        figures[1].increase();
        block_on(barrier.wait()).expect("nobody breaks it");
        assert_eq!(figures[0].get(), 1);
        // It is let go before the other one, so that it need not be waited for.
        expect_index(&mut first, 0);
        last.join().unwrap();
    });
}

/// Who sees an arrival, or that it is broken, sees what came before.
#[test]
fn look_shows_what_was_done_before() {
    check(|| {
        let barrier = shared(2);
        let figures = Arc::new([Figure::default(), Figure::default()]);
        let other = {
            let (barrier, figures) = (Arc::clone(&barrier), Arc::clone(&figures));
            thread::spawn(move || {
                figures[0].increase();
                let waiter = arrived(&barrier);
                figures[1].increase();
                barrier.abort();
                waiter
            })
        };
        // Two loads on end hide each other from loom: without this it never lets the other go first.
        thread::yield_now();
        if barrier.waiting() == 1 {
            assert_eq!(figures[0].get(), 1);
        }
        if barrier.is_broken() {
            assert_eq!(figures[1].get(), 1);
        }
        expect_broken(&mut other.join().unwrap());
    });
}

/// The arrival is taken back before the last one comes, which then is not the last, or it was released with the others.
#[test]
fn arrival_taken_back_is_counted_or_not_but_never_in_part() {
    check(|| {
        let barrier = shared(3);
        let (cancelled, mut other) = (arrived(&barrier), arrived(&barrier));
        let canceller = thread::spawn(move || drop(cancelled));
        let mut last = wait(&barrier);
        let outcome = poll_once(last.as_mut());
        canceller.join().unwrap();
        if let Poll::Ready(outcome) = outcome {
            assert_eq!(index(outcome), 2);
            assert_eq!(barrier.waiting(), 0);
            expect_index(&mut other, 1);
        } else {
            assert_eq!(barrier.waiting(), 2);
            let mut third = wait(&barrier);
            expect_index(&mut third, 2);
            expect_index(&mut other, 0);
            expect_index(&mut last, 1);
        }
    });
}

/// Two arrivals are taken back at a time, one of which may be helping the other out.
#[test]
fn arrivals_taken_back_at_a_time_leave_nothing_behind() {
    check(|| {
        let barrier = shared(4);
        let (one, two, mut rest) = (arrived(&barrier), arrived(&barrier), arrived(&barrier));
        let canceller = thread::spawn(move || drop(one));
        let mut last = wait(&barrier);
        let is_last = poll_once(last.as_mut()).is_ready();
        drop(two);
        canceller.join().unwrap();
        if is_last {
            expect_index(&mut rest, 2);
        } else {
            assert_eq!(barrier.waiting(), 2);
        }
    });
}

/// Either everybody is released or everybody is broken; then it is broken for all.
#[test]
fn abort_against_the_last_arrival_parts_nobody() {
    check(|| {
        let barrier = shared(3);
        let (mut one, mut two) = (arrived(&barrier), arrived(&barrier));
        let aborter = {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || barrier.abort())
        };
        let mut last = wait(&barrier);
        let outcome = expect_ready(last.as_mut());
        aborter.join().unwrap();
        if outcome.is_ok() {
            expect_index(&mut one, 0);
            expect_index(&mut two, 1);
        } else {
            expect_broken(&mut one);
            expect_broken(&mut two);
        }
        assert!(barrier.is_broken());
        expect_broken(&mut wait(&barrier));
    });
}

/// Abort and reset in one go end who waits, though it never sees the barrier broken.
#[test]
fn wait_ends_though_the_barrier_is_mended_at_once() {
    check(|| {
        let barrier = shared(3);
        let (one, mut two) = (arrived(&barrier), arrived(&barrier));
        let breaker = {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || {
                barrier.abort();
                barrier.reset();
            })
        };
        block_on(one).expect_err("it was not released");
        breaker.join().unwrap();
        expect_broken(&mut two);
        assert!(!barrier.is_broken());
        assert_eq!(barrier.waiting(), 0);
    });
}

/// The last arrival comes before the reset and releases, or after it and is the first of a new phase.
#[test]
fn reset_against_the_last_arrival_parts_nobody() {
    check(|| {
        let barrier = shared(3);
        let (mut one, mut two) = (arrived(&barrier), arrived(&barrier));
        let resetter = {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || barrier.reset())
        };
        let mut last = wait(&barrier);
        let outcome = poll_once(last.as_mut());
        resetter.join().unwrap();
        if let Poll::Ready(outcome) = outcome {
            assert_eq!(index(outcome), 2);
            expect_index(&mut one, 0);
            expect_index(&mut two, 1);
            assert_eq!(barrier.waiting(), 0);
        } else {
            expect_broken(&mut one);
            expect_broken(&mut two);
            assert_eq!(barrier.waiting(), 1);
        }
        assert!(!barrier.is_broken());
    });
}

/// Who comes when the first of a phase has resumed belongs to the next one, while the second is still on its way.
#[test]
fn newcomer_during_a_release_belongs_to_the_next_phase() {
    during_a_release(3, |barrier, [second]| {
        let mut newcomer = arrived(barrier);
        assert_eq!(barrier.waiting(), 1);
        assert_eq!(index(block_on(second)), 1);
        queue_up(newcomer.as_mut());
        assert_eq!(barrier.waiting(), 1);
    });
}

/// A whole phase comes and goes while the one before is still on its way: its last arrival sees to that first.
#[test]
fn phase_that_fills_during_a_release_is_released_after_it() {
    during_a_release(3, |barrier, [mut second]| {
        let (mut third, mut fourth) = (arrived(barrier), arrived(barrier));
        expect_index(&mut wait(barrier), 2);
        expect_index(&mut second, 1);
        expect_index(&mut third, 0);
        expect_index(&mut fourth, 1);
        assert_eq!(barrier.waiting(), 0);
    });
}

/// An abort and a reset in the middle of a release break who came since, and nobody who was released.
#[test]
fn breaking_during_a_release_spares_the_released() {
    for abort in [true, false] {
        during_a_release(3, move |barrier, [mut second]| {
            let mut newcomer = arrived(barrier);
            if abort {
                barrier.abort();
            } else {
                barrier.reset();
            }
            expect_index(&mut second, 1);
            expect_broken(&mut newcomer);
            assert_eq!((barrier.waiting(), barrier.is_broken()), (0, abort));
        });
    }
}

/// A released wait is dropped while it is still on its way: who comes after it keeps its index, the next phase its count.
#[test]
fn released_wait_dropped_on_its_way_moves_nobody_up() {
    during_a_release(4, |barrier, [second, third]| {
        drop(second);
        assert_eq!(barrier.waiting(), 0);
        assert_eq!(index(block_on(third)), 2);
    });
}

/// A newcomer is dropped while those before it are still on their way.
#[test]
fn newcomer_dropped_during_a_release_takes_its_own_arrival_back() {
    during_a_release(3, |barrier, [second]| {
        drop(arrived(barrier));
        assert_eq!(barrier.waiting(), 0);
        assert_eq!(index(block_on(second)), 1);
    });
}

/// The waker is replaced while the release takes it: the new one must be called, or the poll must see the release.
#[test]
fn waker_replaced_during_a_release_is_the_one_that_is_woken() {
    check(|| {
        let barrier = shared(2);
        let waiter = arrived(&barrier);
        let last = last_elsewhere(&barrier);
        assert_eq!(index(loom::future::block_on(waiter)), 0);
        last.join().unwrap();
    });
}
