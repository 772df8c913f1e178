//! One interleaved run: each round visits every operation once, in an order drawn anew.
//!
//! What an operation is and what its figures mean is not known here.

use std::time::{Duration, Instant};

use rand_pcg::Pcg32;
use rand_pcg::rand_core::{Rng, SeedableRng};
use results::statistics::median;

use crate::operations::{Block, Operation, Stopwatch};

/// Blocks in a slot.
const BLOCKS: usize = 5;
/// Slots that the blocks of one may take together.
const PATIENCE: u32 = 4;

/// How a run goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Rounds that count; one more comes before them.
    pub(crate) rounds: usize,
    /// How long one operation is repeated in a round, preparations included.
    pub(crate) slot: Duration,
    /// Decides the order.
    pub(crate) seed: u64,
}

/// An operation with what was measured of it.
pub(crate) struct Cell {
    pub(crate) operation: Operation,
    /// Whether it is there a second time, to see how far a thing differs from itself.
    pub(crate) again: bool,
    /// Nanoseconds of one operation, one figure for each round.
    pub(crate) ns: Vec<f64>,
    n: u64,
}

impl Cell {
    pub(crate) fn new(operation: Operation, again: bool) -> Self {
        Self { operation, again, ns: Vec::new(), n: 1 }
    }

    /// One slot. Its objects are made anew: where they happen to lie in memory makes some per cent of difference,
    /// which must be noise of the rounds and no bias of a whole run. The figure is that of the median block, so
    /// that one during which somebody else had the processor does not count.
    fn visit(&self, slot: Duration) -> f64 {
        let mut block = self.operation.start();
        let mut blocks = Vec::with_capacity(BLOCKS);
        let start = Instant::now();
        // An arm that is slower than a block by orders of magnitude makes do with fewer.
        while blocks.is_empty() || (blocks.len() < BLOCKS && start.elapsed() < slot * PATIENCE) {
            let mut watch = Stopwatch::default();
            block(self.n, &mut watch);
            blocks.push(watch.ns_per_operation());
        }
        median(&blocks).expect("there are some")
    }

    /// Finds how many operations fill a block.
    fn calibrate(&mut self, slot: Duration) {
        let target = slot / u32::try_from(BLOCKS).expect("a few");
        let mut block = self.operation.start();
        loop {
            // The least of several: what an interruption adds says nothing about the operation.
            let mut took = wall(&mut block, self.n);
            for _ in 1..BLOCKS {
                if took < slot * PATIENCE {
                    took = took.min(wall(&mut block, self.n));
                }
            }
            if took >= target / 4 {
                let scale = target.as_secs_f64() / took.as_secs_f64();
                #[expect(
                    clippy::cast_precision_loss,
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a number of operations within some milliseconds"
                )]
                let n = (self.n as f64 * scale) as u64;
                self.n = n.max(1);
                return;
            }
            self.n *= 2;
        }
    }
}

/// How long a block takes with all that it prepares.
fn wall(block: &mut Block, n: u64) -> Duration {
    let start = Instant::now();
    block(n, &mut Stopwatch::default());
    start.elapsed()
}

/// Measures the cells, which come group by group: groups are visited in an order of their own, and the arms of one
/// right after each other, so that what is compared lies within milliseconds.
pub(crate) fn measure(plan: Plan, cells: &mut [Cell], mut before_visit: impl FnMut(&Cell)) {
    let mut generator = Pcg32::seed_from_u64(plan.seed);
    let mut groups: Vec<&mut [Cell]> =
        cells.chunk_by_mut(|one, other| one.operation.group == other.operation.group).collect();
    for cell in groups.iter_mut().flat_map(|group| group.iter_mut()) {
        before_visit(cell);
        cell.calibrate(plan.slot);
    }
    // Round 0 warms up in the very order of a round, and does not count.
    for round in 0..=plan.rounds {
        shuffle(&mut groups, &mut generator);
        for group in &mut groups {
            let mut order: Vec<usize> = (0..group.len()).collect();
            shuffle(&mut order, &mut generator);
            for place in order {
                let cell = &mut group[place];
                before_visit(cell);
                let ns = cell.visit(plan.slot);
                if round > 0 {
                    cell.ns.push(ns);
                }
            }
        }
    }
}

/// Fisher and Yates.
fn shuffle<T>(items: &mut [T], generator: &mut Pcg32) {
    for last in (1..items.len()).rev() {
        let bound = u32::try_from(last + 1).expect("a few hundred cells");
        // The bias of a remainder is one in ten million here.
        items.swap(last, (generator.next_u32() % bound) as usize);
    }
}
