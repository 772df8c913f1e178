//! From tallies to the report: comparisons, control, validity and status.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};

use jiff::Timestamp;
use results::compare::{Options, control, within_run};
use results::units::PeerUnit;
use results::{Cell, Check, Comparison, Environment, Report, Run, SCHEMA, Status};

use crate::cases::Case;
use crate::runner::{CaseTally, Ending, Settings};
use crate::validity::{self, Evidence};

/// What a report says of its run apart from the measurement.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) id: String,
    started_at: Timestamp,
    argv: Vec<String>,
    seed: u64,
    rounds: usize,
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
            started_at,
            argv,
            seed: settings.seed,
            rounds: settings.rounds,
            environment,
            peer_unit: None,
        }
    }

    /// The report of what was measured until now. Without an ending the run is still under way.
    pub(crate) fn report(
        &self,
        cases: &[Case],
        tallies: &[CaseTally],
        ending: Option<&Ending>,
        duration_s: f64,
    ) -> Report {
        let mut cells = Vec::new();
        for (case, tally) in cases.iter().zip(tallies) {
            cells.extend(tally.cells(case));
        }
        for cell in &mut cells {
            cell.peer_figure = self.peer_unit.and_then(|unit| unit.figure(cell));
        }
        let control = over_baselines(cases, &cells, control);
        let broken_laws: Vec<String> =
            tallies.iter().flat_map(|tally| tally.broken_laws.iter().cloned()).collect();
        let evidence = Evidence {
            environment: &self.environment,
            cells: &cells,
            control: &control,
            broken_laws: &broken_laws,
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
                started_at: self.started_at.to_string(),
                duration_s,
                argv: self.argv.clone(),
                seed: self.seed,
                rounds_planned: Some(self.rounds),
                forks: None,
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
