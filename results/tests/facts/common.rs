//! What the tests share: a seeded stream of numbers, closeness, a made-up report.

use hdrhistogram::Histogram;
use results::{
    Cell, Check, Environment, Fairness, LatencyRound, OpenLoop, Params, Report, Round, Run, SCHEMA, Status,
    WaitSummary, statistics,
};

#[track_caller]
pub(crate) fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} instead of {expected}");
}

/// SplitMix64: a few lines, and the same numbers for ever.
pub(crate) struct Stream(u64);

impl Stream {
    pub(crate) fn new(seed: u64) -> Stream {
        Stream(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `limit` − 1.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        u32::try_from(self.next() % u64::from(limit)).expect("below a u32")
    }

    /// Above 0, up to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Standard normal, by Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.unit().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// A report with `cases` cases on `tokio`, its control arm and `sync`, which has 1.5 times the throughput of
/// tokio and two thirds of its waits, up to noise.
pub(crate) fn report(id: &str, cases: usize, rounds: usize) -> Report {
    let mut stream = Stream::new(42);
    let mut cells = Vec::new();
    for case in 0..cases {
        for (backend, merit) in [("tokio", 1.0), ("tokio (control)", 1.0), ("sync", 1.5)] {
            cells.push(cell(backend, case, merit, rounds, &mut stream));
        }
    }
    let options = results::compare::Options::default();
    Report {
        schema: SCHEMA.to_owned(),
        run: Run {
            id: id.to_owned(),
            started_at: "2026-11-22T19:05:01Z".to_owned(),
            duration_s: 12.5,
            argv: vec!["--workload".to_owned(), "semaphore".to_owned()],
            seed: u64::MAX,
            rounds_planned: Some(20),
            forks: None,
            status: Status::Complete,
        },
        environment: Environment {
            cpu: "Imaginary 9000".to_owned(),
            cores: 2,
            memory_bytes: 8 << 30,
            kernel: "Linux 6.1".to_owned(),
            rustc: "rustc 1.95.0".to_owned(),
            profile: "dev, opt-level 3".to_owned(),
            debug_assertions: false,
            git: None,
            runtime: "tokio 1.54.1, multi-thread, 2 workers".to_owned(),
            pinned: None,
            clock: "fastant (tsc), 11.2 ns".to_owned(),
            load_before: 0.1,
            load_after: 1.7,
        },
        comparisons: results::compare::within_run(&cells, "tokio", &options),
        control: results::compare::control(&cells, "tokio", &options),
        cells,
        validity: vec![Check {
            check: "contended".to_owned(),
            pass: true,
            detail: "97 % of acquisitions waited".to_owned(),
        }],
    }
}

/// A report with one case in an open loop.
pub(crate) fn open_loop_report() -> Report {
    let mut report = report("open-loop", 1, 8);
    for cell in &mut report.cells {
        cell.open_loop = Some(OpenLoop {
            rate_ops_per_s: 20_000.0,
            achieved_ops_per_s: 19_900.0,
            lag_mean_ns: 150.0,
            lag_max_ns: 4_000,
            behind_fraction: 0.125,
        });
    }
    report
}

fn cell(backend: &str, case: usize, merit: f64, rounds: usize, stream: &mut Stream) -> Cell {
    let mut all = Histogram::new(3).expect("three digits");
    let mut latency_rounds = Vec::new();
    for order in 0..rounds {
        let mut waits = Histogram::new(3).expect("three digits");
        let scale = 5_000.0 * (0.02 * stream.normal()).exp() / merit;
        for i in 1..=1_000_u32 {
            waits.record((scale * (1.0 + f64::from(i) / 500.0)) as u64).expect("within range");
        }
        latency_rounds.push(LatencyRound::from_histogram(order, &waits, Some(3.5)));
        all.add(&waits).expect("the same range");
    }
    let rounds: Vec<Round> = (0..rounds).map(|order| round(order, merit, stream)).collect();
    let throughput: Vec<f64> = rounds.iter().filter_map(Round::throughput_ops_per_s).collect();
    Cell {
        workload: "semaphore".to_owned(),
        variant: "pool".to_owned(),
        backend: backend.to_owned(),
        backend_version: "1.54.1".to_owned(),
        composed: None,
        params: Params::from([
            ("tasks".to_owned(), (64 + case).into()),
            ("hold_mode".to_owned(), "spin".into()),
        ]),
        throughput_ops_per_s: statistics::spread(&throughput),
        rounds,
        wait_ns: WaitSummary::from_histogram(&all),
        latency_rounds,
        recorder_share: None,
        fairness: Fairness { jain: 0.999, smallest_share: 0.97, longest_wait_ns: all.max() },
        open_loop: None,
        peer_figure: None,
    }
}

fn round(order: usize, merit: f64, stream: &mut Stream) -> Round {
    Round {
        order,
        ops: (1e6 * merit * (0.02 * stream.normal()).exp()) as u64,
        wall_ns: 200_000_000,
        cpu_ns: 390_000_000,
        contended_fraction: 0.97,
        jain: 0.999,
        smallest_share: 0.97,
        hold_ns: Some(512.25),
        forced_yields: 3,
        cancelled: 0,
        voluntary_switches: None,
        involuntary_switches: None,
        futile_wakeups: None,
        fork: None,
    }
}
