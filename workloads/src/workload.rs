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
    /// Whether a slot is worth nothing where hardly anybody had to wait.
    pub contention: Contention,
    /// The backends that have the primitive, or can be put together into it.
    pub arms: &'static [Arm],
}

/// What a variant is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contention {
    /// Waiting: a run in which hardly anybody waited has not measured it.
    Demanded,
    /// Something else, such as the free path or a great many locks: how many waited is told, and not judged.
    Incidental,
}

/// A variant on a backend.
#[derive(Clone, Copy, Debug)]
pub struct Arm {
    /// Whose primitive.
    pub backend: &'static Backend,
    /// How it was put together where the backend lacks the primitive: `Notify + Mutex`.
    pub composed: Option<&'static str>,
    /// What this backend's primitive cannot be asked for.
    pub limits: Limits,
    /// Runs one slot to its end, blocking the calling thread. Monomorphised over the backend.
    pub run: fn(Slot<'_>) -> SlotOutcome,
}

/// What a primitive cannot be asked for: some keep their count in a few bits of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most tasks.
    pub tasks: usize,
    /// Most permits.
    pub permits: usize,
    /// Whether waits may be dropped.
    pub cancel: bool,
}

impl Limits {
    /// No other limits than those of [`Params`].
    pub const NONE: Self = Self { tasks: Params::MAX_TASKS, permits: Params::MAX_PERMITS, cancel: true };

    /// The limits of what is made of two primitives.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        const fn least(one: usize, other: usize) -> usize {
            if one < other { one } else { other }
        }
        Self {
            tasks: least(self.tasks, other.tasks),
            permits: least(self.permits, other.permits),
            cancel: self.cancel && other.cancel,
        }
    }

    /// Refuses parameters past a limit.
    ///
    /// # Errors
    ///
    /// What it takes at most, and what was asked.
    pub fn check(&self, params: &Params) -> Result<(), String> {
        let asked = [("tasks", params.tasks, self.tasks), ("permits", params.permits, self.permits)];
        if let Some((knob, asked, most)) = asked.iter().find(|(_, asked, most)| asked > most) {
            return Err(format!("it takes at most {most} {knob}, not {asked}"));
        }
        if !self.cancel && params.cancel_percent > 0.0 {
            return Err("a wait that is dropped leaves it out of step".to_owned());
        }
        Ok(())
    }
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
    /// Whether it promises that nobody overtakes: locks and permits go out in the order in which they were asked for.
    pub fair: bool,
    /// Whether the runner switches the collector on for its slots.
    pub traced: bool,
}
