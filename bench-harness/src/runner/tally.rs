//! Gathers the readings of a case and turns them into cells. A round counts only when it is whole.

use std::mem;

use hdrhistogram::Histogram;
use results::statistics::{jain, median, smallest_share, spread};
use results::{Cell, Fairness, LatencyRound, OpenLoop, Round, WaitSummary};
use workloads::{Pace, ParamValue, Pass};

use super::driver::Reading;
use super::recorder::histogram;
use crate::cases::Case;

/// What was measured of a case.
#[derive(Debug)]
pub(crate) struct CaseTally {
    /// Of a case that was measured before; nothing is added to it.
    kept: Vec<Cell>,
    arms: Vec<ArmTally>,
    /// Slots of the round under way: which arm, its place in the round, what it gave.
    pending: Vec<(usize, Sample)>,
    /// Laws that did not hold, warm-up included: where, and what was seen.
    pub(crate) broken_laws: Vec<String>,
}

#[derive(Debug)]
struct ArmTally {
    rounds: Vec<Round>,
    latency_rounds: Vec<LatencyRound>,
    waits: Histogram<u64>,
    /// Of the slots of an open loop, put together.
    pace: Pace,
}

#[derive(Debug)]
enum Sample {
    Throughput(Round),
    Latency(LatencyRound, Histogram<u64>),
    OpenLoop(Round, Pace, LatencyRound, Histogram<u64>),
}

impl CaseTally {
    pub(crate) fn new(case: &Case) -> Self {
        let arm = || ArmTally {
            rounds: Vec::new(),
            latency_rounds: Vec::new(),
            waits: histogram(),
            pace: Pace::default(),
        };
        Self {
            kept: Vec::new(),
            arms: case.entrants.iter().map(|_| arm()).collect(),
            pending: Vec::new(),
            broken_laws: Vec::new(),
        }
    }

    /// Of a case that was measured before.
    pub(crate) fn kept(cells: Vec<Cell>) -> Self {
        Self { kept: cells, arms: Vec::new(), pending: Vec::new(), broken_laws: Vec::new() }
    }

    /// Whole rounds until now.
    fn rounds(&self) -> usize {
        self.arms.first().map_or(0, |arm| arm.rounds.len())
    }

    /// Notes whether the case's own law held; this counts in every slot.
    pub(crate) fn check_law(&mut self, slot: &str, reading: &Reading) {
        if let Err(seen) = &reading.outcome.law {
            self.broken_laws.push(format!("{slot}: {seen}"));
        }
    }

    /// Takes a slot of the round under way.
    pub(crate) fn add(&mut self, arm: usize, order: usize, pass: Pass, reading: Reading) {
        let sample = match pass {
            Pass::Throughput => Sample::Throughput(throughput_round(order, &reading)),
            Pass::Latency => {
                let depth = reading.outcome.queue_depth;
                let round = LatencyRound {
                    ops: reading.outcome.ops_per_task.iter().sum(),
                    wall_ns: reading.outcome.wall_ns,
                    allocations: reading.allocations,
                    ..LatencyRound::from_histogram(order, &reading.waits, depth)
                };
                match reading.outcome.pace {
                    None => Sample::Latency(round, reading.waits),
                    Some(pace) => {
                        Sample::OpenLoop(open_loop_round(order, &reading, &pace), pace, round, reading.waits)
                    }
                }
            }
        };
        self.pending.push((arm, sample));
    }

    /// The round is whole: it counts from now on.
    pub(crate) fn commit_round(&mut self) {
        for (arm, sample) in mem::take(&mut self.pending) {
            let arm = &mut self.arms[arm];
            match sample {
                Sample::Throughput(round) => arm.rounds.push(round),
                Sample::Latency(round, waits) => arm.add_waits(round, &waits),
                Sample::OpenLoop(round, pace, latency_round, waits) => {
                    arm.rounds.push(round);
                    arm.add_pace(&pace);
                    arm.add_waits(latency_round, &waits);
                }
            }
        }
    }

    /// The round was the warm-up, or was broken off: nothing of it counts.
    pub(crate) fn discard_round(&mut self) {
        self.pending.clear();
    }

    /// The cells of the case; none where it has no whole round.
    pub(crate) fn cells(&self, case: &Case) -> Vec<Cell> {
        if self.rounds() == 0 {
            return self.kept.clone();
        }
        let params = params(case);
        let cells = case.entrants.iter().zip(&self.arms).map(|(entrant, tally)| Cell {
            workload: case.workload.name.to_owned(),
            variant: case.variant.name.to_owned(),
            backend: entrant.name.clone(),
            backend_version: entrant.arm.backend.version.to_owned(),
            composed: entrant.arm.composed.map(str::to_owned),
            params: params.clone(),
            rounds: tally.rounds.clone(),
            throughput_ops_per_s: spread(&tally.throughputs()),
            wait_ns: WaitSummary::from_histogram(&tally.waits),
            latency_rounds: tally.latency_rounds.clone(),
            recorder_share: tally.recorder_share().filter(|_| !case.is_open_loop()),
            fairness: tally.fairness(),
            open_loop: case.params.rate_ops_per_s.map(|rate| tally.open_loop(rate)),
            peer_figure: None,
        });
        cells.collect()
    }
}

