//! Estimates over processes.

use crate::common::{Stream, assert_close};
use results::statistics::forks::{ForkEstimate, estimate};
use results::statistics::paired;

/// Rounds of equal backends, where a process favours one of them by 5 % and a round by 1 %.
fn lucky_processes(stream: &mut Stream, processes: usize, rounds: usize) -> Vec<(usize, f64)> {
    let mut ratios = Vec::new();
    for process in 0..processes {
        let luck = 0.05 * stream.normal();
        ratios.extend((0..rounds).map(|_| (process, (luck + 0.01 * stream.normal()).exp())));
    }
    ratios
}

/// The bounds are nominal plus or minus three standard errors of 2,000 runs; the seeds are fixed.
#[test]
fn processes_that_differ_are_covered_as_promised_where_pooled_rounds_are_not() {
    const RUNS: u32 = 2_000;
    for (processes, rounds, student) in
        [(2, 10, true), (3, 7, true), (5, 4, true), (6, 4, false), (10, 5, false)]
    {
        let mut stream = Stream::new(61);
        let (mut covered, mut pooled, mut alarms, mut nominal) = (0, 0, 0, 0.0);
        for _ in 0..RUNS {
            let ratios = lucky_processes(&mut stream, processes, rounds);
            let found = estimate(&ratios, 0.95);
            assert_eq!((found.student, found.over_forks.rounds), (student, processes));
            let [low, high] = found.over_forks.ci.unwrap();
            covered += u32::from((low..=high).contains(&1.0));
            alarms += u32::from(found.over_forks.p.unwrap() <= 0.05);
            nominal = found.over_forks.attained;
            let plain: Vec<f64> = ratios.iter().map(|(_, ratio)| *ratio).collect();
            let [low, high] = paired::estimate(&plain, 0.95).ci.unwrap();
            pooled += u32::from((low..=high).contains(&1.0));
        }
        let [covered, pooled, alarms] =
            [covered, pooled, alarms].map(|count| f64::from(count) / f64::from(RUNS));
        let error = (nominal * (1.0 - nominal) / f64::from(RUNS)).sqrt();
        assert!((covered - nominal).abs() <= 3.0 * error, "{processes}: {covered} instead of {nominal}");
        assert_close(alarms, 1.0 - covered, 1e-9);
        assert!(pooled < 0.75, "{processes}: rounds pooled cover {pooled}, and nothing had to be mended");
    }
}

#[test]
fn a_process_counts_once_however_many_rounds_it_has() {
    let few = estimate(&[(0, 2.0), (1, 3.0), (2, 4.0)], 0.95);
    let many = estimate(&[(0, 2.0), (1, 3.0), (1, 3.0), (1, 3.0), (1, 3.0), (2, 4.0)], 0.95);
    assert_eq!(few.over_forks, many.over_forks);
    assert_eq!((few.rounds, many.rounds), (3, 6));
    assert_close(few.over_forks.ratio.unwrap(), 24.0_f64.cbrt(), 1e-12);
}

#[test]
fn few_processes_are_students() {
    let ForkEstimate { over_forks, .. } = estimate(&[(0, 1.1), (1, 1.2), (2, 1.4)], 0.95);
    let logs = [1.1_f64, 1.2, 1.4].map(f64::ln);
    let mean = logs.iter().sum::<f64>() / 3.0;
    let error = (logs.map(|log| (log - mean).powi(2)).iter().sum::<f64>() / 6.0).sqrt();
    let [low, high] = over_forks.ci.unwrap();
    // 4.302653 is the quantile of two degrees of freedom.
    assert_close(high.ln(), mean + 4.302_652_73 * error, 1e-8);
    assert_close(low.ln(), mean - 4.302_652_73 * error, 1e-8);
    // With two degrees the tail has a closed form: 1 − t / √(2 + t²).
    let t = mean / error;
    assert_close(over_forks.p.unwrap(), 1.0 - t / (2.0 + t * t).sqrt(), 1e-12);
    assert_close(over_forks.attained, 0.95, 0.0);
}

#[test]
fn many_processes_are_wilcoxons() {
    let medians = [1.12, 1.31, 1.01, 1.22, 1.05, 1.18];
    let rounds: Vec<(usize, f64)> = (0..).zip(medians).flat_map(|(fork, ratio)| [(fork, ratio); 3]).collect();
    let found = estimate(&rounds, 0.95);
    let plain = paired::estimate(&medians, 0.95);
    assert!(!found.student);
    assert_eq!((found.over_forks.p, found.over_forks.rounds), (plain.p, 6));
    assert_close(found.over_forks.ci.unwrap()[0], plain.ci.unwrap()[0], 1e-12);
}

#[test]
fn one_process_says_nothing_of_processes() {
    for rounds in [&[][..], &[(3, 1.5), (3, 1.6)], &[(3, 1.5), (4, f64::NAN), (5, 0.0), (6, -1.0)]] {
        let found = estimate(rounds, 0.95).over_forks;
        assert_eq!((found.ratio, found.ci, found.p, found.attained), (None, None, None, 0.0));
    }
}

#[test]
fn processes_that_agree_leave_no_doubt() {
    let same = estimate(&[(0, 1.0), (1, 1.0)], 0.95).over_forks;
    assert_eq!((same.ratio, same.ci, same.p), (Some(1.0), Some([1.0, 1.0]), Some(1.0)));
    let other = estimate(&[(0, 2.0), (1, 2.0)], 0.95).over_forks;
    assert_eq!(other.p, Some(0.0));
    assert_close(other.ratio.unwrap(), 2.0, 1e-12);
}

#[test]
fn a_confidence_that_is_none_gives_no_interval() {
    for confidence in [0.0, 1.0, -1.0, f64::NAN] {
        let found = estimate(&[(0, 1.1), (1, 1.2)], confidence).over_forks;
        assert_eq!((found.ci, found.attained), (None, 0.0));
        assert!(found.ratio.is_some());
    }
}
