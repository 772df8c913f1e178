//! The tasks of a slot: spawned, let go together, joined, and their figures put into one outcome.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, unconstrained};

use super::draw::{Lots, Times};
use super::hold::{Hold, HoldSamples, spin, spin_steps, yield_now};
use super::meter::{Counts, Dice, Meter, NOBODY};
use super::open_loop::{self, Timetable};
use super::probe::{Equipment, Found, Probe};
use super::schedule::Schedule;
use crate::backend::Library;
use crate::{Pass, Recorder, Slot, SlotOutcome, Stop};

/// A hold is timed once in so many operations of a task, the first one included.
const HOLD_SAMPLE: u64 = 256;

/// One task of the slot, as its loop sees it. Lies in the task; nothing in it is shared but `stop`.
pub(crate) struct Worker<P> {
    /// Its number among the tasks, from 0.
    pub(crate) index: usize,
    /// Operations finished.
    pub(crate) ops: u64,
    stop: Arc<Stop>,
    meter: Meter<P>,
    hold: Hold,
    /// In steps of [`spin`].
    think: Times,
    clock: fn() -> u64,
    seed: u64,
}

impl<P: Probe> Worker<P> {
    /// Draws one of `count` again and again, by a sequence of the task's own.
    pub(crate) fn lots(&self, count: usize) -> Lots {
        Lots::new(count, self.seed, self.index as u64)
    }

    /// Whether the slot is over.
    ///
    /// Asked once an operation, right after the grant: a task that was still queued when the slot ended
    /// gives back at once what it is granted, without holding it and without counting an operation. So a
    /// slot of a thousand tasks and a long hold ends after one hold, not after a thousand.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.stop.is_stopped()
    }

    /// Waits until the next operation may begin, which in a closed loop is at once. `false`: the slot is over.
    ///
    /// A closed loop always says `true` and sees the end by [`is_over`](Self::is_over), after the grant.
    #[inline]
    pub(crate) fn next_turn(&mut self) -> impl Future<Output = bool> + Send + use<'_, P> {
        self.meter.probe.next_turn(&self.stop)
    }

    /// Waits for `acquisition`; `None` when it is to be dropped at once, as `cancel_percent` asks.
    #[inline]
    pub(crate) fn ask<'a, F: Future>(
        &'a mut self,
        acquisition: Pin<&'a mut F>,
    ) -> impl Future<Output = Option<F::Output>> + use<'a, P, F> {
        self.meter.ask(acquisition, NOBODY)
    }

    /// Like [`ask`](Self::ask); `joined` is called when the task has joined the queue to stay.
    #[inline]
    pub(crate) fn ask_joining<'a, F: Future, J: FnMut()>(
        &'a mut self,
        acquisition: Pin<&'a mut F>,
        joined: J,
    ) -> impl Future<Output = Option<F::Output>> + use<'a, P, F, J> {
        self.meter.ask(acquisition, Some(joined))
    }

    /// Holds what was acquired, as long and in the way that the parameters ask for.
    #[inline]
    pub(crate) async fn hold(&mut self) {
        if self.ops.is_multiple_of(HOLD_SAMPLE) {
            self.hold.pass_timed(self.clock).await;
        } else {
            self.hold.pass().await;
        }
    }

    /// Ends an operation: counts it, and spins the think time.
    #[inline]
    pub(crate) fn finish_op(&mut self) {
        self.ops += 1;
        spin(self.think.draw());
    }
}

/// What a task leaves behind, with what its law needs.
struct Finished<L> {
    ops: u64,
    ended_ns: u64,
    counts: Counts,
    holds: HoldSamples,
    found: Found,
    law: L,
}

