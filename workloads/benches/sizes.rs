//! Sizes of the primitives and of the futures of their waits, in bytes: `cargo bench -p workloads --bench sizes`.
#![deny(unsafe_code)]

mod operations;

fn main() {
    print!("{}", operations::sizes::table());
}
