//! Runs one slot the way a runner does: a runtime, a clock, something that says stop.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use workloads::{Params, Pass, Recorder, Slot, SlotOutcome, Stop};

/// The executors that every case must be able to run on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Flavour {
    CurrentThread,
    MultiThread { workers: usize },
}

pub(crate) const FLAVOURS: [Flavour; 3] =
    [Flavour::CurrentThread, Flavour::MultiThread { workers: 1 }, Flavour::MultiThread { workers: 2 }];

impl Flavour {
    /// Whether tasks take turns on one thread, so that it does not depend on the machine who meets whom.
    pub(crate) fn is_one_thread(self) -> bool {
        matches!(self, Self::CurrentThread | Self::MultiThread { workers: 1 })
    }

    fn runtime(self) -> Runtime {
        match self {
            Self::CurrentThread => Builder::new_current_thread().enable_time().build().unwrap(),
            Self::MultiThread { workers } => {
                Builder::new_multi_thread().worker_threads(workers).enable_time().build().unwrap()
            }
        }
    }
}

/// What ends a slot.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// It is over before it begins.
    Started,
    /// A timer on another thread, as in a real run.
    Milliseconds(u64),
    /// The recorders of a latency slot have taken this many samples together.
    Samples(u64),
}

/// What came of a slot.
pub(crate) struct Run {
    pub(crate) flavour: Flavour,
    /// Whether the backend lets nobody overtake.
    pub(crate) fair: bool,
    /// Whether the variant is about waiting.
    pub(crate) contends: bool,
    pub(crate) outcome: SlotOutcome,
    /// Samples that the recorders took.
    pub(crate) recorded: u64,
    /// Calls of `started`.
    pub(crate) started: u64,
}

/// Runs one slot of `case`.
pub(crate) fn run(
    case: fn(Slot<'_>) -> SlotOutcome,
    params: &Params,
    pass: Pass,
    flavour: Flavour,
    until: Until,
) -> Run {
    let (stop, recorded, started) = (Arc::new(Stop::default()), Arc::default(), AtomicU64::new(0));
    let enough = if let Until::Samples(samples) = until { samples } else { u64::MAX };
    let recorder = || -> Box<dyn Recorder> {
        Box::new(Counting { recorded: Arc::clone(&recorded), enough, stop: stop.clone() })
    };
    let recorders = match pass {
        Pass::Throughput => Vec::new(),
        Pass::Latency => (0..params.tasks).map(|_| recorder()).collect(),
    };
    let begin = || {
        // Ordering: Relaxed, read after the slot.
        started.fetch_add(1, Ordering::Relaxed);
        match until {
            Until::Started => stop.stop(),
            Until::Samples(_) => {}
            Until::Milliseconds(time) => {
                let stop = stop.clone();
                std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(time));
                    stop.stop();
                });
            }
        }
    };
    let outcome = case(Slot {
        params,
        pass,
        runtime: &flavour.runtime(),
        clock: monotonic_ns,
        started: &begin,
        stop: stop.clone(),
        recorders,
        seed: 42,
    });
    // Ordering: Relaxed, the tasks were joined.
    let (recorded, started) = (recorded.load(Ordering::Relaxed), started.load(Ordering::Relaxed));
    Run { flavour, fair: true, contends: true, outcome, recorded, started }
}

struct Counting {
    recorded: Arc<AtomicU64>,
    enough: u64,
    stop: Arc<Stop>,
}

impl Recorder for Counting {
    fn record(&mut self, _wait_ns: u64) {
        // Ordering: Relaxed, a count.
        if self.recorded.fetch_add(1, Ordering::Relaxed) + 1 == self.enough {
            self.stop.stop();
        }
    }
}

fn monotonic_ns() -> u64 {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    u64::try_from(ORIGIN.get_or_init(Instant::now).elapsed().as_nanos()).unwrap()
}
