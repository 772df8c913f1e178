//! Behaviour of `Barrier`, poll by poll, and under several tasks with cancellations, aborts and resets.
#![cfg(not(loom))]

mod common;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};

use common::{
    Random, Task, assert_not_impl, is_send, is_sync, now, on_drop, on_wake, panic_message, poll_once,
};
use sync::futures::{BarrierWait, BarrierWaitOwned};
use sync::{Barrier, BarrierError, BarrierWaitResult};

type Outcome = Result<BarrierWaitResult, BarrierError>;

#[test]
fn types_are_send_and_sync() {
    is_send::<Barrier>();
    is_sync::<Barrier>();
    is_send::<BarrierWait<'static>>();
    is_send::<BarrierWaitOwned>();
    is_send::<BarrierWaitResult>();
    is_send::<BarrierError>();
    is_sync::<BarrierError>();
}
assert_not_impl!(BarrierWait<'static>: Unpin);
assert_not_impl!(BarrierWaitOwned: Unpin);

#[track_caller]
fn index(outcome: Outcome) -> usize {
    outcome.expect("it was released").index()
}

/// That the last of a phase is ready at once, as its leader.
#[track_caller]
fn assert_leads(barrier: &Barrier) {
    let result = now(barrier.wait()).expect("it is whole");
    assert!(result.is_leader());
    assert_eq!(result.index(), barrier.parties() - 1);
    assert_eq!(barrier.waiting(), 0);
}

fn arrive<'a>(barrier: &'a Barrier, n: usize) -> Vec<Task<BarrierWait<'a>>> {
    (0..n).map(|_| Task::waiting(barrier.wait())).collect()
}

/// That those tasks were woken, each once, as the parties from `first` on, and that none leads.
#[track_caller]
fn assert_released<F: Future<Output = Outcome>>(tasks: &mut [Task<F>], first: usize) {
    for (task, expected) in tasks.iter_mut().zip(first..) {
        let result = task.woken().expect("it was released");
        assert_eq!((result.index(), result.is_leader()), (expected, false));
    }
}

#[track_caller]
fn assert_broken<F: Future<Output = Outcome>>(tasks: &mut [Task<F>]) {
    for task in tasks {
        task.woken().expect_err("it was not released");
    }
}

#[test]
fn barrier_of_one_never_waits() {
    let barrier = Arc::new(Barrier::new(1));
    for _ in 0..3 {
        assert_leads(&barrier);
        assert_eq!(index(now(Arc::clone(&barrier).wait_owned())), 0);
    }
}

#[test]
fn phases_of_any_size_follow_each_other() {
    for parties in [1, 2, 3, 32, 33, 34, 65, 1000] {
        let barrier = Barrier::new(parties);
        for _ in 0..3 {
            let mut tasks = arrive(&barrier, parties - 1);
            assert_eq!(barrier.waiting(), parties - 1);
            assert_leads(&barrier);
            assert_released(&mut tasks, 0);
        }
    }
}

#[test]
fn waiters_are_woken_in_the_order_of_their_first_polls() {
    const N: usize = 100;
    let barrier = Barrier::new(N + 1);
    let order = Arc::new(StdMutex::new(Vec::new()));
    let mut tasks: Vec<_> = (0..N).map(|_| Task::new(barrier.wait())).collect();
    for (i, task) in tasks.iter_mut().enumerate().rev() {
        let order = Arc::clone(&order);
        assert!(task.poll_with(&on_wake(move || order.lock().unwrap().push(i))).is_pending());
    }
    assert_leads(&barrier);
    assert_eq!(*order.lock().unwrap(), (0..N).rev().collect::<Vec<_>>());
    for (i, task) in tasks.iter_mut().enumerate() {
        assert_eq!(index(task.ready()), N - 1 - i);
    }
}

