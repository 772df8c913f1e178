//! Alerts and the graph, on the real primitives. Whatever an alert is about is planted and polled by hand, and the
//! thresholds are zero, so that nothing has to be waited for.

mod foreign;
mod graph;
mod planted;
mod soak;
mod sound;
mod support;
