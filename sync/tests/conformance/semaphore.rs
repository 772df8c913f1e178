//! `Semaphore` beside asyncio's and tokio's: those who wait. The rest is in `semaphore/counts.rs`.
//!
//! | theirs | here |
//! |---|---|
//! | asyncio SemaphoreTests.test_initial_value_zero | `none_are_allowed_and_none_can_be_taken` |
//! | asyncio SemaphoreTests.test_repr | `debug_and_statistics_show_the_counts` |
//! | asyncio SemaphoreTests.test_semaphore | none: a `Semaphore` is no future, and `new` always takes a count |
//! | asyncio SemaphoreTests.test_semaphore_value | none: the count is unsigned |
//! | asyncio SemaphoreTests.test_acquire | `releases_go_to_those_who_wait_and_the_count_stays_at_zero` |
//! | asyncio SemaphoreTests.test_acquire_cancel | `cancelled_waiter_leaves_nothing_behind` |
//! | asyncio SemaphoreTests.test_acquire_cancel_before_awoken | `release_goes_to_the_first_who_was_not_cancelled` |
//! | asyncio SemaphoreTests.test_acquire_hang | `release_beside_a_cancel_is_not_lost` |
//! | asyncio SemaphoreTests.test_acquire_no_hang | `holder_may_cancel_a_waiter` |
//! | asyncio SemaphoreTests.test_release_no_waiters | `release_without_waiters_leaves_it_free` |
//! | asyncio SemaphoreTests.test_acquire_fifo_order | `tasks_that_ask_again_and_again_take_turns` |
//! | asyncio SemaphoreTests.test_acquire_fifo_order_2 | `permit_released_before_all_have_resumed_goes_on_at_once` |
//! | asyncio SemaphoreTests.test_acquire_fifo_order_3 | `releases_pass_a_cancelled_waiter_by` |
//! | asyncio SemaphoreTests.test_acquire_fifo_order_4 | `granted_permits_are_gone_before_their_tasks_resume` |
//! | tokio sync_semaphore::no_permits | `none_are_allowed_and_none_can_be_taken` |
//! | tokio sync_semaphore::try_acquire | `try_acquire_takes_what_is_there` |
//! | tokio sync_semaphore::acquire | `waiting_task_goes_on_when_a_permit_comes_back_or_is_added` |
//! | tokio sync_semaphore::add_permits | `waiting_task_goes_on_when_a_permit_comes_back_or_is_added` |
//! | tokio sync_semaphore::close_drops_wakers_outside_lock | `close_takes_no_lock_into_foreign_code` |
//! | tokio sync_semaphore::close_wakes_waiters_outside_lock | `close_takes_no_lock_into_foreign_code` |
//! | tokio sync_semaphore::close_wakes_all_waiters | `close_ends_the_waits_of_more_than_one_batch` |
//! | tokio sync_semaphore::add_permits_open | `permits_can_be_added_open_and_closed` |
//! | tokio sync_semaphore::add_permits_closed | `permits_can_be_added_open_and_closed` |
//! | tokio sync_semaphore::forget | `forgotten_permits_do_not_come_back` |
//! | tokio sync_semaphore::forget_open | `as_many_as_there_are_can_be_forgotten` |
//! | tokio sync_semaphore::forget_closed | `as_many_as_there_are_can_be_forgotten` |
//! | tokio sync_semaphore::merge | `merged_permits_come_back_together` |
//! | tokio sync_semaphore::merge_unrelated_permits | `merge_of_two_semaphores_panics_where_it_is_called` |
//! | tokio sync_semaphore::permit_semaphore | `permit_knows_its_semaphore` |
//! | tokio sync_semaphore::split | `split_permits_come_back_one_by_one` |
//! | tokio sync_semaphore::stress_test | `thousand_tasks_leave_the_count_as_it_was` |
//! | tokio sync_semaphore::add_max_amount_permits | `as_many_as_max_permits_fit_and_no_more` |
//! | tokio sync_semaphore::add_more_than_max_amount_permits1 | `as_many_as_max_permits_fit_and_no_more` |
//! | tokio sync_semaphore::add_more_than_max_amount_permits2 | `as_many_as_max_permits_fit_and_no_more` |
//! | tokio sync_semaphore::acquire_many_exceeds_maxpermits | `request_that_no_semaphore_can_meet_panics` |
//! | tokio sync_semaphore::acquire_many_top_bit_exceeds_maxpermits | `request_that_no_semaphore_can_meet_panics` |
//! | tokio sync_semaphore::panic_when_exceeds_maxpermits | `as_many_as_max_permits_fit_and_no_more` |
//! | tokio sync_semaphore::no_panic_at_maxpermits | `as_many_as_max_permits_fit_and_no_more` |
//! | tokio sync_semaphore::merge_many_permits | `more_permits_than_fit_into_u32_can_be_merged` |
//! | tokio sync_semaphore::blocking_acquire | `blocking_acquisitions_take_and_give_back` |
//! | tokio sync_semaphore::blocking_acquire_waits_for_permit | `blocking_acquisition_waits_on_its_thread` |
//! | tokio sync_semaphore::blocking_acquire_many | `blocking_acquisitions_take_and_give_back` |
//! | tokio sync_semaphore::blocking_acquire_owned | `blocking_acquisitions_take_and_give_back` |
//! | tokio sync_semaphore::blocking_acquire_many_owned | `blocking_acquisitions_take_and_give_back` |
//! | tokio sync_semaphore::blocking_acquire_closed | `blocking_acquisitions_of_a_closed_semaphore_are_errors` |
//! | tokio sync_semaphore::blocking_acquire_in_async_context | `blocking_acquisitions_work_within_a_runtime` |
//! | tokio sync_semaphore::blocking_acquire_many_in_async_context | `blocking_acquisitions_work_within_a_runtime` |
//! | tokio sync_semaphore::blocking_acquire_owned_in_async_context | `blocking_acquisitions_work_within_a_runtime` |
//! | tokio sync_semaphore::blocking_acquire_many_owned_in_async_context | `blocking_acquisitions_work_within_a_runtime` |
//! | tokio sync_semaphore_owned::try_acquire | `try_acquire_takes_what_is_there` |
//! | tokio sync_semaphore_owned::try_acquire_many | `try_acquire_takes_what_is_there` |
//! | tokio sync_semaphore_owned::acquire | `waiting_task_goes_on_when_a_permit_comes_back_or_is_added` |
//! | tokio sync_semaphore_owned::acquire_many | `many_are_acquired_as_soon_as_they_are_there` |
//! | tokio sync_semaphore_owned::acquire_many_owned_exceeds_maxpermits | `request_that_no_semaphore_can_meet_panics` |
//! | tokio sync_semaphore_owned::acquire_many_owned_top_bit_exceeds_maxpermits | `request_that_no_semaphore_can_meet_panics` |
//! | tokio sync_semaphore_owned::add_permits | `waiting_task_goes_on_when_a_permit_comes_back_or_is_added` |
//! | tokio sync_semaphore_owned::forget | `forgotten_permits_do_not_come_back` |
//! | tokio sync_semaphore_owned::merge | `merged_permits_come_back_together` |
//! | tokio sync_semaphore_owned::merge_unrelated_permits | `merge_of_two_semaphores_panics_where_it_is_called` |
//! | tokio sync_semaphore_owned::merge_many_permits_owned | `more_permits_than_fit_into_u32_can_be_merged` |
//! | tokio sync_semaphore_owned::split | `split_permits_come_back_one_by_one` |
//! | tokio sync_semaphore_owned::stress_test | `thousand_tasks_leave_the_count_as_it_was` |
//! | tokio semaphore_batch::poll_acquire_one_available | `acquire_takes_what_is_there` |
//! | tokio semaphore_batch::poll_acquire_many_available | `acquire_takes_what_is_there` |
//! | tokio semaphore_batch::try_acquire_one_available | `try_acquire_takes_what_is_there` |
//! | tokio semaphore_batch::try_acquire_many_available | `try_acquire_takes_what_is_there` |
//! | tokio semaphore_batch::poll_acquire_one_unavailable | `waiter_is_woken_by_the_release_and_not_before` |
//! | tokio semaphore_batch::poll_acquire_many_unavailable | `large_request_is_served_before_a_small_one_behind_it` |
//! | tokio semaphore_batch::try_acquire_one_unavailable | `try_acquire_takes_what_is_there` |
//! | tokio semaphore_batch::try_acquire_many_unavailable | `try_acquire_takes_what_is_there` |
//! | tokio semaphore_batch::poll_acquire_one_zero_permits | `waiter_is_woken_by_the_release_and_not_before` |
//! | tokio semaphore_batch::max_permits_doesnt_panic | `as_many_as_max_permits_fit_and_no_more` |
//! | tokio semaphore_batch::validates_max_permits | `as_many_as_max_permits_fit_and_no_more` |
//! | tokio semaphore_batch::try_acquire_validates_max_permits | `request_that_no_semaphore_can_meet_panics` |
//! | tokio semaphore_batch::acquire_validates_max_permits | `request_that_no_semaphore_can_meet_panics` |
//! | tokio semaphore_batch::acquire_validates_top_bit_permits | `request_that_no_semaphore_can_meet_panics` |
//! | tokio semaphore_batch::close_semaphore_prevents_acquire | `closed_semaphore_refuses_though_it_has_permits` |
//! | tokio semaphore_batch::close_semaphore_notifies_permit1 | `close_ends_each_wait_and_permits_still_come_back` |
//! | tokio semaphore_batch::close_semaphore_notifies_permit2 | `close_ends_each_wait_and_permits_still_come_back` |
//! | tokio semaphore_batch::cancel_acquire_releases_permits | `permits_that_a_large_request_waits_for_stay_in_the_count` |
//! | tokio semaphore_batch::release_permits_at_drop | `waker_may_give_a_permit_back_when_it_is_replaced` |
//! | tokio semaphore_batch::forget_permits_basic | `as_many_as_there_are_can_be_forgotten` |
//! | tokio semaphore_batch::update_permits_many_times | `release_beyond_a_large_request_leaves_the_rest` |
//! | tokio semaphore_batch_loom::basic_usage | loom: `no_more_are_inside_than_there_are_permits` |
//! | tokio semaphore_batch_loom::release | loom: `one_permit_excludes_and_publishes` |
//! | tokio semaphore_batch_loom::basic_closing | loom: `acquire_during_a_close_ends` |
//! | tokio semaphore_batch_loom::concurrent_close | loom: `acquire_during_a_close_ends`; closing again finds nothing to do |
//! | tokio semaphore_batch_loom::concurrent_cancel | loom: `waiter_cancelled_during_a_release_strands_no_permit` |
//! | tokio semaphore_batch_loom::batch | loom: `large_request_gathers_permits_from_two_threads` |
//! | tokio semaphore_batch_loom::release_during_acquire | loom: `large_request_gathers_permits_from_two_threads` |
//! | tokio semaphore_batch_loom::concurrent_permit_updates | loom: `permits_forgotten_during_a_release_are_counted_once` |
//! | tokio sync_panic::semaphore_merge_unrelated_owned_permits | `merge_of_two_semaphores_panics_where_it_is_called` |
//! | tokio sync_panic::semaphore_merge_unrelated_permits | `merge_of_two_semaphores_panics_where_it_is_called` |

