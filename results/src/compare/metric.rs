//! What is compared.

use crate::{Cell, LatencyRound, Round};

/// A figure that each round has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
    /// Operations in a second.
    Throughput,
    /// Median wait.
    WaitP50,
    /// 99th percentile of the wait.
    WaitP99,
}

impl Metric {
    /// In the order of reports.
    pub(super) const ALL: [Metric; 3] = [Metric::Throughput, Metric::WaitP50, Metric::WaitP99];

    /// Those that two cells can be compared on: throughput is none where an open loop set it.
    pub(super) fn of(base: &Cell, candidate: &Cell) -> impl Iterator<Item = Metric> + use<> {
        let open_loop = base.is_open_loop() || candidate.is_open_loop();
        Self::ALL.into_iter().filter(move |metric| !(open_loop && *metric == Metric::Throughput))
    }

    /// Name in reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Metric::Throughput => "throughput",
            Metric::WaitP50 => "wait_p50",
            Metric::WaitP99 => "wait_p99",
        }
    }

    /// Round by round, in the order of the run.
    pub(super) fn merits(self, cell: &Cell) -> Vec<Merit> {
        let latency = |figure: fn(&LatencyRound) -> Option<u64>| {
            let merit = |round: &LatencyRound| Merit { fork: round.fork, value: inverse(figure(round)) };
            cell.latency_rounds.iter().map(merit).collect()
        };
        match self {
            Metric::Throughput => {
                let value = |round: &Round| round.throughput_ops_per_s().unwrap_or(f64::NAN);
                cell.rounds.iter().map(|round| Merit { fork: round.fork, value: value(round) }).collect()
            }
            Metric::WaitP50 => latency(|round| round.p50_ns),
            Metric::WaitP99 => latency(|round| round.p99_ns),
        }
    }
}

/// What a round comes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Merit {
    /// The process that measured it, where there were several.
    pub(super) fork: Option<usize>,
    /// Larger is better: waits are turned into their inverse. NaN where the round has no figure, so that the
    /// places stay those of the rounds.
    pub(super) value: f64,
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds below 2^53 are 104 days")]
fn inverse(ns: Option<u64>) -> f64 {
    ns.map_or(f64::NAN, |ns| 1.0 / ns as f64)
}
