//! `event.pulse`: an event that is set and cleared at once, again and again, while waiters come and go.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::arms::arms;
use crate::backend::EventBackend;
use crate::measure::{Crew, Latency, Probe, Throughput, Worker, by_pass, yield_now};
use crate::{Contention, Params, Slot, SlotOutcome, Stop, Variant};

pub(super) const PULSE: Variant = Variant {
    name: "pulse",
    summary: "An operation is one of N waiters released by a pulse: one more task sets the event, clears it at once \
              and yields, over and over, and looks at nobody. Shows what remains of broadcast's speed when waiters \
              join, leave and are dropped while the event is being set; whoever waited at a set is let go by it.",
    defaults: pulse_defaults,
    knobs: &["tasks", "think_ns", "think_distribution", "cancel_percent"],
    contention: Contention::Demanded,
    arms: arms!(EventBackend, pulse),
};

/// As many as `broadcast` has, so that the two can be laid beside each other. A waiter that is back waits for the next
/// pulse, so nearly each wait is a real one.
fn pulse_defaults() -> Params {
    Params { tasks: 64, ..Params::PLAIN }
}

/// One slot of `pulse`.
pub fn pulse<B: EventBackend>(slot: Slot<'_>) -> SlotOutcome {
    by_pass(slot, run::<B, Throughput>, run::<B, Latency>)
}

fn run<B: EventBackend, P: Probe>(slot: Slot<'_>) -> SlotOutcome {
    let (event, pulses) = (Arc::new(B::new()), Arc::<Pulses>::default());
    let setter = set_pulses::<B>(event.clone(), pulses.clone(), slot.stop.clone());
    let (mut outcome, seen) = Crew::<B>::new(slot)
        .with_companion(setter)
        .run(|worker: Worker<P>| turns::<B, P>(event.clone(), pulses.clone(), worker));
    outcome.law = pulses_law(&seen);
    outcome
}

/// How far the setter is. Only it writes here.
#[derive(Default)]
struct Pulses {
    /// Pulses begun: counted before the `set`. [`OVER`] is added when the event is set for good, which counts as one.
    begun: AtomicU64,
    /// Pulses over: counted after the `clear`.
    over: AtomicU64,
}

/// In `Pulses::begun`: the event stays set.
const OVER: u64 = 1 << 63;

/// The setter: looks at nobody, and leaves the event set when the slot is over.
async fn set_pulses<B: EventBackend>(event: Arc<B::Event>, pulses: Arc<Pulses>, stop: Arc<Stop>) {
    let mut pulse = 0;
    while !stop.is_stopped() {
        pulse += 1;
        // Ordering: Release pairs with the Acquire in `turns`; who is released by this pulse sees its number.
        pulses.begun.store(pulse, Ordering::Release);
        B::set(&event);
        B::clear(&event);
        // Ordering: Release pairs with the Acquire in `turns`; who sees that the pulse is over finds the event cleared.
        pulses.over.store(pulse, Ordering::Release);
        yield_now().await;
    }
    // Ordering: as above.
    pulses.begun.store((pulse + 1) | OVER, Ordering::Release);
    B::set(&event);
}

/// What one waiter saw.
#[derive(Default)]
struct Seen {
    /// Releases while no pulse was under way since it had asked.
    early: u64,
    /// Pulses that did not release it although it was waiting; seen in latency slots alone, see [`Stamp`].
    missed: u64,
}

/// A waiter. Between a `set` and its `clear` it would run through again and again, so it does not come back before the
/// pulse that released it is over: no more than one operation a pulse.
async fn turns<B: EventBackend, P: Probe>(
    event: Arc<B::Event>,
    pulses: Arc<Pulses>,
    mut worker: Worker<P>,
) -> (Worker<P>, Seen) {
    let mut seen = Seen::default();
    let mut stamp = None;
    // The pulse that released it last.
    let mut last = 0;
    loop {
        // Ordering: Acquire here and below, see `set_pulses`.
        let mut over = pulses.over.load(Ordering::Acquire);
        while over < last {
            yield_now().await;
            over = pulses.over.load(Ordering::Acquire);
        }
        let mut joined_in = None;
        let joined = || joined_in = Some(pulses.begun.load(Ordering::Acquire));
        let wait = Stamped {
            wait: pin!(B::wait(&event)),
            pulses: &pulses,
            stamp: &mut stamp,
            probe: PhantomData::<P>,
        };
        let released = worker.ask_joining(pin!(wait), joined).await.is_some();
        let begun = pulses.begun.load(Ordering::Acquire);
        if let (true, Some(joined_in), Some(stamp)) = (released, joined_in, &stamp) {
            seen.missed += stamp.pulses_missed_since(joined_in);
        }
        if begun & OVER != 0 || worker.is_over() {
            break;
        }
        if released {
            seen.early += u64::from(begun <= over);
            last = begun;
            worker.finish_op();
        }
    }
    (worker, seen)
}