mod blocking;
mod counts;

use std::sync::Arc;
use std::sync::Mutex as StdMutex;

use sync::{Semaphore, TryAcquireError};
use tokio::task::yield_now;

use crate::common::{Task, now, on_drop};

#[test]
fn none_are_allowed_and_none_can_be_taken() {
    let semaphore = Semaphore::new(0);
    assert_eq!(semaphore.available_permits(), 0);
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
}

#[test]
fn debug_and_statistics_show_the_counts() {
    let semaphore = Semaphore::new(1);
    assert!(format!("{semaphore:?}").contains("available: 1"));
    let _permit = semaphore.try_acquire().unwrap();
    let _waiters = [Task::waiting(semaphore.acquire()), Task::waiting(semaphore.acquire())];
    assert!(format!("{semaphore:?}").contains("available: 0"));
    let statistics = semaphore.statistics();
    assert_eq!((statistics.available, statistics.waiting, statistics.closed), (0, 2, false));
}

#[test]
fn releases_go_to_those_who_wait_and_the_count_stays_at_zero() {
    let semaphore = Semaphore::new(3);
    let mut held: Vec<_> = (0..3).map(|_| now(semaphore.acquire()).unwrap()).collect();
    let mut waiters = [(); 3].map(|()| Task::waiting(semaphore.acquire()));
    held.truncate(1);
    assert_eq!(semaphore.available_permits(), 0);
    held.push(waiters[0].woken().unwrap());
    held.push(waiters[1].woken().unwrap());
    waiters[2].assert_waits();
    assert_eq!(semaphore.statistics().waiting, 1);
    held.pop();
    held.push(waiters[2].woken().unwrap());
    assert_eq!(semaphore.available_permits(), 0);
}

