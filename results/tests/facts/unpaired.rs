//! The unpaired estimate: reference figures, enumeration as an oracle, ties, odd input, simulation.
//!
//! Reference figures are from SciPy 1.17.1: p-values from `scipy.stats.mannwhitneyu`; intervals by inverting
//! that test on logarithms; estimates from NumPy's median of all differences.

use crate::common::{Stream, assert_close};
use results::statistics::unpaired::{EXACT_UP_TO, estimate};

#[test]
fn eight_against_ten_rounds_agree_with_scipy() {
    let base = [101.2, 98.7, 103.4, 99.9, 97.5, 102.8, 100.6, 96.1];
    let candidate = [105.3, 104.1, 107.9, 100.2, 109.4, 103.0, 108.8, 106.7, 99.3, 110.1];
    let found = estimate(&base, &candidate, 0.95);
    assert_close(found.ratio.unwrap(), 1.057_218_358_777_499_7, 1e-12);
    let [low, high] = found.ci.unwrap();
    assert_close(low, 1.018_375_241_779_497, 1e-12);
    assert_close(high, 1.093_211_752_786_220_4, 1e-12);
    assert_close(found.attained, 0.956_579_368_344_074_4, 1e-12);
    assert_close(found.p.unwrap(), 0.006_216_006_216_006_216, 1e-12);
    assert_eq!((found.rounds, found.exact), ([8, 10], true));
}

#[test]
fn four_against_four_rounds_are_the_fewest_for_95_percent() {
    let base = [1.0, 1.1, 1.2, 1.3];
    let found = estimate(&base, &[1.45, 1.62, 1.55, 1.91], 0.95);
    assert_close(found.ratio.unwrap(), 1.429_399_110_879_049_8, 1e-12);
    let [low, high] = found.ci.unwrap();
    assert_close(low, 1.115_384_615_384_615_4, 1e-12);
    assert_close(high, 1.91, 1e-12);
    assert_close(found.attained, 0.971_428_571_428_571_4, 1e-12);
    assert_close(found.p.unwrap(), 0.028_571_428_571_428_57, 1e-12);

    let fewer = estimate(&base[..3], &[1.45, 1.62, 1.55, 1.91], 0.95);
    assert_eq!((fewer.ci, fewer.attained), (None, 0.0));
    assert!(fewer.ratio.is_some() && fewer.p.is_some());
}

/// `mannwhitneyu(…, method=PermutationMethod(n_resamples=10**6))`, which enumerates all splits here.
#[test]
fn equal_values_share_their_ranks() {
    let base = [10.0, 11.0, 11.0, 12.0, 13.0, 13.0, 13.0];
    let candidate = [11.0, 12.0, 13.0, 14.0, 14.0, 15.0, 15.0, 16.0];
    assert_close(estimate(&base, &candidate, 0.95).p.unwrap(), 0.040_093_240_093_240_09, 1e-12);
}

/// `mannwhitneyu(…, method="asymptotic", use_continuity=True)`, 19 ties; the interval is the 677th difference from
/// either end by the normal quantile of `scipy.stats.norm`.
#[test]
fn forty_against_forty_five_rounds_agree_with_scipys_normal_approximation() {
    let base: Vec<f64> = (0..40).map(|i| f64::from(1_000 + i * 37 % 101)).collect();
    let candidate: Vec<f64> = (0..45).map(|i| f64::from(1_008 + i * 53 % 97)).collect();
    let found = estimate(&base, &candidate, 0.95);
    assert!(!found.exact);
    assert_close(found.p.unwrap(), 0.634_439_448_105_311, 1e-12);
    assert_close(found.ratio.unwrap(), 1.002_942_653_561_701_6, 1e-12);
    let [low, high] = found.ci.unwrap();
    assert_close(low, 0.990_356_798_457_087_1, 1e-12);
    assert_close(high, 1.015_841_584_158_416_3, 1e-12);
    assert_close(found.attained, 0.950_909_840_810_613_8, 1e-12);
}

/// All ways to call some of the values the candidate's, counted one by one.
fn p_by_enumeration(base: &[f64], candidate: &[f64]) -> f64 {
    let all: Vec<f64> = base.iter().chain(candidate).copied().collect();
    let rank = |value: f64| {
        let below = all.iter().filter(|other| **other < value).count();
        let equal = all.iter().filter(|other| **other == value).count();
        2 * below + equal + 1
    };
    let ranks: Vec<usize> = all.iter().map(|value| rank(*value)).collect();
    let observed: usize = ranks[base.len()..].iter().sum();
    let (mut lower, mut upper, mut ways) = (0_u32, 0_u32, 0_u32);
    for split in 0_u32..1 << all.len() {
        if split.count_ones() as usize != candidate.len() {
            continue;
        }
        let sum: usize =
            ranks.iter().enumerate().filter(|(i, _)| split >> i & 1 == 1).map(|(_, rank)| rank).sum();
        ways += 1;
        lower += u32::from(sum <= observed);
        upper += u32::from(sum >= observed);
    }
    (2.0 * f64::from(lower.min(upper)) / f64::from(ways)).min(1.0)
}

