//! How a task passes the time: while it holds, and between two operations.

use std::future::poll_fn;
use std::hint::black_box;
use std::sync::OnceLock;
use std::task::Poll;
use std::time::Duration;

use crate::{HoldMode, Params};

/// What a task does while it holds, worked out once a slot so that the loop does not do it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hold {
    /// Spinning for no time.
    Nothing,
    /// Computes this many steps.
    Spin { steps: u64 },
    /// Gives the worker away once.
    YieldOnce,
    /// Gives the worker away until the time is over.
    YieldFor { hold_ns: u64, clock: fn() -> u64 },
    /// Sleeps on tokio's timer.
    Sleep(Duration),
}

impl Hold {
    /// The hold that `params` ask for.
    pub(crate) fn new(params: &Params, clock: fn() -> u64) -> Self {
        match params.hold_mode {
            HoldMode::Spin if params.hold.is_zero() => Self::Nothing,
            HoldMode::Spin => Self::Spin { steps: spin_steps(params.hold, clock) },
            HoldMode::Yield if params.hold.is_zero() => Self::YieldOnce,
            HoldMode::Yield => Self::YieldFor { hold_ns: nanoseconds(params.hold), clock },
            HoldMode::Sleep => Self::Sleep(params.hold),
        }
    }

    /// Passes the time.
    #[inline]
    pub(crate) async fn pass(self) {
        match self {
            Self::Nothing => {}
            Self::Spin { steps } => spin(steps),
            Self::YieldOnce => yield_now().await,
            Self::YieldFor { hold_ns, clock } => {
                let start = clock();
                yield_now().await;
                while clock().saturating_sub(start) < hold_ns {
                    yield_now().await;
                }
            }
            // Boxed, so that the timer's state does not lie in the task of every mode; next to a sleep of a
            // millisecond the allocation is nothing.
            Self::Sleep(duration) => Box::pin(tokio::time::sleep(duration)).await,
        }
    }
}

/// Goes to the back of the run queue once.
///
/// Not `tokio::task::yield_now`, which lets the timers run first and puts the task in the queue only then: that
/// costs the executor several times as much as a hand-off costs a lock, and hides what is to be measured.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Steps of [`spin`] that take `duration`; at least one.
pub(crate) fn spin_steps(duration: Duration, clock: fn() -> u64) -> u64 {
    if duration.is_zero() {
        return 0;
    }
    static STEPS_PER_NS: OnceLock<f64> = OnceLock::new();
    let steps_per_ns = *STEPS_PER_NS.get_or_init(|| calibrate(clock));
    ((nanoseconds(duration) as f64 * steps_per_ns) as u64).max(1)
}

/// Computes for a number of steps, each waiting for the one before: about one nanosecond a step.
///
/// Neither the clock (30 ns a read, coarser than the holds worth asking for) nor the processor's pause
/// instruction (40 to 140 cycles, by model) can make a hold of 20 ns.
#[inline]
pub(crate) fn spin(steps: u64) {
    let mut value = steps;
    for _ in 0..steps {
        value = black_box(value.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    }
}

/// Steps of [`spin`] in a nanosecond: the fastest of several tries, since whatever disturbs a try slows it.
fn calibrate(clock: fn() -> u64) -> f64 {
    const TRIES: usize = 20;
    const STEPS: u64 = 50_000;
    let fastest_ns = (0..TRIES)
        .map(|_| {
            let start = clock();
            spin(STEPS);
            clock().saturating_sub(start)
        })
        .min();
    match fastest_ns {
        // A clock that stands still, as a test may pass: any finite number does.
        None | Some(0) => 1.0,
        Some(ns) => STEPS as f64 / ns as f64,
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
