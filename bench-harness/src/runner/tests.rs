//! The rounds on a made-up workload and a made-up clock: nothing runs, nothing waits.

use std::collections::HashSet;
use std::time::Duration;

use hdrhistogram::Histogram;
use results::{Environment, Report, Status};
use workloads::{
    Arm, Backend, Contention, HoldMode, Limits, Pace, Params, Slot, SlotOutcome, Variant, Workload,
};

use super::clock::Switches;
use super::driver::Reading;
use super::*;
use crate::assemble::{Findings, Sheet};
use crate::cases::{Plan, Registry};
use crate::cli::Knobs;

const OURS: Backend = backend("sync", false);
const BASE: Backend = backend("tokio", false);
const TRACED: Backend = backend("sync-traced", true);

const fn backend(name: &'static str, traced: bool) -> Backend {
    Backend { name, version: "1.2.3", summary: "made up", fair: true, traced }
}

fn never_called(_: Slot<'_>) -> SlotOutcome {
    unreachable!("the made-up driver makes outcomes up")
}

const ARMS: &[Arm] = &[
    Arm { backend: &OURS, composed: None, limits: Limits::NONE, run: never_called },
    Arm { backend: &BASE, composed: Some("two halves"), limits: Limits::NONE, run: never_called },
    Arm { backend: &TRACED, composed: None, limits: Limits::NONE, run: never_called },
];

const VARIANT: Variant = Variant {
    name: "plain",
    summary: "made up",
    defaults: || Params { tasks: 4, hold_mode: HoldMode::Yield, ..Params::PLAIN },
    knobs: &["tasks", "rate_ops_per_s"],
    contention: Contention::Demanded,
    arms: ARMS,
};

const WORKLOADS: &[Workload] =
    &[Workload { name: "made-up", aliases: &["alias"], summary: "made up", variants: &[VARIANT, OTHER] }];
const OTHER: Variant = Variant { name: "other", arms: OURS_ALONE, knobs: &["tasks"], ..VARIANT };
const OURS_ALONE: &[Arm] = &[Arm { backend: &OURS, composed: None, limits: Limits::NONE, run: never_called }];
const FEW: &[Workload] = &[Workload {
    name: "few",
    aliases: &[],
    summary: "made up",
    variants: &[Variant { arms: FEW_ARMS, ..VARIANT }],
}];
const FEW_ARMS: &[Arm] = &[
    ARMS[1],
    Arm { backend: &OURS, composed: None, limits: Limits { tasks: 9, ..Limits::NONE }, run: never_called },
];
const REGISTRY: Registry = Registry { workloads: WORKLOADS, backends: &[&OURS, &BASE, &TRACED] };

fn plan(workload: &str, backends: &[&str]) -> anyhow::Result<Plan> {
    let backends: Vec<String> = backends.iter().map(|&name| name.into()).collect();
    REGISTRY.plan(&[workload.into()], &backends, &Knobs::default(), &[], Duration::from_millis(200))
}

/// 100,000 operations a second: 20,000 in a slot of 200 ms.
fn open_loop_plan(workload: &str) -> anyhow::Result<Plan> {
    let backends = ["sync".to_owned(), "tokio".to_owned()];
    let knobs = Knobs { rate: Some(1e5), ..Knobs::default() };
    REGISTRY.plan(&[workload.into()], &backends, &knobs, &[], Duration::from_millis(200))
}

/// Slots take exactly the time that they were asked to take, and `sync` does twice as much as the others.
#[derive(Default)]
struct MadeUp {
    jobs: Vec<Job>,
    /// The slot, counted from 0, that gives this instead.
    fails: Option<(usize, Failure)>,
    breaks_law_at: Option<usize>,
    /// Whether an operation takes twice as long where it is recorded.
    recording_doubles: bool,
    /// Operations of each slot of an open loop that are never begun.
    unmet: u64,
}

