//! `tokio-unconstrained`: the very same primitives as [`tokio`](super::tokio), used by tasks that tokio does not send
//! back to the run queue every 128 operations.
//!
//! `tokio::task::unconstrained` is around each task, nothing else differs. What the two differ by is the price, and
//! the effect on who gets his turn, of the cooperative budget.

use crate::Backend;

/// tokio, outside the cooperative budget.
pub static BACKEND: Backend = Backend {
    name: "tokio-unconstrained",
    version: super::version!("TOKIO"),
    summary: "tokio::sync, its tasks outside the cooperative budget",
    fair: true,
    traced: false,
};

/// tokio's primitives, used outside the cooperative budget.
pub type Primitives = super::tokio::Primitives<true>;
