//! What the figures were measured on. What the system does not tell is left empty, never guessed.

use std::fs;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use results::Environment;

use crate::cases::registry;
use crate::cli::RuntimeKind;
use crate::pin::Pins;
use crate::runner::clock;
use crate::threads;

/// Workers of the multi-thread runtime where none are asked for: enough to contend, and few enough that most
/// machines have a core for each.
const DEFAULT_WORKERS: usize = 2;

/// The executor of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Executor {
    /// All tasks on the thread that runs the slots.
    CurrentThread,
    /// Tasks on this many threads.
    MultiThread {
        /// Worker threads.
        workers: usize,
    },
}

impl Executor {
    /// From `--runtime` and `--workers`; `None` where more workers than one are asked of the current thread.
    pub(crate) fn new(kind: RuntimeKind, workers: Option<NonZeroUsize>) -> Option<Self> {
        match (kind, workers.map(NonZeroUsize::get)) {
            (RuntimeKind::CurrentThread, None | Some(1)) => Some(Self::CurrentThread),
            (RuntimeKind::CurrentThread, Some(_)) => None,
            (RuntimeKind::MultiThread, Some(workers)) => Some(Self::MultiThread { workers }),
            (RuntimeKind::MultiThread, None) => {
                Some(Self::MultiThread { workers: DEFAULT_WORKERS.min(cores()) })
            }
        }
    }

    /// Builds it, its threads enrolled and pinned. The thread that the current-thread runtime runs on is not its own.
    ///
    /// # Errors
    /// Where the system gives no threads.
    pub(crate) fn build(self, pins: &Pins) -> std::io::Result<tokio::runtime::Runtime> {
        match self {
            Self::CurrentThread => tokio::runtime::Builder::new_current_thread().enable_time().build(),
            Self::MultiThread { workers } => {
                let (enrolled, pins) = (AtomicUsize::new(0), pins.clone());
                tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(workers)
                    .on_thread_start(move || {
                        // Ordering: Relaxed, a count that guards no data.
                        let number = enrolled.fetch_add(1, Ordering::Relaxed);
                        threads::enrol(number);
                        pins.pin_this_thread(number);
                    })
                    .enable_time()
                    .build()
            }
        }
    }

    /// Threads that run tasks.
    pub(crate) fn workers(self) -> usize {
        match self {
            Self::CurrentThread => 1,
            Self::MultiThread { workers } => workers,
        }
    }

    fn describe(self) -> String {
        let tokio = registry().backends.iter().find(|backend| backend.name == "tokio");
        let version = tokio.map_or(String::new(), |backend| format!(" {}", backend.version));
        match self {
            Self::CurrentThread => format!("tokio{version}, current-thread"),
            Self::MultiThread { workers } => {
                let plural = if workers == 1 { "" } else { "s" };
                format!("tokio{version}, multi-thread, {workers} worker{plural}")
            }
        }
    }
}

/// Describes machine and build before a run; [`Environment::load_after`] is filled in after it.
pub(crate) fn describe(executor: Executor, pins: &Pins) -> Environment {
    let load = load_average();
    Environment {
        cpu: cpu_model(),
        cores: cores(),
        memory_bytes: memory_bytes(),
        kernel: kernel(),
        rustc: env!("BENCH_RUSTC").to_owned(),
        profile: env!("BENCH_PROFILE").to_owned(),
        debug_assertions: cfg!(debug_assertions),
        git: Some(env!("BENCH_GIT")).filter(|commit| !commit.is_empty()).map(str::to_owned),
        runtime: executor.describe(),
        pinned: pins.processors(),
        clock: clock::describe(),
        load_before: load,
        load_after: load,
    }
}

/// Processors that this process may use.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// One-minute load average; 0 where the system has none.
pub(crate) fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(0.0)
}

fn cpu_model() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    // x86 says `model name`; Arm boards say `Hardware` or nothing.
    let value = ["model name", "Hardware", "cpu model"].iter().find_map(|key| value_of(&text, key));
    value.map_or_else(|| std::env::consts::ARCH.to_owned(), str::to_owned)
}

fn memory_bytes() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kibibytes =
        value_of(&text, "MemTotal").and_then(|value| value.strip_suffix("kB")?.trim().parse::<u64>().ok());
    kibibytes.unwrap_or(0).saturating_mul(1024)
}

fn kernel() -> String {
    let uname = rustix::system::uname();
    format!("{} {}", uname.sysname().to_string_lossy(), uname.release().to_string_lossy())
}

/// The value of the first `key : value` line.
fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_whole_key() {
        let text = "processor : 0\nmodel name\t: Made Up 9000: turbo\nmodel : 7\n";
        assert_eq!(value_of(text, "model name"), Some("Made Up 9000: turbo"));
        assert_eq!(value_of(text, "model"), Some("7"));
        assert_eq!(value_of(text, "name"), None);
    }

    #[test]
    fn more_workers_than_the_current_thread_are_refused() {
        let workers = NonZeroUsize::new;
        assert_eq!(Executor::new(RuntimeKind::CurrentThread, workers(2)), None);
        assert_eq!(Executor::new(RuntimeKind::CurrentThread, workers(1)), Some(Executor::CurrentThread));
        assert_eq!(
            Executor::new(RuntimeKind::MultiThread, workers(3)),
            Some(Executor::MultiThread { workers: 3 })
        );
    }

    #[test]
    fn the_environment_is_described_without_gaps() {
        let environment = describe(Executor::CurrentThread, &Pins::default());
        assert!(environment.cores >= 1);
        for text in [&environment.cpu, &environment.kernel, &environment.rustc, &environment.clock] {
            assert!(!text.is_empty());
        }
        assert!(environment.profile.contains("opt-level"), "{}", environment.profile);
    }
}
