//! Histories of `Semaphore`.

use std::sync::Arc;
use std::task::Poll;

use proptest::collection::vec;
use proptest::prelude::*;
use sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError};

use crate::model::Permits;
use crate::{Bell, Bells, LENGTH, Outcome, Pending, SLOTS, Subject, bell, compare, config, slot};

/// Permits to begin with, at most; a request may be for more.
const PERMITS: usize = 5;

/// The first half of the places deals with borrowed permits, the second half with owned ones.
fn is_owned(slot: usize) -> bool {
    slot >= SLOTS / 2
}

#[derive(Clone, Debug)]
enum Operation {
    /// Makes a future for so many permits. It counts from its first poll.
    Acquire(usize, u32),
    TryAcquire(usize, u32),
    Poll(Bell),
    /// Drops a future or permits.
    Drop(usize),
    Forget(usize),
    /// Takes so many of the permits of one place into another.
    Split(usize, usize, usize),
    /// Adds the permits of the second place to those of the first.
    Merge(usize, usize),
    AddPermits(usize),
    ForgetPermits(usize),
    Close,
}

fn operation() -> impl Strategy<Value = Operation> {
    let n = 0..=PERMITS as u32;
    prop_oneof![
        20 => (slot(), n.clone()).prop_map(|(slot, n)| Operation::Acquire(slot, n)),
        6 => (slot(), n.clone()).prop_map(|(slot, n)| Operation::TryAcquire(slot, n)),
        36 => bell().prop_map(Operation::Poll),
        20 => slot().prop_map(Operation::Drop),
        2 => slot().prop_map(Operation::Forget),
        4 => (slot(), 0..PERMITS, slot()).prop_map(|(from, n, to)| Operation::Split(from, n, to)),
        4 => (slot(), slot()).prop_map(|(into, from)| Operation::Merge(into, from)),
        4 => (0..PERMITS).prop_map(Operation::AddPermits),
        3 => (0..PERMITS).prop_map(Operation::ForgetPermits),
        1 => Just(Operation::Close),
    ]
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn semaphore_does_what_its_model_does(
        permits in 0..PERMITS,
        history in vec(operation(), 1..LENGTH),
    ) {
        let semaphore = Arc::new(Semaphore::new(permits));
        let end: Vec<_> = (0..SLOTS).map(Operation::Drop).collect();
        compare(Primitive::new(&semaphore), Model::new(permits), &history, &end)?;
        prop_assert_eq!(semaphore.statistics().waiting, 0);
    }
}

enum Permit<'a> {
    Borrowed(SemaphorePermit<'a>),
    Owned(OwnedSemaphorePermit),
}

enum Place<'a> {
    Empty,
    Future(Pending<'a, Option<Permit<'a>>>),
    Permit(Permit<'a>),
}

struct Primitive<'a> {
    semaphore: &'a Arc<Semaphore>,
    places: [Place<'a>; SLOTS],
    bells: Bells,
}

impl<'a> Primitive<'a> {
    fn new(semaphore: &'a Arc<Semaphore>) -> Self {
        Self { semaphore, places: [const { Place::Empty }; SLOTS], bells: Bells::new() }
    }

    fn is_empty(&self, slot: usize) -> bool {
        matches!(self.places[slot], Place::Empty)
    }

    fn acquire(&mut self, slot: usize, n: u32) -> Outcome {
        if !self.is_empty(slot) {
            return Outcome::Skipped;
        }
        self.places[slot] = Place::Future(if is_owned(slot) {
            let acquire = Arc::clone(self.semaphore).acquire_many_owned(n);
            Box::pin(async move { acquire.await.ok().map(Permit::Owned) })
        } else {
            let acquire = self.semaphore.acquire_many(n);
            Box::pin(async move { acquire.await.ok().map(Permit::Borrowed) })
        });
        Outcome::Done
    }

    fn try_acquire(&mut self, slot: usize, n: u32) -> Outcome {
        if !self.is_empty(slot) {
            return Outcome::Skipped;
        }
        let got = if is_owned(slot) {
            Arc::clone(self.semaphore).try_acquire_many_owned(n).map(Permit::Owned)
        } else {
            self.semaphore.try_acquire_many(n).map(Permit::Borrowed)
        };
        match got {
            Ok(permit) => {
                self.places[slot] = Place::Permit(permit);
                Outcome::Ready
            }
            Err(TryAcquireError::NoPermits) => Outcome::Refused,
            Err(TryAcquireError::Closed) => Outcome::Closed,
        }
    }

    fn poll(&mut self, bell: Bell) -> Outcome {
        let place = &mut self.places[bell.0];
        let Place::Future(future) = place else { return Outcome::Skipped };
        match self.bells.poll(bell, future) {
            Poll::Ready(Some(permit)) => {
                *place = Place::Permit(permit);
                Outcome::Ready
            }
            Poll::Ready(None) => {
                *place = Place::Empty;
                Outcome::Closed
            }
            Poll::Pending => Outcome::Pending,
        }
    }

    fn split(&mut self, from: usize, n: usize, to: usize) -> Outcome {
        if is_owned(from) != is_owned(to) || !self.is_empty(to) {
            return Outcome::Skipped;
        }
        let part = match &mut self.places[from] {
            Place::Permit(Permit::Borrowed(permit)) => permit.split(n).map(Permit::Borrowed),
            Place::Permit(Permit::Owned(permit)) => permit.split(n).map(Permit::Owned),
            _ => return Outcome::Skipped,
        };
        let Some(part) = part else { return Outcome::Refused };
        self.places[to] = Place::Permit(part);
        Outcome::Done
    }

