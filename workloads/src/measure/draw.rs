//! Times drawn from a distribution, and lots drawn among equals, at next to no cost in the loop.

use std::sync::Arc;

use rand_pcg::Pcg32;
use rand_pcg::rand_core::{Rng, SeedableRng};

use crate::Distribution;

/// Times in a table. A multiple of ten, so that one in ten is exact.
const STRATA: usize = 1_000;

/// The times of one task: all the same, or the next of a table that the tasks of a slot share.
///
/// A logarithm for each operation would cost more than a free lock does. So the distribution is cut into strata of
/// equal probability, each stands in the table with its mean, and the table is shuffled once a slot. Tasks walk
/// through it from different places. A thousand draws thus have the mean that was asked for and not one near it,
/// and a draw is a load and a comparison; 8 KiB of the cache are the price.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    mean: u64,
    table: Option<Arc<[u64]>>,
    place: usize,
}

impl Times {
    /// Times around `mean`, in whatever unit it is.
    pub(crate) fn new(distribution: Distribution, mean: u64, seed: u64) -> Self {
        let varies = distribution != Distribution::Constant && mean > 0;
        let table = varies.then(|| {
            let strata = (0..STRATA).map(|stratum| factor(distribution, stratum));
            let mut table: Vec<u64> = strata.map(|factor| (factor * mean as f64).round() as u64).collect();
            shuffle(&mut table, &mut Pcg32::seed_from_u64(seed));
            table.into()
        });
        Self { mean, table, place: 0 }
    }

    /// The same times for the task with this number, which begins at another place.
    pub(crate) fn of_task(&self, index: usize) -> Self {
        // A stride without a common factor with the table's length: the first thousand tasks begin at a thousand places.
        Self { place: index.wrapping_mul(617) % STRATA, ..self.clone() }
    }

    /// The next time.
    #[inline]
    pub(crate) fn draw(&mut self) -> u64 {
        let Some(table) = &self.table else { return self.mean };
        let time = table[self.place];
        self.place += 1;
        if self.place == table.len() {
            self.place = 0;
        }
        time
    }

    /// What they are on average.
    pub(crate) fn mean(&self) -> u64 {
        self.mean
    }
}

/// Mean of a stratum of the distribution with mean 1.
fn factor(distribution: Distribution, stratum: usize) -> f64 {
    let count = STRATA as f64;
    match distribution {
        Distribution::Constant => 1.0,
        Distribution::Uniform => 2.0 * (stratum as f64 + 0.5) / count,
        // The integral of the quantile function −ln p over the stratum's probabilities p.
        Distribution::Exponential => {
            let area = |p: f64| if p > 0.0 { p - p * p.ln() } else { 0.0 };
            count * (area((stratum + 1) as f64 / count) - area(stratum as f64 / count))
        }
        Distribution::Bimodal if stratum < STRATA / 10 => 5.5,
        Distribution::Bimodal => 0.5,
    }
}

/// Fisher and Yates's.
fn shuffle(table: &mut [u64], generator: &mut Pcg32) {
    for last in (1..table.len()).rev() {
        table.swap(last, Lots::among(last + 1, generator));
    }
}

/// Draws one of several, each as likely as the others; each task draws its own.
#[derive(Debug)]
pub(crate) struct Lots {
    generator: Pcg32,
    count: usize,
}

impl Lots {
    /// The lots of one task: the same seed and task draw the same sequence, which is none that its dice throw.
    pub(crate) fn new(count: usize, seed: u64, task: u64) -> Self {
        Self {
            generator: Pcg32::seed_from_u64(seed.rotate_left(32) ^ task.wrapping_mul(0xd134_2543_de82_ef95)),
            count,
        }
    }

    /// A number below the count.
    #[inline]
    pub(crate) fn draw(&mut self) -> usize {
        Self::among(self.count, &mut self.generator)
    }

