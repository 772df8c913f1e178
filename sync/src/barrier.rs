//! [`Barrier`] and what its waits give. Its futures and the way in which a phase ends have rooms of their own below.

mod futures;
mod phases;

use std::fmt;
use std::sync::Arc;

use crate::blocking;
use crate::error::BarrierError;
use crate::statistics::BarrierStatistics;
use crate::trace::{Call, Form, Label, Object, Site};
use futures::Party;
use phases::Phases;

pub use futures::{BarrierWait, BarrierWaitOwned};

/// A place where a number of tasks wait for each other. asyncio's `Barrier`.
///
/// A wait arrives at its first poll. When as many have arrived as the barrier has parties, all of them go on, and the
/// next phase begins: whoever comes now belongs to that one, even if others of the last have not resumed yet.
///
/// # Cancel safety
///
/// A dropped wait takes its arrival back, so that nobody goes on a party short; see
/// [the guide](crate::guide::cancel_safety).
///
/// # Fairness
///
/// Arrivals are counted, released and woken in the order of their first polls. The last one does not wait.
///
/// # Memory ordering
///
/// What each party did before its wait happens before what any party of that phase does after it.
///
/// # Differences to asyncio
///
/// - asyncio lets newcomers wait outside until the last phase has been left by all; here they belong to the next phase
///   at once. So they count in [`waiting`](Self::waiting), and a [`reset`](Self::reset) breaks them.
/// - A wait that was released is `Ok`, even if `abort` or `reset` is called before its task resumes; asyncio's fails
///   then.
/// - The index is settled at the release, so it is given once however many arrivals were taken back; asyncio gives that
///   of the arrival, which after a cancellation two tasks may have.
/// - [`abort`](Self::abort) and [`reset`](Self::reset) are no coroutines: they have taken effect when they return.
///
/// # Differences to tokio
///
/// - [`wait`](Self::wait) gives a `Result`, as there are `abort` and `reset`.
/// - A dropped wait takes its arrival back. With tokio's it stays counted, and the phase is released a party short.
/// - Zero parties are misuse; tokio takes them for one.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::sync::Arc;
/// use sync::Barrier;
///
/// let barrier = Arc::new(Barrier::new(3).with_name("loaded"));
/// let others: Vec<_> = (0..2).map(|_| tokio::spawn(barrier.clone().wait_owned())).collect();
/// tokio::task::yield_now().await;
///
/// // Nobody passes before everybody is here.
/// assert_eq!(barrier.waiting(), 2);
/// let mine = barrier.wait().await.unwrap();
/// assert!(mine.is_leader());
/// for (index, other) in others.into_iter().enumerate() {
///     assert_eq!(other.await.unwrap().unwrap().index(), index);
/// }
/// # }
/// ```
pub struct Barrier {
    phases: Phases,
    label: Label,
}

impl Barrier {
    /// Makes a barrier for so many parties, each of which is a wait, whichever task it is of.
    ///
    /// # Panics
    ///
    /// If `parties` is zero: nobody could ever arrive.
    #[track_caller]
    pub fn new(parties: usize) -> Self {
        assert!(parties != 0, "Barrier::new: 0 parties, it takes at least one");
        Self { phases: Phases::new(parties), label: Label::new() }
    }

    /// Gives the barrier a name, which its spans and the dashboard show. Without the feature `tracing` it is not kept.
    #[must_use = "the name is given to the barrier that is returned"]
    pub const fn with_name(mut self, name: &'static str) -> Self {
        self.label.set_name(name);
        self
    }

