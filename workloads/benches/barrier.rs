//! The phases of a barrier, beside a turn of the executor.
//!
//! `cargo bench -p workloads --bench barrier`; what is measured stands in `operations/`.
#![deny(unsafe_code)]

mod operations;

fn main() {
    operations::criterion::family("barrier");
}