#[test]
fn wait_that_was_never_polled_does_not_count() {
    let barrier = Barrier::new(2);
    let unpolled = barrier.wait();
    assert_eq!(barrier.waiting(), 0);
    let mut task = Task::waiting(barrier.wait());
    drop(unpolled);
    task.assert_waits();
    assert_leads(&barrier);
    assert_eq!(index(task.woken()), 0);
}

#[test]
fn newcomers_after_a_release_belong_to_the_next_phase() {
    let barrier = Barrier::new(3);
    let mut released = arrive(&barrier, 2);
    assert_leads(&barrier);
    let mut newcomers = arrive(&barrier, 2);
    assert_eq!(barrier.waiting(), 2);
    assert_released(&mut released, 0);
    newcomers.iter_mut().for_each(Task::assert_waits);
    assert_leads(&barrier);
    assert_released(&mut newcomers, 0);
}

#[test]
fn dropped_wait_takes_its_arrival_back_wherever_it_stands() {
    for gone in 0..4 {
        let barrier = Barrier::new(5);
        let mut tasks = arrive(&barrier, 4);
        drop(tasks.remove(gone));
        assert_eq!(barrier.waiting(), 3);
        // It stands in for the one that left; without that the phase would be released a party short.
        tasks.push(Task::waiting(barrier.wait()));
        assert_leads(&barrier);
        assert_released(&mut tasks, 0);
    }
}

#[test]
fn everybody_may_leave_again() {
    let barrier = Barrier::new(100);
    drop(arrive(&barrier, 99));
    assert_eq!(barrier.waiting(), 0);
    let mut tasks = arrive(&barrier, 99);
    assert_leads(&barrier);
    assert_released(&mut tasks, 0);
}

#[test]
fn released_wait_can_be_dropped_unpolled() {
    let barrier = Barrier::new(3);
    let mut tasks = arrive(&barrier, 2);
    assert_leads(&barrier);
    let mut newcomer = Task::waiting(barrier.wait());
    drop(tasks.remove(0));
    assert_eq!(barrier.waiting(), 1, "it takes no arrival of the next phase back");
    assert_released(&mut tasks, 1);
    newcomer.assert_waits();
}

#[test]
fn released_wait_is_ok_whatever_follows() {
    let barrier = Barrier::new(3);
    let mut tasks = arrive(&barrier, 2);
    assert_leads(&barrier);
    barrier.abort();
    assert_eq!(index(tasks[1].woken()), 1);
    barrier.reset();
    let mut newcomers = arrive(&barrier, 2);
    assert_leads(&barrier);
    assert_eq!(index(tasks[0].woken()), 0);
    barrier.reset();
    assert_released(&mut newcomers, 0);
}

#[test]
fn abort_breaks_who_waits_and_who_comes_until_reset() {
    for parties in [2, 33, 34, 1000] {
        let barrier = Barrier::new(parties);
        let mut tasks = arrive(&barrier, parties - 1);
        barrier.abort();
        assert!(barrier.is_broken());
        assert_eq!(barrier.waiting(), 0);
        assert_broken(&mut tasks);
        barrier.abort();
        for _ in 0..parties {
            now(barrier.wait()).expect_err("it is broken");
        }
        assert_eq!(barrier.waiting(), 0);
        barrier.reset();
        assert!(!barrier.is_broken());
        let mut tasks = arrive(&barrier, parties - 1);
        assert_leads(&barrier);
        assert_released(&mut tasks, 0);
    }
}

#[test]
fn reset_breaks_who_waits_and_lets_others_come() {
    for parties in [2, 33, 34, 1000] {
        let barrier = Barrier::new(parties);
        let mut tasks = arrive(&barrier, parties - 1);
        barrier.reset();
        assert!(!barrier.is_broken());
        assert_eq!(barrier.waiting(), 0);
        let mut next = arrive(&barrier, parties - 1);
        assert_broken(&mut tasks);
        assert_leads(&barrier);
        assert_released(&mut next, 0);
        barrier.reset();
        assert_eq!(barrier.waiting(), 0);
    }
}

