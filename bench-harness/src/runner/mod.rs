//! The measurement: for each case rounds, in each round every arm once in each pass, in an order drawn anew.
//!
//! It reads no clock and writes nothing; a [`Driver`] runs the slots, an [`Observer`] is told how far it is.

pub(crate) mod clock;
mod driver;
mod recorder;
pub(crate) mod schedule;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use results::Cell;
use workloads::Pass;

use crate::cases::{Case, Entrant};

pub(crate) use driver::{Driver, Failure, Job, Machine, PATIENCE};
pub(crate) use recorder::histogram;
pub(crate) use tally::{CaseTally, params};

/// Cases, by their place among all, that were measured before and are not measured again; with their cells.
pub(crate) type Kept = BTreeMap<usize, Vec<Cell>>;

/// Whose primitives the Live page shows.
const OBSERVED_BACKEND: &str = "sync";

/// How the cases are measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Rounds that count.
    pub(crate) rounds: usize,
    /// Length of a throughput slot.
    pub(crate) slot: Duration,
    /// Everything random is drawn from it.
    pub(crate) seed: u64,
    /// Whether each round ends with a short slot for the Live page, which counts nowhere.
    pub(crate) observed: bool,
}

/// Where the run is.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    /// Index into the cases.
    pub(crate) case: usize,
    /// 0 is the warm-up.
    pub(crate) round: usize,
    /// Name of the arm, and what is measured of it: `tokio, latency`.
    pub(crate) slot: String,
    /// Slots that are over.
    pub(crate) slots_done: usize,
}

/// Is told how far the run is, always between slots.
pub(crate) trait Observer {
    /// A slot is about to begin.
    fn slot_begins(&mut self, at: &Position);
    /// A round was added to the last of the tallies.
    fn round_counts(&mut self, tallies: &[CaseTally]);
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything was measured.
    Complete,
    /// The user ended it.
    Interrupted,
    /// A slot hung or panicked: which, and how.
    Failed(String),
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Measured {
    /// One for each case that was begun, in the order of the cases.
    pub(crate) tallies: Vec<CaseTally>,
    pub(crate) ending: Ending,
}

/// Slots that a run consists of, and the time that they take together.
pub(crate) fn extent(cases: &[Case], kept: &Kept, settings: &Settings) -> (usize, Duration) {
    let mut slots = 0;
    let mut time = Duration::ZERO;
    for (_, case) in cases.iter().enumerate().filter(|(index, _)| !kept.contains_key(index)) {
        let (arms, observed) = (case.entrants.len(), usize::from(observed(case, settings).is_some()));
        let mut round = slot_length(case, Pass::Latency, settings) * observed as u32;
        for &pass in passes(case) {
            slots += arms * (settings.rounds + 1);
            round += slot_length(case, pass, settings) * arms as u32;
        }
        slots += observed * (settings.rounds + 1);
        time += round * (settings.rounds + 1) as u32;
    }
    (slots, time)
}

/// What is measured in each round. An open loop has no capacity to find: its throughput is what was asked for.
fn passes(case: &Case) -> &'static [Pass] {
    if case.is_open_loop() { &[Pass::Latency] } else { &[Pass::Throughput, Pass::Latency] }
}

/// The latency slots of an open loop stand alone and take the time of both.
fn slot_length(case: &Case, pass: Pass, settings: &Settings) -> Duration {
    match pass {
        Pass::Latency if !case.is_open_loop() => schedule::latency_slot(settings.slot),
        Pass::Throughput | Pass::Latency => settings.slot,
    }
}

/// Measures all cases but the kept ones, one after the other. A case has the same place, and so the same seeds, whatever
/// is kept.
pub(crate) fn run(
    cases: &[Case],
    kept: &Kept,
    settings: &Settings,
    driver: &mut dyn Driver,
    observer: &mut dyn Observer,
) -> Measured {
    let mut run = Run { settings, driver, observer, tallies: Vec::new(), slots_done: 0 };
    let ending = match run.cases(cases, kept) {
        Ok(()) => Ending::Complete,
        Err(ending) => ending,
    };
    Measured { tallies: run.tallies, ending }
}

struct Run<'a> {
    settings: &'a Settings,
    driver: &'a mut dyn Driver,
    observer: &'a mut dyn Observer,
    tallies: Vec<CaseTally>,
    slots_done: usize,
}

impl Run<'_> {
    fn cases(&mut self, cases: &[Case], kept: &Kept) -> Result<(), Ending> {
        for (index, case) in cases.iter().enumerate() {
            if let Some(cells) = kept.get(&index) {
                self.tallies.push(CaseTally::kept(cells.clone()));
                continue;
            }
            self.tallies.push(CaseTally::new(case));
            let params = Arc::new(case.params.clone());
            for round in 0..=self.settings.rounds {
                let place = Place { case, index, round, params: &params };
                if let Err(ending) = self.round(&place) {
                    self.tallies[index].discard_round();
                    return Err(ending);
                }
                if round == 0 {
                    self.tallies[index].discard_round();
                } else {
                    self.tallies[index].commit_round();
                    self.observer.round_counts(&self.tallies);
                }
            }
        }
        Ok(())
    }

    fn round(&mut self, place: &Place<'_>) -> Result<(), Ending> {
        let seed = self.settings.seed;
        for &pass in passes(place.case) {
            let order = schedule::order(seed, place.index, place.round, pass, place.case.entrants.len());
            for (turn, arm) in order.into_iter().enumerate() {
                let entrant = &place.case.entrants[arm];
                let reading = self.slot(place, entrant, pass, entrant.arm.backend.traced)?;
                self.tallies[place.index].add(arm, turn, pass, reading);
            }
        }
        if let Some(entrant) = observed(place.case, self.settings) {
            self.slot(place, entrant, Pass::Latency, true)?;
        }
        Ok(())
    }

    fn slot(
        &mut self,
        place: &Place<'_>,
        entrant: &Entrant,
        pass: Pass,
        watched: bool,
    ) -> Result<driver::Reading, Ending> {
        let duration = slot_length(place.case, pass, self.settings);
        let what = match pass {
            _ if place.case.is_open_loop() => "open loop",
            Pass::Throughput => "throughput",
            Pass::Latency => "latency",
        };
        let what = if watched && !entrant.arm.backend.traced { "for the Live page" } else { what };
        let slot = format!("{}, {what}", entrant.name);
        self.observer.slot_begins(&Position {
            case: place.index,
            round: place.round,
            slot: slot.clone(),
            slots_done: self.slots_done,
        });
        let job = Job {
            run: entrant.arm.run,
            params: Arc::clone(place.params),
            pass,
            duration,
            seed: schedule::slot_seed(self.settings.seed, place.index, place.round, pass),
            watched,
        };
        let name = || format!("{} on {slot}, round {}", place.case.name(), place.round);
        let reading = self.driver.drive(job).map_err(|failure| match failure {
            Failure::Interrupted => Ending::Interrupted,
            failure => Ending::Failed(format!("{} {failure}", name())),
        })?;
        self.tallies[place.index].check_law(&name(), &reading);
        self.slots_done += 1;
        Ok(reading)
    }
}

/// A round of a case.
struct Place<'a> {
    case: &'a Case,
    index: usize,
    round: usize,
    params: &'a Arc<workloads::Params>,
}

/// The arm that the Live page shows, where it shows one. The control arm would be the same code again.
fn observed<'a>(case: &'a Case, settings: &Settings) -> Option<&'a Entrant> {
    case.entrants.iter().find(|entrant| settings.observed && entrant.name == OBSERVED_BACKEND)
}
