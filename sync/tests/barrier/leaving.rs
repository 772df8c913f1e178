//! What comes while a phase is being left: wakers that call back between two batches, panic, or do so when they are
//! cloned or dropped.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};

use sync::Barrier;
use sync::futures::BarrierWaitOwned;

use crate::common::{Task, now, on_drop, on_wake, panic_message, poll_once};
use crate::{arrive, assert_broken, assert_leads, assert_released, index};

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
