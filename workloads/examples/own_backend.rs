//! Measures a lock of one's own with a workload, beside the registered ones, from outside the package.
//!
//! `cargo run -p workloads --example own_backend`
//!
//! A backend of one's own is a type that implements [`Library`] and the trait of each family that it has; the
//! workload's function is then compiled for it as for any other, and checks its law. What this does not do: paired
//! rounds, intervals, verdicts. To have those of bench-harness too, put the file into `src/backends/` and its name
//! into the list there.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use workloads::backend::{Library, MutexBackend};
use workloads::workloads::mutex::{WORKLOAD, exclusive};
use workloads::{Pass, Slot, SlotOutcome, Stop};

/// Our own lock: whoever finds it taken goes back to the run queue and looks again. No queue, no order, no sleep.
#[derive(Default)]
struct YieldLock {
    taken: AtomicBool,
    value: AtomicU64,
}

/// Works on a copy of the value, which it puts back at its end.
struct YieldGuard<'a> {
    lock: &'a YieldLock,
    value: u64,
}

impl YieldLock {
    fn try_lock(&self) -> Option<YieldGuard<'_>> {
        // Ordering: Acquire pairs with the Release of the last guard; we see the value that it put back.
        let free = !self.taken.swap(true, Ordering::Acquire);
        free.then(|| YieldGuard { lock: self, value: self.value.load(Ordering::Relaxed) })
    }
}

impl Drop for YieldGuard<'_> {
    fn drop(&mut self) {
        self.lock.value.store(self.value, Ordering::Relaxed);
        // Ordering: Release, see `try_lock`.
        self.lock.taken.store(false, Ordering::Release);
    }
}

impl Deref for YieldGuard<'_> {
    type Target = u64;

    fn deref(&self) -> &u64 {
        &self.value
    }
}

impl DerefMut for YieldGuard<'_> {
    fn deref_mut(&mut self) -> &mut u64 {
        &mut self.value
    }
}

/// What the workloads know of our lock.
struct Mine;

impl Library for Mine {}

impl MutexBackend for Mine {
    type Mutex = YieldLock;
    type Guard<'a> = YieldGuard<'a>;

    fn new(value: u64) -> YieldLock {
        YieldLock { value: AtomicU64::new(value), ..YieldLock::default() }
    }

    async fn lock(lock: &YieldLock) -> YieldGuard<'_> {
        loop {
            if let Some(guard) = lock.try_lock() {
                return guard;
            }
            tokio::task::yield_now().await;
        }
    }

    fn try_lock(lock: &YieldLock) -> Option<YieldGuard<'_>> {
        lock.try_lock()
    }
}

/// One slot of the workload on one backend.
type Case = fn(Slot<'_>) -> SlotOutcome;

/// Turns of each lock; the best of them is shown.
const ROUNDS: usize = 5;
const SLOT: Duration = Duration::from_millis(50);

fn main() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime");
    let mut contenders: Vec<(&str, Case)> = vec![("mine", exclusive::<Mine>)];
    contenders.extend(WORKLOAD.variants[0].arms.iter().map(|arm| (arm.backend.name, arm.run)));
    println!("{:<20} {:>9} {:>7}  fewest and most of a task", "lock", "k ops/s", "waited");
    for (name, run) in contenders {
        let best = (0..ROUNDS).map(|_| measure(&runtime, run)).max_by(|a, b| rate(a).total_cmp(&rate(b)));
        let outcome = best.expect("at least one round");
        let waited = 100.0 * outcome.waited as f64 / outcome.acquisitions as f64;
        let (fewest, most) = (outcome.ops_per_task.iter().min(), outcome.ops_per_task.iter().max());
        println!(
            "{name:<20} {:>9.0} {waited:>5.0} %  {} {}",
            rate(&outcome) / 1e3,
            fewest.unwrap_or(&0),
            most.unwrap_or(&0)
        );
    }
}

/// One throughput slot with the workload's own defaults.
fn measure(runtime: &Runtime, run: Case) -> SlotOutcome {
    let stop = Arc::new(Stop::default());
    let timer = || {
        let stop = stop.clone();
        std::thread::spawn(move || {
            std::thread::sleep(SLOT);
            stop.stop();
        });
    };
    let outcome = run(Slot {
        params: &(WORKLOAD.variants[0].defaults)(),
        pass: Pass::Throughput,
        runtime,
        clock: monotonic_ns,
        started: &timer,
        stop: stop.clone(),
        recorders: Vec::new(),
        seed: 1,
    });
    if let Err(broken) = &outcome.law {
        panic!("{broken}");
    }
    outcome
}

fn rate(outcome: &SlotOutcome) -> f64 {
    outcome.ops_per_task.iter().sum::<u64>() as f64 / (outcome.wall_ns as f64 / 1e9)
}

fn monotonic_ns() -> u64 {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    u64::try_from(ORIGIN.get_or_init(Instant::now).elapsed().as_nanos()).expect("less than 500 years")
}
