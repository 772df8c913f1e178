//! Histories of `Condition`: two of them on one lock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Poll;

use proptest::collection::vec;
use proptest::prelude::*;
use sync::{Condition, ConditionGuard};

use crate::model::{Permits, Standing};
use crate::{Bell, Bells, LENGTH, Outcome, Pending, SLOTS, Subject, bell, compare, config, slot};

/// Conditions on the lock.
const CONDITIONS: usize = 2;

/// What has no place in it is done by whoever holds the lock, if anybody does.
#[derive(Clone, Debug)]
enum Operation {
    /// Makes a future that locks, through one of the conditions. It counts from its first poll.
    Lock(usize, usize),
    TryLock(usize, usize),
    Poll(Bell),
    /// Drops a future or a guard.
    Drop(usize),
    /// Turns the guard into a future that waits. It holds the lock until its first poll.
    Wait,
    /// The same, until the value is at least that.
    WaitFor(usize),
    Unlock,
    Change(usize),
    Notify(usize),
    NotifyAll,
    /// Makes the guard one of the other condition.
    Switch,
}

fn operation() -> impl Strategy<Value = Operation> {
    let condition = 0..CONDITIONS;
    prop_oneof![
        5 => (slot(), condition.clone()).prop_map(|(slot, which)| Operation::Lock(slot, which)),
        8 => (slot(), condition).prop_map(|(slot, which)| Operation::TryLock(slot, which)),
        60 => bell().prop_map(Operation::Poll),
        8 => slot().prop_map(Operation::Drop),
        12 => Just(Operation::Wait),
        3 => (0..4usize).prop_map(Operation::WaitFor),
        4 => Just(Operation::Unlock),
        2 => (0..4usize).prop_map(Operation::Change),
        3 => (0..4usize).prop_map(Operation::Notify),
        1 => Just(Operation::NotifyAll),
        1 => Just(Operation::Switch),
    ]
}

/// What operations drawn one by one would seldom make: a task that waits, and a notification of some.
fn passage() -> impl Strategy<Value = Vec<Operation>> {
    let condition = 0..CONDITIONS;
    prop_oneof![
        8 => operation().prop_map(|operation| vec![operation]),
        4 => (slot(), condition.clone(), 0..2usize).prop_map(|(slot, which, waker)| {
            vec![Operation::TryLock(slot, which), Operation::Wait, Operation::Poll((slot, waker))]
        }),
        1 => (slot(), condition, 0..4usize).prop_map(|(slot, which, n)| {
            vec![Operation::TryLock(slot, which), Operation::Notify(n), Operation::Unlock]
        }),
    ]
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn condition_does_what_its_model_does(passages in vec(passage(), 1..3 * LENGTH)) {
        let first = Condition::new(0);
        let second = Condition::with_mutex(Arc::clone(first.mutex()));
        let conditions = [first, second];
        let end: Vec<_> = (0..SLOTS).map(Operation::Drop).collect();
        compare(Primitive::new(&conditions), Model::new(), &passages.concat(), &end)?;
        prop_assert!(conditions[0].try_lock().is_ok());
    }
}

enum Place<'a> {
    Empty,
    Future(usize, Pending<'a, ConditionGuard<'a, usize>>),
    Guard(usize, ConditionGuard<'a, usize>),
}

struct Primitive<'a> {
    conditions: &'a [Condition<usize>; CONDITIONS],
    places: [Place<'a>; SLOTS],
    bells: Bells,
}

impl<'a> Primitive<'a> {
    fn new(conditions: &'a [Condition<usize>; CONDITIONS]) -> Self {
        Self { conditions, places: [const { Place::Empty }; SLOTS], bells: Bells::new() }
    }

    /// Replaces the guard that there is by what `f` makes of it.
    fn with_guard(&mut self, f: impl FnOnce(usize, ConditionGuard<'a, usize>) -> Place<'a>) -> Outcome {
        let holder = self.places.iter_mut().find(|place| matches!(place, Place::Guard(..)));
        let Some(place) = holder else { return Outcome::Skipped };
        if let Place::Guard(which, guard) = std::mem::replace(place, Place::Empty) {
            *place = f(which, guard);
        }
        Outcome::Done
    }

    fn poll(&mut self, bell: Bell) -> Outcome {
        let place = &mut self.places[bell.0];
        let Place::Future(which, future) = place else { return Outcome::Skipped };
        match self.bells.poll(bell, future) {
            Poll::Ready(guard) => {
                *place = Place::Guard(*which, guard);
                Outcome::Ready
            }
            Poll::Pending => Outcome::Pending,
        }
    }
}

impl<'a> Subject for Primitive<'a> {
    type Operation = Operation;
    type Statistics = Statistics;

