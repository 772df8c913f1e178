//! Histories of `Event`.

use std::collections::VecDeque;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use sync::Event;

use crate::{Bell, Bells, LENGTH, Outcome, Pending, SLOTS, Subject, bell, compare, config, slot};

#[derive(Clone, Debug)]
enum Operation {
    /// Makes a future. It counts from its first poll.
    Wait(usize),
    WaitOwned(usize),
    Poll(Bell),
    /// Drops a future.
    Drop(usize),
    Set,
    Clear,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        3 => slot().prop_map(Operation::Wait),
        3 => slot().prop_map(Operation::WaitOwned),
        10 => bell().prop_map(Operation::Poll),
        3 => slot().prop_map(Operation::Drop),
        1 => Just(Operation::Set),
        2 => Just(Operation::Clear),
    ]
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn event_does_what_its_model_does(history in vec(operation(), 1..LENGTH)) {
        let event = Arc::new(Event::new());
        let end: Vec<_> = (0..SLOTS).map(Operation::Drop).collect();
        compare(Primitive::new(&event), Model::default(), &history, &end)?;
        prop_assert_eq!(event.statistics().waiting, 0);
    }
}

struct Primitive<'a> {
    event: &'a Arc<Event>,
    places: [Option<Pending<'a, ()>>; SLOTS],
    bells: Bells,
}

impl<'a> Primitive<'a> {
    fn new(event: &'a Arc<Event>) -> Self {
        Self { event, places: [const { None }; SLOTS], bells: Bells::new() }
    }

    fn fill(&mut self, slot: usize, future: Pending<'a, ()>) -> Outcome {
        if self.places[slot].is_some() {
            return Outcome::Skipped;
        }
        self.places[slot] = Some(future);
        Outcome::Done
    }
}

impl Subject for Primitive<'_> {
    type Operation = Operation;
    type Statistics = (bool, usize);

    fn apply(&mut self, operation: &Operation) -> Outcome {
        match *operation {
            Operation::Wait(slot) => self.fill(slot, Box::pin(self.event.wait())),
            Operation::WaitOwned(slot) => self.fill(slot, Box::pin(Arc::clone(self.event).wait_owned())),
            Operation::Poll(bell) => {
                let Some(future) = &mut self.places[bell.0] else { return Outcome::Skipped };
                if self.bells.poll(bell, future).is_pending() {
                    return Outcome::Pending;
                }
                self.places[bell.0] = None;
                Outcome::Ready
            }
            Operation::Drop(slot) => {
                self.places[slot] = None;
                Outcome::Done
            }
            Operation::Set => {
                self.event.set();
                Outcome::Done
            }
            Operation::Clear => {
                self.event.clear();
                Outcome::Done
            }
        }
    }

    fn statistics(&self) -> (bool, usize) {
        let statistics = self.event.statistics();
        assert_eq!(statistics.set, self.event.is_set());
        (statistics.set, statistics.waiting)
    }

    fn rung(&mut self) -> Vec<Bell> {
        self.bells.rung()
    }
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Task {
    #[default]
    Idle,
    New,
    Waiting,
    Released,
}

#[derive(Default)]
struct Model {
    set: bool,
    list: VecDeque<Bell>,
    tasks: [Task; SLOTS],
    rung: Vec<Bell>,
}

impl Subject for Model {
    type Operation = Operation;
    type Statistics = (bool, usize);

    fn apply(&mut self, operation: &Operation) -> Outcome {
        match *operation {
            Operation::Wait(slot) | Operation::WaitOwned(slot) => {
                if self.tasks[slot] != Task::Idle {
                    return Outcome::Skipped;
                }
                self.tasks[slot] = Task::New;
            }
            Operation::Poll(bell) => {
                let task = &mut self.tasks[bell.0];
                match *task {
                    Task::Idle => return Outcome::Skipped,
                    Task::New if !self.set => {
                        *task = Task::Waiting;
                        self.list.push_back(bell);
                        return Outcome::Pending;
                    }
                    Task::Waiting => {
                        let place = self.list.iter_mut().find(|(slot, _)| *slot == bell.0);
                        *place.expect("who waits is in the list") = bell;
                        return Outcome::Pending;
                    }
                    Task::New | Task::Released => {
                        *task = Task::Idle;
                        return Outcome::Ready;
                    }
                }
            }
            Operation::Drop(slot) => {
                self.tasks[slot] = Task::Idle;
                self.list.retain(|bell| bell.0 != slot);
            }
            Operation::Set => {
                self.set = true;
                for bell in self.list.drain(..) {
                    self.tasks[bell.0] = Task::Released;
                    self.rung.push(bell);
                }
            }
            Operation::Clear => self.set = false,
        }
        Outcome::Done
    }

    fn statistics(&self) -> (bool, usize) {
        (self.set, self.list.len())
    }

    fn rung(&mut self) -> Vec<Bell> {
        std::mem::take(&mut self.rung)
    }
}
