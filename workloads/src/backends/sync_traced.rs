//! `sync-traced`: the very same primitives as [`sync`](super::sync), while the collector watches them.
//!
//! Not a copy: both names run the same compiled loops, and the runner switches the collector on for the slots
//! of this one. What the two differ by is the price of being watched.

use crate::Backend;

pub use super::sync::Primitives;

/// Ours, collector on.
pub static BACKEND: Backend = Backend {
    name: "sync-traced",
    version: super::version!("SYNC"),
    summary: "this workspace's primitives, collector on",
    fair: true,
    traced: true,
};