    fn apply(&mut self, operation: &Operation) -> Outcome {
        let conditions: &'a [_; CONDITIONS] = self.conditions;
        match *operation {
            Operation::Lock(slot, _) | Operation::TryLock(slot, _)
                if !matches!(self.places[slot], Place::Empty) =>
            {
                Outcome::Skipped
            }
            Operation::Lock(slot, which) => {
                self.places[slot] = Place::Future(which, Box::pin(conditions[which].lock()));
                Outcome::Done
            }
            Operation::TryLock(slot, which) => match conditions[which].try_lock() {
                Ok(guard) => {
                    self.places[slot] = Place::Guard(which, guard);
                    Outcome::Ready
                }
                Err(_) => Outcome::Refused,
            },
            Operation::Poll(bell) => self.poll(bell),
            Operation::Drop(slot) => {
                self.places[slot] = Place::Empty;
                Outcome::Done
            }
            Operation::Wait => self.with_guard(|which, guard| Place::Future(which, Box::pin(guard.wait()))),
            Operation::WaitFor(least) => self.with_guard(|which, guard| {
                Place::Future(which, Box::pin(guard.wait_for(move |value| *value >= least)))
            }),
            Operation::Unlock => self.with_guard(|_, _| Place::Empty),
            Operation::Change(value) => self.with_guard(|which, mut guard| {
                *guard = value;
                Place::Guard(which, guard)
            }),
            Operation::Notify(n) => self.with_guard(|which, guard| {
                if n == 1 {
                    guard.notify_one()
                } else {
                    guard.notify(n)
                }
                Place::Guard(which, guard)
            }),
            Operation::NotifyAll => self.with_guard(|which, guard| {
                guard.notify_all();
                Place::Guard(which, guard)
            }),
            Operation::Switch => self.with_guard(|which, guard| {
                let other = (which + 1) % CONDITIONS;
                Place::Guard(other, guard.switch_to(&conditions[other]))
            }),
        }
    }

    fn statistics(&self) -> Statistics {
        let statistics = self.conditions.each_ref().map(Condition::statistics);
        assert_eq!(statistics[0].mutex, statistics[1].mutex);
        Statistics {
            parked: statistics.map(|statistics| statistics.waiting),
            locked: statistics[0].mutex.locked,
            waiting: statistics[0].mutex.waiting,
        }
    }

    fn rung(&mut self) -> Vec<Bell> {
        self.bells.rung()
    }
}

#[derive(Debug, PartialEq)]
struct Statistics {
    parked: [usize; CONDITIONS],
    locked: bool,
    waiting: usize,
}

#[derive(Clone, Copy)]
enum Task {
    Idle,
    NewLock(usize),
    Locking(usize),
    Holding(usize),
    /// Holds the lock still; waits for a value of that size, if for any.
    NewWait(usize, Option<usize>),
    /// In the condition's list, or notified, or granted the lock again.
    Waiting(usize, Option<usize>),
}

struct Model {
    value: usize,
    mutex: Permits,
    parked: [VecDeque<Bell>; CONDITIONS],
    tasks: [Task; SLOTS],
}

impl Model {
    fn new() -> Self {
        Self { value: 0, mutex: Permits::new(1), parked: Default::default(), tasks: [Task::Idle; SLOTS] }
    }

    /// Moves up to `n` from a condition's list to the end of the lock's, which may be free.
    fn notify(&mut self, which: usize, n: usize) {
        for _ in 0..n {
            let Some(bell) = self.parked[which].pop_front() else { break };
            self.mutex.join(1, bell);
        }
        self.mutex.settle();
    }