impl Driver for MadeUp {
    fn drive(&mut self, job: Job) -> Result<Reading, Failure> {
        let slot = self.jobs.len();
        let wall_ns = job.duration.as_nanos() as u64;
        let pass = job.pass;
        let job_rate = job.params.rate_ops_per_s;
        self.jobs.push(job);
        if let Some((at, failure)) = &self.fails
            && *at == slot
        {
            return Err(failure.clone());
        }
        let pace = job_rate.map(|rate| Pace {
            due: (wall_ns as f64 * rate / 1e9) as u64,
            window_ns: wall_ns,
            on_time: 900,
            behind: 100,
            lag_sum_ns: 45_000,
            lag_max_ns: 700 + slot as u64,
        });
        let slowed = if self.recording_doubles && pass == Pass::Latency { 2 } else { 1 };
        let ops = pace.map_or(4 * (wall_ns / 1_000) / slowed, |pace| pace.due - self.unmet);
        let mut waits = Histogram::new(3).unwrap();
        waits.record_n(100, 1_000).unwrap();
        Ok(Reading {
            outcome: SlotOutcome {
                ops_per_task: vec![ops / 4; 4],
                wall_ns,
                acquisitions: 100,
                waited: 75,
                forced_yields: 1,
                cancelled: if pace.is_some() { 0 } else { 2 },
                futile_wakeups: None,
                hold_ns: None,
                queue_depth: Some(2.5),
                pace,
                law: if self.breaks_law_at == Some(slot) { Err("one was lost".into()) } else { Ok(()) },
                recorders: Vec::new(),
            },
            cpu_ns: wall_ns,
            switches: Some(Switches { voluntary: 3, involuntary: 1 }),
            allocations: (pass == Pass::Latency).then_some(5),
            waits,
        })
    }
}

#[derive(Default)]
struct Notes {
    positions: Vec<Position>,
    rounds: usize,
}

impl Observer for Notes {
    fn slot_begins(&mut self, at: &Position) {
        self.positions.push(at.clone());
    }

    fn round_counts(&mut self, _: &[CaseTally]) {
        self.rounds += 1;
    }
}

fn settings(rounds: usize, observed: bool) -> Settings {
    Settings { rounds, slot: Duration::from_millis(200), seed: 42, observed }
}

fn report(plan: &Plan, settings: &Settings, driver: &mut MadeUp) -> (Report, Ending, Notes) {
    let mut notes = Notes::default();
    let measured = run(&plan.cases, &Kept::new(), settings, driver, &mut notes);
    let sheet = Sheet::new(&plan.cases, vec![], settings, None, environment());
    let report =
        sheet.report(&plan.cases, Findings::of(&plan.cases, &measured.tallies), Some(&measured.ending), 1.0);
    (report, measured.ending, notes)
}

fn environment() -> Environment {
    Environment {
        debug_assertions: false,
        ..crate::environment::describe(
            crate::environment::Executor::CurrentThread,
            &crate::pin::Pins::default(),
        )
    }
}

#[test]
fn every_arm_is_visited_once_a_round_and_the_baseline_twice() {
    let plan = plan("made-up", &["sync", "tokio"]).unwrap();
    let (report, ending, notes) = report(&plan, &settings(7, false), &mut MadeUp::default());
    assert_eq!(ending, Ending::Complete);
    let names: Vec<&str> = report.cells.iter().map(|cell| cell.backend.as_str()).collect();
    assert_eq!(names, ["sync", "tokio", "tokio (control)"]);
    for round in 0..7 {
        let places: HashSet<usize> = report.cells.iter().map(|cell| cell.rounds[round].order).collect();
        assert_eq!(places, HashSet::from([0, 1, 2]), "throughput, round {round}");
        let places: HashSet<usize> =
            report.cells.iter().map(|cell| cell.latency_rounds[round].order).collect();
        assert_eq!(places, HashSet::from([0, 1, 2]), "latency, round {round}");
    }
    assert_eq!(notes.positions.len(), 8 * 3 * 2, "slots, with the warm-up");
    assert_eq!(notes.rounds, 7);
    assert_eq!(report.run.status, Status::Complete, "{:?}", report.validity);
}

