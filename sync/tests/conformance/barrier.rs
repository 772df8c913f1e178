//! `Barrier` beside asyncio's and tokio's.
//!
//! The meaning is asyncio's: `wait` gives a result, a cancelled arrival is taken back, `abort` and `reset`. But there is
//! no draining here: whoever was released has passed, and who comes next belongs to the next phase at once.
//!
//! | theirs | here |
//! |---|---|
//! | asyncio BarrierTests.test_barrier | none: a `Barrier` is no future, so awaiting it does not compile |
//! | asyncio BarrierTests.test_repr | `statistics_follow_the_barrier_through_its_states` |
//! | asyncio BarrierTests.test_barrier_parties | `barrier_of_nobody_is_misuse` |
//! | asyncio BarrierTests.test_context_manager | `each_task_of_a_phase_has_an_index_of_its_own` |
//! | asyncio BarrierTests.test_filling_one_task | `barrier_of_one_never_waits` |
//! | asyncio BarrierTests.test_filling_one_task_twice | `barrier_of_one_never_waits` |
//! | asyncio BarrierTests.test_filling_task_by_task | `waiting_counts_the_arrivals_until_the_last` |
//! | asyncio BarrierTests.test_filling_tasks_wait_twice | `tasks_pass_twice_and_nobody_is_a_phase_ahead` |
//! | asyncio BarrierTests.test_filling_tasks_check_return_value | `each_task_of_a_phase_has_an_index_of_its_own` |
//! | asyncio BarrierTests.test_draining_state | `nobody_waits_any_more_once_the_last_has_come` |
//! | asyncio BarrierTests.test_blocking_tasks_while_draining | `newcomers_belong_to_the_next_phase_while_the_last_one_still_resumes` |
//! | asyncio BarrierTests.test_filling_tasks_cancel_one | `cancelled_arrival_is_taken_back` |
//! | asyncio BarrierTests.test_reset_barrier | `reset_of_an_empty_barrier_changes_nothing` |
//! | asyncio BarrierTests.test_reset_barrier_while_tasks_waiting | `reset_breaks_those_who_wait_and_not_the_barrier` |
//! | asyncio BarrierTests.test_reset_barrier_when_tasks_half_draining | `released_tasks_pass_whatever_is_done_before_they_resume` |
//! | asyncio BarrierTests.test_reset_barrier_when_tasks_half_draining_half_blocking | `reset_breaks_newcomers_and_not_the_released` |
//! | asyncio BarrierTests.test_reset_barrier_while_tasks_waiting_and_waiting_again | `tasks_broken_by_a_reset_can_meet_again` |
//! | asyncio BarrierTests.test_reset_barrier_while_tasks_draining | `reset_breaks_newcomers_and_not_the_released` |
//! | asyncio BarrierTests.test_abort_barrier | `aborted_barrier_is_broken_until_it_is_reset` |
//! | asyncio BarrierTests.test_abort_barrier_when_tasks_half_draining_half_blocking | `abort_breaks_newcomers_and_not_the_released` |
//! | asyncio BarrierTests.test_abort_barrier_when_exception | `abort_reaches_tasks_in_their_next_phase` |
//! | asyncio BarrierTests.test_abort_barrier_when_exception_then_resetting | `abort_reaches_tasks_in_their_next_phase` |
//! | tokio sync_barrier::barrier_future_is_send | `types_are_send_and_sync` |
//! | tokio sync_barrier::zero_does_not_block | `barrier_of_nobody_is_misuse` |
//! | tokio sync_barrier::single | `barrier_of_one_never_waits` |
//! | tokio sync_barrier::tango | `one_of_two_leads` |
//! | tokio sync_barrier::lots | `hundred_tasks_meet_ten_times_with_one_leader_each` |

use std::sync::Arc;
use std::sync::Mutex as StdMutex;

use sync::futures::BarrierWait;
use sync::{Barrier, BarrierError, BarrierWaitResult};
use tokio::task::yield_now;