#[test]
fn broken_wait_can_be_dropped_unpolled() {
    let barrier = Barrier::new(3);
    let tasks = arrive(&barrier, 2);
    barrier.reset();
    let mut newcomer = Task::waiting(barrier.wait());
    drop(tasks);
    assert_eq!(barrier.waiting(), 1);
    newcomer.assert_waits();
}

#[test]
fn parties_without_end_overflow_nothing() {
    let barrier = Barrier::new(usize::MAX);
    let mut tasks = arrive(&barrier, 100);
    assert_eq!(barrier.parties(), usize::MAX);
    assert_eq!(barrier.waiting(), 100);
    drop(tasks.split_off(50));
    assert_eq!(barrier.waiting(), 50);
    barrier.reset();
    assert_broken(&mut tasks);
}

#[test]
fn zero_parties_panic() {
    assert!(panic_message(|| drop(Barrier::new(0))).starts_with("Barrier::new: 0 parties"));
}

#[test]
fn statistics_and_debug_say_how_it_stands() {
    let barrier = Arc::new(Barrier::new(3).with_name("named"));
    let tasks = arrive(&barrier, 2);
    let statistics = barrier.statistics();
    assert_eq!((statistics.parties, statistics.waiting, statistics.broken), (3, 2, false));
    assert_eq!(format!("{barrier:?}"), "Barrier { parties: 3, waiting: 2, broken: false, .. }");
    drop(tasks);
    barrier.abort();
    let statistics = barrier.statistics();
    assert_eq!((statistics.parties, statistics.waiting, statistics.broken), (3, 0, true));
    assert!(format!("{:?}", barrier.wait()).starts_with("BarrierWait"));
    assert!(format!("{:?}", Arc::clone(&barrier).wait_owned()).starts_with("BarrierWaitOwned"));
    let error = now(barrier.wait()).expect_err("it is broken");
    assert!(error.to_string().contains("call `reset`"), "it says what to do: {error}");
    barrier.reset();
    let result = now(Barrier::new(1).wait()).expect("it is whole");
    assert_eq!(format!("{:?}", result.clone()), "BarrierWaitResult { index: 0, is_leader: true }");
}

#[test]
fn owned_wait_keeps_its_barrier_alive() {
    let barrier = Arc::new(Barrier::new(2));
    let mut task = Task::waiting(Arc::clone(&barrier).wait_owned());
    let mut last = Task::new(Arc::clone(&barrier).wait_owned());
    drop(barrier);
    assert_eq!(index(last.ready()), 1);
    drop(last);
    assert_eq!(index(task.woken()), 0);
}

#[test]
fn poll_after_ready_panics() {
    let barrier = Barrier::new(2);
    let mut task = Task::waiting(barrier.wait());
    let mut last = Task::new(barrier.wait());
    last.ready().expect("it is whole");
    task.woken().expect("it was released");
    barrier.abort();
    let mut broken = Task::new(barrier.wait());
    broken.ready().expect_err("it is broken");
    for task in [&mut task, &mut last, &mut broken] {
        assert!(panic_message(|| _ = task.poll()).contains("polled after it was ready"));
    }
}

#[test]
fn last_waker_is_the_one_that_is_woken() {
    let barrier = Barrier::new(2);
    let mut task = Task::waiting(barrier.wait());
    let woken = Arc::new(AtomicUsize::new(0));
    let waker = {
        let woken = Arc::clone(&woken);
        on_wake(move || _ = woken.fetch_add(1, Ordering::SeqCst))
    };
    assert!(task.poll_with(&waker).is_pending());
    assert_leads(&barrier);
    assert_eq!((task.wakes(), woken.load(Ordering::SeqCst)), (0, 1));
    task.ready().expect("it was released");
}

/// What a waker does that is called between the batches of a release or a break, while others still leave.
struct Scene {
    barrier: Arc<Barrier>,
    /// More than two batches.
    leaving: Vec<Task<BarrierWaitOwned>>,
}

impl Scene {
    const LEAVING: usize = 100;

