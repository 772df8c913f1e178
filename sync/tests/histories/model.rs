//! The model under the models: a count of permits and a list of those who wait for some.

use std::collections::VecDeque;

use crate::{Bell, Outcome, SLOTS};

/// Where a task's request stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has asked for nothing.
    #[default]
    Outside,
    Waiting,
    Granted(usize),
    Closed,
}

/// Permits, given out strictly in the order of the list.
#[derive(Debug, Default)]
pub(crate) struct Permits {
    pub(crate) free: usize,
    pub(crate) closed: bool,
    list: VecDeque<Request>,
    standing: [Standing; SLOTS],
    pub(crate) rung: Vec<Bell>,
}

#[derive(Debug)]
struct Request {
    n: usize,
    bell: Bell,
}

impl Permits {
    pub(crate) fn new(free: usize) -> Self {
        Self { free, ..Self::default() }
    }

    pub(crate) fn waiting(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn standing(&self, slot: usize) -> Standing {
        self.standing[slot]
    }

    /// Permits that were granted to a task which has not seen so yet.
    pub(crate) fn granted(&self, slot: usize) -> usize {
        if let Standing::Granted(n) = self.standing[slot] { n } else { 0 }
    }

    /// Takes them now or not at all.
    pub(crate) fn try_take(&mut self, n: usize) -> Outcome {
        if self.closed {
            Outcome::Closed
        } else if n == 0 || self.list.is_empty() && n <= self.free {
            self.free -= n;
            Outcome::Ready
        } else {
            Outcome::Refused
        }
    }

    /// The first poll of a request.
    pub(crate) fn take(&mut self, n: usize, bell: Bell) -> Outcome {
        match self.try_take(n) {
            Outcome::Refused => {
                self.join(n, bell);
                Outcome::Pending
            }
            outcome => outcome,
        }
    }

    /// A later poll. What it ends with is outside from then on.
    pub(crate) fn poll(&mut self, bell: Bell) -> Outcome {
        let slot = bell.0;
        let outcome = match self.standing[slot] {
            Standing::Outside => panic!("the model was asked for somebody who does not wait"),
            Standing::Waiting => {
                let request = self.list.iter_mut().find(|request| request.bell.0 == slot);
                request.expect("who waits is in the list").bell = bell;
                return Outcome::Pending;
            }
            Standing::Granted(_) => Outcome::Ready,
            Standing::Closed => Outcome::Closed,
        };
        self.standing[slot] = Standing::Outside;
        outcome
    }

    /// Goes to the end of the list, even where there is something to take.
    pub(crate) fn join(&mut self, n: usize, bell: Bell) {
        self.list.push_back(Request { n, bell });
        self.standing[bell.0] = Standing::Waiting;
    }

    /// A request is dropped.
    pub(crate) fn leave(&mut self, slot: usize) {
        match std::mem::take(&mut self.standing[slot]) {
            Standing::Waiting => self.list.retain(|request| request.bell.0 != slot),
            Standing::Granted(n) => self.free += n,
            Standing::Outside | Standing::Closed => {}
        }
        self.settle();
    }

    pub(crate) fn release(&mut self, n: usize) {
        self.free += n;
        self.settle();
    }

    pub(crate) fn forget(&mut self, n: usize) -> Outcome {
        let gone = n.min(self.free);
        self.free -= gone;
        Outcome::Count(gone)
    }

    pub(crate) fn close(&mut self) {
        self.closed = true;
        for request in self.list.drain(..) {
            self.standing[request.bell.0] = Standing::Closed;
            self.rung.push(request.bell);
        }
    }

    /// Gives to the head what it asks for, as long as there is enough.
    pub(crate) fn settle(&mut self) {
        while !self.closed
            && let Some(&Request { n, bell }) = self.list.front()
            && n <= self.free
        {
            self.list.pop_front();
            self.free -= n;
            self.standing[bell.0] = Standing::Granted(n);
            self.rung.push(bell);
        }
    }
}
