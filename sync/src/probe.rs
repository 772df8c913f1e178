//! Operations without spans: what a collector that wants every one of them listens to.
//!
//! A span is general and has its price: its fields are handed over one by one and by name, and each call of a
//! primitive makes two. A [`Probe`] is told the same things in one call each, as plain data, and lends the primitives
//! its clock. Spans are not touched by it: whoever asks for them gets them, whether there is a probe or not.
//!
//! A probe is asked only where the level lets it: waits at DEBUG, every call at TRACE, as `tracing`'s maximum level
//! stands for the whole process. So a process that nobody watches pays one relaxed load a call, as it does without. Whoever installs a probe therefore
//! also has a subscriber whose [`max_level_hint`] says how much the probe wants.
//!
//! Nothing is told while a queue is locked, and nothing that a probe does is waited for by anybody but the task that tells it.
//!
//! [`max_level_hint`]: https://docs.rs/tracing-core/latest/tracing_core/subscriber/trait.Subscriber.html#method.max_level_hint

use std::panic::Location;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use crate::schema::{outcome, primitive};

/// Hears of operations. What it is told it must take in without blocking; it may panic, which goes on in the task, and
/// leaves the primitive whole.
///
/// Calls about one operation come in order: [`granted`](Self::granted), or [`refused`](Self::refused), or
/// [`waiting`](Self::waiting) and then [`resumed`](Self::resumed); [`released`](Self::released) last, from whichever thread
/// drops the guard. Where it was installed, or the level changed, between the two, one of a pair may be missing.
pub trait Probe: Send + Sync {
    /// Monotonic nanoseconds since any moment. Called at the end of a wait and around a hold.
    fn now_ns(&self) -> u64;

    /// An acquisition was granted without a wait, at `now_ns`.
    fn granted(&self, operation: &Operation, now_ns: u64);

    /// An acquisition ended without a wait and without a grant.
    fn refused(&self, operation: &Operation, outcome: Outcome);

    /// An acquisition has joined the queue, behind `ahead` others, at `now_ns`.
    fn waiting(&self, operation: &Operation, ahead: usize, now_ns: u64);

    /// A wait is over.
    fn resumed(&self, wait: &Resumed);

    /// A guard or permit is given back.
    fn released(&self, release: &Released);

    /// A call let waiters go, or not, without having held anything.
    fn called(&self, call: &Called);

    /// A waiter of a mutex or of permits was given what it asks for, and its task is about to be woken. Comes between
    /// [`waiting`](Self::waiting) and [`resumed`](Self::resumed), told by whoever gave it, seldom twice; one that overtakes
    /// either of the two means nothing.
    ///
    /// Until the task is polled, it keeps what it was given from everybody else.
    fn handed(&self, _handed: &Handed) {}

    /// The waiter of a condition was notified at `now_ns`: from now on it waits for the lock, at the end of its queue.
    /// Comes as [`handed`](Self::handed) does, and not before it where the lock was free.
    fn notified(&self, _op: u64, _now_ns: u64) {}
}

/// Who asks what of whom.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Operation {
    /// What the object is.
    pub kind: Kind,
    /// Given by `with_name`; empty when there is none.
    pub name: &'static str,
    /// The object, unique in the process while it lives.
    pub id: u64,
    /// The line that made the object.
    pub made_at: &'static Location<'static>,
    /// The line that asks.
    pub site: &'static Location<'static>,
    /// The operation, unique in the process.
    pub op: u64,
    /// The task, told by its waker; 0 where it is not known.
    pub task: u64,
    /// Permits asked for.
    pub permits: u32,
    /// Whether what is acquired is an owned guard or permit, which its task may give to another.
    pub owned: bool,
    /// Of a condition's wait, the mutex that it takes again, as [`id`](Self::id); otherwise 0.
    pub lock: u64,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Resumed {
    /// The operation.
    pub op: u64,
    /// How.
    pub outcome: Outcome,
    /// Nanoseconds from joining the queue to the grant.
    pub queued_ns: u64,
    /// Nanoseconds from the grant until the task resumed.
    pub wake_ns: u64,
    /// When it ended, by the probe's clock.
    pub now_ns: u64,
    /// Whether every call was watched when it began, so that a release will be told of what is held.
    pub every_call: bool,
}

/// A waiter that was given what it asks for, and does not know it yet.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Handed {
    /// The operation that waits.
    pub op: u64,
    /// The operation that gave it back; 0 where that was not watched, or is none.
    pub by: u64,
    /// The task of that one; 0 where it is not known.
    pub by_task: u64,
    /// When, by the probe's clock.
    pub now_ns: u64,
}

