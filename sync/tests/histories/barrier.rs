//! Histories of `Barrier`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Poll;

use proptest::collection::vec;
use proptest::prelude::*;
use sync::{Barrier, BarrierError, BarrierWaitResult};

use crate::{Bell, Bells, LENGTH, Outcome, Pending, SLOTS, Subject, bell, compare, config, slot};

/// Parties at most; there are more tasks than that.
const PARTIES: usize = 5;

#[derive(Clone, Debug)]
enum Operation {
    /// Makes a future. It arrives at its first poll.
    Wait(usize),
    WaitOwned(usize),
    Poll(Bell),
    /// Drops a future.
    Drop(usize),
    Abort,
    Reset,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        12 => slot().prop_map(Operation::Wait),
        12 => slot().prop_map(Operation::WaitOwned),
        40 => bell().prop_map(Operation::Poll),
        10 => slot().prop_map(Operation::Drop),
        1 => Just(Operation::Abort),
        4 => Just(Operation::Reset),
    ]
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn barrier_does_what_its_model_does(
        parties in 1..=PARTIES,
        history in vec(operation(), 1..LENGTH),
    ) {
        let barrier = Arc::new(Barrier::new(parties));
        let end: Vec<_> = (0..SLOTS).map(Operation::Drop).collect();
        compare(Primitive::new(&barrier), Model::new(parties), &history, &end)?;
        prop_assert_eq!(barrier.waiting(), 0);
    }
}

type Arrival<'a> = Pending<'a, Result<BarrierWaitResult, BarrierError>>;

struct Primitive<'a> {
    barrier: &'a Arc<Barrier>,
    places: [Option<Arrival<'a>>; SLOTS],
    bells: Bells,
}

impl<'a> Primitive<'a> {
    fn new(barrier: &'a Arc<Barrier>) -> Self {
        Self { barrier, places: [const { None }; SLOTS], bells: Bells::new() }
    }

    fn fill(&mut self, slot: usize, future: Arrival<'a>) -> Outcome {
        if self.places[slot].is_some() {
            return Outcome::Skipped;
        }
        self.places[slot] = Some(future);
        Outcome::Done
    }

    fn poll(&mut self, bell: Bell) -> Outcome {
        let Some(future) = &mut self.places[bell.0] else { return Outcome::Skipped };
        let Poll::Ready(result) = self.bells.poll(bell, future) else { return Outcome::Pending };
        self.places[bell.0] = None;
        match result {
            Ok(result) => {
                assert_eq!(result.is_leader(), result.index() == self.barrier.parties() - 1);
                Outcome::Count(result.index())
            }
            Err(_) => Outcome::Closed,
        }
    }
}

impl Subject for Primitive<'_> {
    type Operation = Operation;
    type Statistics = (usize, bool);

    fn apply(&mut self, operation: &Operation) -> Outcome {
        match *operation {
            Operation::Wait(slot) => return self.fill(slot, Box::pin(self.barrier.wait())),
            Operation::WaitOwned(slot) => {
                return self.fill(slot, Box::pin(Arc::clone(self.barrier).wait_owned()));
            }
            Operation::Poll(bell) => return self.poll(bell),
            Operation::Drop(slot) => self.places[slot] = None,
            Operation::Abort => self.barrier.abort(),
            Operation::Reset => self.barrier.reset(),
        }
        Outcome::Done
    }

    fn statistics(&self) -> (usize, bool) {
        let statistics = self.barrier.statistics();
        assert_eq!(statistics.waiting, self.barrier.waiting());
        assert_eq!(statistics.broken, self.barrier.is_broken());
        (statistics.waiting, statistics.broken)
    }

    fn rung(&mut self) -> Vec<Bell> {
        self.bells.rung()
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Task {
    Idle,
    New,
    Waiting,
    /// What it will get.
    Ended(Outcome),
}

struct Model {
    parties: usize,
    broken: bool,
    /// Who has arrived in this phase.
    arrived: VecDeque<Bell>,
    tasks: [Task; SLOTS],
    rung: Vec<Bell>,
}

impl Model {
    fn new(parties: usize) -> Self {
        Self {
            parties,
            broken: false,
            arrived: VecDeque::new(),
            tasks: [Task::Idle; SLOTS],
            rung: Vec::new(),
        }
    }

    /// All who have arrived get what `outcome` says for their index.
    fn end_phase(&mut self, outcome: impl Fn(usize) -> Outcome) {
        for (index, bell) in self.arrived.drain(..).enumerate() {
            self.tasks[bell.0] = Task::Ended(outcome(index));
            self.rung.push(bell);
        }
    }

    fn poll(&mut self, bell: Bell) -> Outcome {
        let outcome = match self.tasks[bell.0] {
            Task::Idle => return Outcome::Skipped,
            Task::New if self.broken => Outcome::Closed,
            Task::New if self.arrived.len() + 1 == self.parties => {
                self.end_phase(Outcome::Count);
                Outcome::Count(self.parties - 1)
            }
            Task::New => {
                self.tasks[bell.0] = Task::Waiting;
                self.arrived.push_back(bell);
                return Outcome::Pending;
            }
            Task::Waiting => {
                let place = self.arrived.iter_mut().find(|(slot, _)| *slot == bell.0);
                *place.expect("who waits has arrived") = bell;
                return Outcome::Pending;
            }
            Task::Ended(outcome) => outcome,
        };
        self.tasks[bell.0] = Task::Idle;
        outcome
    }
}

impl Subject for Model {
    type Operation = Operation;
    type Statistics = (usize, bool);

    fn apply(&mut self, operation: &Operation) -> Outcome {
        match *operation {
            Operation::Wait(slot) | Operation::WaitOwned(slot) => {
                if self.tasks[slot] != Task::Idle {
                    return Outcome::Skipped;
                }
                self.tasks[slot] = Task::New;
            }
            Operation::Poll(bell) => return self.poll(bell),
            Operation::Drop(slot) => {
                self.tasks[slot] = Task::Idle;
                self.arrived.retain(|bell| bell.0 != slot);
            }
            Operation::Abort | Operation::Reset => {
                self.broken = matches!(operation, Operation::Abort);
                self.end_phase(|_| Outcome::Closed);
            }
        }
        Outcome::Done
    }

    fn statistics(&self) -> (usize, bool) {
        (self.arrived.len(), self.broken)
    }

    fn rung(&mut self) -> Vec<Bell> {
        std::mem::take(&mut self.rung)
    }
}