use crate::common::{Task, is_send, is_sync, now, panic_message};

type Waits<'a> = Vec<Task<BarrierWait<'a>>>;

/// So many that have arrived and wait.
fn arrived(barrier: &Barrier, count: usize) -> Waits<'_> {
    (0..count).map(|_| Task::waiting(barrier.wait())).collect()
}

/// All but the last, who was let in too: they are released, and have not resumed.
fn released(barrier: &Barrier) -> Waits<'_> {
    let waits = arrived(barrier, barrier.parties() - 1);
    assert!(now(barrier.wait()).unwrap().is_leader());
    waits
}

#[track_caller]
fn assert_all_pass(waits: &mut Waits<'_>) {
    for (index, wait) in waits.iter_mut().enumerate() {
        assert_eq!(wait.woken().unwrap().index(), index);
    }
}

#[track_caller]
fn assert_all_break(waits: &mut Waits<'_>) {
    for wait in waits {
        let _: BarrierError = wait.woken().unwrap_err();
    }
}

/// (waiting, broken)
fn state(barrier: &Barrier) -> (usize, bool) {
    (barrier.waiting(), barrier.is_broken())
}

#[test]
fn types_are_send_and_sync() {
    is_send::<Barrier>();
    is_sync::<Barrier>();
    is_send::<BarrierWait<'static>>();
    is_sync::<BarrierWait<'static>>();
    is_send::<BarrierWaitResult>();
    is_sync::<BarrierWaitResult>();
}

#[test]
fn statistics_follow_the_barrier_through_its_states() {
    let barrier = Barrier::new(3);
    let look = || {
        let statistics = barrier.statistics();
        assert_eq!(state(&barrier), (statistics.waiting, statistics.broken));
        (statistics.parties, statistics.waiting, statistics.broken)
    };
    assert_eq!(look(), (3, 0, false));
    let waits = released(&barrier);
    assert_eq!(look(), (3, 0, false));
    let newcomer = Task::waiting(barrier.wait());
    assert_eq!(look(), (3, 1, false));
    barrier.reset();
    assert_eq!(look(), (3, 0, false));
    barrier.abort();
    assert_eq!(look(), (3, 0, true));
    drop((waits, newcomer));
    assert_eq!(look(), (3, 0, true));
}

/// tokio takes zero for one.
#[test]
fn barrier_of_nobody_is_misuse() {
    let message = panic_message(|| _ = Barrier::new(0));
    assert!(message.contains("Barrier::new"), "{message}");
    assert!(now(tokio::sync::Barrier::new(0).wait()).is_leader());
}

