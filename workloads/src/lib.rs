//! What contention looks like: backends × workloads.
#![forbid(unsafe_code)]

mod params;
mod slot;
mod workload;

pub use params::{HoldMode, ParamValue, Params};
pub use slot::{Pass, Recorder, Slot, SlotOutcome, Stop};
pub use workload::{Arm, Backend, Variant, Workload};

/// Every workload, in the order of `list`.
pub const WORKLOADS: &[Workload] = &[];

/// Every backend, in the order of `list`.
pub const BACKENDS: &[&Backend] = &[];