impl ArmTally {
    fn add_waits(&mut self, round: LatencyRound, waits: &Histogram<u64>) {
        self.latency_rounds.push(round);
        self.waits.add(waits).expect("histograms of the same bounds can be added");
    }

    fn add_pace(&mut self, pace: &Pace) {
        self.pace.due += pace.due;
        self.pace.window_ns += pace.window_ns;
        self.pace.on_time += pace.on_time;
        self.pace.behind += pace.behind;
        self.pace.lag_sum_ns += pace.lag_sum_ns;
        self.pace.lag_max_ns = self.pace.lag_max_ns.max(pace.lag_max_ns);
    }

    /// An operation that was given up as `--cancel` asks was begun on schedule all the same.
    fn open_loop(&self, rate_ops_per_s: f64) -> OpenLoop {
        let answered: u64 = self.rounds.iter().map(|round| round.ops + round.cancelled).sum();
        let pace = &self.pace;
        OpenLoop {
            rate_ops_per_s,
            achieved_ops_per_s: rate_ops_per_s * fraction(answered, pace.due),
            lag_mean_ns: fraction(pace.lag_sum_ns, pace.on_time),
            lag_max_ns: pace.lag_max_ns,
            behind_fraction: fraction(pace.behind, pace.behind + pace.on_time),
        }
    }

    /// Both passes of a round ran the same work close to each other, so the round is what is compared. A machine that
    /// stutters in one of them may turn the order around, and nobody records in less than no time.
    fn recorder_share(&self) -> Option<f64> {
        let share = |(bare, timed): (&Round, &LatencyRound)| {
            let timed_ops_per_s = timed.ops as f64 * 1e9 / timed.wall_ns as f64;
            let share = 1.0 - timed_ops_per_s / bare.throughput_ops_per_s()?;
            share.is_finite().then_some(share)
        };
        let shares: Vec<f64> = self.rounds.iter().zip(&self.latency_rounds).filter_map(share).collect();
        median(&shares).map(|share| share.clamp(0.0, 1.0))
    }

    fn throughputs(&self) -> Vec<f64> {
        self.rounds.iter().filter_map(Round::throughput_ops_per_s).collect()
    }

    fn fairness(&self) -> Fairness {
        let over_rounds = |figure: fn(&Round) -> f64| {
            median(&self.rounds.iter().map(figure).collect::<Vec<_>>()).unwrap_or_default()
        };
        Fairness {
            jain: over_rounds(|round| round.jain),
            smallest_share: over_rounds(|round| round.smallest_share),
            longest_wait_ns: self.waits.max(),
        }
    }
}

fn throughput_round(order: usize, reading: &Reading) -> Round {
    let outcome = &reading.outcome;
    Round {
        order,
        ops: outcome.ops_per_task.iter().sum(),
        wall_ns: outcome.wall_ns,
        cpu_ns: reading.cpu_ns,
        contended_fraction: fraction(outcome.waited, outcome.acquisitions),
        jain: jain(&outcome.ops_per_task),
        smallest_share: smallest_share(&outcome.ops_per_task),
        hold_ns: outcome.hold_ns,
        forced_yields: outcome.forced_yields,
        cancelled: outcome.cancelled,
        voluntary_switches: reading.switches.map(|switches| switches.voluntary),
        involuntary_switches: reading.switches.map(|switches| switches.involuntary),
        futile_wakeups: outcome.futile_wakeups,
        fork: None,
    }
}

/// The schedule's time, not the slot's: letting a thousand tasks go, and the last nap of each, is no time in which
/// anything was due.
fn open_loop_round(order: usize, reading: &Reading, pace: &Pace) -> Round {
    Round { wall_ns: pace.window_ns, ..throughput_round(order, reading) }
}

fn fraction(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The knobs that the variant looks at; the others would tell cases apart that are the same.
pub(crate) fn params(case: &Case) -> results::Params {
    case.params
        .entries()
        .into_iter()
        .filter(|(name, _)| case.variant.knobs.contains(name))
        .map(|(name, value)| {
            let value = match value {
                ParamValue::Count(count) => count.into(),
                ParamValue::Number(number) => number.into(),
                ParamValue::Text(text) => text.into(),
            };
            (name.to_owned(), value)
        })
        .collect()
}
