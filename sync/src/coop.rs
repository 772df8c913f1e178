//! Tokio's cooperative budget: the only file that names `tokio`.
//!
//! With the feature `tokio`, a future that was ready charges its task one unit, and where none is left it is not polled
//! before the task has yielded, as with tokio's own primitives. So a loop over a lock that is always free lets other
//! tasks run. Outside of a tokio task there is no budget, and without the feature nothing of this is compiled.
//!
//! A first poll that finds the budget used up takes no place in the queue yet: the task is polled again in its next turn.

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
