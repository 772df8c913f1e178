//! Counts what one task's acquisitions do. Plain numbers of the task's own, added up when the slot is over.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use rand_pcg::Pcg32;
use rand_pcg::rand_core::{Rng, SeedableRng};
use tokio::task::coop::has_budget_remaining;

use super::probe::Probe;

/// What the acquisitions of one task, or of all together, did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) acquisitions: u64,
    pub(crate) waited: u64,
    pub(crate) forced_yields: u64,
    pub(crate) cancelled: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.acquisitions += other.acquisitions;
        self.waited += other.waited;
        self.forced_yields += other.forced_yields;
        self.cancelled += other.cancelled;
    }
}

/// Polls the acquisitions of one task, counts them, and drops some.
pub(crate) struct Meter<P> {
    pub(crate) counts: Counts,
    pub(crate) probe: P,
    dice: Dice,
}

/// No `joined` for [`Meter::ask`].
pub(crate) const NOBODY: Option<fn()> = None;

/// Where an acquisition stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not queued: not polled yet, or sent back by the cooperative budget alone.
    Fresh,
    /// In the queue.
    Queued,
    /// In the queue, to be dropped when the task is polled again.
    Doomed,
}

impl<P: Probe> Meter<P> {
    pub(crate) fn new(probe: P, dice: Dice) -> Self {
        Self { counts: Counts::default(), probe, dice }
    }

    /// Waits for `acquisition`; `None` when it is to be dropped, as `cancel_percent` asks.
    ///
    /// An acquisition that is to be dropped lies in the queue for one turn of the executor: its first poll
    /// was pending, the task yields, and then gives up without another poll. In that turn the grant may have
    /// come, so that both hazards of a cancellation are met: while queued, and after the grant.
    ///
    /// `joined`, if there is one, is called when the first poll was pending and the acquisition will not be
    /// dropped.
    #[inline]
    pub(crate) fn ask<'a, F: Future, J: FnMut()>(
        &'a mut self,
        acquisition: Pin<&'a mut F>,
        joined: Option<J>,
    ) -> Ask<'a, P, F, J> {
        self.counts.acquisitions += 1;
        let start = self.probe.begin();
        Ask { meter: self, acquisition, joined, stage: Stage::Fresh, start }
    }

    /// A poll was pending: says why, and throws the dice when the task has just joined the queue.
    ///
    /// A primitive that takes part in tokio's cooperative scheduling spends one unit of the task's budget in
    /// each poll and is pending without having looked when none is left; a wait gives the unit back. So it is
    /// enough to look at the budget here, and the poll that succeeds at once pays nothing for it. (What this
    /// cannot tell apart: a composed primitive whose last unit went to a step that succeeded and which then
    /// waits on a part that knows no budget. It counts as a forced yield until its next poll: one poll in 128
    /// at most.)
    #[inline]
    fn pending(&mut self, stage: &mut Stage, context: &Context<'_>) {
        if !has_budget_remaining() {
            self.counts.forced_yields += 1;
        } else if *stage == Stage::Fresh {
            self.counts.waited += 1;
            self.probe.joined();
            *stage = Stage::Queued;
            if self.dice.throw() {
                *stage = Stage::Doomed;
                context.waker().wake_by_ref();
            }
        }
    }
}

/// The future of [`Meter::ask`].
///
/// The acquisition is pinned by the caller and only borrowed here. Taken by value it would be copied twice on
/// its way to its place, which costs as much as a free lock does.
pub(crate) struct Ask<'a, P: Probe, F, J> {
    meter: &'a mut Meter<P>,
    acquisition: Pin<&'a mut F>,
    joined: Option<J>,
    stage: Stage,
    start: P::Start,
}

/// Nothing in it is pinned.
impl<P: Probe, F, J> Unpin for Ask<'_, P, F, J> {}

impl<P: Probe, F: Future, J: FnMut()> Future for Ask<'_, P, F, J> {
    type Output = Option<F::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.stage == Stage::Doomed {
            this.meter.probe.left();
            this.meter.counts.cancelled += 1;
            return Poll::Ready(None);
        }
        match this.acquisition.as_mut().poll(context) {
            Poll::Ready(output) => {
                if this.stage == Stage::Queued {
                    this.meter.probe.left();
                }
                this.meter.probe.granted(this.start);
                Poll::Ready(Some(output))
            }
            Poll::Pending => {
                let before = this.stage;
                this.meter.pending(&mut this.stage, context);
                match &mut this.joined {
                    Some(joined) if before == Stage::Fresh && this.stage == Stage::Queued => joined(),
                    // It may have joined all the same (see `pending`): the next poll will tell.
                    Some(_) if this.stage == Stage::Fresh => context.waker().wake_by_ref(),
                    _ => {}
                }
                Poll::Pending
            }
        }
    }
}