    /// Arrives, and waits until all parties have. The last to arrive does not wait; it is the leader.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future takes its arrival back, so that the phase still waits for as many. If the phase was released
    /// by then, the others go on all the same.
    ///
    /// # Errors
    ///
    /// [`BarrierError`] if the barrier is broken, or if [`abort`](Self::abort) or [`reset`](Self::reset) is called while
    /// this waits.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let barrier = sync::Barrier::new(2);
    /// let (first, last) = tokio::join!(barrier.wait(), barrier.wait());
    /// assert_eq!(first.unwrap().index(), 0);
    /// assert!(last.unwrap().is_leader());
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn wait(&self) -> BarrierWait<'_> {
        BarrierWait { barrier: self, party: Party::new(Site::here()) }
    }

    /// As [`wait`](Self::wait), with a future that owns an `Arc` of the barrier.
    ///
    /// # Cancel safety
    ///
    /// As for [`wait`](Self::wait).
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait).
    #[track_caller]
    #[inline]
    pub fn wait_owned(self: Arc<Self>) -> BarrierWaitOwned {
        BarrierWaitOwned { barrier: self, party: Party::new(Site::here()) }
    }

    /// Arrives, and waits until all parties have, parking the thread.
    ///
    /// For threads that run no tasks; see [`Mutex::blocking_lock`](crate::Mutex::blocking_lock) for what it does elsewhere.
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::thread;
    ///
    /// let barrier = sync::Barrier::new(2);
    /// thread::scope(|threads| {
    ///     threads.spawn(|| barrier.blocking_wait().unwrap());
    ///     barrier.blocking_wait().unwrap();
    /// });
    /// assert_eq!(barrier.waiting(), 0);
    /// ```
    #[track_caller]
    pub fn blocking_wait(&self) -> Result<BarrierWaitResult, BarrierError> {
        blocking::wait(self.wait())
    }

    /// How many have to arrive.
    #[inline]
    pub fn parties(&self) -> usize {
        self.phases.parties()
    }

    /// How many have arrived and wait for the others. Those who were released do not count, though they may not have
    /// resumed yet.
    #[inline]
    pub fn waiting(&self) -> usize {
        self.phases.look().0
    }

    /// Whether it was aborted, and not reset since.
    #[inline]
    pub fn is_broken(&self) -> bool {
        self.phases.look().1
    }

    /// Breaks the barrier: everybody who waits, and everybody who comes, gets a [`BarrierError`] until
    /// [`reset`](Self::reset) is called. For a party that cannot come any more, so that nobody waits for it.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let barrier = sync::Barrier::new(2);
    /// barrier.abort();
    /// assert!(barrier.is_broken());
    /// barrier.wait().await.unwrap_err();
    /// # }
    /// ```
    pub fn abort(&self) {
        let span = Call::set(self.object());
        span.finish(self.phases.break_phase(true));
    }

    /// Mends a broken barrier, and begins anew with nobody arrived: who waits at that moment gets a [`BarrierError`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let barrier = sync::Barrier::new(1);
    /// barrier.abort();
    /// barrier.reset();
    /// assert!(barrier.wait().await.unwrap().is_leader());
    /// # }
    /// ```
    pub fn reset(&self) {
        let span = Call::clear(self.object());
        span.finish(self.phases.break_phase(false));
    }

    /// What can be said of it now.
    ///
    /// # Examples
    ///
    /// ```
    /// let statistics = sync::Barrier::new(3).statistics();
    /// assert_eq!((statistics.parties, statistics.waiting, statistics.broken), (3, 0, false));
    /// ```
    pub fn statistics(&self) -> BarrierStatistics {
        let (waiting, broken) = self.phases.look();
        BarrierStatistics { parties: self.parties(), waiting, broken }
    }

    #[inline]
    fn object(&self) -> Object<'_> {
        Object { form: Form::Barrier, label: &self.label }
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (waiting, broken) = self.phases.look();
        f.debug_struct("Barrier")
            .field("parties", &self.parties())
            .field("waiting", &waiting)
            .field("broken", &broken)
            .finish_non_exhaustive()
    }
}

/// What a wait at a [`Barrier`] gives.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::sync::Arc;
/// use sync::Barrier;
///
/// let barrier = Arc::new(Barrier::new(3));
/// let parties: Vec<_> = (0..3)
///     .map(|_| {
///         let barrier = Arc::clone(&barrier);
///         tokio::spawn(async move {
///             let passed = barrier.wait().await.unwrap();
///             if passed.is_leader() {
///                 // What only one of them shall do.
///             }
///             passed.index()
///         })
///     })
///     .collect();
/// let mut indices = Vec::new();
/// for party in parties {
///     indices.push(party.await.unwrap());
/// }
/// indices.sort();
/// assert_eq!(indices, [0, 1, 2]);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BarrierWaitResult {
    index: usize,
    is_leader: bool,
}

impl BarrierWaitResult {
    /// Which of the parties this was, in the order of their arrival: from 0 to the number of parties less one, each
    /// once in a phase. Arrivals that were taken back do not count.
    #[inline]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Whether this was the last to arrive, as one of each phase is: for what only one of them shall do.
    #[inline]
    pub fn is_leader(&self) -> bool {
        self.is_leader
    }
}
