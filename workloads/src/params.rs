//! The knobs of a case. Plain data: where they come from (arguments, a scenario file) is not known here.

use std::time::Duration;

/// How a task spends the time for which it holds what it acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldMode {
    /// Computes without giving the worker away.
    Spin,
    /// Yields to the executor once and again until the time is over, at least once.
    Yield,
    /// Sleeps on the executor's timer (tokio's granularity is 1 ms).
    Sleep,
}

/// The knobs of a case. Zero tasks or permits are refused by whoever reads them from the user.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// Tasks that contend, 1 to 1,000,000.
    pub tasks: usize,
    /// Permits of a semaphore, capacity of a buffer; workloads without permits ignore it.
    pub permits: usize,
    /// How long it is held; zero with [`HoldMode::Yield`] is exactly one yield.
    pub hold: Duration,
    /// How the hold time is spent.
    pub hold_mode: HoldMode,
    /// Spun between two operations of a task.
    pub think: Duration,
    /// Percentage of acquisitions dropped after their first poll if that was pending, 0 to 100.
    pub cancel_percent: f64,
}

/// A knob's value as a report stores it.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamValue {
    /// A count, or a duration in nanoseconds.
    Count(u64),
    /// A percentage.
    Number(f64),
    /// A mode.
    Text(&'static str),
}

impl Params {
    /// Every knob under its report name, in the order of the command line's help.
    pub fn entries(&self) -> Vec<(&'static str, ParamValue)> {
        vec![
            ("tasks", ParamValue::Count(self.tasks as u64)),
            ("permits", ParamValue::Count(self.permits as u64)),
            ("hold_ns", ParamValue::Count(self.hold.as_nanos() as u64)),
            ("hold_mode", ParamValue::Text(self.hold_mode.as_str())),
            ("think_ns", ParamValue::Count(self.think.as_nanos() as u64)),
            ("cancel_percent", ParamValue::Number(self.cancel_percent)),
        ]
    }
}

impl HoldMode {
    /// The name of the command line and of the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::Yield => "yield",
            Self::Sleep => "sleep",
        }
    }
}
