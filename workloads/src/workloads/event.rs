//! `event`: tasks that wait until another says go.

mod broadcast;
mod ping_pong;
mod pulse;

pub use broadcast::broadcast;
pub use ping_pong::ping_pong;
pub use pulse::pulse;

use crate::Workload;

/// Tasks that wait until another says go.
pub const WORKLOAD: Workload = Workload {
    name: "event",
    aliases: &[],
    summary: "tasks that wait until another says go",
    variants: &[broadcast::BROADCAST, ping_pong::PING_PONG, pulse::PULSE],
};