/// The waits of one waiter, polled with a waker that notes in which pulse it was called.
///
/// When a waiter runs again says nothing: other pulses may have come meanwhile. When it was woken does: the setter wakes
/// those who wait while it is in `set`, so the note is of the first pulse that began after they had joined, or of the
/// one before. The note is taken in latency slots; a throughput slot polls the wait with the task's own waker.
struct Stamped<'a, F, P> {
    wait: Pin<&'a mut F>,
    pulses: &'a Arc<Pulses>,
    stamp: &'a mut Option<Stamp>,
    probe: PhantomData<P>,
}

/// Nothing in it is pinned.
impl<F, P> Unpin for Stamped<'_, F, P> {}

impl<F: Future, P: Probe> Future for Stamped<'_, F, P> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        if !P::WATCHES {
            return this.wait.as_mut().poll(context);
        }
        let task = context.waker();
        let stamp = this.stamp.take().filter(|stamp| stamp.note.task.will_wake(task));
        let stamp = this.stamp.insert(stamp.unwrap_or_else(|| Stamp::new(task, this.pulses)));
        this.wait.as_mut().poll(&mut Context::from_waker(&stamp.waker))
    }
}

/// Made once for each waiter.
struct Stamp {
    note: Arc<Note>,
    waker: Waker,
}

struct Note {
    task: Waker,
    pulses: Arc<Pulses>,
    /// The pulse in which the task was woken last.
    woken_in: AtomicU64,
}

impl Stamp {
    fn new(task: &Waker, pulses: &Arc<Pulses>) -> Self {
        let note = Arc::new(Note { task: task.clone(), pulses: pulses.clone(), woken_in: AtomicU64::new(0) });
        Self { waker: note.clone().into(), note }
    }

    /// Pulses that passed by a waiter which has just been released and was queued when `joined_in` had begun.
    fn pulses_missed_since(&self, joined_in: u64) -> u64 {
        // Ordering: Relaxed, waking the task orders the note before the poll that follows.
        let woken_in = self.note.woken_in.load(Ordering::Relaxed) & !OVER;
        woken_in.saturating_sub((joined_in & !OVER) + 1)
    }
}

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Ordering: Relaxed, the setter reads what it wrote itself; the note see above.
        self.woken_in.store(self.pulses.begun.load(Ordering::Relaxed), Ordering::Relaxed);
        self.task.wake_by_ref();
    }
}

/// Nobody was released before a pulse came, and no pulse passed anybody by who waited.
fn pulses_law(seen: &[Seen]) -> Result<(), String> {
    for (waiter, seen) in seen.iter().enumerate() {
        if seen.early > 0 {
            return Err(format!(
                "waiter {waiter} was released {} times without the event being set",
                seen.early
            ));
        }
        if seen.missed > 0 {
            return Err(format!(
                "{} times the event was set and cleared while waiter {waiter} waited, and it was not released",
                seen.missed
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulse_after_joining_may_wake_and_the_next_may_not() {
        let pulses = Arc::new(Pulses::default());
        let stamp = Stamp::new(Waker::noop(), &pulses);
        let missed_when_woken_in = |pulse: u64| {
            pulses.begun.store(pulse, Ordering::Relaxed);
            stamp.waker.wake_by_ref();
            stamp.pulses_missed_since(7)
        };
        assert_eq!([7, 8, 9, 12, 8 | OVER, 9 | OVER].map(missed_when_woken_in), [0, 0, 1, 4, 0, 1]);
    }
}
