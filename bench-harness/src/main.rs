//! Drives contention over async synchronisation primitives and reports what it measured.
#![forbid(unsafe_code)]

fn main() {}
