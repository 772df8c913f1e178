//! Async synchronisation primitives.
pub mod schema;
