//! Figures in the units in which other benchmarks report theirs, so that they can be laid side by side.
//!
//! Pure arithmetic on the rounds of a cell. Which benchmark has which unit is not known here.

use std::fmt;
use std::str::FromStr;

use crate::statistics::spread;
use crate::{Cell, PeerFigure, Round, format_ns};

/// What another benchmark reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerUnit {
    /// The wall time of this many operations of all tasks together, one at least: `time-per-3000`.
    TimePer(u64),
    /// Thousands of operations in a second, of each task on average: `khz-per-task`.
    KilohertzPerTask,
    /// The processor time of an operation, of all threads, less what was spun on purpose while holding and between
    /// two operations: `overhead`.
    Overhead,
}

/// A text that is no unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected time-per-N (the wall time of N operations), khz-per-task or overhead")]
pub struct ParsePeerUnitError;

impl FromStr for PeerUnit {
    type Err = ParsePeerUnitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "khz-per-task" => Ok(Self::KilohertzPerTask),
            "overhead" => Ok(Self::Overhead),
            _ => {
                let operations = text.strip_prefix("time-per-").and_then(|number| number.parse().ok());
                operations.filter(|&number| number > 0).map(Self::TimePer).ok_or(ParsePeerUnitError)
            }
        }
    }
}

/// In words, as [`PeerFigure::unit`] has it.
impl fmt::Display for PeerUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimePer(1) => f.write_str("ns per operation"),
            Self::TimePer(operations) => write!(f, "ns per {operations} operations"),
            Self::KilohertzPerTask => f.write_str("kHz per task"),
            Self::Overhead => f.write_str("ns of CPU per operation, less hold and think"),
        }
    }
}

impl PeerUnit {
    /// The cell's figure in this unit, over its rounds.
    ///
    /// None in an open loop, which has no throughput; where a round did no operation; and of [`Overhead`](Self::Overhead)
    /// where the hold is not spun, since what a yield or a sleep costs the processor nobody knows.
    #[must_use]
    pub fn figure(self, cell: &Cell) -> Option<PeerFigure> {
        if cell.is_open_loop() {
            return None;
        }
        let rounds: Option<Vec<f64>> = cell.rounds.iter().map(|round| self.of_round(cell, round)).collect();
        let over_rounds = spread(&rounds.filter(|rounds| !rounds.is_empty())?);
        Some(PeerFigure {
            unit: self.to_string(),
            median: over_rounds.median,
            min: over_rounds.min,
            max: over_rounds.max,
        })
    }

    fn of_round(self, cell: &Cell, round: &Round) -> Option<f64> {
        let number = |key: &str| cell.params.get(key).and_then(serde_json::Value::as_f64);
        let throughput = round.throughput_ops_per_s().filter(|throughput| *throughput > 0.0)?;
        #[expect(clippy::cast_precision_loss, reason = "below 2^53 in any real run")]
        match self {
            Self::TimePer(operations) => Some(operations as f64 * 1e9 / throughput),
            Self::KilohertzPerTask => Some(throughput / 1e3 / number("tasks")?),
            Self::Overhead => {
                let mode = cell.params.get("hold_mode").and_then(serde_json::Value::as_str);
                let spun_ns = number("hold_ns").unwrap_or(0.0) + number("think_ns").unwrap_or(0.0);
                let spins = mode.is_none_or(|mode| mode == "spin");
                spins.then_some(round.cpu_ns as f64 / round.ops as f64 - spun_ns)
            }
        }
    }
}

impl Cell {
    /// What is to be said of a backend that lacks a primitive and was put together: `tokio lacks …: Notify + Mutex`.
    #[must_use]
    pub fn composed_sentence(&self) -> Option<String> {
        let parts = self.composed.as_ref()?;
        Some(format!("{} lacks a primitive that is used here, and is put together: {parts}.", self.backend))
    }
}

impl fmt::Display for PeerFigure {
    /// `1.23 ms per 3000 operations (1.20 ms–1.31 ms)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, min, max, .. } = *self;
        match self.unit.strip_prefix("ns ") {
            Some(rest) => {
                let [median, min, max] = [median, min, max].map(format_ns);
                write!(f, "{median} {rest} ({min}–{max})")
            }
            None => write!(f, "{median:.1} {} ({min:.1}–{max:.1})", self.unit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_from_their_names_and_nothing_else() {
        assert_eq!("time-per-3000".parse(), Ok(PeerUnit::TimePer(3_000)));
        assert_eq!("khz-per-task".parse(), Ok(PeerUnit::KilohertzPerTask));
        assert_eq!("overhead".parse(), Ok(PeerUnit::Overhead));
        for text in ["", "time-per-", "time-per-0", "time-per--1", "time-per-x", "khz", "Overhead", "ns"] {
            assert_eq!(text.parse::<PeerUnit>(), Err(ParsePeerUnitError), "{text:?}");
        }
    }

    #[test]
    fn figures_are_shown_with_their_range() {
        let figure = |unit: PeerUnit, median| {
            PeerFigure { unit: unit.to_string(), median, min: median / 2.0, max: median * 2.0 }.to_string()
        };
        assert_eq!(figure(PeerUnit::TimePer(3_000), 1e6), "1.00 ms per 3000 operations (500 µs–2.00 ms)");
        assert_eq!(figure(PeerUnit::TimePer(1), 100.0), "100 ns per operation (50.0 ns–200 ns)");
        assert_eq!(figure(PeerUnit::KilohertzPerTask, 10.0), "10.0 kHz per task (5.0–20.0)");
        assert_eq!(
            figure(PeerUnit::Overhead, 40.0),
            "40.0 ns of CPU per operation, less hold and think (20.0 ns–80.0 ns)"
        );
    }
}
