//! The event, set and not: what a wait, a broadcast and a resumption cost each waiter.
//!
//! `cargo bench -p workloads --bench event`; what is measured stands in `operations/`.
#![deny(unsafe_code)]

mod operations;

fn main() {
    operations::criterion::family("event");
}
