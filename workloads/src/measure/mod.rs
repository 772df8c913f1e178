//! What every workload's task loop is made of: taking its place among the tasks, asking, holding, thinking,
//! counting. It knows no primitive and no backend.

mod crew;
mod hold;
mod meter;
mod probe;

pub(crate) use crew::{Crew, Worker, by_pass};
pub(crate) use probe::{Latency, Probe, Throughput};