/// Lets `parties` tasks meet `phases` times. Gives the index of each task in each phase.
async fn meet(parties: usize, phases: usize) -> Vec<Vec<usize>> {
    let barrier = Arc::new(Barrier::new(parties));
    let indices = Arc::new(StdMutex::new(vec![Vec::new(); phases]));
    let tasks: Vec<_> = (0..parties)
        .map(|_| {
            let (barrier, indices) = (Arc::clone(&barrier), Arc::clone(&indices));
            tokio::spawn(async move {
                for phase in 0..phases {
                    let index = barrier.wait().await.unwrap().index();
                    indices.lock().unwrap()[phase].push(index);
                    if let Some(next) = indices.lock().unwrap().get(phase + 1) {
                        assert!(next.is_empty(), "somebody is a phase ahead");
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(state(&barrier), (0, false));
    Arc::into_inner(indices).expect("the tasks are done").into_inner().unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn each_task_of_a_phase_has_an_index_of_its_own() {
    for mut indices in meet(5, 2).await {
        indices.sort_unstable();
        assert_eq!(indices, [0, 1, 2, 3, 4]);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn tasks_pass_twice_and_nobody_is_a_phase_ahead() {
    assert!(meet(5, 2).await.iter().all(|indices| indices.len() == 5));
}

#[test]
fn barrier_of_one_never_waits() {
    let barrier = Barrier::new(1);
    for _ in 0..3 {
        let result = now(barrier.wait()).unwrap();
        assert!(result.is_leader());
        assert_eq!(result.index(), 0);
        assert_eq!(state(&barrier), (0, false));
    }
}

#[test]
fn waiting_counts_the_arrivals_until_the_last() {
    let barrier = Barrier::new(3);
    let mut waits = Waits::new();
    for count in 1..3 {
        waits.push(Task::waiting(barrier.wait()));
        assert_eq!(state(&barrier), (count, false));
    }
    for wait in &mut waits {
        wait.assert_waits();
    }
    assert_eq!(now(barrier.wait()).unwrap().index(), 2);
    assert_eq!(state(&barrier), (0, false));
    assert_all_pass(&mut waits);
}

/// asyncio is "draining" until the last of them has resumed.
#[test]
fn nobody_waits_any_more_once_the_last_has_come() {
    let barrier = Barrier::new(5);
    let mut waits = released(&barrier);
    assert_eq!(state(&barrier), (0, false));
    assert_all_pass(&mut waits);
    assert_eq!(state(&barrier), (0, false));
}

/// asyncio makes newcomers wait until the last of the released has resumed. Here they are the next phase, which may be
/// complete, and gone, before anybody of the first one was polled.
#[test]
fn newcomers_belong_to_the_next_phase_while_the_last_one_still_resumes() {
    let barrier = Barrier::new(3);
    let mut first = released(&barrier);
    let mut second = arrived(&barrier, 2);
    assert_eq!(barrier.waiting(), 2);
    for wait in &mut second {
        wait.assert_waits();
    }
    assert_eq!(now(barrier.wait()).unwrap().index(), 2);
    assert_all_pass(&mut second);
    assert_all_pass(&mut first);
}

#[test]
fn cancelled_arrival_is_taken_back() {
    let barrier = Barrier::new(3);
    let cancelled = Task::waiting(barrier.wait());
    let mut waits = arrived(&barrier, 1);
    assert_eq!(barrier.waiting(), 2);
    drop(cancelled);
    assert_eq!(barrier.waiting(), 1);
    waits.push(Task::waiting(barrier.wait()));
    for wait in &mut waits {
        wait.assert_waits();
    }
    // Indices are those of the three that meet.
    assert_eq!(now(barrier.wait()).unwrap().index(), 2);
    assert_all_pass(&mut waits);
    assert_eq!(state(&barrier), (0, false));
}

#[test]
fn cancelled_arrival_stays_counted_with_tokio() {
    let barrier = tokio::sync::Barrier::new(2);
    drop(Task::waiting(barrier.wait()));
    assert!(now(barrier.wait()).is_leader(), "it waits for the second party");
}

#[test]
fn reset_of_an_empty_barrier_changes_nothing() {
    let barrier = Barrier::new(2);
    barrier.reset();
    assert_eq!(state(&barrier), (0, false));
    assert_all_pass(&mut released(&barrier));
}

#[test]
fn reset_breaks_those_who_wait_and_not_the_barrier() {
    let barrier = Barrier::new(5);
    let mut waits = arrived(&barrier, 4);
    barrier.reset();
    assert_eq!(state(&barrier), (0, false));
    assert_all_break(&mut waits);
    assert_all_pass(&mut released(&barrier));
}

/// asyncio breaks those who were released but have not resumed.
#[test]
fn released_tasks_pass_whatever_is_done_before_they_resume() {
    for act in [Barrier::reset, Barrier::abort] {
        let barrier = Barrier::new(5);
        let mut waits = released(&barrier);
        act(&barrier);
        assert_all_pass(&mut waits);
    }
}

/// In asyncio it is the other way round: a reset breaks those who still resume, and newcomers, whom the draining keeps
/// outside, do not notice.
#[test]
fn reset_breaks_newcomers_and_not_the_released() {
    let barrier = Barrier::new(5);
    let mut first = released(&barrier);
    let mut newcomers = arrived(&barrier, 3);
    barrier.reset();
    assert_eq!(state(&barrier), (0, false));
    assert_all_break(&mut newcomers);
    assert_all_pass(&mut first);
    assert_all_pass(&mut released(&barrier));
}

#[tokio::test(flavor = "current_thread")]
async fn tasks_broken_by_a_reset_can_meet_again() {
    let barrier = Arc::new(Barrier::new(5));
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let barrier = Arc::clone(&barrier);
            tokio::spawn(async move {
                assert!(barrier.wait().await.is_err());
                barrier.wait().await.unwrap().is_leader()
            })
        })
        .collect();
    while barrier.waiting() < 4 {
        yield_now().await;
    }
    barrier.reset();
    let mut leaders = usize::from(barrier.wait().await.unwrap().is_leader());
    for task in tasks {
        leaders += usize::from(task.await.unwrap());
    }
    assert_eq!(leaders, 1);
    assert_eq!(state(&barrier), (0, false));
}

#[test]
fn aborted_barrier_is_broken_until_it_is_reset() {
    let barrier = Barrier::new(2);
    let mut waits = arrived(&barrier, 1);
    barrier.abort();
    assert_eq!(state(&barrier), (0, true));
    assert_all_break(&mut waits);
    assert!(now(barrier.wait()).is_err(), "a broken barrier let somebody wait");
    assert_eq!(state(&barrier), (0, true));
    barrier.reset();
    assert_eq!(state(&barrier), (0, false));
    assert_all_pass(&mut released(&barrier));
}

/// asyncio breaks both.
#[test]
fn abort_breaks_newcomers_and_not_the_released() {
    let barrier = Barrier::new(5);
    let mut first = released(&barrier);
    let mut newcomers = arrived(&barrier, 2);
    barrier.abort();
    assert_eq!(state(&barrier), (0, true));
    assert_all_break(&mut newcomers);
    assert_all_pass(&mut first);
}

/// One of five fails between two phases and aborts; the others find the second one broken. Then all meet at another
/// barrier, one of them resets the first, and they meet there.
#[tokio::test(flavor = "current_thread")]
async fn abort_reaches_tasks_in_their_next_phase() {
    let barriers = Arc::new((Barrier::new(5), Barrier::new(5)));
    let tasks: Vec<_> = (0..5)
        .map(|_| {
            let barriers = Arc::clone(&barriers);
            tokio::spawn(async move {
                let (main, other) = &*barriers;
                let aborts = main.wait().await.unwrap().index() == 2;
                if aborts {
                    main.abort();
                }
                assert!(main.wait().await.is_err());
                assert_eq!(state(main), (0, true));
                if other.wait().await.unwrap().is_leader() {
                    main.reset();
                }
                other.wait().await.unwrap();
                main.wait().await.unwrap();
                aborts
            })
        })
        .collect();
    let mut aborted = 0;
    for task in tasks {
        aborted += usize::from(task.await.unwrap());
    }
    assert_eq!(aborted, 1);
    assert_eq!(state(&barriers.0), (0, false));
}

#[test]
fn one_of_two_leads() {
    let barrier = Barrier::new(2);
    let mut first = Task::waiting(barrier.wait());
    let last = now(barrier.wait()).unwrap();
    assert!(last.is_leader());
    assert!(!first.woken().unwrap().is_leader());
}

#[test]
fn hundred_tasks_meet_ten_times_with_one_leader_each() {
    let barrier = Barrier::new(100);
    for _ in 0..10 {
        let mut waits = arrived(&barrier, 99);
        for wait in &mut waits {
            wait.assert_waits();
        }
        assert!(now(barrier.wait()).unwrap().is_leader());
        for wait in &mut waits {
            assert!(!wait.woken().unwrap().is_leader());
        }
    }
}
