//! Every operation by criterion, each beside what bounds it and beside the rivals.
//!
//! `cargo bench -p workloads --bench operations`, with a part of a name for some of them: `-- mutex/free`, `-- event`. What is
//! measured stands in `operations/`. One program, since compiling it is most of the work.
#![deny(unsafe_code)]

mod operations;

fn main() {
    operations::criterion::run();
}
