//! A small made-up report for the tests of the table: two cases, three backends, the control arm.

use hdrhistogram::Histogram;
use results::compare::{Options, control, within_run};
use results::{
    Cell, Environment, Fairness, LatencyRound, Params, Report, Round, Run, SCHEMA, Status, WaitSummary,
    statistics,
};

/// In `mutex.exclusive` we come first, in `mutex.many` last.
pub(super) fn report() -> Report {
    let speeds = [
        ("exclusive", [("sync", 1.5), ("tokio", 1.0), ("tokio (control)", 1.0), ("saa", 1.2)]),
        ("many", [("sync", 0.8), ("tokio", 1.0), ("tokio (control)", 1.0), ("saa", 1.3)]),
    ];
    let cells: Vec<Cell> = speeds
        .into_iter()
        .flat_map(|(variant, arms)| arms.map(|(backend, speed)| cell(variant, backend, speed)))
        .collect();
    Report {
        schema: SCHEMA.to_owned(),
        run: Run {
            id: "made-up".to_owned(),
            started_at: "2026-11-22T19:05:01Z".to_owned(),
            duration_s: 1.0,
            argv: Vec::new(),
            seed: 1,
            rounds_planned: None,
            forks: None,
            status: Status::Complete,
        },
        environment: environment(),
        comparisons: within_run(&cells, "tokio", &Options::default()),
        control: control(&cells, "tokio", &Options::default()),
        cells,
        validity: Vec::new(),
    }
}

fn cell(variant: &str, backend: &str, speed: f64) -> Cell {
    let mut waits = Histogram::new(3).expect("three digits are allowed");
    (1..=2_000).for_each(|sample| waits.saturating_record((f64::from(sample) * 50.0 / speed) as u64));
    let rounds: Vec<Round> = (0..8).map(|round| throughput_round(round, speed)).collect();
    let rates: Vec<f64> = rounds.iter().filter_map(Round::throughput_ops_per_s).collect();
    Cell {
        workload: "mutex".to_owned(),
        variant: variant.to_owned(),
        backend: backend.to_owned(),
        backend_version: "1.0.0".to_owned(),
        composed: None,
        params: Params::from([("tasks".to_owned(), 8.into())]),
        throughput_ops_per_s: statistics::spread(&rates),
        latency_rounds: (0..8).map(|_| LatencyRound::from_histogram(0, &waits, Some(6.0))).collect(),
        rounds,
        fairness: Fairness { jain: 0.99, smallest_share: 0.9, longest_wait_ns: waits.max() },
        open_loop: None,
        recorder_share: None,
        peer_figure: None,
        wait_ns: WaitSummary::from_histogram(&waits),
    }
}

fn throughput_round(round: usize, speed: f64) -> Round {
    let wobble = 1.0 + 0.001 * (round * 3 % 7) as f64;
    Round {
        order: 0,
        ops: (1e5 * speed * wobble) as u64,
        wall_ns: 200_000_000,
        cpu_ns: 210_000_000,
        contended_fraction: 0.9,
        jain: 0.99,
        smallest_share: 0.9,
        hold_ns: Some(1_000.0),
        forced_yields: 0,
        cancelled: 0,
        voluntary_switches: Some(100),
        involuntary_switches: None,
        futile_wakeups: None,
        fork: None,
    }
}

fn environment() -> Environment {
    Environment {
        cpu: "Example CPU".to_owned(),
        cores: 2,
        memory_bytes: 8 << 30,
        kernel: "Linux 6.12".to_owned(),
        rustc: "rustc 1.95.0".to_owned(),
        profile: "dev, opt-level 3".to_owned(),
        debug_assertions: false,
        git: None,
        runtime: "tokio, multi-thread, 2 workers".to_owned(),
        pinned: None,
        clock: "tsc".to_owned(),
        load_before: 0.1,
        load_after: 0.2,
    }
}
