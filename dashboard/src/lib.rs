//! Live wait-time histograms of the `sync` primitives: a tracing Layer, a snapshot, a server and its page.
#![forbid(unsafe_code)]

pub mod snapshot;
