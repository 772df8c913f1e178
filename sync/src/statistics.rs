//! What a primitive says of itself: plain data, true at the moment of the call.

/// Of a [`Mutex`](crate::Mutex).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MutexStatistics {
    /// Whether it is locked.
    pub locked: bool,
    /// Tasks in its queue, among them those whom a condition moved there.
    pub waiting: usize,
}

/// Of a [`Condition`](crate::Condition).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConditionStatistics {
    /// Tasks that wait for a notification.
    pub waiting: usize,
    /// Of its lock.
    pub mutex: MutexStatistics,
}

/// Of a [`Semaphore`](crate::Semaphore).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SemaphoreStatistics {
    /// Permits that nobody holds.
    pub available: usize,
    /// Tasks in its queue.
    pub waiting: usize,
    /// Whether it is closed.
    pub closed: bool,
}

/// Of a [`BoundedSemaphore`](crate::BoundedSemaphore).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BoundedSemaphoreStatistics {
    /// Permits that nobody holds.
    pub available: usize,
    /// Tasks in its queue.
    pub waiting: usize,
    /// Whether it is closed.
    pub closed: bool,
    /// Permits that it was made with.
    pub bound: usize,
}

/// Of an [`Event`](crate::Event).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventStatistics {
    /// Whether it is set.
    pub set: bool,
    /// Tasks that wait for it.
    pub waiting: usize,
}

/// Of a [`Barrier`](crate::Barrier).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BarrierStatistics {
    /// How many have to arrive.
    pub parties: usize,
    /// How many have arrived and wait for the others.
    pub waiting: usize,
    /// Whether it was aborted, and not reset since.
    pub broken: bool,
}