    fn merge(&mut self, into: usize, from: usize) -> Outcome {
        let Ok([into, from]) = self.places.get_disjoint_mut([into, from]) else { return Outcome::Skipped };
        match (into, std::mem::replace(from, Place::Empty)) {
            (Place::Permit(Permit::Borrowed(into)), Place::Permit(Permit::Borrowed(other))) => {
                into.merge(other);
                Outcome::Count(into.num_permits())
            }
            (Place::Permit(Permit::Owned(into)), Place::Permit(Permit::Owned(other))) => {
                into.merge(other);
                Outcome::Count(into.num_permits())
            }
            (_, place) => {
                *from = place;
                Outcome::Skipped
            }
        }
    }
}

impl Subject for Primitive<'_> {
    type Operation = Operation;
    type Statistics = (usize, usize, bool);

    fn apply(&mut self, operation: &Operation) -> Outcome {
        match *operation {
            Operation::Acquire(slot, n) => return self.acquire(slot, n),
            Operation::TryAcquire(slot, n) => return self.try_acquire(slot, n),
            Operation::Poll(bell) => return self.poll(bell),
            Operation::Split(from, n, to) => return self.split(from, n, to),
            Operation::Merge(into, from) => return self.merge(into, from),
            Operation::Drop(slot) => self.places[slot] = Place::Empty,
            Operation::Forget(slot) => match std::mem::replace(&mut self.places[slot], Place::Empty) {
                Place::Permit(Permit::Borrowed(permit)) => permit.forget(),
                Place::Permit(Permit::Owned(permit)) => permit.forget(),
                place => {
                    self.places[slot] = place;
                    return Outcome::Skipped;
                }
            },
            Operation::AddPermits(n) => self.semaphore.add_permits(n),
            Operation::ForgetPermits(n) => return Outcome::Count(self.semaphore.forget_permits(n)),
            Operation::Close => self.semaphore.close(),
        }
        Outcome::Done
    }

    fn statistics(&self) -> (usize, usize, bool) {
        let statistics = self.semaphore.statistics();
        assert_eq!(statistics.available, self.semaphore.available_permits());
        assert_eq!(statistics.closed, self.semaphore.is_closed());
        (statistics.available, statistics.waiting, statistics.closed)
    }

    fn rung(&mut self) -> Vec<Bell> {
        self.bells.rung()
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Task {
    Idle,
    New(usize),
    Waiting(usize),
    Holding(usize),
}

struct Model {
    permits: Permits,
    tasks: [Task; SLOTS],
}

impl Model {
    fn new(permits: usize) -> Self {
        Self { permits: Permits::new(permits), tasks: [Task::Idle; SLOTS] }
    }

    fn poll(&mut self, bell: Bell) -> Outcome {
        let (n, outcome) = match self.tasks[bell.0] {
            Task::New(n) => (n, self.permits.take(n, bell)),
            Task::Waiting(n) => (n, self.permits.poll(bell)),
            Task::Idle | Task::Holding(_) => return Outcome::Skipped,
        };
        self.tasks[bell.0] = match outcome {
            Outcome::Ready => Task::Holding(n),
            Outcome::Pending => Task::Waiting(n),
            _ => Task::Idle,
        };
        outcome
    }
}

impl Subject for Model {
    type Operation = Operation;
    type Statistics = (usize, usize, bool);

    fn apply(&mut self, operation: &Operation) -> Outcome {
        match *operation {
            Operation::Acquire(slot, n) if self.tasks[slot] == Task::Idle => {
                self.tasks[slot] = Task::New(n as usize);
            }
            Operation::TryAcquire(slot, n) if self.tasks[slot] == Task::Idle => {
                let outcome = self.permits.try_take(n as usize);
                if outcome == Outcome::Ready {
                    self.tasks[slot] = Task::Holding(n as usize);
                }
                return outcome;
            }
            Operation::Acquire(..) | Operation::TryAcquire(..) => return Outcome::Skipped,
            Operation::Poll(bell) => return self.poll(bell),
            Operation::Drop(slot) => match std::mem::replace(&mut self.tasks[slot], Task::Idle) {
                Task::Holding(n) => self.permits.release(n),
                Task::Waiting(_) => self.permits.leave(slot),
                Task::Idle | Task::New(_) => {}
            },
            Operation::Forget(slot) => {
                let Task::Holding(_) = self.tasks[slot] else { return Outcome::Skipped };
                self.tasks[slot] = Task::Idle;
            }
            Operation::Split(from, n, to) => {
                let (Task::Holding(held), Task::Idle) = (self.tasks[from], self.tasks[to]) else {
                    return Outcome::Skipped;
                };
                if is_owned(from) != is_owned(to) {
                    return Outcome::Skipped;
                }
                if held < n {
                    return Outcome::Refused;
                }
                self.tasks[from] = Task::Holding(held - n);
                self.tasks[to] = Task::Holding(n);
            }
            Operation::Merge(into, from) => {
                let (Task::Holding(held), Task::Holding(more)) = (self.tasks[into], self.tasks[from]) else {
                    return Outcome::Skipped;
                };
                if into == from || is_owned(into) != is_owned(from) {
                    return Outcome::Skipped;
                }
                self.tasks[into] = Task::Holding(held + more);
                self.tasks[from] = Task::Idle;
                return Outcome::Count(held + more);
            }
            Operation::AddPermits(n) => self.permits.release(n),
            Operation::ForgetPermits(n) => return self.permits.forget(n),
            Operation::Close => self.permits.close(),
        }
        Outcome::Done
    }

    fn statistics(&self) -> (usize, usize, bool) {
        (self.permits.free, self.permits.waiting(), self.permits.closed)
    }

    fn rung(&mut self) -> Vec<Bell> {
        std::mem::take(&mut self.permits.rung)
    }
}
