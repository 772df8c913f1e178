//! What tokio's `Mutex` and `Semaphore` can do, done with theirs and with ours by the same code.
//!
//! Only the `use` differs. A method that is missing here, or has another signature, or another bound, does not compile;
//! one that does something else fails. That the code does what tokio does shows in its being run with tokio's too.
#![cfg(not(loom))]
#![allow(clippy::duplicate_mod, reason = "being compiled twice is what the body is for")]

mod common;
#[path = "drop_in/differences.rs"]
mod differences;

#[path = "drop_in"]
mod ours {
    use sync::{
        AcquireError, MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard,
        OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError, TryLockError,
    };

    #[path = "blocking.rs"]
    mod blocking;
    #[path = "history.rs"]
    pub(super) mod history;
    #[path = "mapped.rs"]
    mod mapped;
    #[path = "mutex.rs"]
    mod mutex;
    #[path = "semaphore.rs"]
    mod semaphore;
}

#[path = "drop_in"]
mod tokios {
    use tokio::sync::{
        AcquireError, MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard,
        OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError, TryLockError,
    };

    #[path = "blocking.rs"]
    mod blocking;
    #[path = "history.rs"]
    pub(super) mod history;
    #[path = "mapped.rs"]
    mod mapped;
    #[path = "mutex.rs"]
    mod mutex;
    #[path = "semaphore.rs"]
    mod semaphore;
}

#[test]
fn random_histories_are_the_same_with_both() {
    for seed in 0..500 {
        let (ours, theirs) = (ours::history::tell(seed, 60), tokios::history::tell(seed, 60));
        for (step, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            assert_eq!(ours, theirs, "seed {seed}, line {step}");
        }
        assert_eq!(ours.len(), theirs.len(), "seed {seed}");
    }
}
