//! The free semaphore, beside two compare-and-swaps.
//!
//! `cargo bench -p workloads --bench semaphore`; what is measured stands in `operations/`.
#![deny(unsafe_code)]

mod operations;

fn main() {
    operations::criterion::family("semaphore");
}