/// Runs the function that was compiled for the slot's pass; refuses parameters that no slot can have, and a rate: of a
/// workload whose tasks wait for each other, and so cannot keep to a schedule of their own, or that is about capacity.
pub(crate) fn by_pass(
    slot: Slot<'_>,
    throughput: fn(Slot<'_>) -> SlotOutcome,
    latency: fn(Slot<'_>) -> SlotOutcome,
) -> SlotOutcome {
    if slot.params.rate_ops_per_s.is_some() {
        return refused(slot, "this workload has no open loop".into());
    }
    by_mode(slot, throughput, latency, latency)
}

/// Runs the function that was compiled for the slot's pass or, where there is a rate, for the open loop; refuses
/// parameters that no slot can have.
pub(crate) fn by_mode(
    slot: Slot<'_>,
    throughput: fn(Slot<'_>) -> SlotOutcome,
    latency: fn(Slot<'_>) -> SlotOutcome,
    open_loop: fn(Slot<'_>) -> SlotOutcome,
) -> SlotOutcome {
    if let Err(error) = slot.params.check() {
        return refused(slot, error.to_string());
    }
    if slot.params.rate_ops_per_s.is_some() {
        return open_loop(slot);
    }
    match slot.pass {
        Pass::Throughput => throughput(slot),
        Pass::Latency => latency(slot),
    }
}

/// The outcome of a slot that was not run.
fn refused(slot: Slot<'_>, why: String) -> SlotOutcome {
    let (mut outcome, _) = merge::<()>(Vec::new(), 0);
    outcome.law = Err(why);
    outcome.recorders = slot.recorders;
    outcome
}

/// A task that is none of the contending ones.
type Companion = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Everything that the tasks of one slot need, which use the primitives of `B`.
pub(crate) struct Crew<'a, B> {
    slot: Slot<'a>,
    companions: Vec<Companion>,
    library: PhantomData<B>,
}

impl<'a, B: Library> Crew<'a, B> {
    pub(crate) fn new(slot: Slot<'a>) -> Self {
        Self { slot, companions: Vec::new(), library: PhantomData }
    }

    /// Adds a task that starts with the others but is none of the contending ones: it has no operations, no
    /// recorder and no share in the figures.
    pub(crate) fn with_companion(mut self, companion: impl Future<Output = ()> + Send + 'static) -> Self {
        self.companions.push(Box::pin(companion));
        self
    }

    /// Runs the slot: `task` makes the loop of each worker, which gives the worker back together with what
    /// the workload's law needs of it. The outcome's law is still to be judged.
    pub(crate) fn run<P, F, L>(mut self, mut task: impl FnMut(Worker<P>) -> F) -> (SlotOutcome, Vec<L>)
    where
        P: Probe,
        F: Future<Output = (Worker<P>, L)> + Send + 'static,
        L: Send + 'static,
    {
        let tasks = self.slot.params.tasks;
        let gate = Arc::new(Gate::new(tasks + self.companions.len()));
        let companions = self.spawn_companions(&gate);
        let mut handles = Vec::with_capacity(tasks);
        for worker in self.workers::<P>() {
            let (gate, work) = (gate.clone(), task(worker));
            let turns = async move {
                gate.pass().await;
                let (worker, law) = work.await;
                finished(worker, law)
            };
            handles.push(self.spawn(turns));
        }
        let (began_ns, finished) = begin(&self.slot, &gate, handles, companions);
        merge(finished, began_ns)
    }

    fn spawn_companions(&mut self, gate: &Arc<Gate>) -> Vec<JoinHandle<()>> {
        let companions = std::mem::take(&mut self.companions).into_iter();
        companions.map(|companion| self.spawn(gate.clone().accompanied(companion))).collect()
    }

    /// Known when the loop is compiled, so each backend has one kind of task and asks nothing in it.
    fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        match B::UNCONSTRAINED {
            true => self.slot.runtime.spawn(unconstrained(task)),
            false => self.slot.runtime.spawn(task),
        }
    }

    fn workers<P: Probe>(&mut self) -> impl Iterator<Item = Worker<P>> + use<B, P> {
        let Slot { params, clock, seed, .. } = self.slot;
        let stop = self.slot.stop.clone();
        let waiting = Arc::new(AtomicU64::new(0));
        // Two shuffles that have nothing to do with each other.
        let hold = Hold::new(params, clock, seed);
        let think = Times::new(params.think_distribution, spin_steps(params.think, clock), !seed);
        let cancel_percent = params.cancel_percent;
        let mut recorders = std::mem::take(&mut self.slot.recorders).into_iter();
        let origin_ns = Arc::<OnceLock<u64>>::default();
        let (tasks, rate) = (params.tasks, params.rate_ops_per_s);
        (0..tasks).map(move |index| {
            let recorder = recorders.next();
            let timetable = rate.map(|rate| Timetable {
                schedule: Schedule::new(rate, index, tasks),
                origin_ns: origin_ns.clone(),
            });
            let probe = P::new(Equipment { clock, waiting: waiting.clone(), recorder, timetable });
            Worker {
                index,
                ops: 0,
                stop: stop.clone(),
                meter: Meter::new(probe, Dice::new(cancel_percent, seed, index as u64)),
                hold: hold.of_task(index),
                think: think.of_task(index),
                clock,
                seed,
            }
        })
    }
}

/// Lets the tasks go together and waits for all of them. Returns when they began, and what they returned.
///
/// Knows of a task nothing but what it returns: what is compiled anew for each loop of each backend is `Crew::run` alone,
/// and a first build is short by that.
fn begin<T: Send + 'static>(
    slot: &Slot<'_>,
    gate: &Arc<Gate>,
    handles: Vec<JoinHandle<T>>,
    companions: Vec<JoinHandle<()>>,
) -> (u64, Vec<T>) {
    // Opened from inside the executor: its queues take many wakes in a row at less cost than from outside.
    let opener = slot.runtime.spawn(gate.clone().open_when_told());
    // Made here, as nothing is to be allocated once the slot has begun.
    let mut returned = Vec::with_capacity(handles.len());
    slot.runtime.block_on(async {
        gate.all_ready().await;
        gate.tell();
        joined(opener).await;
        gate.all_through().await;
        let began_ns = (slot.clock)();
        (slot.started)();
        gate.begin();
        for handle in handles {
            returned.push(joined(handle).await);
        }
        for companion in companions {
            joined(companion).await;
        }
        (began_ns, returned)
    })
}

/// Reads the clock as the last thing that a task does.
fn finished<P: Probe, L>(worker: Worker<P>, law: L) -> Finished<L> {
    let ended_ns = (worker.clock)();
    Finished {
        ops: worker.ops,
        ended_ns,
        counts: worker.meter.counts,
        holds: worker.hold.samples(),
        found: worker.meter.probe.finish(),
        law,
    }
}

/// What a task returned; its panic goes on in the caller.
async fn joined<T>(handle: JoinHandle<T>) -> T {
    match handle.await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => unreachable!("nobody aborts a task of a slot: {error}"),
        },
    }
}

