//! Spans, and what a probe is told: the only room that names `tracing`.
//!
//! The primitives call the same functions whether the feature `tracing` is on or not; without it every type
//! here is empty and every function does nothing. With it, and nobody listening, a call costs one relaxed load:
//! the level is asked first, before the clock or the waker is looked at, and nothing is ever made while a
//! queue lock is held.

#[cfg(feature = "tracing")]
mod label;
#[cfg(feature = "tracing")]
mod probed;
#[cfg(feature = "tracing")]
mod spans;
#[cfg(feature = "tracing")]
mod stamp;
#[cfg(feature = "tracing")]
pub(crate) use {
    label::{Label, Site},
    spans::{Attempt, Call, Hold, Release, WaitSpans, is_verbose, is_watched},
    stamp::{Stamp, clock_ns},
};

pub(crate) use crate::probe::Kind;

#[cfg(not(feature = "tracing"))]
mod absent;
#[cfg(not(feature = "tracing"))]
pub(crate) use absent::{
    Attempt, Call, Hold, Label, Release, Site, Stamp, WaitSpans, clock_ns, is_verbose, is_watched,
};

/// An object as a span shows it, and what is asked of it.
#[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "only spans read it"))]
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) object: Object<'a>,
    pub(crate) permits: u32,
    /// The line that asks.
    pub(crate) site: Site,
}

/// An object as a span shows it.
#[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "only spans read it"))]
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    pub(crate) kind: Kind,
    pub(crate) label: &'a Label,
}
