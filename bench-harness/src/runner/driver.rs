//! Runs one slot: the tasks on a thread of their own, the timer here.
//!
//! The tasks' thread can be left behind: what is measured are primitives, and a primitive that loses a
//! wake-up must not hang the bench.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::runtime::{Runtime, RuntimeFlavor};
use workloads::{Params, Pass, Slot, SlotOutcome, Stop};

use super::clock::{self, Switches};
use super::recorder::Shards;
use crate::interrupt::Interrupt;
use crate::pin::Pins;
use crate::{allocations, threads};

/// How long a slot may take before it is taken for hung.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Until its work begins; a million tasks take a while to spawn.
    pub(crate) begin: Duration,
    /// From being told to finish until it has, on top of what its tasks hold and think.
    pub(crate) finish: Duration,
}

/// The patience of a run.
pub(crate) const PATIENCE: Patience =
    Patience { begin: Duration::from_secs(60), finish: Duration::from_secs(10) };

/// One slot to be run.
#[derive(Clone)]
pub(crate) struct Job {
    pub(crate) run: fn(Slot<'_>) -> SlotOutcome,
    pub(crate) params: Arc<Params>,
    pub(crate) pass: Pass,
    pub(crate) duration: Duration,
    pub(crate) seed: u64,
    /// Whether the collector watches the slot.
    pub(crate) watched: bool,
}

/// What a slot gave.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) outcome: SlotOutcome,
    /// Processor time of the process, from the start of the work to its end.
    pub(crate) cpu_ns: u64,
    /// Switches of the process in the same time; `None` where the system does not tell.
    pub(crate) switches: Option<Switches>,
    /// Calls of the allocator by the threads that run the tasks, until they were told to finish; latency slots only.
    pub(crate) allocations: Option<u64>,
    /// The waits of a latency slot; empty in a throughput slot.
    pub(crate) waits: Histogram<u64>,
}

/// Why a slot gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The user wants to end.
    Interrupted,
    /// It did not begin, or did not finish when it was told to.
    Hung { phase: &'static str, patience: Duration },
    /// Its code panicked.
    Panicked(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("interrupted"),
            Self::Hung { phase, patience } => write!(
                f,
                "hung: it did not {phase} within {} s, so a task was probably never woken",
                patience.as_secs_f64()
            ),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
        }
    }
}

/// What the rounds are run on; the tests have one with a made-up clock.
pub(crate) trait Driver {
    /// Runs a slot to its end.
    fn drive(&mut self, job: Job) -> Result<Reading, Failure>;
}

/// The real driver: runs slots on an executor, one after the other.
pub(crate) struct Machine {
    jobs: Sender<Assignment>,
    events: Receiver<Event>,
    patience: Patience,
    interrupt: Arc<Interrupt>,
    /// Switches the collector.
    watch: Box<dyn Fn(bool)>,
}

struct Assignment {
    job: Job,
    stop: Arc<Stop>,
}

enum Event {
    Started,
    Finished(Box<Reading>),
    Panicked(String),
    Interrupted,
}

impl Machine {
    /// Slots run on `runtime`, whose own threads are pinned already; `watch` is called before each slot that is watched differently from the last.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub(crate) fn new(
        runtime: Runtime,
        pins: Pins,
        patience: Patience,
        interrupt: Arc<Interrupt>,
        watch: Box<dyn Fn(bool)>,
    ) -> std::io::Result<Self> {
        let (jobs, assignments) = mpsc::channel();
        let (sender, events) = mpsc::channel();
        let on_interrupt = sender.clone();
        // The run may be over when the interrupt comes: then nobody listens, and nobody needs to.
        interrupt.notify(move || drop(on_interrupt.send(Event::Interrupted)));
        // Not joined: it ends with the channel, and where a slot hangs it must not hold up the program's end.
        thread::Builder::new()
            .name("slots".into())
            .spawn(move || work(&runtime, &pins, &assignments, &sender))?;
        Ok(Self { jobs, events, patience, interrupt, watch })
    }

    /// Waits for the tasks to begin, the only moment from which the slot's time may count.
    fn await_start(&self, patience: Duration) -> Result<(), Failure> {
        match self.events.recv_timeout(patience) {
            Ok(Event::Started) => Ok(()),
            Ok(Event::Panicked(message)) => Err(Failure::Panicked(message)),
            Ok(Event::Finished(_)) => Err(Failure::Panicked("it finished before it began".into())),
            Ok(Event::Interrupted) => Err(Failure::Interrupted),
            Err(RecvTimeoutError::Timeout) => Err(Failure::Hung { phase: "begin", patience }),
            Err(RecvTimeoutError::Disconnected) => Err(Failure::Panicked("its thread ended".into())),
        }
    }
}

