//! The probe of an open loop: lets each operation begin by a schedule, and times it from its intended start.
//!
//! In a closed loop a stall holds back the operations that would have met it, and is seen as one long wait. Here
//! they are due all the same: each that could not begin in time has waited since its intended start. (Gil Tene
//! called the other way coordinated omission.)

use std::future::{Future, ready};
use std::sync::{Arc, OnceLock};

use super::hold::yield_now;
use super::probe::{Equipment, Found, Latency, Probe};
use super::schedule::{Rest, Schedule};
use crate::{Pace, Stop};

/// When the operations of one task are to begin.
#[derive(Clone)]
pub(crate) struct Timetable {
    pub(crate) schedule: Schedule,
    /// The slot's first intended start; the first task that is let go sets it.
    pub(crate) origin_ns: Arc<OnceLock<u64>>,
}

/// What one task found of the schedule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskPace {
    schedule: Schedule,
    origin_ns: u64,
    /// When the task saw that the slot was over.
    over_ns: u64,
    on_time: u64,
    behind: u64,
    lag_sum_ns: u64,
    lag_max_ns: u64,
}

/// The pace of a slot, put together from its tasks'.
pub(crate) fn merge(tasks: &[TaskPace]) -> Option<Pace> {
    let first = tasks.first()?;
    // Who sees the end first is next to it; the others may have held or slept meanwhile.
    let over_ns = tasks.iter().map(|task| task.over_ns).min()?;
    let window_ns = over_ns.saturating_sub(first.origin_ns);
    let mut pace = Pace { due: first.schedule.due(window_ns), window_ns, ..Pace::default() };
    for task in tasks {
        pace.on_time += task.on_time;
        pace.behind += task.behind;
        pace.lag_sum_ns += task.lag_sum_ns;
        pace.lag_max_ns = pace.lag_max_ns.max(task.lag_max_ns);
    }
    Some(pace)
}

/// Lets operations begin by the schedule, and looks on like [`Latency`].
pub(crate) struct OpenLoop {
    latency: Latency,
    clock: fn() -> u64,
    timetable: Timetable,
    /// Intended start of the operation under way.
    intended_ns: u64,
    begun: bool,
    over_ns: Option<u64>,
    on_time: u64,
    behind: u64,
    lag_sum_ns: u64,
    lag_max_ns: u64,
}

impl OpenLoop {
    fn origin_ns(&self) -> u64 {
        *self.timetable.origin_ns.get_or_init(self.clock)
    }

    async fn await_start(&mut self, stop: &Stop) -> bool {
        let origin_ns = self.origin_ns();
        let intended_ns = origin_ns.saturating_add(self.timetable.schedule.advance());
        let mut now_ns = (self.clock)();
        // Before its first operation a task cannot be busy: what it is late by is the generator's doing.
        let behind = self.begun && now_ns > intended_ns;
        loop {
            if stop.is_stopped() {
                // Not `now_ns`: who lost his processor since he read it would put the end before what others began.
                self.over_ns = Some((self.clock)());
                return false;
            }
            match self.timetable.schedule.rest(now_ns, intended_ns) {
                Rest::Due => break,
                Rest::Yield => yield_now().await,
                // Boxed as in `Hold`: next to a sleep of a millisecond the allocation is nothing.
                Rest::Sleep(nap) => Box::pin(tokio::time::sleep(nap)).await,
            }
            now_ns = (self.clock)();
        }
        if behind {
            self.behind += 1;
        } else {
            let lag_ns = now_ns.saturating_sub(intended_ns);
            self.on_time += 1;
            self.lag_sum_ns += lag_ns;
            self.lag_max_ns = self.lag_max_ns.max(lag_ns);
        }
        self.intended_ns = intended_ns;
        self.begun = true;
        true
    }
}

impl Probe for OpenLoop {
    const WATCHES: bool = true;
    type Start = u64;

    fn new(mut equipment: Equipment) -> Self {
        // Only a slot with a rate is run with this probe; without a timetable nothing is ever due.
        let timetable = equipment.timetable.take().unwrap_or_else(|| Timetable {
            schedule: Schedule::new(f64::MIN_POSITIVE, 1, 1),
            origin_ns: Arc::default(),
        });
        Self {
            clock: equipment.clock,
            latency: Latency::new(equipment),
            timetable,
            intended_ns: 0,
            begun: false,
            over_ns: None,
            on_time: 0,
            behind: 0,
            lag_sum_ns: 0,
            lag_max_ns: 0,
        }
    }

    fn next_turn(&mut self, stop: &Stop) -> impl Future<Output = bool> + Send {
        self.await_start(stop)
    }

    fn begin(&mut self) -> u64 {
        self.latency.sample_depth();
        self.intended_ns
    }

    fn joined(&mut self) {
        self.latency.joined();
    }

    fn left(&mut self) {
        self.latency.left();
    }

    fn granted(&mut self, start: u64) {
        self.latency.granted(start);
    }

    fn finish(self) -> Found {
        let pace = TaskPace {
            schedule: self.timetable.schedule,
            origin_ns: self.origin_ns(),
            over_ns: self.over_ns.unwrap_or_else(self.clock),
            on_time: self.on_time,
            behind: self.behind,
            lag_sum_ns: self.lag_sum_ns,
            lag_max_ns: self.lag_max_ns,
        };
        Found { pace: Some(pace), ..self.latency.finish() }
    }
}