    /// Has a hundred wait behind one whose waker calls `step`, of a barrier of `parties`, then calls `end`.
    fn play(
        parties: usize,
        step: impl Fn(&Arc<Barrier>) + Send + Sync + 'static,
        end: impl FnOnce(&Arc<Barrier>),
    ) -> Self {
        let barrier = Arc::new(Barrier::new(parties));
        let mut first = Task::new(Arc::clone(&barrier).wait_owned());
        let waker = {
            let barrier = Arc::clone(&barrier);
            on_wake(move || step(&barrier))
        };
        assert!(first.poll_with(&waker).is_pending());
        let leaving = (0..Self::LEAVING).map(|_| Task::waiting(Arc::clone(&barrier).wait_owned())).collect();
        end(&barrier);
        assert!(matches!(first.poll(), Poll::Ready(_)), "the first was let go");
        Self { barrier, leaving }
    }

    /// The same, by the last arrival.
    fn release(step: impl Fn(&Arc<Barrier>) + Send + Sync + 'static) -> Self {
        Self::play(Self::LEAVING + 2, step, |barrier| {
            assert!(now(barrier.wait()).expect("it was the last").is_leader());
        })
    }
}

#[test]
fn wait_that_is_polled_while_it_leaves_is_released_all_the_same() {
    let barrier = Arc::new(Barrier::new(102));
    let tasks = Arc::new(StdMutex::new(Vec::<Task<BarrierWaitOwned>>::new()));
    let mut first = Task::new(Arc::clone(&barrier).wait_owned());
    let waker = {
        let tasks = Arc::clone(&tasks);
        // The last of them is in the list still; it must not be lost over its new waker.
        on_wake(move || assert!(tasks.lock().unwrap()[99].poll_with(&on_wake(|| ())).is_pending()))
    };
    assert!(first.poll_with(&waker).is_pending());
    for _ in 0..100 {
        tasks.lock().unwrap().push(Task::waiting(Arc::clone(&barrier).wait_owned()));
    }
    assert_leads(&barrier);
    assert_eq!(index(tasks.lock().unwrap()[99].ready()), 100);
}

#[test]
fn newcomers_between_two_batches_belong_to_the_next_phase() {
    let newcomers = Arc::new(StdMutex::new(Vec::new()));
    let mut scene = {
        let newcomers = Arc::clone(&newcomers);
        Scene::release(move |barrier| {
            assert_eq!(barrier.waiting(), 0);
            let mut newcomers = newcomers.lock().unwrap();
            newcomers.extend((0..40).map(|_| Task::waiting(Arc::clone(barrier).wait_owned())));
            assert_eq!(barrier.waiting(), 40);
            newcomers.truncate(30);
            assert_eq!(barrier.waiting(), 30);
        })
    };
    assert_eq!(scene.barrier.waiting(), 30);
    assert_released(&mut scene.leaving, 1);
    newcomers.lock().unwrap().iter_mut().for_each(Task::assert_waits);
}

#[test]
fn phase_that_fills_between_two_batches_is_released_at_once() {
    let next = Arc::new(StdMutex::new(Vec::new()));
    let mut scene = {
        let next = Arc::clone(&next);
        Scene::release(move |barrier| {
            let mut next = next.lock().unwrap();
            next.extend((0..101).map(|_| Task::waiting(Arc::clone(barrier).wait_owned())));
            assert_leads(barrier);
            next.push(Task::waiting(Arc::clone(barrier).wait_owned()));
        })
    };
    assert_released(&mut scene.leaving, 1);
    let mut next = next.lock().unwrap();
    assert_released(&mut next[..101], 0);
    next[101].assert_waits();
    assert_eq!(scene.barrier.waiting(), 1);
}

