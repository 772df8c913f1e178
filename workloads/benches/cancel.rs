//! Waits that are given up at the head, in the middle and at the tail of a queue of 1,000.
//!
//! `cargo bench -p workloads --bench cancel`; what is measured stands in `operations/`.
#![deny(unsafe_code)]

mod operations;

fn main() {
    operations::criterion::family("cancel");
}
