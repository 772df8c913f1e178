//! What [`trace`](super) is without the feature: empty types and functions that do nothing.

use std::task::Waker;

use super::{Object, Request};

pub(crate) struct Label;

impl Label {
    pub(crate) const fn new() -> Self {
        Self
    }

    pub(crate) const fn set_name(&mut self, _name: &'static str) {}
}

#[derive(Clone, Copy)]
pub(crate) struct Site;

impl Site {
    pub(crate) const fn here() -> Self {
        Self
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Stamp;

impl Stamp {
    pub(crate) const NONE: Self = Self;

    #[inline(always)]
    pub(crate) fn if_waits_are_watched() -> Self {
        Self
    }
}

/// A probe is never told anything.
pub(crate) fn clock_ns() -> u64 {
    0
}

#[inline(always)]
pub(crate) fn is_verbose() -> bool {
    false
}

#[inline(always)]
pub(crate) fn is_watched() -> bool {
    false
}

#[inline(always)]
pub(crate) fn left(_object: Object<'_>, _available: impl FnOnce() -> usize) {}

#[derive(Clone, Copy)]
pub(crate) struct Hold;

impl Hold {
    #[inline(always)]
    pub(crate) fn none() -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn task(&self) -> u64 {
        0
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Number;

impl Number {
    pub(crate) const NONE: Self = Self;

    #[inline(always)]
    pub(crate) fn as_stamp(self) -> Stamp {
        Stamp
    }

    #[inline(always)]
    pub(crate) fn of_stamp(_stamp: Stamp) -> Self {
        Self
    }
}

#[derive(Clone, Copy)]
pub(crate) struct By;

impl By {
    pub(crate) const CALL: Self = Self;

    #[inline(always)]
    pub(crate) fn release(_hold: &Hold) -> Self {
        Self
    }
}

pub(crate) struct Given;

impl Given {
    #[inline(always)]
    pub(crate) fn new(_by: By, _now: Stamp) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn note(&mut self, _number: Number) {}

    #[inline(always)]
    pub(crate) fn tell(&mut self) {}
}

pub(crate) struct Moved<const N: usize>;

impl<const N: usize> Moved<N> {
    #[inline(always)]
    pub(crate) fn new(_now: Stamp) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn note(&mut self, _number: Number) {}

    #[inline(always)]
    pub(crate) fn tell(self) {}
}

pub(crate) struct Attempt;

impl Attempt {
    #[inline(always)]
    pub(crate) fn begin(_request: Request<'_>, _waker: Option<&Waker>) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn granted(self) -> Hold {
        Hold
    }

    #[inline(always)]
    pub(crate) fn closed(self) {}

    #[inline(always)]
    pub(crate) fn refused(self) {}

    #[inline(always)]
    pub(crate) fn number(&self, _joined: Stamp) -> Number {
        Number
    }

    #[inline(always)]
    pub(crate) fn queued(
        self,
        _request: Request<'_>,
        _waker: &Waker,
        _joined: Stamp,
        _place: (Number, usize),
    ) -> WaitSpans {
        WaitSpans
    }
}

pub(crate) struct WaitSpans;

impl WaitSpans {
    pub(crate) const NONE: Self = Self;

    #[inline(always)]
    pub(crate) fn is_none(&self) -> bool {
        true
    }

    #[inline(always)]
    pub(crate) fn handed(&self, _granted_at: Stamp) {}

    #[inline(always)]
    pub(crate) fn left(&self, _available: impl FnOnce() -> usize) {}

    #[inline(always)]
    pub(crate) fn granted(self, _granted_at: Stamp) -> Hold {
        Hold
    }

    #[inline(always)]
    pub(crate) fn closed(self, _granted_at: Stamp) {}

    #[inline(always)]
    pub(crate) fn cancelled(self, _granted_at: Stamp) {}
}

pub(crate) struct Release;

impl Release {
    #[inline(always)]
    pub(crate) fn begin(_object: Object<'_>, _hold: &Hold) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn finish(self, _woken: usize) {}
}

pub(crate) struct Call;

impl Call {
    #[inline(always)]
    pub(crate) fn set(_object: Object<'_>) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn clear(_object: Object<'_>) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn notify(_object: Object<'_>, _task: u64) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn finish(self, _woken: usize) {}
}
