//! What a workload is to the program that drives it: names, words, defaults, and one function per backend.

use crate::{Params, Slot, SlotOutcome};

/// A workload: one primitive under contention.
#[derive(Debug)]
pub struct Workload {
    /// The name on the command line: `semaphore`.
    pub name: &'static str,
    /// Other names that the command line takes: `lock` for `mutex`.
    pub aliases: &'static [&'static str],
    /// One line for `list`.
    pub summary: &'static str,
    /// The first is what the bare name runs.
    pub variants: &'static [Variant],
}

/// One shape of a workload.
#[derive(Debug)]
pub struct Variant {
    /// `pool`, `broadcast`.
    pub name: &'static str,
    /// What an operation is, and what a user learns from it; a line or two for `list`.
    pub summary: &'static str,
    /// Parameters where the user gives none.
    pub defaults: fn() -> Params,
    /// Names (as in [`Params::entries`]) of the knobs that this variant looks at.
    pub knobs: &'static [&'static str],
    /// The backends that have the primitive, or can be put together into it.
    pub arms: &'static [Arm],
}

/// A variant on a backend.
#[derive(Debug)]
pub struct Arm {
    /// Whose primitive.
    pub backend: &'static Backend,
    /// How it was put together where the backend lacks the primitive: `Notify + Mutex`.
    pub composed: Option<&'static str>,
    /// Runs one slot to its end, blocking the calling thread. Monomorphised over the backend.
    pub run: fn(Slot<'_>) -> SlotOutcome,
}

/// Whose primitives.
#[derive(Debug)]
pub struct Backend {
    /// The name on the command line: `tokio`.
    pub name: &'static str,
    /// Version of its package, as locked.
    pub version: &'static str,
    /// One line for `list`.
    pub summary: &'static str,
    /// Whether the runner switches the collector on for its slots.
    pub traced: bool,
}