    /// A waiting future that has the lock looks whether it has what it waits for, and waits on if not.
    fn look(&mut self, bell: Bell, which: usize, least: Option<usize>, must_wait: bool) -> Outcome {
        if !must_wait && least.is_none_or(|least| self.value >= least) {
            self.tasks[bell.0] = Task::Holding(which);
            return Outcome::Ready;
        }
        self.tasks[bell.0] = Task::Waiting(which, least);
        self.parked[which].push_back(bell);
        self.mutex.release(1);
        Outcome::Pending
    }

    fn poll(&mut self, bell: Bell) -> Outcome {
        match self.tasks[bell.0] {
            Task::NewLock(which) | Task::Locking(which) => {
                let outcome = if self.mutex.standing(bell.0) == Standing::Outside {
                    self.mutex.take(1, bell)
                } else {
                    self.mutex.poll(bell)
                };
                self.tasks[bell.0] =
                    if outcome == Outcome::Ready { Task::Holding(which) } else { Task::Locking(which) };
                outcome
            }
            Task::NewWait(which, least) => self.look(bell, which, least, least.is_none()),
            Task::Waiting(which, least) => {
                if let Some(place) = self.parked[which].iter_mut().find(|(slot, _)| *slot == bell.0) {
                    *place = bell;
                    return Outcome::Pending;
                }
                match self.mutex.poll(bell) {
                    Outcome::Ready => self.look(bell, which, least, false),
                    outcome => outcome,
                }
            }
            Task::Idle | Task::Holding(_) => Outcome::Skipped,
        }
    }

    fn drop_task(&mut self, slot: usize) {
        match std::mem::replace(&mut self.tasks[slot], Task::Idle) {
            Task::Idle | Task::NewLock(_) => {}
            Task::Locking(_) => self.mutex.leave(slot),
            Task::Holding(_) | Task::NewWait(..) => self.mutex.release(1),
            Task::Waiting(which, _) => {
                if self.mutex.standing(slot) == Standing::Outside {
                    self.parked[which].retain(|bell| bell.0 != slot);
                } else {
                    // It was notified. The next one is, and stands in the lock's list before the lock goes on.
                    self.notify(which, 1);
                    self.mutex.leave(slot);
                }
            }
        }
    }
}

impl Subject for Model {
    type Operation = Operation;
    type Statistics = Statistics;

    fn apply(&mut self, operation: &Operation) -> Outcome {
        match *operation {
            Operation::Poll(bell) => return self.poll(bell),
            Operation::Drop(slot) => self.drop_task(slot),
            Operation::Lock(slot, which) => {
                let Task::Idle = self.tasks[slot] else { return Outcome::Skipped };
                self.tasks[slot] = Task::NewLock(which);
            }
            Operation::TryLock(slot, which) => {
                let Task::Idle = self.tasks[slot] else { return Outcome::Skipped };
                let outcome = self.mutex.try_take(1);
                if outcome == Outcome::Ready {
                    self.tasks[slot] = Task::Holding(which);
                }
                return outcome;
            }
            _ => {
                let mut holders = (0..SLOTS).filter_map(|slot| match self.tasks[slot] {
                    Task::Holding(which) => Some((slot, which)),
                    _ => None,
                });
                let Some((slot, which)) = holders.next() else { return Outcome::Skipped };
                assert!(holders.next().is_none(), "the model lets two have the lock");
                match *operation {
                    Operation::Wait => self.tasks[slot] = Task::NewWait(which, None),
                    Operation::WaitFor(least) => self.tasks[slot] = Task::NewWait(which, Some(least)),
                    Operation::Unlock => self.drop_task(slot),
                    Operation::Change(value) => self.value = value,
                    Operation::Notify(n) => self.notify(which, n),
                    Operation::NotifyAll => self.notify(which, SLOTS),
                    _ => self.tasks[slot] = Task::Holding((which + 1) % CONDITIONS),
                }
            }
        }
        Outcome::Done
    }

    fn statistics(&self) -> Statistics {
        Statistics {
            parked: self.parked.each_ref().map(VecDeque::len),
            locked: self.mutex.free == 0,
            waiting: self.mutex.waiting(),
        }
    }

    fn rung(&mut self) -> Vec<Bell> {
        std::mem::take(&mut self.mutex.rung)
    }
}