#[test]
fn the_same_seed_gives_the_same_schedule() {
    let plan = plan("made-up", &["sync", "tokio", "sync-traced"]).unwrap();
    let slots = |seed| {
        let mut notes = Notes::default();
        let mut driver = MadeUp::default();
        run(&plan.cases, &Kept::new(), &Settings { seed, ..settings(6, true) }, &mut driver, &mut notes);
        let slots: Vec<String> = notes.positions.into_iter().map(|at| at.slot).collect();
        (slots, driver.jobs.iter().map(|job| job.seed).collect::<Vec<_>>())
    };
    assert_eq!(slots(1), slots(1));
    assert_ne!(slots(1), slots(2));
}

#[test]
fn the_warm_up_counts_nowhere() {
    let plan = plan("made-up", &["sync", "tokio"]).unwrap();
    let mut driver = MadeUp::default();
    let (report, ..) = report(&plan, &settings(6, false), &mut driver);
    for cell in &report.cells {
        assert_eq!((cell.rounds.len(), cell.latency_rounds.len()), (6, 6), "{}", cell.backend);
        assert_eq!(cell.wait_ns.count, 6 * 1_000, "{}", cell.backend);
    }
    assert_eq!(driver.jobs.len(), 7 * 3 * 2);
}

#[test]
fn figures_are_those_of_the_slots() {
    let plan = plan("made-up", &["tokio"]).unwrap();
    let (report, ..) = report(&plan, &settings(6, false), &mut MadeUp::default());
    let cell = &report.cells[0];
    assert_eq!(cell.throughput_ops_per_s.median, 4e6);
    assert_eq!(cell.rounds[0].contended_fraction, 0.75);
    assert_eq!(cell.rounds[0].jain, 1.0);
    assert_eq!((cell.rounds[0].voluntary_switches, cell.rounds[0].involuntary_switches), (Some(3), Some(1)));
    let latency = &cell.latency_rounds[0];
    assert_eq!((latency.queue_depth, latency.ops, latency.wall_ns), (Some(2.5), 200_000, 50_000_000));
    assert_eq!(latency.allocations, Some(5));
    assert_eq!(cell.recorder_share, Some(0.0), "operations of both passes are equally fast");
    assert_eq!(cell.wait_ns.p50, Some(100));
    assert_eq!(cell.composed.as_deref(), Some("two halves"));
    assert_eq!(cell.params.keys().collect::<Vec<_>>(), ["tasks"], "only knobs that the variant looks at");
    assert_eq!(report.control.iter().map(|control| control.ratio).collect::<Vec<_>>(), [Some(1.0); 3]);
}

#[test]
fn the_recorders_share_is_what_an_operation_takes_longer_for_it() {
    let plan = plan("made-up", &["tokio"]).unwrap();
    let mut driver = MadeUp { recording_doubles: true, ..MadeUp::default() };
    let (report, ..) = report(&plan, &settings(6, false), &mut driver);
    assert!(report.cells.iter().all(|cell| cell.recorder_share == Some(0.5)), "{:?}", report.cells[0]);
}

#[test]
fn a_kept_case_is_not_measured_and_the_others_are_given_the_same_work() {
    let plan = plan("made-up.all", &["sync", "tokio"]).unwrap();
    let (mut whole, mut rest) = (MadeUp::default(), MadeUp::default());
    let settings = settings(6, false);
    let measured = run(&plan.cases, &Kept::new(), &settings, &mut whole, &mut Notes::default());
    let cells = Findings::of(&plan.cases, &measured.tallies).cells;
    let kept = Kept::from([(0, cells[..3].to_vec())]);
    let measured = run(&plan.cases, &kept, &settings, &mut rest, &mut Notes::default());
    assert_eq!(Findings::of(&plan.cases, &measured.tallies).cells, cells);
    let seeds = |driver: &MadeUp| driver.jobs.iter().map(|job| job.seed).collect::<Vec<_>>();
    assert_eq!(seeds(&rest), seeds(&whole)[7 * 3 * 2..]);
    assert_eq!(extent(&plan.cases, &kept, &settings).0, rest.jobs.len());
}