#[test]
fn abort_and_reset_between_two_batches_break_newcomers_only() {
    for (abort, reset) in [(true, false), (false, true), (true, true)] {
        let newcomers = Arc::new(StdMutex::new(Vec::new()));
        let mut scene = {
            let newcomers = Arc::clone(&newcomers);
            Scene::release(move |barrier| {
                let mut newcomers = newcomers.lock().unwrap();
                newcomers.extend((0..40).map(|_| Task::waiting(Arc::clone(barrier).wait_owned())));
                if abort {
                    barrier.abort();
                }
                if reset {
                    barrier.reset();
                }
                assert_eq!(barrier.waiting(), 0);
                assert_eq!(barrier.is_broken(), !reset);
            })
        };
        assert_released(&mut scene.leaving, 1);
        assert_broken(&mut newcomers.lock().unwrap());
    }
}

#[test]
fn newcomers_while_a_reset_ends_the_broken_belong_to_the_next_phase() {
    let newcomers = Arc::new(StdMutex::new(Vec::new()));
    let mut scene = {
        let newcomers = Arc::clone(&newcomers);
        Scene::play(
            102,
            move |barrier| {
                let mut newcomers = newcomers.lock().unwrap();
                newcomers.extend((0..101).map(|_| Task::waiting(Arc::clone(barrier).wait_owned())));
                // It ends the rest of the broken before it releases its own.
                assert_leads(barrier);
            },
            |barrier| barrier.reset(),
        )
    };
    assert_broken(&mut scene.leaving);
    assert_released(&mut newcomers.lock().unwrap(), 0);
}

#[test]
fn reset_while_an_abort_ends_the_broken_mends() {
    let mut scene = Scene::play(
        usize::MAX,
        |barrier| {
            assert!(barrier.is_broken());
            barrier.reset();
        },
        |barrier| barrier.abort(),
    );
    assert!(!scene.barrier.is_broken());
    assert_broken(&mut scene.leaving);
}

#[test]
fn released_waits_dropped_between_two_batches_move_nobody_up() {
    for victim in [0, 31, 32, 50, 99] {
        let barrier = Arc::new(Barrier::new(102));
        let tasks = Arc::new(StdMutex::new(Vec::<Option<Task<BarrierWaitOwned>>>::new()));
        let mut first = Task::new(Arc::clone(&barrier).wait_owned());
        let waker = {
            let tasks = Arc::clone(&tasks);
            on_wake(move || drop(tasks.lock().unwrap()[victim].take()))
        };
        assert!(first.poll_with(&waker).is_pending());
        for _ in 0..100 {
            tasks.lock().unwrap().push(Some(Task::waiting(Arc::clone(&barrier).wait_owned())));
        }
        assert_leads(&barrier);
        for (task, expected) in tasks.lock().unwrap().iter_mut().zip(1..) {
            match task {
                Some(task) => assert_eq!(index(task.woken()), expected),
                None => assert_eq!(expected, victim + 1),
            }
        }
        assert_eq!(barrier.waiting(), 0);
    }
}

#[test]
fn waker_may_drop_all_other_waits() {
    for release in [true, false] {
        let barrier = Arc::new(Barrier::new(102));
        let victims = Arc::new(StdMutex::new(Vec::<Pin<Box<BarrierWaitOwned>>>::new()));
        let mut first = Task::new(barrier.wait());
        let waker = {
            let victims = Arc::clone(&victims);
            on_wake(move || victims.lock().unwrap().clear())
        };
        assert!(first.poll_with(&waker).is_pending());
        for _ in 0..100 {
            let mut victim = Box::pin(Arc::clone(&barrier).wait_owned());
            assert!(poll_once(victim.as_mut()).is_pending());
            victims.lock().unwrap().push(victim);
        }
        if release {
            assert_leads(&barrier);
        } else {
            barrier.abort();
        }
        assert!(victims.lock().unwrap().is_empty());
        assert_eq!(first.ready().is_ok(), release);
        assert_eq!(barrier.waiting(), 0);
    }
}

