//! The paired estimate: reference figures, enumeration as an oracle, ties and zeros, odd input, simulation.
//!
//! Reference figures are from SciPy 1.17.1: p-values from `scipy.stats.wilcoxon` of the logarithms; intervals
//! by inverting that test (every shift that it does not reject); estimates from NumPy's median of all Walsh
//! averages.

use crate::common::{Stream, assert_close};
use results::statistics::paired::{EXACT_UP_TO, estimate};

const TWENTY: [f64; 20] = [
    0.981, 1.043, 1.012, 0.955, 1.067, 1.034, 0.992, 1.101, 1.025, 1.058, 0.973, 1.016, 1.049, 1.003, 1.088,
    0.968, 1.037, 1.029, 0.996, 1.074,
];

#[track_caller]
fn check(ratios: &[f64], confidence: f64, ratio: f64, ci: [f64; 2], attained: f64, p: f64) {
    let found = estimate(ratios, confidence);
    assert_close(found.ratio.expect("a ratio"), ratio, 1e-12);
    let [low, high] = found.ci.expect("an interval");
    assert_close(low, ci[0], 1e-12);
    assert_close(high, ci[1], 1e-12);
    assert_close(found.attained, attained, 1e-12);
    assert_close(found.p.expect("a p-value"), p, 1e-12);
    assert_eq!(found.rounds, ratios.len());
    assert!(found.exact);
}

#[test]
fn six_rounds_agree_with_scipy() {
    let ratios = [1.12, 1.31, 1.01, 1.22, 1.05, 1.18];
    check(&ratios, 0.95, 1.149_608_629_055_993, [1.01, 1.31], 0.968_75, 0.031_25);
}

#[test]
fn seven_rounds_agree_with_scipy() {
    let ratios = [1.12, 1.31, 0.97, 1.22, 1.05, 1.18, 1.40];
    let ci = [1.042_305_137_663_630_8, 1.31];
    check(&ratios, 0.95, 1.170_872_516_356_058, ci, 0.953_125, 0.031_25);
}

#[test]
fn twelve_rounds_agree_with_scipy() {
    let ratios = [1.021, 0.987, 1.054, 1.033, 1.118, 0.962, 1.071, 1.009, 1.142, 0.991, 1.083, 1.047];
    let ci = [1.005_888_164_757_892, 1.079_806_464_140_681];
    check(&ratios, 0.95, 1.039_757_136_946_332, ci, 0.957_519_531_25, 0.026_855_468_75);
}

#[test]
fn twenty_rounds_agree_with_scipy_at_two_confidences() {
    let (ratio, p) = (1.024_714_535_392_467_6, 0.019_233_703_613_281_25);
    let ci = [1.003_968_126_984_119, 1.044_635_821_710_130_6];
    check(&TWENTY, 0.95, ratio, ci, 0.951_559_066_772_460_9, p);
    let ci = [1.007_489_950_322_086_2, 1.041_187_783_255_259];
    check(&TWENTY, 0.90, ratio, ci, 0.902_692_794_799_804_7, p);
}