impl Driver for Machine {
    fn drive(&mut self, job: Job) -> Result<Reading, Failure> {
        if self.interrupt.is_raised() {
            return Err(Failure::Interrupted);
        }
        (self.watch)(job.watched);
        let patience = to_finish(self.patience.finish, &job);
        let duration = job.duration;
        let stop = Arc::new(Stop::default());
        // A send fails only where the thread ended; the wait below then finds out.
        let _ = self.jobs.send(Assignment { job, stop: Arc::clone(&stop) });
        let started = self.await_start(self.patience.begin);
        if let Err(failure) = started {
            stop.stop();
            return Err(failure);
        }
        let mut interrupted = false;
        // This is the timer: the slot's time passes while nothing comes.
        let mut last = self.events.recv_timeout(duration);
        // Ending a slot allocates, and belongs to no operation.
        allocations::count(false);
        stop.stop();
        loop {
            match last {
                Ok(Event::Finished(reading)) if !interrupted => return Ok(*reading),
                Ok(Event::Finished(_)) => return Err(Failure::Interrupted),
                Ok(Event::Panicked(message)) => return Err(Failure::Panicked(message)),
                Ok(Event::Interrupted) => interrupted = true,
                Ok(Event::Started) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::Panicked("its thread ended".into()));
                }
            }
            last = self.events.recv_timeout(patience);
            if matches!(last, Err(RecvTimeoutError::Timeout)) {
                return Err(Failure::Hung { phase: "finish", patience });
            }
        }
    }
}

/// Every task may still have a turn before it sees the stop, and they may take turns one by one.
fn to_finish(base: Duration, job: &Job) -> Duration {
    let turn = job.params.hold.saturating_add(job.params.think);
    let tasks = u32::try_from(job.params.tasks).unwrap_or(u32::MAX);
    base.saturating_add(job.duration).saturating_add(turn.saturating_mul(tasks).saturating_mul(2))
}

/// The life of the slots' thread.
fn work(runtime: &Runtime, pins: &Pins, assignments: &Receiver<Assignment>, events: &Sender<Event>) {
    let shards = Shards::new(runtime.metrics().num_workers());
    if runtime.handle().runtime_flavor() == RuntimeFlavor::CurrentThread {
        threads::enrol(0);
        pins.pin_this_thread(0);
    }
    while let Ok(assignment) = assignments.recv() {
        let event = match catch_unwind(AssertUnwindSafe(|| execute(runtime, assignment, &shards, events))) {
            Ok(reading) => Event::Finished(Box::new(reading)),
            Err(panic) => Event::Panicked(message_of(panic.as_ref())),
        };
        if events.send(event).is_err() {
            return;
        }
    }
}

fn execute(runtime: &Runtime, assignment: Assignment, shards: &Shards, events: &Sender<Event>) -> Reading {
    let Assignment { job, stop } = assignment;
    let counts_allocations = job.pass == Pass::Latency;
    let at_start = Mutex::new(Spent::now());
    let started = || {
        let mut at_start = at_start.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody listens any more only when the program ends.
        let _ = events.send(Event::Started);
        *at_start = Spent::now();
        allocations::count(counts_allocations);
    };
    let recorders = match job.pass {
        Pass::Throughput => Vec::new(),
        Pass::Latency => shards.recorders(job.params.tasks),
    };
    let outcome = (job.run)(Slot {
        params: &job.params,
        pass: job.pass,
        runtime,
        clock: clock::source(),
        started: &started,
        stop,
        recorders,
        seed: job.seed,
    });
    let now = Spent::now();
    // The timer has done it already, or has been overtaken.
    allocations::count(false);
    let before = at_start.into_inner().unwrap_or_else(PoisonError::into_inner);
    Reading {
        outcome,
        cpu_ns: now.cpu_ns.saturating_sub(before.cpu_ns),
        switches: now.switches.zip(before.switches).map(|(now, before)| now.since(before)),
        allocations: counts_allocations.then(|| now.allocations.wrapping_sub(before.allocations)),
        waits: shards.take(),
    }
}

