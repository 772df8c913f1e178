//! Histories of `BoundedSemaphore`: every permit is free, held or forgotten, and only the last can be released.

use std::sync::Arc;
use std::task::Poll;

use proptest::collection::vec;
use proptest::prelude::*;
use sync::{BoundedPermit, BoundedSemaphore, OwnedBoundedPermit, TryAcquireError};

use crate::model::Permits;
use crate::{Bell, Bells, LENGTH, Outcome, Pending, SLOTS, Subject, bell, compare, config, slot};

/// The bound at most; a request may be for more.
const BOUND: usize = 5;

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
    /// Forgets the permits of one place, but for so many that are split off before and go back.
    Forget(usize, usize),
    Release(usize),
    ForgetPermits(usize),
    Close,
}

fn operation() -> impl Strategy<Value = Operation> {
    let n = 0..=BOUND as u32;
    prop_oneof![
        20 => (slot(), n.clone()).prop_map(|(slot, n)| Operation::Acquire(slot, n)),
        6 => (slot(), n).prop_map(|(slot, n)| Operation::TryAcquire(slot, n)),
        36 => bell().prop_map(Operation::Poll),
        16 => slot().prop_map(Operation::Drop),
        8 => (slot(), 0..BOUND).prop_map(|(slot, n)| Operation::Forget(slot, n)),
        10 => (0..=BOUND).prop_map(Operation::Release),
        1 => Just(Operation::Release(usize::MAX)),
        4 => (0..=BOUND).prop_map(Operation::ForgetPermits),
        1 => Just(Operation::Close),
    ]
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn bounded_semaphore_does_what_its_model_does(
        bound in 0..=BOUND,
        history in vec(operation(), 1..LENGTH),
    ) {
        let semaphore = Arc::new(BoundedSemaphore::new(bound));
        let end: Vec<_> = (0..SLOTS).map(Operation::Drop).collect();
        compare(Primitive::new(&semaphore), Model::new(bound), &history, &end)?;
        // What is not back by now was forgotten, so it can be released, and nothing else.
        prop_assert_eq!(semaphore.statistics().waiting, 0);
        let forgotten = bound - semaphore.available_permits();
        prop_assert!(semaphore.release(forgotten + 1).is_err());
        prop_assert!(semaphore.release(forgotten).is_ok());
        prop_assert_eq!(semaphore.available_permits(), bound);
    }
}

enum Permit<'a> {
    Borrowed(BoundedPermit<'a>),
    Owned(OwnedBoundedPermit),
}

enum Place<'a> {
    Empty,
    Future(Pending<'a, Option<Permit<'a>>>),
    Permit(Permit<'a>),
}

struct Primitive<'a> {
    semaphore: &'a Arc<BoundedSemaphore>,
    places: [Place<'a>; SLOTS],
    bells: Bells,
}

impl<'a> Primitive<'a> {
    fn new(semaphore: &'a Arc<BoundedSemaphore>) -> Self {
        Self { semaphore, places: [const { Place::Empty }; SLOTS], bells: Bells::new() }
    }

    fn acquire(&mut self, slot: usize, n: u32) -> Outcome {
        if !matches!(self.places[slot], Place::Empty) {
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
        if !matches!(self.places[slot], Place::Empty) {
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

    fn forget(&mut self, slot: usize, kept: usize) -> Outcome {
        match std::mem::replace(&mut self.places[slot], Place::Empty) {
            Place::Permit(Permit::Borrowed(mut permit)) => {
                let kept = permit.split(kept);
                permit.forget();
                drop(kept);
            }
            Place::Permit(Permit::Owned(mut permit)) => {
                let kept = permit.split(kept);
                permit.forget();
                drop(kept);
            }
            place => {
                self.places[slot] = place;
                return Outcome::Skipped;
            }
        }
        Outcome::Done
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
            Operation::Forget(slot, kept) => return self.forget(slot, kept),
            Operation::Drop(slot) => self.places[slot] = Place::Empty,
            Operation::Release(n) if self.semaphore.release(n).is_err() => return Outcome::Refused,
            Operation::Release(_) => {}
            Operation::ForgetPermits(n) => return Outcome::Count(self.semaphore.forget_permits(n)),
            Operation::Close => self.semaphore.close(),
        }
        Outcome::Done
    }

    fn statistics(&self) -> (usize, usize, bool) {
        let statistics = self.semaphore.statistics();
        assert_eq!(statistics.available, self.semaphore.available_permits());
        assert_eq!(statistics.closed, self.semaphore.is_closed());
        assert_eq!(statistics.bound, self.semaphore.bound());
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
    bound: usize,
    forgotten: usize,
    tasks: [Task; SLOTS],
}

impl Model {
    fn new(bound: usize) -> Self {
        Self { permits: Permits::new(bound), bound, forgotten: 0, tasks: [Task::Idle; SLOTS] }
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

    /// Permits that are a task's, or on their way to it.
    fn held(&self) -> usize {
        let of = |slot: usize| match self.tasks[slot] {
            Task::Holding(n) => n,
            _ => self.permits.granted(slot),
        };
        (0..SLOTS).map(of).sum()
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
            Operation::Forget(slot, kept) => {
                let Task::Holding(n) = self.tasks[slot] else { return Outcome::Skipped };
                self.tasks[slot] = Task::Idle;
                // More than there are cannot be split off, so all are forgotten.
                let kept = if kept <= n { kept } else { 0 };
                self.forgotten += n - kept;
                self.permits.release(kept);
            }
            // As the contract has it, by what is free and held; it does not look at `forgotten`.
            Operation::Release(n) => {
                let there = self.permits.free + self.held();
                if there.checked_add(n).is_none_or(|sum| sum > self.bound) {
                    return Outcome::Refused;
                }
                self.forgotten -= n;
                self.permits.release(n);
            }
            Operation::ForgetPermits(n) => {
                let outcome = self.permits.forget(n);
                if let Outcome::Count(gone) = outcome {
                    self.forgotten += gone;
                }
                return outcome;
            }
            Operation::Close => self.permits.close(),
        }
        Outcome::Done
    }

    fn statistics(&self) -> (usize, usize, bool) {
        assert_eq!(self.permits.free + self.held() + self.forgotten, self.bound, "the model lost a permit");
        (self.permits.free, self.permits.waiting(), self.permits.closed)
    }

    fn rung(&mut self) -> Vec<Bell> {
        std::mem::take(&mut self.permits.rung)
    }
}
