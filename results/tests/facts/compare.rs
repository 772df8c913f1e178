//! Comparison within a run and between reports.

use crate::common::{assert_close, report};
use results::compare::{Options, between_reports, control, control_arm, is_control_arm, within_run};
use results::{Cell, Comparison, OpenLoop, Round, Status, Verdict};

/// A cell of tokio's from a made-up report, under another backend's name and with these throughputs.
fn cell(backend: &str, throughputs: &[f64]) -> Cell {
    let mut cell = report("r", 1, 1).cells.swap_remove(0);
    let round = cell.rounds.swap_remove(0);
    cell.backend = backend.to_owned();
    cell.rounds = throughputs
        .iter()
        .map(|rate| Round { ops: *rate as u64, wall_ns: 1_000_000_000, ..round.clone() })
        .collect();
    cell.latency_rounds = vec![cell.latency_rounds.swap_remove(0); throughputs.len()];
    cell
}

fn with_waits(backend: &str, p50_ns: &[Option<u64>], p99_ns: u64) -> Cell {
    let mut cell = cell(backend, &vec![100.0; p50_ns.len()]);
    for (round, p50_ns) in cell.latency_rounds.iter_mut().zip(p50_ns) {
        (round.p50_ns, round.p99_ns) = (*p50_ns, Some(p99_ns));
    }
    cell
}

#[track_caller]
fn metric<'a>(comparisons: &'a [Comparison], metric: &str) -> &'a Comparison {
    comparisons.iter().find(|comparison| comparison.metric == metric).expect(metric)
}

#[test]
fn twice_the_operations_in_each_round_is_a_ratio_of_two() {
    // The rounds themselves differ by a factor of 40: only their pairs are looked at.
    let base = [100.0, 4_000.0, 250.0, 900.0, 1_700.0, 320.0, 610.0];
    let cells = [cell("tokio", &base), cell("sync", &base.map(|rate| rate * 2.0))];
    let found = within_run(&cells, "tokio", &Options::default());
    let throughput = metric(&found, "throughput");
    assert_close(throughput.ratio.unwrap(), 2.0, 1e-12);
    assert_close(throughput.ci.unwrap()[0], 2.0, 1e-12);
    assert_close(throughput.ci.unwrap()[1], 2.0, 1e-12);
    assert_eq!(throughput.verdict, Verdict::Faster);
    assert_eq!((throughput.baseline.as_str(), throughput.candidate.as_str()), ("tokio", "sync"));
    assert_eq!(throughput.rounds, 7);
    // Seven of seven, two-sided: 2/2⁷; the waits are equal (p = 1), and Holm multiplies by the three tests.
    assert_close(throughput.p_adjusted.unwrap(), 3.0 * 2.0 / 128.0, 1e-12);
    assert_close(throughput.confidence, 0.953_125, 1e-12);
    assert!(throughput.method.contains("Wilcoxon") && throughput.method.ends_with("exact"));
}

#[test]
fn half_the_wait_is_a_ratio_of_two() {
    let cells = [with_waits("tokio", &[Some(900); 7], 3_000), with_waits("sync", &[Some(450); 7], 6_000)];
    let found = within_run(&cells, "tokio", &Options::default());
    assert_close(metric(&found, "wait_p50").ratio.unwrap(), 2.0, 1e-12);
    assert_eq!(metric(&found, "wait_p50").verdict, Verdict::Faster);
    assert_close(metric(&found, "wait_p99").ratio.unwrap(), 0.5, 1e-12);
    assert_eq!(metric(&found, "wait_p99").verdict, Verdict::Slower);
}

#[test]
fn rounds_are_paired_by_their_place() {
    // Round 1 lacks the figure in one, round 3 in the other: rounds 0, 2 and 4 remain, each with ratio 2.
    let base = with_waits("tokio", &[Some(200), None, Some(600), Some(800), Some(1_000)], 1);
    let candidate = with_waits("sync", &[Some(100), Some(7), Some(300), None, Some(500)], 1);
    let found = within_run(&[base, candidate], "tokio", &Options::default());
    let p50 = metric(&found, "wait_p50");
    assert_eq!(p50.rounds, 3);
    assert_close(p50.ratio.unwrap(), 2.0, 1e-12);
    assert_eq!((p50.ci, p50.verdict), (None, Verdict::Inconclusive));
}