fn merge<L>(finished: Vec<Finished<L>>, began_ns: u64) -> (SlotOutcome, Vec<L>) {
    let mut counts = Counts::default();
    let (mut holds, mut depths) = (HoldSamples::default(), Mean::default());
    let mut ended_ns = began_ns;
    let mut ops_per_task = Vec::with_capacity(finished.len());
    let mut recorders: Vec<Box<dyn Recorder>> = Vec::new();
    let mut laws = Vec::with_capacity(finished.len());
    let mut paces = Vec::new();
    for task in finished {
        counts.add(task.counts);
        holds.add(task.holds);
        depths.add(task.found.depth_sum, task.found.depth_samples);
        ended_ns = ended_ns.max(task.ended_ns);
        ops_per_task.push(task.ops);
        recorders.extend(task.found.recorder);
        paces.extend(task.found.pace);
        laws.push(task.law);
    }
    let outcome = SlotOutcome {
        ops_per_task,
        wall_ns: ended_ns - began_ns,
        acquisitions: counts.acquisitions,
        waited: counts.waited,
        forced_yields: counts.forced_yields,
        cancelled: counts.cancelled,
        futile_wakeups: None,
        hold_ns: holds.mean_ns(),
        queue_depth: depths.get(),
        pace: open_loop::merge(&paces),
        law: Ok(()),
        recorders,
    };
    (outcome, laws)
}

#[derive(Default)]
struct Mean {
    sum: f64,
    samples: u64,
}

impl Mean {
    fn add(&mut self, sum: u64, samples: u64) {
        self.sum += sum as f64;
        self.samples += samples;
    }

    fn get(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.sum / self.samples as f64)
    }
}

/// Where tasks wait for each other before the slot begins.
///
/// Made of tokio's semaphores: the gate stands outside what is measured, and must not be one of our own
/// primitives, which would show up on the dashboard.
struct Gate {
    expected: usize,
    /// One permit for each task that has come.
    ready: Semaphore,
    /// Gets its one permit when the slot begins.
    told: Semaphore,
    /// Without permits; closed when the slot begins.
    shut: Semaphore,
    /// Tasks that have come through.
    through: AtomicUsize,
    /// Gets its one permit when all have come through.
    all_through: Semaphore,
    /// The slot has begun.
    begun: AtomicBool,
}

impl Gate {
    fn new(expected: usize) -> Self {
        let [ready, told, shut, all_through] = [(); 4].map(|()| Semaphore::new(0));
        let (through, begun) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self { expected, ready, told, shut, through, all_through, begun }
    }

    /// Waits until everyone has been woken and has run.
    ///
    /// Waking a thousand tasks takes a while, and more if the thread that does it loses its processor; the first
    /// task would have the primitive for itself all that time. So whoever is through steps back in the run queue
    /// until the last one is and the slot's time begins: ten thousand tasks need longer than a short slot for that.
    async fn pass(&self) {
        self.ready.add_permits(1);
        // Closing is how the gate opens, so the error is the expected answer.
        let _closed = self.shut.acquire().await;
        // Ordering: Relaxed, a count that guards no data.
        if self.through.fetch_add(1, Ordering::Relaxed) + 1 == self.expected {
            self.all_through.add_permits(1);
        }
        // Ordering: Relaxed, a flag that guards no data.
        while !self.begun.load(Ordering::Relaxed) {
            yield_now().await;
        }
    }

    async fn all_through(&self) {
        let _through = self.all_through.acquire().await;
    }

    fn begin(&self) {
        // Ordering: see `pass`.
        self.begun.store(true, Ordering::Relaxed);
    }

    async fn all_ready(&self) {
        let expected = u32::try_from(self.expected).unwrap_or(u32::MAX);
        let _closed = self.ready.acquire_many(expected).await;
    }

    fn tell(&self) {
        self.told.add_permits(1);
    }

    async fn open_when_told(self: Arc<Self>) {
        let _told = self.told.acquire().await;
        self.shut.close();
    }

    async fn accompanied(self: Arc<Self>, companion: Companion) {
        self.pass().await;
        companion.await;
    }
}