#[test]
fn wakers_that_panic_keep_nobody_from_being_let_go() {
    for end in ["arrival", "abort", "reset"] {
        let barrier = Barrier::new(124);
        let mut bad: Vec<_> = (0..3).map(|_| Task::new(barrier.wait())).collect();
        let mut good = Vec::new();
        for (i, task) in bad.iter_mut().enumerate() {
            assert!(task.poll_with(&on_wake(move || panic!("bad waker {i}"))).is_pending());
            good.extend((0..40).map(|_| Task::waiting(barrier.wait())));
        }
        let message = panic_message(|| match end {
            "arrival" => drop(now(barrier.wait())),
            "abort" => barrier.abort(),
            _ => barrier.reset(),
        });
        assert_eq!(message, "bad waker 0");
        assert_eq!(barrier.waiting(), 0);
        assert_eq!(barrier.is_broken(), end == "abort");
        for task in &mut good {
            assert_eq!(task.woken().is_ok(), end == "arrival");
        }
        for task in &mut bad {
            assert_eq!(task.ready().is_ok(), end == "arrival");
        }
        barrier.reset();
        let mut tasks = arrive(&barrier, 123);
        assert_leads(&barrier);
        assert_released(&mut tasks, 0);
    }
}

/// It is asked to wake others, and one of those wakers panics: the destructor passes that on with its own work done.
#[test]
fn panic_of_a_waker_while_a_dropped_wait_helps_leaves_all_whole() {
    let barrier = Arc::new(Barrier::new(102));
    let victim = Arc::new(StdMutex::new(None));
    let mut first = Task::new(barrier.wait());
    let message = Arc::new(StdMutex::new(String::new()));
    let waker = {
        let (victim, message) = (Arc::clone(&victim), Arc::clone(&message));
        on_wake(move || {
            let taken: Option<Task<BarrierWaitOwned>> = victim.lock().unwrap().take();
            *message.lock().unwrap() = panic_message(|| drop(taken));
        })
    };
    assert!(first.poll_with(&waker).is_pending());
    let mut tasks = arrive(&barrier, 40);
    let mut bad = Task::new(barrier.wait());
    assert!(bad.poll_with(&on_wake(|| panic!("bad waker"))).is_pending());
    tasks.extend(arrive(&barrier, 58));
    *victim.lock().unwrap() = Some(Task::waiting(Arc::clone(&barrier).wait_owned()));
    assert_leads(&barrier);
    assert_eq!(*message.lock().unwrap(), "bad waker");
    assert_released(&mut tasks[..40], 1);
    assert_eq!(index(bad.ready()), 41);
    assert_released(&mut tasks[40..], 42);
    assert_eq!(barrier.waiting(), 0);
}

#[test]
fn waker_may_use_the_barrier_when_it_is_dropped() {
    let barrier = Arc::new(Barrier::new(2));
    let dropped = Arc::new(AtomicUsize::new(0));
    let waker = || {
        let (barrier, dropped) = (Arc::clone(&barrier), Arc::clone(&dropped));
        on_drop(move || {
            let _ = barrier.statistics();
            drop(Task::new(barrier.wait()).poll());
            dropped.fetch_add(1, Ordering::SeqCst);
        })
    };
    let mut task = Task::new(barrier.wait());
    assert!(task.poll_with(&waker()).is_pending());
    // The waker that is replaced arrives when it is dropped, and as the last one.
    assert!(task.poll_with(&waker()).is_pending());
    assert_eq!(dropped.load(Ordering::SeqCst), 2, "the second was woken by then");
    assert_eq!(index(task.ready()), 0);
    let mut task = Task::new(barrier.wait());
    assert!(task.poll_with(&waker()).is_pending());
    drop(task);
    assert_eq!(dropped.load(Ordering::SeqCst), 3);
    assert_eq!(barrier.waiting(), 0);
}