#[test]
fn an_interrupted_round_leaves_the_pairs_before_it() {
    let cells = [cell("tokio", &[100.0, 200.0, 300.0]), cell("sync", &[200.0, 400.0])];
    let found = within_run(&cells, "tokio", &Options::default());
    assert_eq!(metric(&found, "throughput").rounds, 2);
    assert_close(metric(&found, "throughput").ratio.unwrap(), 2.0, 1e-12);
}

/// Eight rounds over some processes, each with a ratio of its own.
fn over_processes(ratios: &[f64]) -> [Cell; 2] {
    let each = 8 / ratios.len();
    let rates: Vec<f64> = ratios.iter().flat_map(|ratio| vec![100_000.0 * ratio; each]).collect();
    let mut cells = [cell("tokio", &vec![100_000.0; rates.len()]), cell("sync", &rates)];
    for cell in &mut cells {
        for (place, round) in cell.rounds.iter_mut().enumerate() {
            round.fork = Some(place / each);
        }
        for (place, round) in cell.latency_rounds.iter_mut().enumerate() {
            round.fork = Some(place / each);
        }
    }
    cells
}

#[test]
fn with_several_processes_these_are_what_is_compared() {
    let found = within_run(&over_processes(&[1.1, 1.2, 1.3, 1.4]), "tokio", &Options::default());
    let throughput = metric(&found, "throughput");
    assert_eq!(throughput.rounds, 8);
    assert!(throughput.method.contains("4 processes") && throughput.method.contains("Student's t"));
    assert_close(throughput.confidence, 0.95, 1e-12);
    // Eight rounds in pairs would have been sure of more than 1.1; four processes are not.
    let [low, high] = throughput.ci.unwrap();
    assert!(low < 1.1 && high > 1.4, "{low} to {high}");
    assert!(throughput.detectable.is_some_and(|ratio| ratio > high / low / 1.2));
    assert!(metric(&found, "wait_p50").method.contains("4 processes"));

    let found =
        within_run(&over_processes(&[1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8]), "tokio", &Options::default());
    let throughput = metric(&found, "throughput");
    assert!(throughput.method.contains("8 processes") && throughput.method.contains("Wilcoxon"));
    assert!(throughput.method.ends_with("exact"));
}

#[test]
fn one_process_is_compared_round_by_round() {
    let mut cells = over_processes(&[1.1]);
    let numbered = within_run(&cells, "tokio", &Options::default());
    for cell in &mut cells {
        cell.rounds.iter_mut().for_each(|round| round.fork = None);
        cell.latency_rounds.iter_mut().for_each(|round| round.fork = None);
    }
    assert_eq!(numbered, within_run(&cells, "tokio", &Options::default()));
    assert!(!numbered[0].method.contains("process"));
}

#[test]
fn rounds_of_different_processes_make_no_pair() {
    let mut cells = over_processes(&[1.1, 1.2, 1.3, 1.4]);
    cells[1].rounds[0].fork = Some(3);
    assert_eq!(metric(&within_run(&cells, "tokio", &Options::default()), "throughput").rounds, 7);
}

#[test]
fn the_control_arm_is_judged_by_processes_too() {
    let mut cells = over_processes(&[1.02, 0.98, 1.01, 1.0]);
    cells[1].backend = control_arm("tokio");
    let found = control(&cells, "tokio", &Options::default());
    assert!(metric(&found, "throughput").method.contains("4 processes"));
}