/// Nine patients, Hollander and Wolfe, "Nonparametric Statistical Methods", 1973, table 3.1: the textbook gives
/// the estimate 0.46 and the 96.1 % interval from 0.010 to 0.786, R's `wilcox.test` V = 40 and p = 0.03906.
#[test]
#[expect(clippy::approx_constant, reason = "3.14 is what was measured")]
fn textbook_example_comes_out_as_in_the_textbook() {
    let before = [1.83_f64, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30];
    let after = [0.878_f64, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
    let ratios: Vec<f64> = before.iter().zip(after).map(|(before, after)| (before - after).exp()).collect();
    let found = estimate(&ratios, 0.95);
    assert_close(found.ratio.expect("a ratio").ln(), 0.46, 1e-9);
    let [low, high] = found.ci.expect("an interval").map(f64::ln);
    assert_close(low, 0.010, 1e-9);
    assert_close(high, 0.786, 1e-9);
    assert_close(found.attained, 0.960_937_5, 1e-12);
    assert_close(found.p.expect("a p-value"), 0.039_062_5, 1e-12);
}

/// `wilcoxon(…, method=PermutationMethod(n_resamples=10**7))`, which enumerates all signs here.
#[test]
fn tied_distances_share_their_ranks() {
    let ratios = [1.1, 1.1, 1.0 / 1.1, 1.25, 1.25, 1.25, 0.8, 1.5, 1.5, 2.0];
    assert_close(estimate(&ratios, 0.95).p.expect("a p-value"), 0.046_875, 1e-12);
}

/// As above with `zero_method="pratt"`; leaving zeros out beforehand would give 0.09375.
#[test]
fn rounds_without_difference_are_ranked_before_they_fall_out() {
    let ratios = [1.0, 1.0, 1.1, 1.1, 1.0 / 1.1, 1.25, 1.25, 1.25, 0.8, 1.5, 1.5, 1.0];
    let found = estimate(&ratios, 0.95);
    assert_close(found.p.expect("a p-value"), 0.097_656_25, 1e-12);
    assert_close(found.ratio.expect("a ratio"), 1.118_033_988_749_777, 1e-12);
    assert_eq!(found.rounds, 12);
}

/// `wilcoxon(…, zero_method="pratt", correction=True, method="asymptotic")`, 26 ties and a zero; the interval
/// is the 1211th Walsh average from either end by the normal quantile of `scipy.stats.norm`.
#[test]
fn eighty_rounds_agree_with_scipys_normal_approximation() {
    let ratios: Vec<f64> = (0..80).map(|i| (f64::from(i * 37 % 101 - 45) / 1000.0).exp()).collect();
    let found = estimate(&ratios, 0.95);
    assert!(!found.exact);
    assert_close(found.p.expect("a p-value"), 0.146_131_172_507_973_25, 1e-12);
    assert_close(found.ratio.expect("a ratio"), 1.005_012_520_859_401, 1e-12);
    let [low, high] = found.ci.expect("an interval");
    assert_close(low, 0.998_001_998_667_333_1, 1e-12);
    assert_close(high, 1.012_072_288_866_077_8, 1e-12);
    assert_close(found.attained, 0.950_479_139_042_829_3, 1e-12);
}

/// All sign assignments of the ranks that are there, counted one by one.
fn p_by_enumeration(logs: &[f64]) -> f64 {
    let sizes: Vec<f64> = logs.iter().map(|log| log.abs()).collect();
    let rank = |size: f64| {
        let below = sizes.iter().filter(|other| **other < size).count();
        let equal = sizes.iter().filter(|other| **other == size).count();
        2 * below + equal + 1
    };
    let ranks: Vec<usize> = sizes.iter().filter(|size| **size != 0.0).map(|size| rank(*size)).collect();
    let observed: usize = logs.iter().filter(|log| **log > 0.0).map(|log| rank(log.abs())).sum();
    let (mut lower, mut upper, all) = (0_u32, 0_u32, 1_u32 << ranks.len());
    for signs in 0..all {
        let sum: usize =
            ranks.iter().enumerate().filter(|(i, _)| signs >> i & 1 == 1).map(|(_, rank)| rank).sum();
        lower += u32::from(sum <= observed);
        upper += u32::from(sum >= observed);
    }
    (2.0 * f64::from(lower.min(upper)) / f64::from(all)).min(1.0)
}

#[test]
fn p_value_is_that_of_counting_all_signs() {
    let mut stream = Stream::new(1);
    for rounds in 2..=12 {
        for _ in 0..20 {
            // Few distinct values, so that ties and zeros abound.
            let logs: Vec<f64> = (0..rounds).map(|_| f64::from(stream.below(9)) - 4.0).collect();
            let ratios: Vec<f64> = logs.iter().map(|log| log.exp()).collect();
            let found = estimate(&ratios, 0.95).p.expect("a p-value");
            assert_close(found, p_by_enumeration(&logs), 1e-12);
        }
    }
}

#[test]
fn interval_covers_exactly_the_shifts_that_counting_does_not_reject() {
    let mut stream = Stream::new(2);
    for rounds in 6..=11 {
        let logs: Vec<f64> = (0..rounds).map(|_| stream.normal() * 0.1 + 0.05).collect();
        let ratios: Vec<f64> = logs.iter().map(|log| log.exp()).collect();
        let [low, high] = estimate(&ratios, 0.95).ci.expect("an interval").map(f64::ln);
        let shifted = |by: f64| p_by_enumeration(&logs.iter().map(|log| log - by).collect::<Vec<_>>());
        for (inside, outside) in [(low + 1e-9, low - 1e-9), (high - 1e-9, high + 1e-9)] {
            assert!(shifted(inside) > 0.05, "{rounds} rounds: {inside} is rejected");
            assert!(shifted(outside) <= 0.05, "{rounds} rounds: {outside} is not rejected");
        }
    }
}

#[test]
fn estimate_is_the_median_of_all_walsh_averages() {
    let mut stream = Stream::new(3);
    for rounds in 2..=40 {
        let logs: Vec<f64> = (0..rounds).map(|_| stream.normal()).collect();
        let mut walsh: Vec<f64> = (0..rounds)
            .flat_map(|i| (i..rounds).map(move |j| (i, j)))
            .map(|(i, j)| (logs[i] + logs[j]) / 2.0)
            .collect();
        walsh.sort_by(f64::total_cmp);
        let middle = (walsh[(walsh.len() - 1) / 2] + walsh[walsh.len() / 2]) / 2.0;
        let ratios: Vec<f64> = logs.iter().map(|log| log.exp()).collect();
        assert_close(estimate(&ratios, 0.95).ratio.expect("a ratio").ln(), middle, 1e-12);
    }
}

#[test]
fn five_rounds_cannot_give_95_percent_and_say_so() {
    let found = estimate(&[1.1, 1.2, 1.3, 1.4, 1.5], 0.95);
    assert_eq!((found.ci, found.attained), (None, 0.0));
    assert_close(found.p.expect("a p-value"), 0.0625, 1e-12);
    assert!(found.ratio.is_some());
    // But 90 %: 1 − 2/2⁵.
    assert_close(estimate(&[1.1, 1.2, 1.3, 1.4, 1.5], 0.90).attained, 0.9375, 1e-12);
}

#[test]
fn a_confidence_that_is_attained_exactly_costs_no_step() {
    let found = estimate(&[1.1, 1.2, 1.3, 1.4, 1.5], 0.9375);
    assert_close(found.attained, 0.9375, 1e-12);
}

#[test]
fn swapping_the_two_sides_turns_the_estimate_over() {
    let swapped: Vec<f64> = TWENTY.iter().map(|ratio| 1.0 / ratio).collect();
    let (one, other) = (estimate(&TWENTY, 0.95), estimate(&swapped, 0.95));
    assert_close(one.ratio.unwrap() * other.ratio.unwrap(), 1.0, 1e-12);
    assert_close(one.ci.unwrap()[0] * other.ci.unwrap()[1], 1.0, 1e-12);
    assert_close(one.p.unwrap(), other.p.unwrap(), 1e-12);
}

#[test]
fn order_of_the_rounds_does_not_matter() {
    let mut backwards = TWENTY;
    backwards.reverse();
    assert_eq!(estimate(&TWENTY, 0.95), estimate(&backwards, 0.95));
}

#[test]
fn equal_rounds_are_equal_without_doubt() {
    for rounds in [6, 20, EXACT_UP_TO + 1, 1000] {
        let found = estimate(&vec![1.0; rounds], 0.95);
        assert_eq!((found.ratio, found.ci, found.p), (Some(1.0), Some([1.0, 1.0]), Some(1.0)));
    }
}

#[test]
fn fewer_than_two_rounds_estimate_nothing() {
    for ratios in [&[][..], &[1.5], &[f64::NAN, 1.5, 0.0]] {
        let found = estimate(ratios, 0.95);
        assert_eq!((found.ratio, found.ci, found.p, found.attained), (None, None, None, 0.0));
    }
}

#[test]
fn ratios_without_a_logarithm_are_left_out() {
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, -3.0];
    let with: Vec<f64> = TWENTY.iter().copied().chain(odd).collect();
    assert_eq!(estimate(&with, 0.95), estimate(&TWENTY, 0.95));
}

