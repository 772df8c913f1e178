//! Histories of `Mutex`.

use std::sync::Arc;
use std::task::Poll;

use proptest::collection::vec;
use proptest::prelude::*;
use sync::{Mutex, MutexGuard, OwnedMutexGuard};

use crate::model::{Permits, Standing};
use crate::{Bell, Bells, LENGTH, Outcome, Pending, SLOTS, Subject, bell, compare, config, slot};

#[derive(Clone, Debug)]
enum Operation {
    /// Makes a future. It counts from its first poll.
    Lock(usize),
    LockOwned(usize),
    TryLock(usize),
    TryLockOwned(usize),
    Poll(Bell),
    /// Drops a future or a guard.
    Drop(usize),
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        2 => slot().prop_map(Operation::Lock),
        2 => slot().prop_map(Operation::LockOwned),
        1 => slot().prop_map(Operation::TryLock),
        1 => slot().prop_map(Operation::TryLockOwned),
        6 => bell().prop_map(Operation::Poll),
        4 => slot().prop_map(Operation::Drop),
    ]
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn mutex_does_what_its_model_does(history in vec(operation(), 1..LENGTH)) {
        let mutex = Arc::new(Mutex::new(0));
        let end: Vec<_> = (0..SLOTS).map(Operation::Drop).collect();
        compare(Primitive::new(&mutex), Model::new(), &history, &end)?;
        prop_assert!(mutex.try_lock().is_ok());
    }
}

#[expect(dead_code, reason = "guards are there to be dropped")]
enum Guard<'a> {
    Borrowed(MutexGuard<'a, usize>),
    Owned(OwnedMutexGuard<usize>),
}

enum Place<'a> {
    Empty,
    Future(Pending<'a, Guard<'a>>),
    Guard(#[expect(dead_code, reason = "as above")] Guard<'a>),
}

struct Primitive<'a> {
    mutex: &'a Arc<Mutex<usize>>,
    places: [Place<'a>; SLOTS],
    bells: Bells,
}

impl<'a> Primitive<'a> {
    fn new(mutex: &'a Arc<Mutex<usize>>) -> Self {
        Self { mutex, places: [const { Place::Empty }; SLOTS], bells: Bells::new() }
    }

    fn fill(&mut self, slot: usize, place: Place<'a>) -> Outcome {
        if let Place::Empty = self.places[slot] {
            self.places[slot] = place;
            Outcome::Done
        } else {
            Outcome::Skipped
        }
    }

    /// Both kinds of `try_lock`, for an empty place.
    fn try_lock(&mut self, slot: usize, guard: Option<Guard<'a>>) -> Outcome {
        match guard {
            Some(guard) => {
                self.places[slot] = Place::Guard(guard);
                Outcome::Ready
            }
            None => Outcome::Refused,
        }
    }
}

impl Subject for Primitive<'_> {
    type Operation = Operation;
    type Statistics = (bool, usize);

    fn apply(&mut self, operation: &Operation) -> Outcome {
        let mutex = self.mutex;
        match *operation {
            Operation::Lock(slot) => {
                let lock = mutex.lock();
                self.fill(slot, Place::Future(Box::pin(async move { Guard::Borrowed(lock.await) })))
            }
            Operation::LockOwned(slot) => {
                let lock = Arc::clone(mutex).lock_owned();
                self.fill(slot, Place::Future(Box::pin(async move { Guard::Owned(lock.await) })))
            }
            Operation::TryLock(slot) | Operation::TryLockOwned(slot)
                if !matches!(self.places[slot], Place::Empty) =>
            {
                Outcome::Skipped
            }
            Operation::TryLock(slot) => self.try_lock(slot, mutex.try_lock().ok().map(Guard::Borrowed)),
            Operation::TryLockOwned(slot) => {
                self.try_lock(slot, Arc::clone(mutex).try_lock_owned().ok().map(Guard::Owned))
            }
            Operation::Poll(bell) => {
                let place = &mut self.places[bell.0];
                let Place::Future(future) = place else { return Outcome::Skipped };
                match self.bells.poll(bell, future) {
                    Poll::Ready(guard) => {
                        *place = Place::Guard(guard);
                        Outcome::Ready
                    }
                    Poll::Pending => Outcome::Pending,
                }
            }
            Operation::Drop(slot) => {
                self.places[slot] = Place::Empty;
                Outcome::Done
            }
        }
    }

    fn statistics(&self) -> (bool, usize) {
        let statistics = self.mutex.statistics();
        assert_eq!(statistics.locked, self.mutex.is_locked());
        (statistics.locked, statistics.waiting)
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
    Holding,
}

struct Model {
    permits: Permits,
    tasks: [Task; SLOTS],
}

impl Model {
    fn new() -> Self {
        Self { permits: Permits::new(1), tasks: [Task::Idle; SLOTS] }
    }
}

impl Subject for Model {
    type Operation = Operation;
    type Statistics = (bool, usize);

    fn apply(&mut self, operation: &Operation) -> Outcome {
        match *operation {
            Operation::Lock(slot) | Operation::LockOwned(slot) if self.tasks[slot] == Task::Idle => {
                self.tasks[slot] = Task::New;
                Outcome::Done
            }
            Operation::TryLock(slot) | Operation::TryLockOwned(slot) if self.tasks[slot] == Task::Idle => {
                let outcome = self.permits.try_take(1);
                if outcome == Outcome::Ready {
                    self.tasks[slot] = Task::Holding;
                }
                outcome
            }
            Operation::Poll(bell) => {
                let task = &mut self.tasks[bell.0];
                let outcome = match task {
                    Task::New => self.permits.take(1, bell),
                    Task::Waiting => self.permits.poll(bell),
                    Task::Idle | Task::Holding => return Outcome::Skipped,
                };
                *task = if outcome == Outcome::Ready { Task::Holding } else { Task::Waiting };
                outcome
            }
            Operation::Drop(slot) => {
                match std::mem::replace(&mut self.tasks[slot], Task::Idle) {
                    Task::Holding => self.permits.release(1),
                    Task::Waiting => self.permits.leave(slot),
                    Task::Idle | Task::New => assert_eq!(self.permits.standing(slot), Standing::Outside),
                }
                Outcome::Done
            }
            _ => Outcome::Skipped,
        }
    }

    fn statistics(&self) -> (bool, usize) {
        (self.permits.free == 0, self.permits.waiting())
    }

    fn rung(&mut self) -> Vec<Bell> {
        std::mem::take(&mut self.permits.rung)
    }
}
