use results::{Fairness, LatencyRound, Spread, Verdict, WaitSummary};

use super::*;

fn control(ci: [f64; 2], verdict: Verdict) -> Comparison {
    Comparison {
        workload: "mutex".into(),
        variant: "exclusive".into(),
        params: Params::new(),
        metric: "throughput".into(),
        baseline: "tokio".into(),
        candidate: "tokio (control)".into(),
        ratio: Some((ci[0] * ci[1]).sqrt()),
        ci: Some(ci),
        confidence: 0.95,
        method: String::new(),
        rounds: 20,
        p_adjusted: None,
        detectable: None,
        verdict,
    }
}

#[test]
fn small_difference_of_the_baseline_to_itself_is_noise() {
    assert!(noise_floor(&[control([1.021, 1.04], Verdict::Faster)]).pass);
    assert!(noise_floor(&[control([0.8, 1.3], Verdict::Inconclusive)]).pass);
    assert!(noise_floor(&[]).pass);
}

#[test]
fn large_difference_of_the_baseline_to_itself_is_named_with_what_to_do() {
    for ci in [[1.06, 1.2], [0.8, 0.95]] {
        let check = noise_floor(&[control([0.99, 1.01], Verdict::Equivalent), control(ci, Verdict::Faster)]);
        assert!(!check.pass);
        assert!(
            check.detail.contains("mutex.exclusive") && check.detail.contains("--rounds"),
            "{}",
            check.detail
        );
    }
}

#[test]
fn broken_law_fails_the_counts_and_is_quoted() {
    let check = counts(&["3 updates were lost".to_owned(), "another".to_owned()]);
    assert!(!check.pass);
    assert!(
        check.detail.contains("3 updates were lost") && check.detail.contains("1 more"),
        "{}",
        check.detail
    );
    assert!(counts(&[]).pass);
}

fn environment() -> Environment {
    Environment {
        cpu: "made up".into(),
        cores: 2,
        memory_bytes: 1,
        kernel: "made up".into(),
        rustc: "made up".into(),
        profile: "dev, opt-level 3".into(),
        debug_assertions: false,
        git: None,
        runtime: "made up".into(),
        pinned: None,
        clock: "made up (tsc), 20.0 ns a read".into(),
        load_before: 0.5,
        load_after: 1.5,
    }
}

/// Six rounds of a mutex, each wait of which took so long.
fn cell(backend: &str, contended_fraction: f64, queue_depth: f64, wait_ns: u64) -> Cell {
    let mut waits = hdrhistogram::Histogram::new(3).unwrap();
    waits.record_n(wait_ns, 2_000).unwrap();
    let round = Round {
        order: 0,
        ops: 1_000,
        wall_ns: 1_000_000,
        cpu_ns: 1,
        contended_fraction,
        jain: 1.0,
        smallest_share: 1.0,
        hold_ns: None,
        forced_yields: 0,
        cancelled: 0,
        voluntary_switches: None,
        involuntary_switches: None,
        futile_wakeups: None,
        fork: None,
    };
    let latency_round = LatencyRound::from_histogram(0, &waits, Some(queue_depth));
    Cell {
        workload: "mutex".into(),
        variant: "exclusive".into(),
        backend: backend.into(),
        backend_version: "1".into(),
        composed: None,
        params: Params::new(),
        rounds: vec![round; 6],
        throughput_ops_per_s: Spread { median: 1e6, min: 1e6, max: 1e6 },
        wait_ns: WaitSummary::from_histogram(&waits),
        latency_rounds: vec![latency_round; 6],
        recorder_share: Some(0.25),
        peer_figure: None,
        fairness: Fairness { jain: 1.0, smallest_share: 1.0, longest_wait_ns: wait_ns },
        open_loop: None,
    }
}

#[test]
fn a_queue_that_is_nearly_empty_is_not_measured() {
    assert!(queue_depth(&[cell("tokio", 1.0, 3.0, 1_000)]).pass);
    let check = queue_depth(&[cell("tokio", 1.0, 3.0, 1_000), cell("sync", 1.0, 0.01, 1_000)]);
    assert!(!check.pass);
    assert!(check.detail.contains("sync") && check.detail.contains("--tasks"), "{}", check.detail);
}

