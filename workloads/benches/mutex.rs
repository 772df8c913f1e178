//! The free lock, beside two compare-and-swaps and the blocking locks.
//!
//! `cargo bench -p workloads --bench mutex`; what is measured stands in `operations/`.
#![deny(unsafe_code)]

mod operations;

fn main() {
    operations::criterion::family("mutex");
}