#[test]
fn what_could_have_been_found_is_said_with_every_interval() {
    let report = report("r", 1, 20);
    let between = between_reports(&report, &report, &Options::default());
    let within = within_run(&report.cells, "tokio", &Options::default());
    for comparison in within.iter().chain(&between.comparisons) {
        let [low, high] = comparison.ci.unwrap();
        let half_width = (high / low).sqrt();
        let detectable = comparison.detectable.unwrap();
        assert!(half_width < detectable && detectable < half_width.powi(2), "{comparison:?}");
    }
    let few = within_run(&self::report("r", 1, 3).cells, "tokio", &Options::default());
    assert!(few.iter().all(|comparison| comparison.detectable.is_none()));
}

#[test]
fn verdict_is_where_the_interval_lies() {
    let options = Options::default();
    for (ci, verdict) in [
        (Some([1.03, 1.10]), Verdict::Faster),
        (Some([1.021, 1.5]), Verdict::Faster),
        (Some([1.02, 1.5]), Verdict::Inconclusive),
        (Some([0.90, 0.97]), Verdict::Slower),
        (Some([0.90, 1.0 / 1.02]), Verdict::Inconclusive),
        (Some([1.0 / 1.02, 1.02]), Verdict::Equivalent),
        (Some([0.99, 1.01]), Verdict::Equivalent),
        // Certain to be above 1, uncertain whether by enough to matter.
        (Some([1.005, 1.04]), Verdict::Inconclusive),
        (Some([0.5, 2.0]), Verdict::Inconclusive),
        (Some([f64::NAN, f64::NAN]), Verdict::Inconclusive),
        (None, Verdict::Inconclusive),
    ] {
        assert_eq!(options.verdict(ci), verdict, "{ci:?}");
    }
    let wide = Options { margin: 0.10, ..options };
    assert_eq!(wide.verdict(Some([0.95, 1.05])), Verdict::Equivalent);
}

#[test]
fn each_backend_is_compared_on_each_metric_of_its_case() {
    let report = report("r", 3, 8);
    let found = within_run(&report.cells, "tokio", &Options::default());
    assert_eq!(found.len(), 3 * 3);
    for (comparison, metric) in found.iter().zip(["throughput", "wait_p50", "wait_p99"].iter().cycle()) {
        assert_eq!((comparison.candidate.as_str(), comparison.metric.as_str()), ("sync", *metric));
        assert_eq!(comparison.verdict, Verdict::Faster);
        assert_close(comparison.ratio.unwrap(), 1.5, 0.1);
    }
    let cases: Vec<String> = found.iter().step_by(3).map(Comparison::case).collect();
    let expected: Vec<String> = report.cells.iter().step_by(3).map(Cell::case).collect();
    assert_eq!(cases, expected);
}

#[test]
fn the_control_arm_is_kept_apart() {
    let report = report("r", 2, 20);
    let found = control(&report.cells, "tokio", &Options::default());
    assert_eq!(found.len(), 2 * 3);
    for comparison in &found {
        assert_eq!(comparison.candidate, control_arm("tokio"));
        assert_close(comparison.ratio.unwrap(), 1.0, 0.03);
    }
    assert!(control(&report.cells, "sync", &Options::default()).is_empty());
    assert!(is_control_arm("tokio (control)") && !is_control_arm("tokio"));
    // Nor is it a candidate where another backend is made the baseline.
    let other = within_run(&report.cells, "sync", &Options::default());
    assert!(other.iter().all(|comparison| comparison.candidate == "tokio"));
    assert_eq!(other.len(), 2 * 3);
}

#[test]
fn a_case_without_the_baseline_has_no_comparison() {
    let mut report = report("r", 2, 6);
    report.cells.remove(0);
    let found = within_run(&report.cells, "tokio", &Options::default());
    assert_eq!(found.len(), 3);
    assert!(within_run(&report.cells, "nobody", &Options::default()).is_empty());
    assert!(within_run(&[], "tokio", &Options::default()).is_empty());
}

#[test]
fn parameters_tell_cases_apart_even_where_they_read_alike() {
    let mut cells = vec![cell("tokio", &[1.0; 6]), cell("sync", &[1.0; 6])];
    cells[0].params.insert("tasks".to_owned(), "64".into());
    cells[1].params.insert("tasks".to_owned(), 64.into());
    assert_ne!(cells[0].case(), cells[1].case());
    assert!(within_run(&cells, "tokio", &Options::default()).is_empty());
    for odd in ["a b=c", "x\"", "true", ""] {
        cells[0].params.insert("tasks".to_owned(), odd.into());
        assert!(cells[0].case().contains('"'), "{}", cells[0].case());
    }
}