    /// A multiplication instead of a division. The likelihoods differ by less than `count` in 2³², which nobody sees
    /// among ten million.
    #[inline]
    fn among(count: usize, generator: &mut Pcg32) -> usize {
        ((u64::from(generator.next_u32()) * count as u64) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEAN: u64 = 1_000_000;

    /// One walk through the table.
    fn walk(distribution: Distribution, seed: u64, index: usize) -> Vec<u64> {
        let mut times = Times::new(distribution, MEAN, seed).of_task(index);
        (0..STRATA).map(|_| times.draw()).collect()
    }

    fn share(times: &[u64], is: impl Fn(u64) -> bool) -> f64 {
        times.iter().filter(|&&time| is(time)).count() as f64 / times.len() as f64
    }

    #[test]
    fn every_distribution_has_the_mean_that_was_asked_for() {
        for distribution in Distribution::ALL {
            let mean = walk(distribution, 1, 0).iter().sum::<u64>() as f64 / STRATA as f64;
            assert!((mean - MEAN as f64).abs() < 1.0, "{distribution:?}: {mean}");
        }
    }

    #[test]
    fn constant_times_are_all_the_same_and_need_no_table() {
        assert!(walk(Distribution::Constant, 1, 7).iter().all(|&time| time == MEAN));
        assert!(Times::new(Distribution::Exponential, 0, 1).table.is_none(), "nothing varies around nothing");
    }

    #[test]
    fn uniform_times_go_from_nothing_to_twice_the_mean() {
        let times = walk(Distribution::Uniform, 1, 0);
        assert!(times.iter().all(|&time| time < 2 * MEAN));
        for quarter in 0..4 {
            let (low, high) = (quarter * MEAN / 2, (quarter + 1) * MEAN / 2);
            let share = share(&times, |time| (low..high).contains(&time));
            assert!((share - 0.25).abs() < 0.002, "{share} from {low} to {high}");
        }
    }

    #[test]
    fn exponential_times_outlast_a_time_as_often_as_they_should() {
        let times = walk(Distribution::Exponential, 1, 0);
        for multiple in [0.1, 0.5, 1.0, 2.0, 4.0] {
            let share = share(&times, |time| time as f64 > multiple * MEAN as f64);
            assert!((share - (-multiple).exp()).abs() < 0.002, "{share} outlast {multiple} means");
        }
        let longest = *times.iter().max().unwrap() as f64 / MEAN as f64;
        assert!((7.8..8.0).contains(&longest), "one in a thousand takes {longest} means on average");
    }

    #[test]
    fn bimodal_times_are_nine_short_ones_to_one_long_one() {
        let times = walk(Distribution::Bimodal, 1, 0);
        assert_eq!(share(&times, |time| time == MEAN / 2), 0.9);
        assert_eq!(share(&times, |time| time == MEAN * 11 / 2), 0.1);
    }

    #[test]
    fn table_is_shuffled_by_the_seed_and_tasks_begin_at_different_places() {
        let walk = |seed, index| walk(Distribution::Uniform, seed, index);
        assert!(!walk(1, 0).is_sorted());
        assert_eq!(walk(1, 0), walk(1, 0));
        assert_ne!(walk(1, 0), walk(2, 0));
        let mut firsts: Vec<u64> = (0..STRATA).map(|index| walk(1, index)[0]).collect();
        firsts.sort_unstable();
        firsts.dedup();
        assert_eq!(firsts.len(), STRATA);
    }

    #[test]
    fn lots_are_as_likely_as_each_other_and_differ_between_tasks() {
        let draws = |task| {
            let mut lots = Lots::new(10, 3, task);
            (0..20_000).map(|_| lots.draw()).collect::<Vec<_>>()
        };
        let mine = draws(1);
        for lot in 0..10 {
            let count = mine.iter().filter(|&&drawn| drawn == lot).count();
            assert!((1_800..2_200).contains(&count), "{lot} was drawn {count} times in 20,000");
        }
        assert!(mine.iter().all(|&drawn| drawn < 10));
        assert_eq!(mine, draws(1));
        assert_ne!(mine, draws(2));
    }

    #[test]
    fn single_lot_is_always_drawn() {
        let mut lots = Lots::new(1, 1, 1);
        assert!((0..100).all(|_| lots.draw() == 0));
    }
}
