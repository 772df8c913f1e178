//! Spans, and what a probe is told: the only room that names `tracing`.
//!
//! The primitives call the same functions whether the feature `tracing` is on or not; without it every type
//! here is empty and every function does nothing. With it, and nobody listening, a call costs one relaxed load:
//! the level is asked first, before the clock or the waker is looked at, and nothing is ever made while a
//! queue lock is held.

#[cfg(feature = "console")]
mod console;
#[cfg(feature = "tracing")]
mod handover;
#[cfg(feature = "tracing")]
mod label;
#[cfg(all(feature = "tracing", not(feature = "console")))]
mod no_console;
#[cfg(feature = "tracing")]
mod probed;
#[cfg(feature = "tracing")]
mod spans;
#[cfg(feature = "tracing")]
mod stamp;
#[cfg(feature = "tracing")]
pub(crate) use {
    console::left,
    handover::{By, Given, Moved, Number},
    label::{Label, Site},
    spans::{Attempt, Call, Hold, Release, WaitSpans, is_verbose, is_watched},
    stamp::{Stamp, clock_ns},
};

#[cfg(all(feature = "tracing", not(feature = "console")))]
use no_console as console;

pub(crate) use crate::probe::Kind;

#[cfg(not(feature = "tracing"))]
mod absent;
#[cfg(not(feature = "tracing"))]
pub(crate) use absent::{
    Attempt, By, Call, Given, Hold, Label, Moved, Number, Release, Site, Stamp, WaitSpans, clock_ns,
    is_verbose, is_watched, left,
};

/// An object as a span shows it, and what is asked of it.
#[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "only spans read it"))]
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) object: Object<'a>,
    pub(crate) permits: u32,
    /// Of a condition's wait, the lock that it takes again.
    pub(crate) lock: Option<Object<'a>>,
    /// The line that asks.
    pub(crate) site: Site,
}

/// An object as a span shows it.
#[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "only spans read it"))]
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    pub(crate) form: Form,
    pub(crate) label: &'a Label,
}

/// What an object is and whether an owned guard is asked of it: one byte, so that an object is passed in two registers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Mutex,
    /// Of which an owned guard is asked.
    OwnedMutex,
    Condition,
    Semaphore,
    /// Of which an owned permit is asked.
    OwnedSemaphore,
    Event,
    Barrier,
}

#[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "only spans read it"))]
impl Object<'_> {
    pub(crate) fn kind(&self) -> Kind {
        match self.form {
            Form::Mutex | Form::OwnedMutex => Kind::Mutex,
            Form::Condition => Kind::Condition,
            Form::Semaphore | Form::OwnedSemaphore => Kind::Semaphore,
            Form::Event => Kind::Event,
            Form::Barrier => Kind::Barrier,
        }
    }

    pub(crate) fn is_owned(&self) -> bool {
        matches!(self.form, Form::OwnedMutex | Form::OwnedSemaphore)
    }
}
