//! A made-up report for the tests of charts, views and routes. The integration tests include this file too.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use results::compare::{Options, control, within_run};
use results::statistics::spread;
use results::{
    Cell, Check, Comparison, Environment, Fairness, LatencyRound, Params, Report, Round, Run, SCHEMA, Status,
    Verdict, WaitSummary,
};
use serde_json::json;

/// Two workloads on three backends and the control, as they stand after some rounds.
pub(crate) fn report(rounds: usize, status: Status) -> Report {
    let arms = [
        ("sync", 1.40, 0.7),
        ("sync-traced", 0.93, 1.1),
        ("tokio", 1.0, 1.0),
        ("tokio (control)", 1.003, 1.0),
    ];
    let workloads = [("semaphore", 2.1e6), ("mutex", 3.4e6)];
    let cells: Vec<Cell> = workloads
        .iter()
        .flat_map(|&(workload, rate)| {
            arms.iter().enumerate().map(move |(order, &(backend, speed, wait))| {
                cell(workload, backend, rounds, rate * speed, wait, order)
            })
        })
        .collect();
    let options = Options::default();
    Report {
        schema: SCHEMA.to_owned(),
        run: Run {
            id: "20261122T190501Z-semaphore-3f9a".to_owned(),
            started_at: "2026-11-22T19:05:01Z".to_owned(),
            duration_s: 0.9 * rounds as f64,
            argv: ["--workload", "semaphore,mutex", "--rounds", "20"].map(str::to_owned).to_vec(),
            seed: 42,
            rounds_planned: Some(20),
            forks: None,
            status,
        },
        environment: environment(),
        comparisons: within_run(&cells, "tokio", &options),
        control: control(&cells, "tokio", &options),
        cells,
        validity: vec![
            Check {
                check: "contended".to_owned(),
                pass: true,
                detail: "87 % of acquisitions waited".to_owned(),
            },
            Check { check: "counts".to_owned(), pass: true, detail: "no update was lost".to_owned() },
        ],
    }
}

/// A workload on all ten backends under every setting of the knobs, as a sweep leaves it.
#[allow(dead_code, reason = "one of the test crates that include this file does not need it")]
pub(crate) fn sweep(knobs: &[(&str, &[serde_json::Value])]) -> Report {
    let arms = [
        ("sync", 1.40, 0.7),
        ("sync-traced", 0.93, 1.1),
        ("tokio", 1.0, 1.0),
        ("tokio (control)", 1.003, 1.0),
        ("tokio-unconstrained", 1.05, 0.97),
        ("async-lock", 0.8, 1.6),
        ("asyncband", 1.1, 0.9),
        ("saa", 1.25, 2.4),
        ("futures-intrusive", 1.18, 0.85),
        ("maitake-sync", 1.22, 0.8),
        ("futures", 0.7, 3.0),
    ];
    let mut settings = vec![Params::new()];
    for (knob, values) in knobs {
        let turned = settings.iter().flat_map(|setting| {
            values.iter().map(|value| {
                let mut setting = setting.clone();
                setting.insert((*knob).to_owned(), value.clone());
                setting
            })
        });
        settings = turned.collect();
    }
    let cells = settings.iter().enumerate().flat_map(|(place, setting)| {
        arms.iter().enumerate().map(move |(order, &(backend, speed, wait))| {
            // Our lead shrinks along the sweep, so that lines cross.
            let load = 1.0 + place as f64;
            let speed = if backend == "sync" { speed - 0.4 * (place as f64 / 40.0).min(1.0) } else { speed };
            let mut cell = cell("semaphore", backend, 20, 4e6 * speed / load.sqrt(), wait * load, order);
            cell.params.extend(setting.clone());
            cell
        })
    });
    let cells: Vec<Cell> = cells.collect();
    let options = Options::default();
    let mut report = report(1, Status::Complete);
    report.run.id = "20261124T101500Z-semaphore-5ee9".to_owned();
    report.comparisons = within_run(&cells, "tokio", &options);
    report.control = control(&cells, "tokio", &options);
    report.cells = cells;
    report
}

