//! Grants whose tasks do not know of them yet, told to the probe.
//!
//! Who gives learns the number of the waiter's operation from its node, under the queue's lock, and tells it when the lock
//! is given back.

use super::Hold;
use super::probed::installed;
use super::spans::next_op;
use super::stamp::Stamp;
use crate::loom::BATCH;
use crate::probe::Handed;

/// The number of an operation, for its node; none where nobody watches. Zero, or the number with [`NUMBER`].
#[derive(Clone, Copy)]
pub(crate) struct Number(u64);

/// In a [`Stamp`]: it is not a time. No clock has run for so long.
const NUMBER: u64 = 1 << 63;

impl Number {
    pub(crate) const NONE: Self = Self(0);

    /// That of an operation that waits since `joined`; drawn where nothing has a number yet, and somebody watches.
    pub(super) fn of(op: Option<u64>, joined: Stamp) -> Self {
        match op {
            Some(op) => Self(op | NUMBER),
            None if joined.is_taken() => Self(next_op() | NUMBER),
            None => Self::NONE,
        }
    }

    pub(super) fn op(self) -> Option<u64> {
        (self.0 != 0).then_some(self.0 & !NUMBER)
    }

    /// As what a node has until it is granted.
    #[inline(always)]
    pub(crate) fn as_stamp(self) -> Stamp {
        Stamp::from_bits(self.0)
    }

    /// What `as_stamp` was made of.
    #[inline]
    pub(crate) fn of_stamp(stamp: Stamp) -> Self {
        let bits = stamp.to_bits();
        Self(if bits & NUMBER == 0 { 0 } else { bits })
    }
}

/// Who gives: a release, or a call that held nothing.
#[derive(Clone, Copy)]
pub(crate) struct By {
    op: u64,
    task: u64,
}

impl By {
    pub(crate) const CALL: Self = Self { op: 0, task: 0 };

    pub(crate) fn release(hold: &Hold) -> Self {
        Self { op: hold.op(), task: hold.task() }
    }
}

/// Waiters that were given something under a queue's lock, to be told of outside of it.
pub(crate) struct Given {
    by: By,
    now: Stamp,
    ops: [u64; BATCH],
    len: usize,
}

impl Given {
    pub(crate) fn new(by: By, now: Stamp) -> Self {
        Self { by, now, ops: [0; BATCH], len: 0 }
    }

    /// Notes one; as many as a batch of wakers holds.
    #[inline]
    pub(crate) fn note(&mut self, number: Number) {
        if let (Some(op), Some(slot)) = (number.op(), self.ops.get_mut(self.len)) {
            *slot = op;
            self.len += 1;
        }
    }

    /// Tells of all that were noted, and forgets them. No queue is locked. A panic of the probe goes on in the caller.
    pub(crate) fn tell(&mut self) {
        let len = std::mem::take(&mut self.len);
        let Some(probe) = installed().filter(|_| self.now.is_taken()) else { return };
        for &op in &self.ops[..len] {
            probe.handed(&Handed { op, by: self.by.op, by_task: self.by.task, now_ns: self.now.by_probe() });
        }
    }
}

/// Waiters of a condition that were moved to the queue of its lock, to be told of when that is not locked any more.
pub(crate) struct Moved<const N: usize> {
    now: Stamp,
    ops: [u64; N],
    len: usize,
}

impl<const N: usize> Moved<N> {
    pub(crate) fn new(now: Stamp) -> Self {
        Self { now, ops: [0; N], len: 0 }
    }

    /// Notes one, up to `N`.
    #[inline]
    pub(crate) fn note(&mut self, number: Number) {
        if let (Some(op), Some(slot)) = (number.op(), self.ops.get_mut(self.len)) {
            *slot = op;
            self.len += 1;
        }
    }

    /// As [`Given::tell`].
    pub(crate) fn tell(self) {
        let Some(probe) = installed().filter(|_| self.now.is_taken()) else { return };
        self.ops[..self.len].iter().for_each(|&op| probe.notified(op, self.now.by_probe()));
    }
}
