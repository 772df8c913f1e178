//! From tallies or stored cells to the report: comparisons, control, validity and status.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};

use jiff::Timestamp;
use results::compare::{Options, control, within_run};
use results::units::PeerUnit;
use results::{Cell, Check, Comparison, Environment, Report, Run, SCHEMA, Status};
use serde::{Deserialize, Serialize};

use crate::cases::Case;
use crate::runner::{self, CaseTally, Ending, Settings};
use crate::validity::{self, Evidence};

/// What was found of the cases until now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Findings {
    /// In the order of the cases.
    pub(crate) cells: Vec<Cell>,
    /// Laws that did not hold: where, and what was seen.
    pub(crate) broken_laws: Vec<String>,
}

impl Findings {
    /// From the tallies of the cases that were begun.
    pub(crate) fn of(cases: &[Case], tallies: &[CaseTally]) -> Self {
        Self {
            cells: cases.iter().zip(tallies).flat_map(|(case, tally)| tally.cells(case)).collect(),
            broken_laws: tallies.iter().flat_map(|tally| tally.broken_laws.iter().cloned()).collect(),
        }
    }
}

/// The case that a cell is of.
pub(crate) fn case_of(cases: &[Case], cell: &Cell) -> Option<usize> {
    cases.iter().position(|case| {
        case.workload.name == cell.workload
            && case.variant.name == cell.variant
            && runner::params(case) == cell.params
    })
}

/// What a report says of its run apart from the measurement.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) id: String,
    started_at: String,
    argv: Vec<String>,
    seed: u64,
    rounds: usize,
    forks: Option<usize>,
    /// What earlier parts of the run took.
    duration_before_s: f64,
    pub(crate) environment: Environment,
    /// The unit that every cell's figure is given in too.
    pub(crate) peer_unit: Option<PeerUnit>,
}

impl Sheet {
    /// For a run that begins now.
    pub(crate) fn new(
        cases: &[Case],
        argv: Vec<String>,
        settings: &Settings,
        forks: Option<usize>,
        environment: Environment,
    ) -> Self {
        let started_at = Timestamp::now();
        let names: BTreeSet<&str> = cases.iter().map(|case| case.workload.name).collect();
        let what = match Vec::from_iter(names).as_slice() {
            [name] => (*name).to_owned(),
            names => format!("{}-workloads", names.len()),
        };
        let id = format!("{}-{what}-{:04x}", started_at.strftime("%Y%m%dT%H%M%SZ"), random() & 0xffff);
        Self {
            id,
            started_at: started_at.to_string(),
            argv,
            seed: settings.seed,
            rounds: settings.rounds,
            forks,
            duration_before_s: 0.0,
            environment,
            peer_unit: None,
        }
    }

    /// The same run goes on: it keeps its identity, and the load before its first part.
    pub(crate) fn going_on(self, earlier: &Report) -> Self {
        let Run { id, started_at, duration_s, .. } = earlier.run.clone();
        let load_before = earlier.environment.load_before;
        let environment = Environment { load_before, ..self.environment };
        Self { id, started_at, duration_before_s: duration_s, environment, ..self }
    }

    /// The arguments of the run.
    pub(crate) fn argv(&self) -> &[String] {
        &self.argv
    }

    /// The report of what was found until now. Without an ending the run is still under way.
    pub(crate) fn report(
        &self,
        cases: &[Case],
        found: Findings,
        ending: Option<&Ending>,
        duration_s: f64,
    ) -> Report {
        let Findings { mut cells, broken_laws } = found;
        for cell in &mut cells {
            cell.peer_figure = self.peer_unit.and_then(|unit| unit.figure(cell));
        }
        let control = over_baselines(cases, &cells, control);
        let evidence = Evidence {
            environment: &self.environment,
            cells: &cells,
            control: &control,
            broken_laws: &broken_laws,
            forks: self.forks,
        };
        let mut validity = validity::checks(&evidence);
        if ending.is_none() {
            // More are to come.
            validity.retain(|check| check.check != validity::ROUNDS);
        }
        if let Some(Ending::Failed(what)) = ending {
            validity.push(Check { check: "finished".into(), pass: false, detail: what.clone() });
        }
        Report {
            schema: SCHEMA.into(),
            run: Run {
                id: self.id.clone(),
                started_at: self.started_at.clone(),
                duration_s: self.duration_before_s + duration_s,
                argv: self.argv.clone(),
                seed: self.seed,
                rounds_planned: Some(self.rounds),
                forks: self.forks,
                status: status(ending, &validity),
            },
            environment: self.environment.clone(),
            comparisons: over_baselines(cases, &cells, within_run),
            control,
            validity,
            cells,
        }
    }
}

/// A random number without a generator of its own; the standard library seeds its maps from the system.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn status(ending: Option<&Ending>, validity: &[Check]) -> Status {
    match ending {
        None => Status::Running,
        Some(Ending::Interrupted | Ending::Failed(_)) => Status::Interrupted,
        Some(Ending::Complete) if validity.iter().all(|check| check.pass) => Status::Complete,
        Some(Ending::Complete) => Status::Invalid,
    }
}

/// Nearly always one baseline; where a case lacks it, that case has another.
fn over_baselines(
    cases: &[Case],
    cells: &[Cell],
    compare: fn(&[Cell], &str, &Options) -> Vec<Comparison>,
) -> Vec<Comparison> {
    let baselines: BTreeSet<&str> = cases.iter().map(|case| case.baseline).collect();
    let mut comparisons = Vec::new();
    for baseline in baselines {
        let has_it = |cell: &&Cell| {
            cases.iter().any(|case| {
                case.baseline == baseline
                    && case.workload.name == cell.workload
                    && case.variant.name == cell.variant
            })
        };
        let cells: Vec<Cell> = cells.iter().filter(has_it).cloned().collect();
        comparisons.extend(compare(&cells, baseline, &Options::default()));
    }
    comparisons
}
