//! The clock that cases read, and what the process has spent of the processors.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Reads that the cost of one is averaged over.
const READS: u32 = 100_000;

/// Monotonic nanoseconds since the first call.
///
/// The time stamp counter where the system trusts it (a third of the cost), else the system's monotonic clock.
pub(crate) fn now_ns() -> u64 {
    static ORIGIN: LazyLock<Origin> =
        LazyLock::new(|| Origin { tsc: fastant::Instant::now(), system: Instant::now() });
    let since_origin =
        if fastant::is_tsc_available() { ORIGIN.tsc.elapsed() } else { ORIGIN.system.elapsed() };
    since_origin.as_nanos() as u64
}

struct Origin {
    tsc: fastant::Instant,
    system: Instant,
}

/// The clock's name and what one read costs here: `fastant (tsc), 11.2 ns`.
pub(crate) fn describe() -> String {
    let name = if fastant::is_tsc_available() { "fastant (tsc)" } else { "std" };
    let begun_ns = now_ns();
    for _ in 0..READS {
        std::hint::black_box(now_ns());
    }
    let read_ns = (now_ns() - begun_ns) as f64 / f64::from(READS);
    format!("{name}, {read_ns:.1} ns a read")
}

/// Processor time of the whole process until now.
pub(crate) fn process_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.max(0) as u64, time.tv_nsec.max(0) as u32).as_nanos() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_goes_back() {
        let mut last_ns = now_ns();
        for _ in 0..10_000 {
            let next_ns = now_ns();
            assert!(next_ns >= last_ns);
            last_ns = next_ns;
        }
    }

    #[test]
    fn the_process_has_spent_processor_time() {
        assert!(process_cpu_ns() > 0);
    }
}