#[test]
fn names_with_a_slash_or_space_cannot_be_mistaken_for_others() {
    let mut cells = [cell("tokio", &[]), cell("tokio", &[])];
    cells[0].workload = "semaphore/pool".to_owned();
    cells[0].variant = "x".to_owned();
    cells[1].variant = "pool/x".to_owned();
    assert_ne!(cells[0].case(), cells[1].case());
    cells[1] = cells[0].clone();
    cells[1].params.insert("a=1 b".to_owned(), 2.into());
    cells[0].params.insert("a".to_owned(), 1.into());
    cells[0].params.insert("b".to_owned(), 2.into());
    assert_ne!(cells[0].case(), cells[1].case());
}

#[test]
fn a_case_is_named_by_workload_variant_and_parameters() {
    assert_eq!(cell("tokio", &[]).case(), "semaphore/pool hold_mode=spin tasks=64");
}

#[test]
fn rounds_that_took_no_time_or_did_nothing_are_left_out() {
    let mut cells = [cell("tokio", &[100.0; 8]), cell("sync", &[200.0; 8])];
    cells[0].rounds[0].wall_ns = 0;
    cells[1].rounds[1].ops = 0;
    let found = within_run(&cells, "tokio", &Options::default());
    assert_eq!(metric(&found, "throughput").rounds, 6);
    assert_close(metric(&found, "throughput").ratio.unwrap(), 2.0, 1e-12);
}

#[test]
fn a_report_is_equivalent_to_itself() {
    let report = report("r", 2, 20);
    let found = between_reports(&report, &report, &Options::default());
    assert_eq!(found.comparisons.len(), 2 * 2 * 3);
    for comparison in &found.comparisons {
        assert_close(comparison.ratio.unwrap(), 1.0, 1e-12);
        assert_close(comparison.p_adjusted.unwrap(), 1.0, 1e-12);
        assert_ne!(comparison.verdict, Verdict::Faster);
        assert_ne!(comparison.verdict, Verdict::Slower);
    }
    assert!(found.differences.is_empty());
    assert!(found.only_in_base.is_empty() && found.only_in_candidate.is_empty());
}

#[test]
fn a_slower_run_is_slower_and_named_by_report_and_backend() {
    let base = report("before", 1, 20);
    let mut candidate = report("after", 1, 20);
    for round in candidate.cells.iter_mut().flat_map(|cell| &mut cell.rounds) {
        round.wall_ns *= 2;
    }
    let found = between_reports(&base, &candidate, &Options::default());
    let throughput = metric(&found.comparisons, "throughput");
    assert_eq!(throughput.verdict, Verdict::Slower);
    assert_close(throughput.ratio.unwrap(), 0.5, 1e-3);
    assert_eq!(throughput.baseline, "before/tokio");
    assert_eq!(throughput.candidate, "after/tokio");
    assert_eq!(throughput.rounds, 20);
    assert!(throughput.method.contains("Mann–Whitney"));
    assert!(throughput.p_adjusted.unwrap() < 1e-6);
    let p50 = metric(&found.comparisons, "wait_p50");
    assert_close(p50.ratio.unwrap(), 1.0, 1e-12);
}

#[test]
fn cases_of_one_report_alone_are_named() {
    let base = report("before", 1, 6);
    let mut candidate = report("after", 2, 6);
    candidate.cells.retain(|cell| cell.backend != "sync" || cell.params["tasks"] != 64);
    let found = between_reports(&base, &candidate, &Options::default());
    assert_eq!(found.only_in_base, ["semaphore/pool hold_mode=spin tasks=64 on sync"]);
    assert_eq!(
        found.only_in_candidate,
        ["semaphore/pool hold_mode=spin tasks=65 on tokio", "semaphore/pool hold_mode=spin tasks=65 on sync"]
    );
    assert_eq!(found.comparisons.len(), 3);
}

