//! How a task passes the time: while it holds, and between two operations.

use std::future::poll_fn;
use std::hint::black_box;
use std::sync::OnceLock;
use std::task::Poll;
use std::time::Duration;

use super::draw::Times;
use crate::{HoldMode, Params};

/// What a task does while it holds, and for how long, worked out once a slot so that the loop does not do it.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    way: Way,
    /// In steps of [`spin`], else in nanoseconds.
    times: Times,
    /// Of the sampled holds together: how long they took, and what was drawn for them.
    taken_ns: u64,
    drawn: u64,
    samples: u64,
}

/// How a hold is passed.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Spinning for no time.
    Nothing,
    /// Computes.
    Spin,
    /// Gives the worker away once.
    YieldOnce,
    /// Gives the worker away until the time is over.
    YieldFor { clock: fn() -> u64 },
    /// Sleeps on tokio's timer.
    Sleep,
}

/// The holds that were timed, of one task or of all together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HoldSamples {
    taken_ns: f64,
    drawn: f64,
    mean: f64,
    samples: u64,
}

impl Hold {
    /// The holds that `params` ask for.
    pub(crate) fn new(params: &Params, clock: fn() -> u64, seed: u64) -> Self {
        let way = match params.hold_mode {
            HoldMode::Spin if params.hold.is_zero() => Way::Nothing,
            HoldMode::Spin => Way::Spin,
            HoldMode::Yield if params.hold.is_zero() => Way::YieldOnce,
            HoldMode::Yield => Way::YieldFor { clock },
            HoldMode::Sleep => Way::Sleep,
        };
        let mean = match way {
            Way::Spin => spin_steps(params.hold, clock),
            _ => nanoseconds(params.hold),
        };
        let times = Times::new(params.hold_distribution, mean, seed);
        Self { way, times, taken_ns: 0, drawn: 0, samples: 0 }
    }

    /// The same holds for the task with this number.
    pub(crate) fn of_task(&self, index: usize) -> Self {
        Self { times: self.times.of_task(index), ..self.clone() }
    }

    /// Passes the time.
    #[inline]
    pub(crate) async fn pass(&mut self) {
        let time = self.times.draw();
        self.way.pass(time).await;
    }

    /// Passes the time and takes it.
    pub(crate) async fn pass_timed(&mut self, clock: fn() -> u64) {
        let (time, start) = (self.times.draw(), clock());
        self.way.pass(time).await;
        self.taken_ns += clock().saturating_sub(start);
        self.drawn = self.drawn.saturating_add(time);
        self.samples += 1;
    }

    pub(crate) fn samples(&self) -> HoldSamples {
        HoldSamples {
            taken_ns: self.taken_ns as f64,
            drawn: self.drawn as f64,
            mean: self.times.mean() as f64,
            samples: self.samples,
        }
    }
}

impl Way {
    #[inline]
    async fn pass(self, time: u64) {
        match self {
            Self::Nothing => {}
            Self::Spin => spin(time),
            Self::YieldOnce => yield_now().await,
            Self::YieldFor { clock } => {
                let start = clock();
                yield_now().await;
                while clock().saturating_sub(start) < time {
                    yield_now().await;
                }
            }
            // Boxed, so that the timer's state does not lie in the task of every mode; next to a sleep of a
            // millisecond the allocation is nothing.
            Self::Sleep => Box::pin(tokio::time::sleep(Duration::from_nanos(time))).await,
        }
    }
}

impl HoldSamples {
    pub(crate) fn add(&mut self, other: Self) {
        self.taken_ns += other.taken_ns;
        self.drawn += other.drawn;
        self.mean = other.mean;
        self.samples += other.samples;
    }

    /// Mean hold time.
    ///
    /// One hold in many is timed, and by chance the long ones among them may be more or fewer than their share. So
    /// where times vary it is how much longer the timed ones took than was drawn for them that counts.
    pub(crate) fn mean_ns(&self) -> Option<f64> {
        let expected = if self.drawn > 0.0 { self.mean * self.samples as f64 / self.drawn } else { 1.0 };
        (self.samples > 0).then(|| self.taken_ns / self.samples as f64 * expected)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_of_the_timed_holds_does_not_depend_on_which_were_timed() {
        let samples = |taken_ns, drawn| HoldSamples { taken_ns, drawn, mean: 100.0, samples: 2 };
        // Two long ones were timed, then two short ones; both took a tenth longer than was drawn.
        assert_eq!(samples(1_100.0, 1_000.0).mean_ns(), Some(110.0));
        assert_eq!(samples(110.0, 100.0).mean_ns(), Some(110.0));
        // A yield is asked for by no time at all.
        assert_eq!(HoldSamples { mean: 0.0, ..samples(500.0, 0.0) }.mean_ns(), Some(250.0));
        assert_eq!(HoldSamples::default().mean_ns(), None);
    }
}