#[test]
fn an_interrupt_keeps_the_whole_rounds() {
    let plan = plan("made-up", &["sync", "tokio"]).unwrap();
    let interrupted_in_third_round = Some((6 * 3 + 4, Failure::Interrupted));
    let mut driver = MadeUp { fails: interrupted_in_third_round, ..MadeUp::default() };
    let (report, ending, _) = report(&plan, &settings(20, false), &mut driver);
    assert_eq!(ending, Ending::Interrupted);
    assert_eq!(report.run.status, Status::Interrupted);
    for cell in &report.cells {
        assert_eq!((cell.rounds.len(), cell.latency_rounds.len()), (2, 2), "{}", cell.backend);
    }
}

#[test]
fn an_interrupt_during_the_warm_up_leaves_no_cell() {
    let plan = plan("made-up", &["sync", "tokio"]).unwrap();
    let mut driver = MadeUp { fails: Some((2, Failure::Interrupted)), ..MadeUp::default() };
    let (report, ..) = report(&plan, &settings(20, false), &mut driver);
    assert_eq!((report.cells.len(), report.comparisons.len()), (0, 0));
    assert_eq!(Report::from_json(report.to_json().as_bytes()).unwrap().run.status, Status::Interrupted);
}

#[test]
fn a_hung_slot_ends_the_run_and_names_workload_and_backend() {
    let plan = plan("made-up", &["tokio"]).unwrap();
    let hung = Failure::Hung { phase: "finish", patience: Duration::from_secs(10) };
    let mut driver = MadeUp { fails: Some((9, hung)), ..MadeUp::default() };
    let (report, ending, _) = report(&plan, &settings(20, false), &mut driver);
    let Ending::Failed(what) = ending else { panic!("{ending:?}") };
    assert!(what.contains("made-up.plain") && what.contains("tokio") && what.contains("hung"), "{what}");
    assert_eq!(report.run.status, Status::Interrupted);
    assert_eq!(report.cells[0].rounds.len(), 1);
    assert!(report.validity.iter().any(|check| check.check == "finished" && !check.pass));
}

#[test]
fn a_broken_law_makes_the_run_invalid_even_in_the_warm_up() {
    let plan = plan("made-up", &["sync", "tokio"]).unwrap();
    let mut driver = MadeUp { breaks_law_at: Some(0), ..MadeUp::default() };
    let (report, ending, _) = report(&plan, &settings(6, false), &mut driver);
    assert_eq!((ending, report.run.status), (Ending::Complete, Status::Invalid));
    let counts = report.validity.iter().find(|check| check.check == "counts").unwrap();
    assert!(!counts.pass && counts.detail.contains("one was lost"), "{}", counts.detail);
}

#[test]
fn too_few_rounds_are_invalid_and_say_so() {
    let plan = plan("made-up", &["sync", "tokio"]).unwrap();
    let (report, ..) = report(&plan, &settings(5, false), &mut MadeUp::default());
    assert_eq!(report.run.status, Status::Invalid);
    let rounds = report.validity.iter().find(|check| check.check == "rounds").unwrap();
    assert!(rounds.detail.contains("--rounds"), "{}", rounds.detail);
}

#[test]
fn the_collector_watches_traced_arms_and_the_observed_slot_alone() {
    let plan = plan("made-up", &["sync", "tokio", "sync-traced"]).unwrap();
    let (mut driver, mut notes) = (MadeUp::default(), Notes::default());
    let settings = settings(6, true);
    run(&plan.cases, &Kept::new(), &settings, &mut driver, &mut notes);
    for (job, at) in driver.jobs.iter().zip(&notes.positions) {
        let watched = at.slot.starts_with("sync-traced") || at.slot.contains("Live page");
        assert_eq!(job.watched, watched, "{}", at.slot);
    }
    let live = notes.positions.iter().filter(|at| at.slot.contains("Live page")).count();
    assert_eq!(live, 7, "one a round, warm-up included");
    assert_eq!(extent(&plan.cases, &Kept::new(), &settings).0, driver.jobs.len());
}

