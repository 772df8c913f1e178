//! One report against another.

use std::collections::HashMap;
use std::fmt::Display;

use super::within_run::{adjust, is_control_arm};
use super::{Metric, Options, method};
use crate::statistics::{detectable, unpaired};
use crate::{Cell, Comparison, Report, Status};

/// What two reports come to.
#[derive(Clone, Debug, PartialEq)]
pub struct BetweenReports {
    /// Each backend and case that is in both, candidate's against base's; named by report and backend:
    /// `20261122T190501Z-semaphore-3f9a/sync`.
    pub comparisons: Vec<Comparison>,
    /// Cases that only base has, with their backend: `semaphore/pool tasks=64 on tokio`.
    pub only_in_base: Vec<String>,
    /// Cases that only candidate has.
    pub only_in_candidate: Vec<String>,
    /// What makes the two hard to compare: `cpu: "A" in base, "B" in candidate`. Empty is good.
    pub differences: Vec<String>,
    /// Those of the differences that make the ratios say nothing about the program: another processor, profile,
    /// executor, or other processors that it was pinned to.
    pub obstacles: Vec<String>,
}

/// Compares each case and backend of one report with the same of another.
///
/// The rounds of two runs make no pairs, so the two are independent samples
/// ([`statistics::unpaired`](crate::statistics::unpaired)). p-values are adjusted over all comparisons. Control
/// arms are left out. Where a case and backend occurs twice in a report, its first counts.
#[must_use]
pub fn between_reports(base: &Report, candidate: &Report, options: &Options) -> BetweenReports {
    let (in_base, in_candidate) = (arms(base), arms(candidate));
    let of_base: HashMap<&str, &Cell> = in_base.iter().map(|(name, cell)| (name.as_str(), *cell)).collect();
    let of_candidate: HashMap<&str, &Cell> =
        in_candidate.iter().map(|(name, cell)| (name.as_str(), *cell)).collect();

    let mut comparisons = Vec::new();
    for (name, new) in &in_candidate {
        if let Some(old) = of_base.get(name.as_str()) {
            for metric in Metric::of(old, new) {
                comparisons.push(compare([base, candidate], [old, new], metric, options));
            }
        }
    }
    adjust(&mut comparisons);
    let (differences, obstacles) = differences(base, candidate);
    BetweenReports {
        comparisons,
        only_in_base: missing(&in_base, &of_candidate),
        only_in_candidate: missing(&in_candidate, &of_base),
        differences,
        obstacles,
    }
}

/// The cells by case and backend, in the order of the report, each name once.
fn arms(report: &Report) -> Vec<(String, &Cell)> {
    let mut seen = std::collections::HashSet::new();
    report
        .cells
        .iter()
        .filter(|cell| !is_control_arm(&cell.backend))
        .map(|cell| (cell.full_name(), cell))
        .filter(|(name, _)| seen.insert(name.clone()))
        .collect()
}

fn missing(arms: &[(String, &Cell)], elsewhere: &HashMap<&str, &Cell>) -> Vec<String> {
    arms.iter().map(|(name, _)| name).filter(|name| !elsewhere.contains_key(name.as_str())).cloned().collect()
}

fn compare(reports: [&Report; 2], cells: [&Cell; 2], metric: Metric, options: &Options) -> Comparison {
    let [base, candidate] = cells;
    let merits = |cell| metric.merits(cell).iter().map(|merit| merit.value).collect::<Vec<f64>>();
    let estimate = unpaired::estimate(&merits(base), &merits(candidate), options.confidence);
    let degrees = estimate.rounds.iter().sum::<usize>().saturating_sub(2);
    Comparison {
        workload: candidate.workload.clone(),
        variant: candidate.variant.clone(),
        params: candidate.params.clone(),
        metric: metric.name().to_owned(),
        baseline: format!("{}/{}", reports[0].run.id, base.backend),
        candidate: format!("{}/{}", reports[1].run.id, candidate.backend),
        ratio: estimate.ratio,
        ci: estimate.ci,
        confidence: estimate.attained,
        method: method("unpaired log Hodges–Lehmann shift, Mann–Whitney interval", estimate.exact),
        rounds: estimate.rounds[0].min(estimate.rounds[1]),
        p_adjusted: estimate.p,
        detectable: detectable(estimate.ci, estimate.attained, degrees),
        verdict: options.verdict(estimate.ci),
    }
}

/// What makes the figures of two reports hard to compare, and which of it makes it pointless.
fn differences(base: &Report, candidate: &Report) -> (Vec<String>, Vec<String>) {
    let (old, new) = (&base.environment, &candidate.environment);
    let (mut found, mut obstacles) = (Vec::new(), Vec::new());
    let mut check = |what: &str, forbids: bool, old: &dyn Display, new: &dyn Display| {
        let (old, new) = (old.to_string(), new.to_string());
        if old != new {
            let difference = format!("{what}: \"{old}\" in base, \"{new}\" in candidate");
            obstacles.extend(forbids.then(|| difference.clone()));
            found.push(difference);
        }
    };
    check("cpu", true, &old.cpu, &new.cpu);
    check("cores", false, &old.cores, &new.cores);
    check("kernel", false, &old.kernel, &new.kernel);
    check("rustc", false, &old.rustc, &new.rustc);
    check("profile", true, &old.profile, &new.profile);
    check("debug assertions", true, &old.debug_assertions, &new.debug_assertions);
    // Another version of the executor is a change that may be what is to be measured.
    let other_executor = kind_of_runtime(&old.runtime) != kind_of_runtime(&new.runtime);
    check("runtime", other_executor, &old.runtime, &new.runtime);
    check("pinned", true, &pinned(old.pinned.as_ref()), &pinned(new.pinned.as_ref()));
    let unknown = "unknown".to_owned();
    check("git", false, old.git.as_ref().unwrap_or(&unknown), new.git.as_ref().unwrap_or(&unknown));
    for (name, report) in [("base", base), ("candidate", candidate)] {
        match report.run.status {
            Status::Complete => {}
            Status::Running => found.push(format!("status: {name} was still running")),
            Status::Interrupted => found.push(format!("status: {name} was interrupted")),
            Status::Invalid => found.push(format!("status: {name} failed a check of its validity")),
        }
    }
    (found, obstacles)
}

/// `multi-thread, 2 workers` of `tokio 1.54.1, multi-thread, 2 workers`.
fn kind_of_runtime(runtime: &str) -> &str {
    runtime.split_once(", ").map_or(runtime, |(_, kind)| kind)
}

fn pinned(processors: Option<&Vec<usize>>) -> String {
    processors.map_or_else(|| "nowhere".to_owned(), |processors| format!("{processors:?}"))
}
