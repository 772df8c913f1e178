//! The difference that a comparison would have found.

use crate::common::{Stream, assert_close};
use results::statistics::{POWER, detectable, forks, paired, unpaired};

/// Draws the logarithm of a round.
type Noise = fn(&mut Stream) -> f64;

/// Logarithms with these shapes, all of about the same spread.
const SHAPES: [(&str, Noise); 3] = [
    ("normal", |stream| 0.03 * stream.normal()),
    // One round in ten is disturbed, four times as much.
    ("slow rounds", |stream| 0.02 * stream.normal() * if stream.below(10) == 0 { 4.0 } else { 1.0 }),
    ("even", |stream| 0.1 * (stream.unit() - 0.5)),
];

/// How often the interval excludes 1 when the true ratio is what equal rounds announced as detectable.
fn found(mut repetition: impl FnMut(f64) -> (Option<[f64; 2]>, Option<f64>)) -> f64 {
    const RUNS: u32 = 500;
    let mut announced: Vec<f64> = (0..RUNS).map(|_| repetition(1.0).1.expect("an interval").ln()).collect();
    announced.sort_by(f64::total_cmp);
    let effect = announced[announced.len() / 2].exp();
    let excludes = |ci: Option<[f64; 2]>| ci.is_some_and(|[low, _]| low > 1.0);
    let hits = (0..RUNS).filter(|_| excludes(repetition(effect).0)).count();
    hits as f64 / f64::from(RUNS)
}

/// Never further than twelve points from the 80 promised; the seeds are fixed, so the rates are always the same.
#[track_caller]
fn check(name: &str, rate: f64) {
    assert!((rate - POWER).abs() < 0.12, "{name}: found in {rate} of the repetitions");
}

#[test]
fn a_paired_effect_of_the_announced_size_is_found_four_times_in_five() {
    for (shape, noise) in SHAPES {
        for rounds in [7, 10, 20, 50, 60] {
            let mut stream = Stream::new(51);
            let rate = found(|ratio| {
                let rounds: Vec<f64> = (0..rounds).map(|_| ratio * noise(&mut stream).exp()).collect();
                let found = paired::estimate(&rounds, 0.95);
                (found.ci, detectable(found.ci, found.attained, found.rounds - 1))
            });
            check(&format!("{shape}, {rounds} rounds"), rate);
        }
    }
}

#[test]
fn an_effect_between_runs_of_the_announced_size_is_found_four_times_in_five() {
    for (shape, noise) in SHAPES {
        for (base, candidate) in [(5, 5), (10, 20), (20, 20), (40, 35)] {
            let mut stream = Stream::new(52);
            let rate = found(|ratio| {
                let old: Vec<f64> = (0..base).map(|_| noise(&mut stream).exp()).collect();
                let new: Vec<f64> = (0..candidate).map(|_| ratio * noise(&mut stream).exp()).collect();
                let found = unpaired::estimate(&old, &new, 0.95);
                (found.ci, detectable(found.ci, found.attained, base + candidate - 2))
            });
            check(&format!("{shape}, {base} and {candidate} rounds"), rate);
        }
    }
}

#[test]
fn an_effect_over_processes_of_the_announced_size_is_found_four_times_in_five() {
    for processes in [4, 5, 7, 10] {
        let mut stream = Stream::new(53);
        let rate = found(|ratio| {
            let rounds: Vec<(usize, f64)> = (0..processes)
                .flat_map(|process| {
                    let luck = 0.05 * stream.normal();
                    [(); 3].map(|()| (process, ratio * (luck + 0.01 * stream.normal()).exp()))
                })
                .collect();
            let found = forks::estimate(&rounds, 0.95).over_forks;
            (found.ci, detectable(found.ci, found.attained, found.rounds - 1))
        });
        check(&format!("{processes} processes"), rate);
    }
}

#[test]
fn of_many_rounds_it_lies_1_43_half_widths_from_nothing() {
    let found = detectable(Some([1.0 / 1.02, 1.02]), 0.95, 1_000_000).unwrap();
    // (1.959964 + 0.841621) / 1.959964, from the table of the normal distribution.
    assert_close(found.ln() / 1.02_f64.ln(), 1.429_407, 1e-5);
}

#[test]
fn it_does_not_depend_on_where_the_interval_lies() {
    let [here, there] =
        [1.0, 7.5].map(|shift| detectable(Some([0.9 * shift, 1.3 * shift]), 0.96, 9).unwrap());
    assert_close(here, there, 1e-12);
    assert!(here > 1.0);
}

#[test]
fn nothing_is_announced_where_nothing_is_known() {
    assert_eq!(detectable(None, 0.0, 19), None);
    assert_eq!(detectable(Some([0.9, 1.1]), 0.0, 19), None);
    assert_eq!(detectable(Some([0.9, 1.1]), 1.0, 19), None);
    assert_eq!(detectable(Some([0.9, 1.1]), 0.95, 0), None);
    assert_eq!(detectable(Some([0.0, f64::INFINITY]), 0.95, 9), None);
    assert_eq!(detectable(Some([f64::NAN, 1.0]), 0.95, 9), None);
    // Rounds that are all alike would have shown any difference.
    assert_eq!(detectable(Some([1.0, 1.0]), 0.95, 19), Some(1.0));
}