#[test]
fn extreme_ratios_stay_finite() {
    let found = estimate(&[f64::MIN_POSITIVE, f64::MAX, 5e-324, 1.0, f64::MAX, 2.0, 3.0], 0.95);
    assert!(found.ratio.is_some_and(f64::is_finite));
    assert!(found.p.is_some_and(|p| (0.0..=1.0).contains(&p)));
}

#[test]
fn a_confidence_that_is_none_gives_no_interval() {
    for confidence in [f64::NAN, -1.0, 0.0, 1.0, 2.0, f64::INFINITY] {
        for rounds in [20, 100] {
            let found = estimate(&vec![1.1; rounds], confidence);
            assert_eq!((found.ci, found.attained), (None, 0.0), "{confidence}");
        }
    }
}

#[test]
fn exact_and_approximate_agree_where_they_meet() {
    let mut stream = Stream::new(4);
    let ratios: Vec<f64> = (0..=EXACT_UP_TO).map(|_| (0.1 * stream.normal() + 0.03).exp()).collect();
    let exact = estimate(&ratios[1..], 0.95);
    let approximate = estimate(&ratios, 0.95);
    assert!(exact.exact && !approximate.exact);
    assert_close(exact.attained, approximate.attained, 0.002);
    assert_close(exact.ratio.unwrap(), approximate.ratio.unwrap(), 0.01);
    let width = |[low, high]: [f64; 2]| high / low;
    assert_close(width(exact.ci.unwrap()), width(approximate.ci.unwrap()), 0.01);
}