/// What the process had spent at one moment.
#[derive(Clone, Copy)]
struct Spent {
    cpu_ns: u64,
    switches: Option<Switches>,
    allocations: u64,
}

impl Spent {
    fn now() -> Self {
        Self {
            cpu_ns: clock::process_cpu_ns(),
            switches: clock::process_switches(),
            allocations: allocations::counted(),
        }
    }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|message| (*message).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| String::from("without a message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(patience: Patience) -> (Machine, Arc<Interrupt>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let interrupt = Arc::new(Interrupt::default());
        (
            Machine::new(runtime, Pins::default(), patience, Arc::clone(&interrupt), Box::new(|_| ()))
                .unwrap(),
            interrupt,
        )
    }

    fn job(run: fn(Slot<'_>) -> SlotOutcome) -> Job {
        let params = Params { tasks: 2, ..Params::PLAIN };
        let duration = Duration::from_millis(1);
        Job { run, params: Arc::new(params), pass: Pass::Latency, duration, seed: 1, watched: false }
    }

    fn until_stopped(mut slot: Slot<'_>) -> SlotOutcome {
        (slot.started)();
        slot.recorders[0].record(5);
        slot.recorders[1].record(7);
        while !slot.stop.is_stopped() {
            thread::yield_now();
        }
        outcome(slot)
    }

    fn outcome(slot: Slot<'_>) -> SlotOutcome {
        SlotOutcome {
            ops_per_task: vec![1, 1],
            wall_ns: 1,
            acquisitions: 2,
            waited: 2,
            forced_yields: 0,
            cancelled: 0,
            futile_wakeups: None,
            hold_ns: None,
            queue_depth: None,
            pace: None,
            law: Ok(()),
            recorders: slot.recorders,
        }
    }

    fn never_finishes(slot: Slot<'_>) -> SlotOutcome {
        (slot.started)();
        loop {
            thread::park();
        }
    }

    fn never_begins(_slot: Slot<'_>) -> SlotOutcome {
        loop {
            thread::park();
        }
    }

    fn panics(slot: Slot<'_>) -> SlotOutcome {
        (slot.started)();
        panic!("the guard was gone")
    }

    #[test]
    fn a_slot_runs_until_its_time_is_over_and_gives_its_waits() {
        let (mut machine, _) = machine(PATIENCE);
        for _ in 0..2 {
            let reading = machine.drive(job(until_stopped)).unwrap();
            assert_eq!((reading.waits.len(), reading.waits.max()), (2, 7));
        }
    }

    #[test]
    fn a_slot_that_never_finishes_is_given_up() {
        let (mut machine, _) = machine(Patience { finish: Duration::from_millis(1), ..PATIENCE });
        let failure = machine.drive(job(never_finishes)).unwrap_err();
        assert!(matches!(failure, Failure::Hung { phase: "finish", .. }), "{failure}");
    }

    #[test]
    fn a_slot_that_never_begins_is_given_up() {
        let (mut machine, _) = machine(Patience { begin: Duration::from_millis(1), ..PATIENCE });
        let failure = machine.drive(job(never_begins)).unwrap_err();
        assert!(matches!(failure, Failure::Hung { phase: "begin", .. }), "{failure}");
    }

    #[test]
    fn a_panic_in_a_slot_is_its_failure_and_not_ours() {
        let (mut machine, _) = machine(PATIENCE);
        let failure = machine.drive(job(panics)).unwrap_err();
        assert_eq!(failure, Failure::Panicked("the guard was gone".into()));
    }

    #[test]
    fn an_interrupt_ends_the_slot_and_every_later_one() {
        let (mut machine, interrupt) = machine(PATIENCE);
        let mut long = job(until_stopped);
        long.duration = Duration::from_secs(3600);
        let raise = thread::spawn(move || interrupt.raise());
        assert_eq!(machine.drive(long).unwrap_err(), Failure::Interrupted);
        raise.join().unwrap();
        assert_eq!(machine.drive(job(until_stopped)).unwrap_err(), Failure::Interrupted);
    }
}
