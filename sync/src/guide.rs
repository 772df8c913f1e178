//! What holds for all primitives, a page each: order, memory, cancellation, and the names that they have elsewhere.
//!
//! | page | read it when |
//! |---|---|
//! | [`fairness`] | you want to know who is served next, what that costs, or why a program stands still |
//! | [`cancel_safety`] | a wait is in a `select!`, under a timeout, or in a task that may be aborted |
//! | [`memory_ordering`] | unsafe code or other atomics rely on what a primitive makes visible |
//! | [`differences`] | you come from asyncio or from `tokio::sync` |
//!
//! There is no code in here.

pub mod cancel_safety {
    #![doc = include_str!("../docs/cancel_safety.md")]
}

pub mod differences {
    #![doc = include_str!("../docs/differences.md")]
}

pub mod fairness {
    #![doc = include_str!("../docs/fairness.md")]
}

pub mod memory_ordering {
    #![doc = include_str!("../docs/memory_ordering.md")]
}