/// Others come, or break it, while the waker is cloned, between the look and the list: that wait is the last after all.
#[test]
fn what_happens_within_the_clone_of_a_waker_is_seen() {
    use std::cell::RefCell;
    use std::task::{RawWaker, RawWakerVTable};
    thread_local! {
        static DURING_CLONE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
    }
    fn clone(_: *const ()) -> RawWaker {
        if let Some(call) = DURING_CLONE.take() {
            call();
        }
        RawWaker::new(std::ptr::null(), &VTABLE)
    }
    static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, |_| (), |_| (), |_| ());
    // SAFETY: the functions use nothing of the pointer, and may be called from any thread.
    let waker = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) };

    let barrier = Arc::new(Barrier::new(3));
    let others = Arc::new(StdMutex::new(Vec::new()));
    let mut task = Task::new(barrier.wait());
    DURING_CLONE.set(Some(Box::new({
        let (barrier, others) = (Arc::clone(&barrier), Arc::clone(&others));
        move || {
            others.lock().unwrap().extend((0..2).map(|_| Task::waiting(Arc::clone(&barrier).wait_owned())))
        }
    })));
    assert!(matches!(task.poll_with(&waker), Poll::Ready(Ok(result)) if result.is_leader()));
    assert_released(&mut others.lock().unwrap(), 0);

    let mut task = Task::new(barrier.wait());
    DURING_CLONE.set(Some(Box::new({
        let barrier = Arc::clone(&barrier);
        move || barrier.abort()
    })));
    assert!(matches!(task.poll_with(&waker), Poll::Ready(Err(_))));
}

#[test]
fn hundred_thousand_arrivals_leave_in_any_order() {
    let barrier = Barrier::new(100_001);
    let mut waiters: Vec<Pin<Box<_>>> = (0..100_000).map(|_| Box::pin(barrier.wait())).collect();
    for waiter in &mut waiters {
        assert!(poll_once(waiter.as_mut()).is_pending());
    }
    Random(4).shuffle(&mut waiters);
    drop(waiters.split_off(50_000));
    assert_eq!(barrier.waiting(), 50_000);
    waiters.extend((0..50_000).map(|_| Box::pin(barrier.wait())));
    for waiter in &mut waiters[50_000..] {
        assert!(poll_once(waiter.as_mut()).is_pending());
    }
    assert_leads(&barrier);
    let mut seen = vec![false; 100_000];
    for waiter in &mut waiters {
        let Poll::Ready(outcome) = poll_once(waiter.as_mut()) else { panic!("it was not released") };
        assert!(!std::mem::replace(&mut seen[index(outcome)], true), "an index was given twice");
    }
}

