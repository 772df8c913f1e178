//! Tokio's cooperative budget: the only file that names `tokio`.
//!
//! With the feature `tokio`, a future that was ready charges its task one unit, and where none is left it is not ready
//! before the task has yielded, as with tokio's own primitives. So a loop over a lock that is always free lets other
//! tasks run. Outside of a tokio task there is no budget, and without the feature nothing of this is compiled.
//!
//! The budget decides when a wait may end, never its place: a first poll that finds it used up queues all the same. What
//! is free then is taken as by a grant, and kept for the next poll, for which `poll_proceed` has called the waker; an
//! arrival that completes a barrier's phase lets the others go at once. Errors are told at once and cost nothing.
//!
//! A condition's `wait` has no part in this. It releases the lock at its first poll in any case, so that a loop over it
//! waits for somebody each time.

#[cfg(all(feature = "tokio", not(loom)))]
pub(crate) use tokio::task::coop::{poll_proceed, unconstrained};

#[cfg(not(all(feature = "tokio", not(loom))))]
pub(crate) use absent::{poll_proceed, unconstrained};

#[cfg(not(all(feature = "tokio", not(loom))))]
mod absent {
    use std::task::{Context, Poll};

    pub(crate) struct Budget;

    impl Budget {
        /// The future was ready: what it has used stays used.
        #[inline(always)]
        pub(crate) fn made_progress(&self) {}
    }

    /// A unit of the budget, which goes back unless there was progress.
    #[inline(always)]
    pub(crate) fn poll_proceed(_cx: &mut Context<'_>) -> Poll<Budget> {
        Poll::Ready(Budget)
    }

    /// `future`, without a budget: a parked thread has no other task to yield to.
    #[inline(always)]
    pub(crate) fn unconstrained<F>(future: F) -> F {
        future
    }
}
