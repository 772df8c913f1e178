//! `condition`: tasks that wait under a lock until somebody tells them that something has changed.

mod bounded_buffer;
mod sleepers;

pub use bounded_buffer::{bounded_buffer, bounded_buffer_all};
pub use sleepers::sleepers;

use crate::Workload;
use crate::backend::{ConditionBackend, Side};

/// Tasks that wait under a lock until somebody tells them that something has changed.
pub const WORKLOAD: Workload = Workload {
    name: "condition",
    aliases: &[],
    summary: "tasks that wait under a lock until somebody tells them that something has changed",
    variants: &[bounded_buffer::BOUNDED_BUFFER, bounded_buffer::BOUNDED_BUFFER_ALL, sleepers::SLEEPERS],
};

/// What every variant looks at.
const KNOBS: &[&str] = &[
    "tasks",
    "permits",
    "hold_ns",
    "hold_distribution",
    "hold_mode",
    "think_ns",
    "think_distribution",
    "cancel_percent",
];

/// Lets everyone out who waits, unless that was done already.
async fn close<'a, B: ConditionBackend>(pair: &'a B::Pair, side: Side, guard: Option<B::Guard<'a>>) {
    let mut guard = match guard {
        Some(guard) => guard,
        // The wait was dropped as the slot ended: the lock is enough.
        None => B::lock_when(pair, side, |_| true).await,
    };
    if !guard.closed {
        guard.closed = true;
        B::notify_everyone(pair, side, guard).await;
    }
}

/// Wake-ups in vain among so many looks of a wait that was granted: for the first look nobody woke the task, and the
/// last found what it waited for.
fn futile(looks: u64) -> u64 {
    looks.saturating_sub(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_and_last_look_are_not_futile() {
        assert_eq!([0, 1, 2, 3, 10].map(futile), [0, 0, 0, 1, 8]);
    }
}
