//! Which slot comes when, and how long it is. All of it follows from the seed, so a run can be repeated.

use std::time::Duration;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use workloads::Pass;

/// Length of a latency slot, for throughput slots of `slot`.
pub(crate) fn latency_slot(slot: Duration) -> Duration {
    slot / 4
}

/// The order in which a round visits the arms: a permutation of `0..arms`, drawn anew for each round and pass.
pub(crate) fn order(seed: u64, case: usize, round: usize, pass: Pass, arms: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..arms).collect();
    order.shuffle(&mut Pcg64::seed_from_u64(mix(seed, "order", case, round, pass)));
    order
}

/// The seed of a slot. The arms of a round share it, so that they are given the same work.
pub(crate) fn slot_seed(seed: u64, case: usize, round: usize, pass: Pass) -> u64 {
    mix(seed, "slot", case, round, pass)
}

/// The seed of a part of a run that has rounds of its own: a process, or one comparison of many.
pub(crate) fn part_seed(seed: u64, part: usize) -> u64 {
    mix(seed, "part", part, 0, Pass::Throughput)
}

fn mix(seed: u64, purpose: &str, case: usize, round: usize, pass: Pass) -> u64 {
    let pass = match pass {
        Pass::Throughput => 0,
        Pass::Latency => 1,
    };
    let purpose = purpose.bytes().fold(0, |hash, byte| finish(hash ^ u64::from(byte)));
    [purpose, case as u64, round as u64, pass].iter().fold(seed, |state, part| finish(finish(state) ^ part))
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): neighbouring inputs give unrelated outputs.
fn finish(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_order_is_a_permutation_and_follows_from_the_seed() {
        for round in 0..50 {
            let drawn = order(7, 0, round, Pass::Throughput, 5);
            assert_eq!(drawn, order(7, 0, round, Pass::Throughput, 5));
            assert_eq!(drawn.iter().copied().collect::<HashSet<_>>(), (0..5).collect());
        }
    }

    #[test]
    fn rounds_passes_cases_and_seeds_draw_different_orders() {
        let draw = |seed, case, pass| -> Vec<Vec<usize>> {
            (0..20).map(|round| order(seed, case, round, pass, 4)).collect()
        };
        let first = draw(7, 0, Pass::Throughput);
        assert!(first.iter().collect::<HashSet<_>>().len() > 5, "{first:?}");
        for other in [draw(7, 0, Pass::Latency), draw(7, 1, Pass::Throughput), draw(8, 0, Pass::Throughput)] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn slots_of_different_rounds_have_different_seeds() {
        let seeds: HashSet<u64> = (0..1000).map(|round| slot_seed(1, 0, round, Pass::Latency)).collect();
        assert_eq!(seeds.len(), 1000);
    }
}