#[test]
fn what_makes_two_reports_hard_to_compare_is_named() {
    let base = report("before", 1, 6);
    let mut candidate = base.clone();
    let environment = &mut candidate.environment;
    environment.cpu = "Other".to_owned();
    environment.cores = 64;
    environment.kernel = "Linux 7".to_owned();
    environment.rustc = "rustc 2".to_owned();
    environment.profile = "release".to_owned();
    environment.debug_assertions = true;
    environment.runtime = "current-thread".to_owned();
    candidate.run.status = Status::Interrupted;
    let found = between_reports(&base, &candidate, &Options::default());
    assert_eq!(found.differences[0], r#"cpu: "Imaginary 9000" in base, "Other" in candidate"#);
    let subjects: Vec<&str> =
        found.differences.iter().map(|difference| difference.split(':').next().unwrap()).collect();
    assert_eq!(
        subjects,
        ["cpu", "cores", "kernel", "rustc", "profile", "debug assertions", "runtime", "status"]
    );
}

#[test]
fn what_forbids_a_comparison_is_told_from_what_is_only_worth_knowing() {
    let base = report("before", 1, 6);
    let obstacles = |change: fn(&mut results::Environment)| {
        let mut candidate = base.clone();
        change(&mut candidate.environment);
        let found = between_reports(&base, &candidate, &Options::default());
        assert_eq!(found.differences.len(), 1, "{:?}", found.differences);
        assert!(found.obstacles.is_empty() || found.obstacles == found.differences);
        found.obstacles.len()
    };
    for forbids in [
        (|it| it.cpu = "Other".to_owned()) as fn(&mut results::Environment),
        |it| it.profile = "release".to_owned(),
        |it| it.debug_assertions = true,
        |it| it.runtime = "tokio 1.54.1, multi-thread, 4 workers".to_owned(),
        |it| it.runtime = "tokio 1.54.1, current-thread".to_owned(),
        |it| it.pinned = Some(vec![0, 1]),
    ] {
        assert_eq!(obstacles(forbids), 1);
    }
    for only_told in [
        (|it| it.kernel = "Linux 7".to_owned()) as fn(&mut results::Environment),
        |it| it.rustc = "rustc 2".to_owned(),
        |it| it.git = Some("3f9a2c1".to_owned()),
        |it| it.runtime = "tokio 1.60.0, multi-thread, 2 workers".to_owned(),
    ] {
        assert_eq!(obstacles(only_told), 0);
    }
}

#[test]
fn absurd_options_are_survived() {
    let report = report("r", 1, 8);
    for value in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300] {
        let options = Options { confidence: value, margin: value };
        assert_eq!(within_run(&report.cells, "tokio", &options).len(), 3);
        assert_eq!(between_reports(&report, &report, &options).comparisons.len(), 6);
    }
}

#[test]
fn throughput_that_an_open_loop_set_is_not_compared() {
    let open_loop = OpenLoop {
        rate_ops_per_s: 100.0,
        achieved_ops_per_s: 100.0,
        lag_mean_ns: 0.0,
        lag_max_ns: 0,
        behind_fraction: 0.0,
    };
    let mut cells =
        [cell("tokio", &[100.0; 7]), cell("sync", &[100.0; 7]), cell("tokio (control)", &[100.0; 7])];
    cells[1].open_loop = Some(open_loop);
    let found = within_run(&cells, "tokio", &Options::default());
    let metrics: Vec<&str> = found.iter().map(|comparison| comparison.metric.as_str()).collect();
    assert_eq!(metrics, ["wait_p50", "wait_p99"], "one side is enough");
    cells[0].open_loop = Some(open_loop);
    assert_eq!(control(&cells, "tokio", &Options::default()).len(), 2);
    let mut base = report("r", 1, 7);
    base.cells = cells.to_vec();
    let between = between_reports(&base, &base.clone(), &Options::default());
    assert!(between.comparisons.iter().all(|comparison| comparison.metric != "throughput"));
}