/// A comparison with the given figures.
#[allow(dead_code, reason = "one of the test crates that include this file does not need it")]
pub(crate) fn comparison(
    candidate: &str,
    baseline: &str,
    ratio: f64,
    ci: [f64; 2],
    rounds: usize,
) -> Comparison {
    Comparison {
        workload: "semaphore".to_owned(),
        variant: "pool".to_owned(),
        params: BTreeMap::new(),
        metric: "throughput".to_owned(),
        baseline: baseline.to_owned(),
        candidate: candidate.to_owned(),
        ratio: Some(ratio),
        ci: Some(ci),
        confidence: 0.95,
        method: "made up".to_owned(),
        rounds,
        p_adjusted: Some(0.01),
        detectable: None,
        verdict: Verdict::Faster,
    }
}

fn cell(workload: &str, backend: &str, rounds: usize, rate: f64, wait: f64, order: usize) -> Cell {
    let measured: Vec<Round> = (0..rounds).map(|round| throughput_round(round, order, rate)).collect();
    let rates: Vec<f64> = measured.iter().filter_map(Round::throughput_ops_per_s).collect();
    let waits = waits(rounds, wait);
    Cell {
        workload: workload.to_owned(),
        variant: "pool".to_owned(),
        backend: backend.to_owned(),
        backend_version: "1.0.0".to_owned(),
        composed: None,
        params: [("hold_ns", json!(2000)), ("permits", json!(8)), ("tasks", json!(64))]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        throughput_ops_per_s: spread(&rates),
        rounds: measured,
        latency_rounds: (0..rounds)
            .map(|round| {
                LatencyRound::from_histogram(order, &self::waits(1, wait * noise(round, order)), Some(40.0))
            })
            .collect(),
        recorder_share: None,
        fairness: Fairness { jain: 0.998, smallest_share: 0.97, longest_wait_ns: waits.max() },
        open_loop: None,
        peer_figure: None,
        wait_ns: WaitSummary::from_histogram(&waits),
    }
}

fn throughput_round(round: usize, order: usize, rate: f64) -> Round {
    Round {
        order,
        ops: (rate * 0.2 * noise(round, order)) as u64,
        wall_ns: 200_000_000,
        cpu_ns: 380_000_000,
        contended_fraction: 0.87,
        jain: 0.998,
        hold_ns: Some(2_040.0),
        forced_yields: 0,
        cancelled: 0,
        smallest_share: 0.97,
        voluntary_switches: None,
        involuntary_switches: None,
        futile_wakeups: None,
        fork: None,
    }
}

/// A few percent up and down, the same every time.
fn noise(round: usize, order: usize) -> f64 {
    let step = (round * 7 + order * 3) % 11;
    0.98 + 0.004 * step as f64
}

/// A skewed distribution: a body around 20 µs and a tail of a few milliseconds.
fn waits(rounds: usize, scale: f64) -> Histogram<u64> {
    let mut histogram =
        Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are sound");
    let samples = 4_000 * rounds;
    for sample in 1..=samples {
        let quantile = (sample as f64 - 0.5) / samples as f64;
        let wait_ns = 20_000.0 * scale * (quantile / (1.0 - quantile)).powf(0.35);
        histogram.saturating_record(wait_ns as u64);
    }
    histogram
}

fn environment() -> Environment {
    Environment {
        cpu: "Example CPU 2.5 GHz".to_owned(),
        cores: 2,
        memory_bytes: 8 << 30,
        kernel: "Linux 6.12".to_owned(),
        rustc: "rustc 1.95.0".to_owned(),
        profile: "dev, opt-level 3".to_owned(),
        debug_assertions: false,
        git: Some("3f9a2c1".to_owned()),
        runtime: "tokio, multi-thread, 2 workers".to_owned(),
        pinned: None,
        clock: "tsc, 11.2 ns".to_owned(),
        load_before: 0.2,
        load_after: 1.9,
    }
}
