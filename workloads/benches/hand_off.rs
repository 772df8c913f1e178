//! A lock that goes from task to task, beside the executor's own turns.
//!
//! `cargo bench -p workloads --bench hand_off`; what is measured stands in `operations/`.
#![deny(unsafe_code)]

mod operations;

fn main() {
    operations::criterion::family("hand_off");
}