/// Rounds drift and every tenth is slow for both, as on a shared machine. With the seed fixed the rates are always the
/// same; the bounds are nominal plus or minus three standard errors of 4,000 runs.
#[test]
fn false_alarms_of_equal_backends_are_as_frequent_as_promised() {
    const RUNS: u32 = 4_000;
    for (rounds, seed) in [(7, 5), (20, 6), (60, 7)] {
        let mut stream = Stream::new(seed);
        let (mut alarms, mut missed, mut nominal) = (0, 0, 0.0);
        for _ in 0..RUNS {
            let ratios: Vec<f64> = (0..rounds)
                .map(|round| {
                    let drift = 1.0 - 0.01 * f64::from(round);
                    let weather = drift * if stream.below(10) == 0 { 0.6 } else { 1.0 };
                    let mut slot = || 1e6 * weather * (0.04 * stream.normal()).exp();
                    let baseline = slot();
                    slot() / baseline
                })
                .collect();
            let found = estimate(&ratios, 0.95);
            let [low, high] = found.ci.expect("an interval");
            alarms += u32::from(found.p.expect("a p-value") <= 0.05);
            missed += u32::from(!(low..=high).contains(&1.0));
            nominal = 1.0 - found.attained;
        }
        let rate = f64::from(alarms) / f64::from(RUNS);
        let error = (nominal * (1.0 - nominal) / f64::from(RUNS)).sqrt();
        assert!((rate - nominal).abs() <= 3.0 * error, "{rounds} rounds: {rate} instead of {nominal}");
        assert_eq!(alarms, missed, "{rounds} rounds: interval and p-value disagree");
    }
}