#[test]
fn p_value_is_that_of_counting_all_splits() {
    let mut stream = Stream::new(11);
    for (m, n) in [(2, 2), (2, 7), (3, 5), (5, 5), (6, 4), (7, 6)] {
        for _ in 0..10 {
            // Few distinct values, so that ties abound.
            let mut draw = |count| (0..count).map(|_| f64::from(stream.below(6) + 1)).collect::<Vec<_>>();
            let (base, candidate) = (draw(m), draw(n));
            let found = estimate(&base, &candidate, 0.95).p.unwrap();
            assert_close(found, p_by_enumeration(&base, &candidate), 1e-12);
        }
    }
}

#[test]
fn interval_covers_exactly_the_ratios_that_counting_does_not_reject() {
    let mut stream = Stream::new(12);
    for (m, n) in [(4, 4), (5, 7), (7, 5), (6, 6)] {
        let mut draw = |count| (0..count).map(|_| (0.1 * stream.normal()).exp()).collect::<Vec<_>>();
        let (base, candidate) = (draw(m), draw(n));
        let [low, high] = estimate(&base, &candidate, 0.95).ci.unwrap();
        let divided = |by: f64| candidate.iter().map(|value| value / by).collect::<Vec<_>>();
        for (inside, outside) in [(low + 1e-9, low - 1e-9), (high - 1e-9, high + 1e-9)] {
            assert!(p_by_enumeration(&base, &divided(inside)) > 0.05, "{m}, {n}: {inside} is rejected");
            assert!(p_by_enumeration(&base, &divided(outside)) <= 0.05, "{m}, {n}: {outside} is not");
        }
    }
}

#[test]
fn swapping_the_two_sides_turns_the_estimate_over() {
    let (a, b) = ([1.0, 1.2, 1.4, 1.1, 1.3], [1.5, 1.35, 1.7, 1.6]);
    let (one, other) = (estimate(&a, &b, 0.9), estimate(&b, &a, 0.9));
    assert_close(one.ratio.unwrap() * other.ratio.unwrap(), 1.0, 1e-12);
    assert_close(one.ci.unwrap()[0] * other.ci.unwrap()[1], 1.0, 1e-12);
    assert_close(one.p.unwrap(), other.p.unwrap(), 1e-12);
}

#[test]
fn fewer_than_two_rounds_on_a_side_estimate_nothing() {
    for (base, candidate) in
        [(&[][..], &[][..]), (&[1.0, 2.0], &[1.0]), (&[1.0, f64::NAN, 0.0, -1.0], &[1.0, 2.0, 3.0])]
    {
        let found = estimate(base, candidate, 0.95);
        assert_eq!((found.ratio, found.ci, found.p, found.attained), (None, None, None, 0.0));
    }
}

#[test]
fn equal_samples_are_equal_without_doubt() {
    for rounds in [4, EXACT_UP_TO, EXACT_UP_TO + 1, 500] {
        let found = estimate(&vec![3.0; rounds], &vec![3.0; rounds], 0.95);
        assert_eq!((found.ratio, found.ci, found.p), (Some(1.0), Some([1.0, 1.0]), Some(1.0)));
    }
}

/// With the seed fixed the rates are always the same; the bounds are nominal plus or minus three standard errors of 2,000 runs.
#[test]
fn false_alarms_of_equal_runs_are_as_frequent_as_promised() {
    const RUNS: u32 = 2_000;
    for (m, n, seed) in [(5, 9, 13), (20, 20, 14), (40, 35, 15)] {
        let mut stream = Stream::new(seed);
        let (mut alarms, mut missed, mut nominal) = (0, 0, 0.0);
        for _ in 0..RUNS {
            let mut run = |rounds| (0..rounds).map(|_| (0.04 * stream.normal()).exp()).collect::<Vec<_>>();
            let (base, candidate) = (run(m), run(n));
            let found = estimate(&base, &candidate, 0.95);
            let [low, high] = found.ci.unwrap();
            alarms += u32::from(found.p.unwrap() <= 0.05);
            missed += u32::from(!(low..=high).contains(&1.0));
            nominal = 1.0 - found.attained;
        }
        let rate = f64::from(alarms) / f64::from(RUNS);
        let error = (nominal * (1.0 - nominal) / f64::from(RUNS)).sqrt();
        assert!((rate - nominal).abs() <= 3.0 * error, "{m}, {n}: {rate} instead of {nominal}");
        assert_eq!(alarms, missed, "{m}, {n}: interval and p-value disagree");
    }
}