#[test]
fn backends_that_let_newcomers_overtake_need_not_wait() {
    let cells = [cell("tokio", 1.0, 3.0, 1_000), cell("async-lock", 0.01, 0.01, 20)];
    for check in [contended(&cells), queue_depth(&cells), clock(&environment(), &cells)] {
        assert!(check.pass, "{}: {}", check.check, check.detail);
    }
    let alone = &cells[1..];
    assert!(!contended(alone).pass && !queue_depth(alone).pass, "unless there is nobody else");
}

#[test]
fn a_clock_that_is_most_of_a_wait_fails_and_a_part_of_it_is_told() {
    let check = |wait_ns| clock(&environment(), &[cell("tokio", 1.0, 3.0, wait_ns)]);
    let (long, short, shortest) = (check(10_000), check(200), check(40));
    assert!(long.pass && long.detail.contains("little beside"), "{}", long.detail);
    assert!(short.pass && short.detail.contains("10 %"), "{}", short.detail);
    assert!(!shortest.pass && shortest.detail.contains("--hold"), "{}", shortest.detail);
    assert_eq!(read_ns("fastant (tsc), 11.2 ns a read"), Some(11.2));
    assert_eq!([read_ns(""), read_ns("std"), read_ns("std, NaN ns")], [None; 3]);
}

#[test]
fn a_build_that_is_not_optimised_fails() {
    for (built, pass) in
        [("dev, opt-level 3", true), ("debugging, opt-level 0", false), ("small, opt-level s", false)]
    {
        let check = profile(&Environment { profile: built.into(), ..environment() });
        assert_eq!(check.pass, pass, "{}", check.detail);
        assert!(check.detail.contains(built));
    }
}

#[test]
fn load_is_told_before_and_after_and_never_fails() {
    let detail = |load_before, load_after| {
        let check = load(&Environment { load_before, load_after, ..environment() });
        assert!(check.pass);
        check.detail
    };
    assert_eq!(detail(0.5, 1.5), "load average 0.5 before and 1.5 after the run on 2 cores");
    assert!(detail(3.0, 2.0).contains("busy before"));
    assert!(detail(0.0, 9.0).contains("others ran meanwhile"));
}

#[test]
fn percentiles_that_rest_on_too_few_waits_are_named() {
    let mut few = cell("sync", 1.0, 3.0, 1_000);
    (few.wait_ns.p99, few.wait_ns.count) = (None, 500);
    assert!(samples(&[cell("tokio", 1.0, 3.0, 1_000)]).detail.contains("enough"));
    let check = samples(&[cell("tokio", 1.0, 3.0, 1_000), few]);
    assert!(
        check.pass && check.detail.contains("p99 of mutex.exclusive on sync (500 waits)"),
        "{}",
        check.detail
    );
}

#[test]
fn the_largest_share_of_the_recorder_is_told() {
    let mut most = cell("sync", 1.0, 3.0, 1_000);
    most.recorder_share = Some(0.4);
    let check = recorder(&[cell("tokio", 1.0, 3.0, 1_000), most]).unwrap();
    assert!(check.pass && check.detail.contains("40 %") && check.detail.contains("sync"), "{}", check.detail);
    assert_eq!(recorder(&[]), None);
}

#[test]
fn processes_are_the_replicates_where_there_are_several() {
    let mut forked = cell("sync", 1.0, 3.0, 1_000);
    assert!(rounds(&[forked.clone()], None).pass);
    for (number, round) in forked.rounds.iter_mut().enumerate() {
        round.fork = Some(number / 2);
    }
    let check = rounds(&[forked.clone()], Some(3));
    assert!(!check.pass && check.detail.contains("--forks"), "{}", check.detail);
    for (number, round) in forked.rounds.iter_mut().enumerate() {
        round.fork = Some(number);
    }
    assert!(rounds(&[forked], Some(6)).pass);
}

#[test]
fn a_slot_in_which_nobody_finished_is_named_with_what_to_do() {
    let mut cell = cell("sync", 1.0, 3.0, 1_000);
    assert!(progress(std::slice::from_ref(&cell)).pass);
    cell.rounds[1].ops = 0;
    let check = progress(&[cell]);
    assert!(!check.pass);
    assert!(
        check.detail.contains("mutex.exclusive on sync in 1 of 6 slots: raise --slot"),
        "{}",
        check.detail
    );
}