/// Decides which waits are dropped; each task throws its own.
pub(crate) struct Dice {
    /// Of 2³², so that both 0 and 100 per cent are exact.
    threshold: u64,
    generator: Pcg32,
}

impl Dice {
    /// The dice of one task: the same seed and task throw the same sequence.
    pub(crate) fn new(cancel_percent: f64, seed: u64, task: u64) -> Self {
        let share = (cancel_percent / 100.0).clamp(0.0, 1.0);
        // The seed goes through a hash of its own and tasks are spread over it, so neighbours do not agree.
        let generator = Pcg32::seed_from_u64(seed ^ task.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Self { threshold: (share * (1u64 << 32) as f64) as u64, generator }
    }

    #[inline]
    fn throw(&mut self) -> bool {
        self.threshold != 0 && u64::from(self.generator.next_u32()) < self.threshold
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::pin::pin;

    use super::super::probe::Throughput;
    use super::*;

    fn meter(cancel_percent: f64) -> Meter<Throughput> {
        let equipment = super::super::probe::Equipment {
            clock: || 0,
            waiting: std::sync::Arc::default(),
            recorder: None,
            timetable: None,
        };
        Meter::new(Throughput::new(equipment), Dice::new(cancel_percent, 1, 0))
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    /// Pending this many times, waking itself, then ready.
    fn ready_after(mut pending: u32) -> impl Future<Output = ()> {
        poll_fn(move |context| {
            if pending == 0 {
                return Poll::Ready(());
            }
            pending -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        })
    }

    #[test]
    fn ready_at_once_counts_no_wait() {
        let mut meter = meter(100.0);
        let got = run(meter.ask(pin!(ready_after(0)), Some(|| panic!("it never joined a queue"))));
        assert_eq!(got, Some(()));
        assert_eq!(meter.counts, Counts { acquisitions: 1, ..Counts::default() });
    }

    #[test]
    fn many_pending_polls_are_one_wait() {
        let mut meter = meter(0.0);
        let joins = Cell::new(0);
        assert_eq!(run(meter.ask(pin!(ready_after(3)), Some(|| joins.set(joins.get() + 1)))), Some(()));
        assert_eq!(meter.counts, Counts { acquisitions: 1, waited: 1, ..Counts::default() });
        assert_eq!(joins.get(), 1);
    }

    #[test]
    fn doomed_wait_is_dropped_without_another_poll() {
        let mut meter = meter(100.0);
        let polls = Cell::new(0);
        let acquisition = poll_fn(|_| {
            polls.set(polls.get() + 1);
            Poll::<()>::Pending
        });
        assert_eq!(run(meter.ask(pin!(acquisition), Some(|| panic!("it will be dropped")))), None);
        assert_eq!(meter.counts, Counts { acquisitions: 1, waited: 1, cancelled: 1, ..Counts::default() });
        assert_eq!(polls.get(), 1);
    }

    #[test]
    fn spent_budget_is_a_forced_yield_and_no_wait() {
        let semaphore = tokio::sync::Semaphore::new(1);
        let mut meter = meter(100.0);
        run(async {
            // A task's budget is 128 units; the main future of `block_on` has the same.
            for _ in 0..129 {
                assert!(meter.ask(pin!(semaphore.acquire()), NOBODY).await.is_some());
            }
        });
        assert_eq!(meter.counts, Counts { acquisitions: 129, forced_yields: 1, ..Counts::default() });
    }

    #[test]
    fn dice_hit_their_percentage() {
        let mut dice = Dice::new(25.0, 7, 3);
        let hits = (0..10_000).filter(|_| dice.throw()).count();
        assert!((2_300..2_700).contains(&hits), "{hits} of 10,000 at 25 per cent");
    }

    #[test]
    fn dice_repeat_for_a_seed_and_differ_between_tasks() {
        let sequence = |seed, task| {
            let mut dice = Dice::new(50.0, seed, task);
            (0..64).map(|_| dice.throw()).collect::<Vec<_>>()
        };
        assert_eq!(sequence(1, 2), sequence(1, 2));
        assert_ne!(sequence(1, 2), sequence(1, 3));
        assert_ne!(sequence(1, 2), sequence(2, 2));
    }

    #[test]
    fn percentage_that_is_no_number_never_hits() {
        let mut dice = Dice::new(f64::NAN, 1, 1);
        assert!(!(0..100).any(|_| dice.throw()));
    }
}
