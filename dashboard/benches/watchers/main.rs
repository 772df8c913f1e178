//! What a free lock costs to lock and unlock, by who watches it: ours beside tokio's console and hotpath, in one run.
//!
//! ```sh
//! RUSTFLAGS="--cfg tokio_unstable" CARGO_TARGET_DIR=target/console cargo bench --profile dev -p dashboard --features hotpath-bench --bench watchers
//! … --bench watchers -- --rounds 41 --slot-ms 100 --seed 7
//! ```
//!
//! A process has one subscriber and keeps it, so each arm is measured in a process of its own, started anew in each round; the
//! order of a round is drawn. Rounds are the replicates: a figure is Hodges and Lehmann's estimate over them, with Wilcoxon's interval
//! of 95 %, and ratios are made round by round.
//!
//! What an arm does on other threads afterwards (the console's aggregator, hotpath's collection) has the other processor, and is not in
//! the figure unless it slows down the one that locks.

#[cfg(not(tokio_unstable))]
fn main() {
    eprintln!("built without `--cfg tokio_unstable`: the command stands at the top of this bench");
}

#[cfg(tokio_unstable)]
fn main() {
    run::main();
}

#[cfg(tokio_unstable)]
mod arms;
#[cfg(tokio_unstable)]
mod run;
