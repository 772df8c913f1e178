//! Marks the stretches of a block that count: by the clock, or by the instruction.
//!
//! A block prepares and tidies up between its stretches, and neither may count. A clock is read at both ends of
//! each stretch, so a stretch should hold some hundred operations; callgrind switches its counting on and off
//! where [`stretch`] is entered and left. What is done in a stretch is not known here.

use std::time::{Duration, Instant};

/// What the stretches of a block come to.
#[derive(Debug, Default)]
pub struct Stopwatch {
    elapsed: Duration,
    operations: u64,
}

impl Stopwatch {
    /// Does what counts as `operations` of them.
    pub fn measure<R>(&mut self, operations: u64, work: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = stretch(work);
        self.elapsed += start.elapsed();
        self.operations += operations;
        result
    }

    /// Operations done; at least as many as a block was asked for.
    pub const fn operations(&self) -> u64 {
        self.operations
    }

    /// Time that the operations took.
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Time of one operation.
    #[expect(clippy::cast_precision_loss, reason = "a block is far shorter than 2^52 ns")]
    pub fn ns_per_operation(&self) -> f64 {
        self.elapsed.as_nanos() as f64 / self.operations as f64
    }
}

/// Its name is how callgrind finds it, so it is a function of its own in the binary.
#[inline(never)]
fn stretch<R>(work: impl FnOnce() -> R) -> R {
    work()
}
