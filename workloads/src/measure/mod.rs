//! What every workload's task loop is made of: taking its place among the tasks, asking, holding, thinking,
//! counting. It knows no primitive and no backend.

mod crew;
mod draw;
mod hold;
mod meter;
mod open_loop;
mod probe;
mod schedule;

pub(crate) use crew::{Crew, Worker, by_mode, by_pass};
pub(crate) use hold::yield_now;
pub(crate) use open_loop::OpenLoop;
pub(crate) use probe::{Latency, Probe, Throughput};