#[test]
fn the_observed_slot_counts_nowhere() {
    let plan = plan("made-up", &["sync", "tokio"]).unwrap();
    let (with, ..) = report(&plan, &settings(6, true), &mut MadeUp::default());
    let (without, ..) = report(&plan, &settings(6, false), &mut MadeUp::default());
    assert_eq!(with.cells, without.cells);
}

#[test]
fn arms_of_a_round_are_given_the_same_work() {
    let plan = plan("made-up", &["sync", "tokio"]).unwrap();
    let mut driver = MadeUp::default();
    run(&plan.cases, &Kept::new(), &settings(6, false), &mut driver, &mut Notes::default());
    for slots in driver.jobs.chunks(3) {
        assert!(slots.iter().all(|job| job.seed == slots[0].seed && job.pass == slots[0].pass));
    }
}

#[test]
fn a_backend_without_the_primitive_is_skipped_and_said_so() {
    let plan = plan("made-up.other", &["tokio", "sync"]).unwrap();
    let names: Vec<&str> = plan.cases[0].entrants.iter().map(|entrant| entrant.name.as_str()).collect();
    assert_eq!(names, ["sync", "sync (control)"]);
    assert!(plan.notes.iter().any(|note| note.contains("tokio") && note.contains("made-up.other")));
}

#[test]
fn a_backend_is_skipped_where_the_parameters_are_past_its_limit() {
    let registry = Registry { workloads: FEW, ..REGISTRY };
    let sweep = [crate::sweep::parse("tasks=9,10").unwrap()];
    let slot = Duration::from_millis(200);
    let plan = registry.plan(&["few".into()], &["all".into()], &Knobs::default(), &sweep, slot).unwrap();
    let entrants = plan.cases.iter().map(|case| case.entrants.len());
    assert_eq!(entrants.collect::<Vec<_>>(), [3, 2], "the control is one of them");
    let note = plan.notes.iter().find(|note| note.contains("tasks=10")).expect("it is said");
    assert!(note.contains("sync cannot run few.plain") && note.contains("at most 9 tasks"), "{note}");
}

#[test]
fn names_pick_variants() {
    let names = |asked: &str| -> Vec<String> {
        plan(asked, &["sync"]).unwrap().cases.iter().map(Case::name).collect()
    };
    assert_eq!(names("made-up"), ["made-up.plain"]);
    assert_eq!(names("alias.other"), ["made-up.other"]);
    assert_eq!(names("all"), ["made-up.plain"]);
    assert_eq!(names("made-up.all"), ["made-up.plain", "made-up.other"]);
    assert_eq!(names("all.all"), ["made-up.plain", "made-up.other"]);
}

#[test]
fn unknown_names_list_the_known_ones() {
    let message = |asked: &str, backend: &str| plan(asked, &[backend]).unwrap_err().to_string();
    assert!(message("mutexx", "sync").contains("'mutexx'") && message("mutexx", "sync").contains("made-up"));
    assert!(message("made-up.no", "sync").contains("plain, other"));
    assert!(message("made-up", "tokyo").contains("sync, tokio, sync-traced"));
    assert!(message("", "sync").contains("made-up"));
    assert!(message("made-up.", "sync").contains("plain, other"));
    assert!(message("made-up.other", "tokio").contains("nothing to run"));
}