/// A guard or permit that is given back.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Released {
    /// What the object is.
    pub kind: Kind,
    /// The object.
    pub id: u64,
    /// The operation that acquired; 0 where that was not watched.
    pub op: u64,
    /// The task that acquired; 0 where it is not known.
    pub task: u64,
    /// Nanoseconds that it was held; 0 where the beginning was not watched.
    pub held_ns: u64,
    /// When it is given back, by the probe's clock.
    pub now_ns: u64,
}

/// A call that holds nothing.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Called {
    /// Which: a name of [`schema::span`](crate::schema::span).
    pub name: &'static str,
    /// What the object is.
    pub kind: Kind,
    /// The object.
    pub id: u64,
    /// The task that calls; 0 where it is not known.
    pub task: u64,
    /// Waiters that it let go.
    pub woken: usize,
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// [`Mutex`](crate::Mutex).
    Mutex,
    /// [`Condition`](crate::Condition).
    Condition,
    /// [`Semaphore`](crate::Semaphore) and [`BoundedSemaphore`](crate::BoundedSemaphore).
    Semaphore,
    /// [`Event`](crate::Event).
    Event,
    /// [`Barrier`](crate::Barrier).
    Barrier,
}

impl Kind {
    /// Its name in [`schema::primitive`](crate::schema::primitive).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mutex => primitive::MUTEX,
            Self::Condition => primitive::CONDITION,
            Self::Semaphore => primitive::SEMAPHORE,
            Self::Event => primitive::EVENT,
            Self::Barrier => primitive::BARRIER,
        }
    }
}

/// How an acquisition ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It got what it asked for.
    Granted,
    /// Its future was dropped before it was ready.
    Cancelled,
    /// The primitive was closed, or broken.
    Closed,
    /// A `try_` call found nothing to take.
    Refused,
}

impl Outcome {
    /// Its name in [`schema::outcome`](crate::schema::outcome).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Granted => outcome::GRANTED,
            Self::Cancelled => outcome::CANCELLED,
            Self::Closed => outcome::CLOSED,
            Self::Refused => outcome::REFUSED,
        }
    }
}

/// A probe, and the one before it, which so stays within reach for as long as the process lives.
pub(crate) struct Installed {
    #[cfg_attr(
        not(feature = "tracing"),
        expect(dead_code, reason = "only operations that are watched read it")
    )]
    pub(crate) probe: &'static dyn Probe,
    _before: Option<&'static Installed>,
}

/// Invariant P1: null, or from `Box::leak`, so that what it points to never goes.
pub(crate) static INSTALLED: AtomicPtr<Installed> = AtomicPtr::new(ptr::null_mut());

/// What is added to a probe's clock, so that it goes on where the clock before it stood.
pub(crate) static AHEAD_NS: AtomicU64 = AtomicU64::new(0);

/// Has `probe` hear of operations from now on, in place of the one before, if there was one.
///
/// A few bytes are never freed for each call, so that operations under way may still speak to the one that was
/// replaced.
///
/// # Examples
///
/// ```
/// use sync::probe::{self, Called, Operation, Outcome, Probe, Released, Resumed};
///
/// /// Prints what holds for long.
/// struct LongHolds(std::time::Instant);
///
/// impl Probe for LongHolds {
///     fn now_ns(&self) -> u64 {
///         self.0.elapsed().as_nanos() as u64
///     }
///     fn released(&self, release: &Released) {
///         if release.held_ns > 1_000_000_000 {
///             println!("{} {} was held for {} ns", release.kind.name(), release.id, release.held_ns);
///         }
///     }
///     fn granted(&self, _: &Operation, _: u64) {}
///     fn refused(&self, _: &Operation, _: Outcome) {}
///     fn waiting(&self, _: &Operation, _: usize, _: u64) {}
///     fn resumed(&self, _: &Resumed) {}
///     fn called(&self, _: &Called) {}
/// }
///
/// probe::install(Box::leak(Box::new(LongHolds(std::time::Instant::now()))));
/// ```
pub fn install(probe: &'static dyn Probe) {
    let ahead_ns = crate::trace::clock_ns().wrapping_sub(probe.now_ns());
    // Ordering: Relaxed, published by the store below.
    AHEAD_NS.store(ahead_ns, Ordering::Relaxed);
    let mut before = INSTALLED.load(Ordering::Acquire);
    loop {
        // SAFETY: P1.
        let _before = unsafe { before.as_ref() };
        let installed = Box::leak(Box::new(Installed { probe, _before }));
        // Ordering: Release pairs with the Acquire in `installed`; who sees the probe sees what it is made of. Acquire where
        // another came first: it is looked at above.
        match INSTALLED.compare_exchange(before, installed, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return,
            Err(seen) => before = seen,
        }
    }
}
