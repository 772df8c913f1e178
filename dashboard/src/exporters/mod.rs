//! What a [`Snapshot`](crate::snapshot::Snapshot) looks like to other tools: a file for each format.
//!
//! An exporter is a pure function of a snapshot, or of a timeline; it knows neither the collector nor the server.

pub mod chrome_trace;
pub mod pprof;
pub mod prometheus;
