//! What contention looks like: backends × workloads.
//!
//! | what | where | a new one |
//! |---|---|---|
//! | a workload: names, words, defaults, its law and the loop of a task | `workloads/*.rs` | a file, and its line in [`WORKLOADS`] |
//! | a backend: whose primitives | `backends/*.rs` | a file, and its line in `backends/mod.rs` |
//! | what a backend must be able to do | [`backend`] | a trait for each family of primitives |
//! | the parts of every loop: asking, holding, counting | `measure/*.rs` | |
//! | a scenario: options of a run, ready to be named | `scenarios/*.toml` | a file, and its line in [`SCENARIOS`] |
//! | what goes in and out of a slot | [`Slot`], [`SlotOutcome`] | |
//!
//! Rounds, statistics, reports and the collector are not known here: a caller picks an [`Arm`], hands it a
//! [`Slot`] and gets plain numbers back.
//!
//! # What a slot does not do
//!
//! No loop gives the worker away of its own accord: where tasks neither wait nor hold across a yield (one permit
//! for each of them, say), a worker stays with the task that it runs until the slot is over. tokio's primitives
//! then send the task back every 128 operations (counted as forced yields), ours do not; on one worker
//! [`SlotOutcome::ops_per_task`] shows one task that did everything. That is how the primitives behave, so it is
//! shown and not smoothed. The defaults of every variant contend, where it does not arise, but for those that are
//! about something else ([`Contention::Incidental`]).
#![forbid(unsafe_code)]

mod arms;
pub mod backend;
pub mod backends;
pub mod buffer;
mod measure;
mod params;
mod scenario;
mod slot;
mod workload;
pub mod workloads;

pub use backends::BACKENDS;
pub use params::{Distribution, HoldMode, ParamValue, Params, ParamsError};
pub use scenario::{SCENARIOS, Scenario};
pub use slot::{Pace, Pass, Recorder, Slot, SlotOutcome, Stop};
pub use workload::{Arm, Backend, Contention, Limits, Variant, Workload};

/// Every workload, in the order of `list`.
///
/// A static and not a constant: whoever names a constant compiles every loop that it leads to once more.
pub static WORKLOADS: &[Workload] = &[
    workloads::mutex::WORKLOAD,
    workloads::semaphore::WORKLOAD,
    workloads::condition::WORKLOAD,
    workloads::event::WORKLOAD,
    workloads::barrier::WORKLOAD,
    workloads::mix::WORKLOAD,
];