#[test]
fn an_open_loop_has_latency_slots_alone_of_the_whole_length() {
    let plan = open_loop_plan("made-up").unwrap();
    let (mut driver, settings) = (MadeUp::default(), settings(6, true));
    let (report, ending, notes) = report(&plan, &settings, &mut driver);
    assert_eq!((ending, report.run.status), (Ending::Complete, Status::Complete), "{:?}", report.validity);
    assert!(driver.jobs.iter().all(|job| job.pass == Pass::Latency && job.duration == settings.slot));
    assert!(notes.positions.iter().all(|at| !at.slot.contains("throughput")));
    let (slots, time) = extent(&plan.cases, &Kept::new(), &settings);
    assert_eq!((slots, time), (driver.jobs.len(), settings.slot * driver.jobs.len() as u32));
    for cell in &report.cells {
        assert_eq!((cell.rounds.len(), cell.latency_rounds.len()), (6, 6));
        assert_eq!((cell.rounds[0].ops, cell.rounds[0].wall_ns), (20_000, 200_000_000));
    }
}

#[test]
fn an_open_loop_compares_waits_and_no_throughput() {
    let plan = open_loop_plan("made-up").unwrap();
    let (report, ..) = report(&plan, &settings(6, false), &mut MadeUp::default());
    let metrics: HashSet<&str> =
        report.comparisons.iter().chain(&report.control).map(|found| found.metric.as_str()).collect();
    assert_eq!(metrics, HashSet::from(["wait_p50", "wait_p99"]));
    let check = |name: &str| report.validity.iter().find(|check| check.check == name).unwrap();
    assert!(check("contended").pass && check("contended").detail.contains("open loop"));
    assert!(check("rate").pass && check("rate").detail.contains("100.0 %"), "{}", check("rate").detail);
    assert!(check("noise-floor").detail.contains("open loop"));
}

#[test]
fn figures_of_an_open_loop_are_put_together_over_its_slots() {
    let plan = open_loop_plan("made-up").unwrap();
    let (report, ..) = report(&plan, &settings(6, false), &mut MadeUp::default());
    let cell = report.cells.iter().find(|cell| cell.rounds[5].order == 2).unwrap();
    let open_loop = cell.open_loop.unwrap();
    assert_eq!((open_loop.rate_ops_per_s, open_loop.achieved_ops_per_s), (1e5, 1e5));
    assert_eq!((open_loop.lag_mean_ns, open_loop.behind_fraction), (50.0, 0.1));
    // The last of seven times three slots.
    assert_eq!(open_loop.lag_max_ns, 700 + 20);
    assert_eq!(cell.params["rate_ops_per_s"], 1e5);
}

#[test]
fn a_rate_that_is_not_kept_makes_the_run_invalid_and_says_what_to_change() {
    let plan = open_loop_plan("made-up").unwrap();
    for (unmet, status) in [(400, Status::Complete), (404, Status::Invalid)] {
        let mut driver = MadeUp { unmet, ..MadeUp::default() };
        let (report, ..) = report(&plan, &settings(6, false), &mut driver);
        let rate = report.validity.iter().find(|check| check.check == "rate").unwrap();
        assert_eq!((report.run.status, rate.pass), (status, status == Status::Complete), "{}", rate.detail);
        if !rate.pass {
            assert!(rate.detail.contains("--rate") && rate.detail.contains("--tasks"), "{}", rate.detail);
        }
    }
}

#[test]
fn a_closed_loop_has_no_figures_of_an_open_one() {
    let plan = plan("made-up", &["sync", "tokio"]).unwrap();
    let (report, ..) = report(&plan, &settings(6, false), &mut MadeUp::default());
    assert!(report.cells.iter().all(|cell| !cell.is_open_loop()));
    assert!(report.validity.iter().all(|check| check.check != "rate"));
    assert!(!report.to_json().contains("open_loop"));
}

#[test]
fn variants_without_an_open_loop_refuse_a_rate_and_name_those_with_one() {
    for asked in ["made-up.other", "made-up.all"] {
        let message = open_loop_plan(asked).unwrap_err().to_string();
        for word in ["--rate", "made-up.other has no", "made-up.plain have one"] {
            assert!(message.contains(word), "no {word:?} in {message}");
        }
    }
}
