//! What a primitive says of itself: plain data, true at the moment of the call.

/// What a [`Mutex`](crate::Mutex) says of itself, true at the moment of the call. From
/// [`Mutex::statistics`](crate::Mutex::statistics), without a collector.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mutex = sync::Mutex::new(());
/// let guard = mutex.lock().await;
/// let waiter = mutex.lock();
/// // It waits from its first poll.
/// assert_eq!(mutex.statistics().waiting, 0);
/// tokio::select! {
///     biased;
///     _ = waiter => unreachable!("it is locked"),
///     () = async { assert_eq!(mutex.statistics().waiting, 1) } => {}
/// }
/// assert!(mutex.statistics().locked);
/// # drop(guard);
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MutexStatistics {
    /// Whether it is locked.
    pub locked: bool,
    /// Tasks and parked threads in its queue, among them those whom a condition moved there. Who was granted the lock is
    /// not in the queue any more.
    pub waiting: usize,
}

/// What a [`Condition`](crate::Condition) says of itself, true at the moment of the call. From
/// [`Condition::statistics`](crate::Condition::statistics), without a collector.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let condition = sync::Condition::new(());
/// let wait = condition.lock().await.wait();
/// assert!(condition.statistics().mutex.locked);
/// tokio::select! {
///     biased;
///     _ = wait => unreachable!("nobody notifies it"),
///     () = async { assert_eq!(condition.statistics().waiting, 1) } => {}
/// }
/// assert!(!condition.statistics().mutex.locked);
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConditionStatistics {
    /// Tasks and parked threads that wait for a notification.
    pub waiting: usize,
    /// Of its lock.
    pub mutex: MutexStatistics,
}

/// What a [`Semaphore`](crate::Semaphore) says of itself, true at the moment of the call. From
/// [`Semaphore::statistics`](crate::Semaphore::statistics), without a collector.
///
/// # Examples
///
/// ```
/// let semaphore = sync::Semaphore::new(3);
/// let _permit = semaphore.try_acquire().unwrap();
/// semaphore.close();
/// let statistics = semaphore.statistics();
/// assert_eq!((statistics.available, statistics.waiting), (2, 0));
/// assert!(statistics.closed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SemaphoreStatistics {
    /// Permits that nobody holds, among them those that a large request at the head waits for.
    pub available: usize,
    /// Tasks and parked threads in its queue.
    pub waiting: usize,
    /// Whether it is closed.
    pub closed: bool,
}

/// What a [`BoundedSemaphore`](crate::BoundedSemaphore) says of itself, true at the moment of the call. From
/// [`BoundedSemaphore::statistics`](crate::BoundedSemaphore::statistics), without a collector.
///
/// # Examples
///
/// ```
/// let semaphore = sync::BoundedSemaphore::new(3);
/// let _permit = semaphore.try_acquire().unwrap();
/// let statistics = semaphore.statistics();
/// assert_eq!((statistics.available, statistics.bound), (2, 3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BoundedSemaphoreStatistics {
    /// Permits that nobody holds, among them those that a large request at the head waits for.
    pub available: usize,
    /// Tasks and parked threads in its queue.
    pub waiting: usize,
    /// Whether it is closed.
    pub closed: bool,
    /// Permits that it was made with.
    pub bound: usize,
}

/// What an [`Event`](crate::Event) says of itself, true at the moment of the call. From
/// [`Event::statistics`](crate::Event::statistics), without a collector.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let event = sync::Event::new();
/// tokio::select! {
///     biased;
///     () = event.wait() => unreachable!("it is not set"),
///     () = async { assert_eq!(event.statistics().waiting, 1) } => {}
/// }
/// event.set();
/// assert!(event.statistics().set);
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventStatistics {
    /// Whether it is set.
    pub set: bool,
    /// Tasks and parked threads that wait for it.
    pub waiting: usize,
}

/// What a [`Barrier`](crate::Barrier) says of itself, true at the moment of the call. From
/// [`Barrier::statistics`](crate::Barrier::statistics), without a collector.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let barrier = sync::Barrier::new(2);
/// tokio::select! {
///     biased;
///     _ = barrier.wait() => unreachable!("it takes two"),
///     () = async { assert_eq!(barrier.statistics().waiting, 1) } => {}
/// }
/// // That one has taken its arrival back.
/// assert_eq!(barrier.statistics().waiting, 0);
/// assert_eq!(barrier.statistics().parties, 2);
/// # }
/// ```
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