#[test]
fn random_steps_agree_with_a_plain_model() {
    for seed in 0..30 {
        let mut random = Random(seed);
        let parties = [1, 2, 3, 5, 40][random.below(5)];
        let barrier = Barrier::new(parties);
        let mut broken = false;
        let mut waiting: Vec<Task<BarrierWait<'_>>> = Vec::new();
        // Ended but not polled yet, with what they will give.
        let mut ended: Vec<(Task<BarrierWait<'_>>, Option<usize>)> = Vec::new();
        for _ in 0..2_000 {
            match random.below(20 + parties) {
                0 => {
                    barrier.abort();
                    broken = true;
                    ended.extend(waiting.drain(..).map(|task| (task, None)));
                }
                1 | 2 => {
                    barrier.reset();
                    broken = false;
                    ended.extend(waiting.drain(..).map(|task| (task, None)));
                }
                3..6 if !waiting.is_empty() => drop(waiting.remove(random.below(waiting.len()))),
                6 if !ended.is_empty() => drop(ended.swap_remove(random.below(ended.len()))),
                7 if !waiting.is_empty() => {
                    let chosen = random.below(waiting.len());
                    waiting[chosen].assert_waits();
                }
                8 | 9 if !ended.is_empty() => {
                    let (mut task, expected) = ended.swap_remove(random.below(ended.len()));
                    assert_eq!(task.woken().ok().map(|result| result.index()), expected);
                }
                _ => {
                    let mut task = Task::new(barrier.wait());
                    match task.poll() {
                        Poll::Ready(Err(_)) => assert!(broken),
                        Poll::Ready(Ok(result)) => {
                            assert!(!broken && result.is_leader());
                            assert_eq!((waiting.len(), result.index()), (parties - 1, parties - 1));
                            ended.extend(waiting.drain(..).zip(0..).map(|(task, index)| (task, Some(index))));
                        }
                        Poll::Pending => {
                            assert!(!broken && waiting.len() < parties - 1);
                            waiting.push(task);
                        }
                    }
                }
            }
            let statistics = barrier.statistics();
            assert_eq!((statistics.waiting, statistics.broken), (waiting.len(), broken));
            assert!(waiting.iter().all(|task| task.wakes() == 0));
            assert!(ended.iter().all(|(task, _)| task.wakes() == 1));
        }
    }
}

/// No party may be more than a phase ahead of any other, however many arrivals are taken back meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hammer_with_cancellations_keeps_all_in_step() {
    const PARTIES: usize = 40;
    const PHASES: usize = 500;
    let barrier = Arc::new(Barrier::new(PARTIES));
    let [ready, indices] = [const { AtomicUsize::new(0) }; 2].map(Arc::new);
    let tasks: Vec<_> = (0..PARTIES)
        .map(|party| {
            let (barrier, ready, indices) = (Arc::clone(&barrier), Arc::clone(&ready), Arc::clone(&indices));
            tokio::spawn(async move {
                let mut random = Random(party as u64);
                for phase in 1..=PHASES {
                    // One comes when the others are done with that, so that no wait is released and dropped.
                    while party != 0 && random.below(3) != 0 {
                        let mut cancelled = Box::pin(barrier.wait());
                        assert!(poll_once(cancelled.as_mut()).is_pending(), "somebody is missing");
                        tokio::task::yield_now().await;
                    }
                    ready.fetch_add(1, Ordering::SeqCst);
                    while party == 0 && ready.load(Ordering::SeqCst) < PARTIES * phase {
                        tokio::task::yield_now().await;
                    }
                    indices.fetch_add(index(barrier.wait().await), Ordering::SeqCst);
                    assert!(ready.load(Ordering::SeqCst) >= PARTIES * phase, "it was released early");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(indices.load(Ordering::SeqCst), PHASES * PARTIES * (PARTIES - 1) / 2);
    assert_eq!(barrier.waiting(), 0);
}

/// Aborts, resets and drops come at any moment, also between batches and after a release.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hammer_with_aborts_and_resets_ends_every_wait() {
    const PARTIES: usize = 70;
    let barrier = Arc::new(Barrier::new(PARTIES));
    let [released, broken, over] = [const { AtomicUsize::new(0) }; 3].map(Arc::new);
    let parties: Vec<_> = (0..PARTIES + 10)
        .map(|seed| {
            let (barrier, over) = (Arc::clone(&barrier), Arc::clone(&over));
            let (released, broken) = (Arc::clone(&released), Arc::clone(&broken));
            tokio::spawn(async move {
                let mut random = Random(seed as u64);
                while over.load(Ordering::SeqCst) == 0 {
                    if random.below(8) == 0 {
                        let mut cancelled = Box::pin(barrier.wait());
                        let _ = poll_once(cancelled.as_mut());
                        tokio::task::yield_now().await;
                    } else if barrier.wait().await.is_ok() {
                        released.fetch_add(1, Ordering::SeqCst);
                    } else {
                        broken.fetch_add(1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    let mut random = Random(0);
    while released.load(Ordering::SeqCst) < 20_000 || broken.load(Ordering::SeqCst) < 2_000 {
        if random.below(40) == 0 {
            barrier.abort();
            tokio::task::yield_now().await;
        }
        if barrier.is_broken() || random.below(20) == 0 {
            barrier.reset();
        }
        tokio::task::yield_now().await;
    }
    over.store(1, Ordering::SeqCst);
    barrier.abort();
    for party in parties {
        party.await.unwrap();
    }
    assert_eq!(barrier.waiting(), 0);
}
