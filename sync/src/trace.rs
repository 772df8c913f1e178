//! Spans: the only file that names `tracing`.
//!
//! The primitives call the same functions whether the feature `tracing` is on or not; without it every type
//! here is empty and every function does nothing. With it, and nobody listening, a call costs one relaxed load:
//! the level is asked first, before the clock or the waker is looked at, and nothing is ever made while a
//! queue lock is held.

#[cfg(feature = "tracing")]
mod spans;
#[cfg(feature = "tracing")]
pub(crate) use spans::{Attempt, Call, Hold, Label, Release, Site, Stamp, WaitSpans, is_verbose};

#[cfg(not(feature = "tracing"))]
mod absent;
#[cfg(not(feature = "tracing"))]
pub(crate) use absent::{Attempt, Call, Hold, Label, Release, Site, Stamp, WaitSpans, is_verbose};

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
    /// A value of [`schema::primitive`](crate::schema::primitive).
    pub(crate) primitive: &'static str,
    pub(crate) label: &'a Label,
}