/// The closed loop's answer to [`Probe::next_turn`]: at once, until the workload itself sees the end.
#[inline(always)]
pub(crate) fn at_once() -> impl Future<Output = bool> + Send {
    ready(true)
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::future::poll_fn;
    use std::pin::pin;
    use std::rc::Rc;
    use std::sync::Mutex;
    use std::task::Poll;

    use super::super::meter::{Dice, Meter, NOBODY};
    use super::*;
    use crate::Recorder;

    thread_local! {
        static NOW_NS: Cell<u64> = const { Cell::new(0) };
    }

    /// A made-up clock: each read takes a microsecond, and what takes longer says so.
    fn clock() -> u64 {
        pass(1_000)
    }

    fn pass(ns: u64) -> u64 {
        NOW_NS.set(NOW_NS.get() + ns);
        NOW_NS.get()
    }

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u64>>>);

    impl Recorder for Kept {
        fn record(&mut self, wait_ns: u64) {
            self.0.lock().unwrap().push(wait_ns);
        }
    }

    /// Ten operations of one task, one due every 100 µs; the `slow`-th is granted after `stall_ns` only. Gives
    /// the waits and the pace.
    fn ten_operations(slow: usize, stall_ns: u64) -> (Vec<u64>, Pace) {
        NOW_NS.set(0);
        let kept = Kept::default();
        let mut meter: Meter<OpenLoop> = Meter::new(
            OpenLoop::new(Equipment {
                clock,
                waiting: Arc::default(),
                recorder: Some(Box::new(kept.clone())),
                timetable: Some(Timetable {
                    schedule: Schedule::new(10_000.0, 0, 1),
                    origin_ns: Arc::default(),
                }),
            }),
            Dice::new(0.0, 1, 0),
        );
        let stop = Stop::default();
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            for operation in 0..10 {
                assert!(meter.probe.next_turn(&stop).await);
                let granted = pin!(async { pass(if operation == slow { stall_ns } else { 0 }) });
                meter.ask(granted, NOBODY).await;
            }
            stop.stop();
            assert!(!meter.probe.next_turn(&stop).await, "the slot is over");
        });
        let pace = merge(&[meter.probe.finish().pace.unwrap()]).unwrap();
        let waits = kept.0.lock().unwrap().clone();
        (waits, pace)
    }

    #[test]
    fn one_stall_is_a_long_wait_of_everyone_who_was_due_meanwhile() {
        let (waits, pace) = ten_operations(2, 450_000);
        let long: Vec<bool> = waits.iter().map(|&ns| ns > 20_000).collect();
        // The third stalls; the next four were due while it did, and each is shorter by its place in the queue.
        let expected = [false, false, true, true, true, true, true, false, false, false];
        assert_eq!(long, expected, "{waits:?}");
        assert!(waits[2..7].is_sorted_by(|earlier, later| earlier > later), "{waits:?}");
        assert!((440_000..470_000).contains(&waits[2]), "{waits:?}");
        assert_eq!(pace.behind, 4);
    }

    #[test]
    fn without_a_stall_nobody_is_behind_and_the_lag_is_the_clocks_grain() {
        let (waits, pace) = ten_operations(0, 0);
        assert_eq!((pace.on_time, pace.behind), (10, 0));
        assert!(pace.lag_max_ns <= 2_000 && waits.iter().all(|&ns| ns <= 4_000), "{pace:?} {waits:?}");
        assert_eq!(pace.due, 10);
    }

    #[test]
    fn the_generators_lag_knows_nothing_of_the_stall() {
        let (_, pace) = ten_operations(2, 450_000);
        assert!(pace.on_time == 6 && pace.lag_max_ns <= 2_000, "{pace:?}");
    }

    #[test]
    fn a_waiting_task_leaves_the_worker_to_others() {
        NOW_NS.set(0);
        let turns = Rc::new(RefCell::new(Vec::new()));
        let mut probe = OpenLoop::new(Equipment {
            clock,
            waiting: Arc::default(),
            recorder: None,
            timetable: Some(Timetable { schedule: Schedule::new(10_000.0, 1, 2), origin_ns: Arc::default() }),
        });
        let stop = Stop::default();
        let mut polls = 0;
        let mut turn = pin!(probe.next_turn(&stop));
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(poll_fn(|context| {
            polls += 1;
            let polled = turn.as_mut().poll(context);
            turns.borrow_mut().push(polled.is_ready());
            if polled.is_ready() { Poll::Ready(()) } else { Poll::Pending }
        }));
        assert!(polls > 10, "it came back to the executor {polls} times in 100 µs");
        assert!(turns.borrow().iter().rev().skip(1).all(|ready| !ready));
    }

    #[test]
    fn the_slot_ends_for_its_pace_when_the_first_task_sees_it() {
        let task = |over_ns, behind, lag_max_ns| TaskPace {
            schedule: Schedule::new(1e6, 0, 2),
            origin_ns: 5_000,
            over_ns,
            on_time: 10,
            behind,
            lag_sum_ns: 30,
            lag_max_ns,
        };
        let pace = merge(&[task(1_005_000, 1, 7), task(905_000, 2, 9)]).unwrap();
        let expected =
            Pace { due: 900, window_ns: 900_000, on_time: 20, behind: 3, lag_sum_ns: 60, lag_max_ns: 9 };
        assert_eq!(pace, expected);
        assert_eq!(merge(&[]), None);
    }
}
