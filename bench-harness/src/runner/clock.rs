//! The clock that cases read, and what the process has spent of the processors.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use rustix::time::{ClockId, clock_gettime};

/// Reads that the cost of one is averaged over.
const READS: u32 = 100_000;

/// The clock of the slots: monotonic nanoseconds from any origin, by one raw read and one multiplication.
///
/// The time stamp counter where the system trusts it (a third of the cost), else the system's monotonic clock. Which of
/// the two is settled here, and not in each read.
pub(crate) fn source() -> fn() -> u64 {
    // The origins are taken now, so that no read of a slot has to.
    LazyLock::force(&ANCHOR);
    LazyLock::force(&BEGUN);
    if fastant::is_tsc_available() { by_tsc } else { by_system }
}

static ANCHOR: LazyLock<fastant::Anchor> = LazyLock::new(fastant::Anchor::new);
static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);

fn by_tsc() -> u64 {
    // Of the calls of `fastant` it is the one that goes through no `Duration`, whose divisions cost as much as the read.
    fastant::Instant::now().as_unix_nanos(&ANCHOR)
}

fn by_system() -> u64 {
    BEGUN.elapsed().as_nanos() as u64
}

/// The clock's name and what one read costs here: `fastant (tsc), 11.2 ns`.
pub(crate) fn describe() -> String {
    let name = if fastant::is_tsc_available() { "fastant (tsc)" } else { "std" };
    let clock = source();
    let begun_ns = clock();
    for _ in 0..READS {
        std::hint::black_box(clock());
    }
    let read_ns = (clock() - begun_ns) as f64 / f64::from(READS);
    format!("{name}, {read_ns:.1} ns a read")
}

/// Processor time of the whole process until now.
pub(crate) fn process_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.max(0) as u64, time.tv_nsec.max(0) as u32).as_nanos() as u64
}

/// How often threads of this process gave up a processor, or lost it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Switches {
    /// To sleep.
    pub(crate) voluntary: u64,
    /// To somebody else.
    pub(crate) involuntary: u64,
}

impl Switches {
    /// Those between an earlier moment and this one.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            voluntary: self.voluntary.saturating_sub(earlier.voluntary),
            involuntary: self.involuntary.saturating_sub(earlier.involuntary),
        }
    }
}

/// Switches of the whole process until now; `None` where the system does not tell.
pub(crate) fn process_switches() -> Option<Switches> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    Some(Switches {
        voluntary: u64::try_from(usage.voluntary_context_switches()).ok()?,
        involuntary: u64::try_from(usage.involuntary_context_switches()).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_goes_back() {
        for clock in [source(), by_system] {
            let mut last_ns = clock();
            for _ in 0..10_000 {
                let next_ns = clock();
                assert!(next_ns >= last_ns);
                last_ns = next_ns;
            }
        }
    }

    #[test]
    fn a_thread_that_parks_is_a_voluntary_switch() {
        let before = process_switches().unwrap();
        let sleeper = std::thread::spawn(std::thread::park);
        // It has parked when it no longer runs, and it sleeps again each time that it is woken for nothing.
        while process_switches().unwrap().since(before).voluntary == 0 {
            std::thread::yield_now();
        }
        sleeper.thread().unpark();
        sleeper.join().unwrap();
        let none = Switches { voluntary: 0, involuntary: 0 };
        assert_eq!(before.since(process_switches().unwrap()), none, "counts never go back");
    }

    #[test]
    fn the_process_has_spent_processor_time() {
        assert!(process_cpu_ns() > 0);
    }
}