#[test]
fn cancelled_waiter_leaves_nothing_behind() {
    let semaphore = Semaphore::new(1);
    let permit = semaphore.try_acquire().unwrap();
    drop(Task::waiting(semaphore.acquire()));
    assert_eq!(semaphore.statistics().waiting, 0);
    drop(permit);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn release_goes_to_the_first_who_was_not_cancelled() {
    let semaphore = Semaphore::new(0);
    let [first, second, mut third, mut fourth] = [(); 4].map(|()| Task::waiting(semaphore.acquire()));
    drop((first, second));
    semaphore.add_permits(1);
    third.woken().unwrap().forget();
    fourth.assert_waits();
}

#[test]
fn release_beside_a_cancel_is_not_lost() {
    for cancel_first in [true, false] {
        let semaphore = Semaphore::new(0);
        let [cancelled, mut next] = [(); 2].map(|()| Task::waiting(semaphore.acquire()));
        if cancel_first {
            drop(cancelled);
            semaphore.add_permits(1);
        } else {
            semaphore.add_permits(1);
            drop(cancelled);
        }
        let _permit = next.woken().unwrap();
        assert_eq!(semaphore.available_permits(), 0);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn holder_may_cancel_a_waiter() {
    let semaphore = Arc::new(Semaphore::new(1));
    let permit = semaphore.acquire().await.unwrap();
    let waiter = tokio::spawn({
        let semaphore = Arc::clone(&semaphore);
        async move {
            let _permit = semaphore.acquire().await;
            panic!("it was cancelled before");
        }
    });
    yield_now().await;
    assert_eq!(semaphore.statistics().waiting, 1);
    waiter.abort();
    drop(permit);
    assert!(waiter.await.unwrap_err().is_cancelled());
    assert!(semaphore.acquire().await.is_ok());
}

#[test]
fn release_without_waiters_leaves_it_free() {
    let semaphore = Semaphore::new(1);
    let permit = now(semaphore.acquire()).unwrap();
    assert_eq!(semaphore.available_permits(), 0);
    drop(permit);
    assert_eq!(semaphore.available_permits(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn tasks_that_ask_again_and_again_take_turns() {
    let semaphore = Arc::new(Semaphore::new(1));
    let turns = Arc::new(StdMutex::new(Vec::new()));
    let tasks: Vec<_> = (0..3)
        .map(|task| {
            let (semaphore, turns) = (Arc::clone(&semaphore), Arc::clone(&turns));
            tokio::spawn(async move {
                for round in 0..3 {
                    let _permit = semaphore.acquire().await.unwrap();
                    turns.lock().unwrap().push((round, task));
                    yield_now().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let expected: Vec<_> = (0..3).flat_map(|round| (0..3).map(move |task| (round, task))).collect();
    assert_eq!(*turns.lock().unwrap(), expected);
}

/// One has the permit and two wait; two more come in. asyncio orders by resumption: the second, who takes, releases
/// and asks again, gets in behind the third. Here the third has its grant since the releases, so the second finds the
/// permit that it has just given back.
#[test]
fn permit_released_before_all_have_resumed_goes_on_at_once() {
    let semaphore = Semaphore::new(1);
    now(semaphore.acquire()).unwrap().forget();
    let [mut second, mut third] = [(); 2].map(|()| Task::waiting(semaphore.acquire()));
    semaphore.add_permits(2);
    drop(second.woken());
    // Before the third has run.
    now(semaphore.acquire()).unwrap().forget();
    third.woken().unwrap().forget();
    assert_eq!(semaphore.available_permits(), 0);
}

#[test]
fn releases_pass_a_cancelled_waiter_by() {
    let semaphore = Semaphore::new(0);
    let [cancelled, mut second, mut third] = [(); 3].map(|()| Task::waiting(semaphore.acquire()));
    drop(cancelled);
    semaphore.add_permits(2);
    let permits = (second.woken().unwrap(), third.woken().unwrap());
    assert_eq!(semaphore.available_permits(), 0);
    drop(permits);
}

/// One waits, three permits come in, and two more ask before the first has run. asyncio makes the two wait until it has
/// resumed, although two permits are left; here its permit is its own since the release, and they go in at once.
#[test]
fn granted_permits_are_gone_before_their_tasks_resume() {
    let semaphore = Semaphore::new(0);
    let mut first = Task::waiting(semaphore.acquire());
    for _ in 0..3 {
        semaphore.add_permits(1);
    }
    assert_eq!(semaphore.available_permits(), 2);
    assert_eq!(semaphore.statistics().waiting, 0);
    now(semaphore.acquire()).unwrap().forget();
    now(semaphore.acquire()).unwrap().forget();
    Task::waiting(semaphore.acquire()).assert_waits();
    first.woken().unwrap().forget();
}

#[test]
fn acquire_takes_what_is_there() {
    let semaphore = Arc::new(Semaphore::new(100));
    let one = now(semaphore.acquire()).unwrap();
    assert_eq!(semaphore.available_permits(), 99);
    let many = now(semaphore.acquire_many(5)).unwrap();
    let owned = now(Arc::clone(&semaphore).acquire_many_owned(5)).unwrap();
    assert_eq!(semaphore.available_permits(), 89);
    assert_eq!((one.num_permits(), many.num_permits(), owned.num_permits()), (1, 5, 5));
}

#[test]
fn try_acquire_takes_what_is_there() {
    let semaphore = Arc::new(Semaphore::new(42));
    let all = Arc::clone(&semaphore).try_acquire_many_owned(42).unwrap();
    assert!(semaphore.try_acquire().is_err());
    assert!(Arc::clone(&semaphore).try_acquire_owned().is_err());
    drop(all);
    let most = semaphore.try_acquire_many(32).unwrap();
    assert!(semaphore.try_acquire_many(11).is_err());
    assert_eq!(semaphore.available_permits(), 10);
    let rest = Arc::clone(&semaphore).try_acquire_many_owned(10).unwrap();
    assert!(semaphore.try_acquire().is_err());
    drop((most, rest));
    assert_eq!(semaphore.available_permits(), 42);
}

#[tokio::test(flavor = "current_thread")]
async fn waiting_task_goes_on_when_a_permit_comes_back_or_is_added() {
    for add in [false, true] {
        for owned in [false, true] {
            let semaphore = Arc::new(Semaphore::new(1));
            let permit = semaphore.try_acquire().unwrap();
            let task = tokio::spawn({
                let semaphore = Arc::clone(&semaphore);
                async move {
                    if owned {
                        drop(semaphore.acquire_owned().await.unwrap());
                    } else {
                        drop(semaphore.acquire().await.unwrap());
                    }
                }
            });
            yield_now().await;
            assert_eq!(semaphore.statistics().waiting, 1);
            if add {
                permit.forget();
                semaphore.add_permits(1);
            } else {
                drop(permit);
            }
            task.await.unwrap();
            assert_eq!(semaphore.available_permits(), 1);
        }
    }
}

#[test]
fn many_are_acquired_as_soon_as_they_are_there() {
    let semaphore = Arc::new(Semaphore::new(42));
    let most = Arc::clone(&semaphore).try_acquire_many_owned(32).unwrap();
    let ten = now(Arc::clone(&semaphore).acquire_many_owned(10)).unwrap();
    let mut waiter = Task::waiting(Arc::clone(&semaphore).acquire_many_owned(32));
    drop(most);
    assert_eq!(waiter.woken().unwrap().num_permits(), 32);
    drop(ten);
    assert_eq!(semaphore.available_permits(), 42);
}

#[test]
fn waiter_is_woken_by_the_release_and_not_before() {
    let semaphore = Semaphore::new(0);
    let mut waiter = Task::waiting(semaphore.acquire());
    waiter.assert_waits();
    semaphore.add_permits(1);
    assert_eq!(semaphore.available_permits(), 0);
    drop(waiter.woken());
    assert_eq!(semaphore.available_permits(), 1);
}

/// tokio counts what the large request has gathered as gone; here it counts until the request is granted.
#[test]
fn large_request_is_served_before_a_small_one_behind_it() {
    let semaphore = Semaphore::new(5);
    now(semaphore.acquire()).unwrap().forget();
    let mut large = Task::waiting(semaphore.acquire_many(5));
    let mut small = Task::waiting(semaphore.acquire_many(3));
    assert_eq!(semaphore.available_permits(), 4);
    semaphore.add_permits(1);
    large.woken().unwrap().forget();
    assert_eq!(semaphore.available_permits(), 0);
    semaphore.add_permits(1);
    small.assert_waits();
    assert_eq!(semaphore.available_permits(), 1);
    semaphore.add_permits(2);
    drop(small.woken());
}

/// tokio takes them out of the count while the request waits, and puts them back when it is cancelled.
#[test]
fn permits_that_a_large_request_waits_for_stay_in_the_count() {
    let semaphore = Semaphore::new(10);
    semaphore.try_acquire_many(4).unwrap().forget();
    let large = Task::waiting(semaphore.acquire_many(8));
    assert_eq!(semaphore.available_permits(), 6);
    assert!(semaphore.try_acquire().is_err(), "a request that waits was overtaken");
    drop(large);
    assert_eq!(semaphore.available_permits(), 6);
    assert!(semaphore.try_acquire_many(6).is_ok());
}

#[test]
fn release_beyond_a_large_request_leaves_the_rest() {
    let semaphore = Semaphore::new(5);
    let mut large = Task::waiting(semaphore.acquire_many(7));
    semaphore.add_permits(5);
    large.woken().unwrap().forget();
    assert_eq!(semaphore.available_permits(), 3);
    assert_eq!(semaphore.forget_permits(3), 3);
    assert_eq!(semaphore.available_permits(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn thousand_tasks_leave_the_count_as_it_was() {
    let semaphore = Arc::new(Semaphore::new(5));
    let tasks: Vec<_> = (0..1_000)
        .map(|number| {
            let semaphore = Arc::clone(&semaphore);
            tokio::spawn(async move {
                if number % 2 == 0 {
                    let _permit = semaphore.acquire().await.unwrap();
                    yield_now().await;
                } else {
                    let _permit = semaphore.acquire_owned().await.unwrap();
                    yield_now().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let statistics = semaphore.statistics();
    assert_eq!((statistics.available, statistics.waiting), (5, 0));
}

#[test]
fn waker_may_give_a_permit_back_when_it_is_replaced() {
    let semaphore = Arc::new(Semaphore::new(1));
    let permit = StdMutex::new(Some(Arc::clone(&semaphore).try_acquire_owned().unwrap()));
    let mut waiter = Task::new(semaphore.acquire());
    assert!(waiter.poll_with(&on_drop(move || drop(permit.lock().unwrap().take()))).is_pending());
    // The new waker takes the old one's place, whose permit then goes to this very waiter.
    while waiter.poll().is_pending() {
        assert_eq!(waiter.wakes(), 1);
    }
}
