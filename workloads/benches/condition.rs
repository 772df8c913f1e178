//! Notifications, from the call until each waiter has had the lock, beside a turn of the executor.
//!
//! `cargo bench -p workloads --bench condition`; what is measured stands in `operations/`.
#![deny(unsafe_code)]

mod operations;

fn main() {
    operations::criterion::family("condition");
}
