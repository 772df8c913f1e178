//! What [`trace`](super) is with the feature: names, ids, clock and spans.

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::panic::Location;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::Waker;
use std::time::Instant;

use tracing::field::Empty;
use tracing::{Level, Span, level_enabled, span};

use super::{Object, Request};
use crate::schema;

/// Who an object is: where it was made, what it is called, and a number. 24 bytes on a 64-bit machine.
pub(crate) struct Label {
    made_at: &'static Location<'static>,
    /// Invariant L1: `name` and `name_len` are the parts of a `&'static str`.
    name: *const u8,
    name_len: u32,
    /// Zero until a span first asks for it. A `u32` keeps a lock small; after 2^32 watched objects numbers repeat.
    id: AtomicU32,
}

// SAFETY: L1: the pointer is a shared reference to static text.
unsafe impl Send for Label {}
// SAFETY: as above.
unsafe impl Sync for Label {}

impl Label {
    #[track_caller]
    pub(crate) const fn new() -> Self {
        Self { made_at: Location::caller(), name: "".as_ptr(), name_len: 0, id: AtomicU32::new(0) }
    }

    /// A name past 4 GiB is not kept.
    pub(crate) const fn set_name(&mut self, name: &'static str) {
        if name.len() <= u32::MAX as usize {
            self.name = name.as_ptr();
            self.name_len = name.len() as u32;
        }
    }

    fn name(&self) -> &'static str {
        // SAFETY: L1.
        unsafe {
            std::str::from_utf8_unchecked(std::slice::from_raw_parts(self.name, self.name_len as usize))
        }
    }

    fn id(&self) -> u64 {
        // Ordering: Relaxed, a number that guards nothing; the exchange settles which one it is.
        let id = self.id.load(Ordering::Relaxed);
        u64::from(if id == 0 { self.assign_id() } else { id })
    }

    #[cold]
    fn assign_id(&self) -> u32 {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        // Ordering: Relaxed, as in `id`. Zero means none, so it is passed over when the numbers wrap.
        let fresh = loop {
            let id = NEXT.fetch_add(1, Ordering::Relaxed);
            if id != 0 {
                break id;
            }
        };
        match self.id.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => fresh,
            Err(other) => other,
        }
    }
}

/// The line that asked.
#[derive(Clone, Copy)]
pub(crate) struct Site(&'static Location<'static>);

impl Site {
    #[track_caller]
    #[inline(always)]
    pub(crate) const fn here() -> Self {
        Self(Location::caller())
    }
}

/// Nanoseconds since the first stamp of the process; zero when nobody was watching.
#[derive(Clone, Copy)]
pub(crate) struct Stamp(u64);

impl Stamp {
    pub(crate) const NONE: Self = Self(0);

    /// The time, if anybody watches waits: one relaxed load otherwise.
    #[inline]
    pub(crate) fn if_waits_are_watched() -> Self {
        if is_watched() { Self::now() } else { Self::NONE }
    }

    #[cold]
    fn now() -> Self {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        let since = Instant::now().saturating_duration_since(*ORIGIN.get_or_init(Instant::now));
        Self(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX).max(1))
    }

    /// Nanoseconds from `earlier` until now; zero where either was not taken.
    fn since(self, earlier: Self) -> u64 {
        if self.0 == 0 || earlier.0 == 0 { 0 } else { self.0.saturating_sub(earlier.0) }
    }
}

/// Whether anybody wants a span of every call: one relaxed load.
#[inline(always)]
pub(crate) fn is_verbose() -> bool {
    level_enabled!(Level::TRACE)
}

/// Whether anybody wants a span of every wait: one relaxed load.
#[inline(always)]
pub(crate) fn is_watched() -> bool {
    level_enabled!(Level::DEBUG)
}

/// A number for an operation. Drawn in blocks, so that threads do not share a cache line for it.
fn next_op() -> u64 {
    const BLOCK: u64 = 1024;
    static NEXT_BLOCK: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static NEXT: Cell<u64> = const { Cell::new(0) };
    }
    let draw = || {
        // Ordering: Relaxed, only uniqueness counts.
        NEXT_BLOCK.fetch_add(1, Ordering::Relaxed) * BLOCK
    };
    // A guard may be dropped by a destructor of another thread-local, when ours is gone already.
    NEXT.try_with(|next| {
        let op = if next.get().is_multiple_of(BLOCK) { draw() } else { next.get() };
        next.set(op + 1);
        op
    })
    .unwrap_or_else(|_| draw())
}

/// The task behind a waker: the address of whatever the executor hangs its wakers on.
fn task(waker: &Waker) -> u64 {
    waker.data().addr() as u64
}

/// One of the two spans that say who asks what of whom; they have the same fields.
macro_rules! request_span {
    ([$(parent: $parent:expr,)?] $level:expr, $name:expr, $request:expr, $op:expr, $task:expr $(, $extra:ident = $value:expr)*) => {
        span!(
            target: schema::TARGET,
            $(parent: $parent,)?
            $level,
            $name,
            primitive = $request.object.kind.name(),
            name = $request.object.label.name(),
            id = $request.object.label.id(),
            op = $op,
            task = $task,
            permits = u64::from($request.permits),
            file = $request.site.0.file(),
            line = u64::from($request.site.0.line()),
            column = u64::from($request.site.0.column()),
            made_file = $request.object.label.made_at.file(),
            made_line = u64::from($request.object.label.made_at.line()),
            outcome = Empty,
            $($extra = $value,)*
        )
    };
}

/// An acquisition within its first poll, before it is known whether it has to wait.
pub(crate) struct Attempt {
    acquire: Span,
    op: u64,
    task: u64,
}

impl Attempt {
    /// Opens `acquire`, if anybody wants it.
    #[inline]
    pub(crate) fn begin(request: Request<'_>, waker: Option<&Waker>) -> Self {
        if is_verbose() { Self::open(request, waker) } else { Self { acquire: Span::none(), op: 0, task: 0 } }
    }

    #[cold]
    fn open(request: Request<'_>, waker: Option<&Waker>) -> Self {
        let op = next_op();
        let task = waker.map_or(0, task);
        Self { acquire: request_span!([] Level::TRACE, schema::span::ACQUIRE, request, op, task), op, task }
    }

    /// It was free.
    #[inline]
    pub(crate) fn granted(self) -> Hold {
        if self.acquire.is_disabled() { Hold::none() } else { Hold::begin(self.op, self.task, Stamp::now()) }
    }

    /// It was closed.
    pub(crate) fn closed(self) {
        self.acquire.record(schema::field::OUTCOME, schema::outcome::CLOSED);
    }

    /// It was a `try_`, and there was nothing to take.
    pub(crate) fn refused(self) {
        self.acquire.record(schema::field::OUTCOME, schema::outcome::REFUSED);
    }

    /// It joined the queue at `joined`, behind `ahead` others: opens `wait`, if anybody wants it.
    #[inline]
    pub(crate) fn queued(
        self,
        request: Request<'_>,
        waker: &Waker,
        joined: Stamp,
        ahead: usize,
    ) -> WaitSpans {
        if joined.0 == 0 && self.acquire.is_disabled() {
            WaitSpans::NONE
        } else {
            self.open_wait(request, waker, joined, ahead)
        }
    }

    #[cold]
    fn open_wait(self, request: Request<'_>, waker: &Waker, joined: Stamp, ahead: usize) -> WaitSpans {
        let (op, task) = if self.op == 0 { (next_op(), task(waker)) } else { (self.op, self.task) };
        let queue = ahead as u64;
        let wait = if self.acquire.is_disabled() {
            request_span!(
                [] Level::DEBUG,
                schema::span::WAIT,
                request,
                op,
                task,
                queue = queue,
                queued_ns = Empty,
                wake_ns = Empty
            )
        } else {
            request_span!(
                [parent: &self.acquire,] Level::DEBUG, schema::span::WAIT, request, op, task,
                queue = queue, queued_ns = Empty, wake_ns = Empty
            )
        };
        if wait.is_disabled() && self.acquire.is_disabled() {
            return WaitSpans::NONE;
        }
        WaitSpans(Some(Box::new(OpenWait { wait, acquire: self.acquire, op, task, joined })))
    }
}

/// The open spans of a wait that outlives a poll. Boxed, so that a future that nobody watches stays small.
pub(crate) struct WaitSpans(Option<Box<OpenWait>>);

/// `wait` stands before `acquire`, so that it closes first.
struct OpenWait {
    wait: Span,
    acquire: Span,
    op: u64,
    task: u64,
    joined: Stamp,
}

impl WaitSpans {
    pub(crate) const NONE: Self = Self(None);

    /// Whether nobody watches this wait.
    #[inline]
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// The task resumed with what it asked for, which it was given at `granted_at`.
    #[inline]
    pub(crate) fn granted(self, granted_at: Stamp) -> Hold {
        match self.0 {
            None => Hold::none(),
            Some(open) => open.granted(granted_at),
        }
    }

    /// The task resumed because there will be nothing to get.
    pub(crate) fn closed(self, granted_at: Stamp) {
        if let Some(open) = self.0 {
            open.end(schema::outcome::CLOSED, granted_at);
        }
    }

    /// The future was dropped; if it had been granted by then, at `granted_at`.
    pub(crate) fn cancelled(self, granted_at: Stamp) {
        if let Some(open) = self.0 {
            open.end(schema::outcome::CANCELLED, granted_at);
        }
    }
}

impl OpenWait {
    #[cold]
    fn granted(&self, granted_at: Stamp) -> Hold {
        let now = Stamp::now();
        self.record(schema::outcome::GRANTED, granted_at, now);
        // The hold begins where the wait ends: what the subscriber does meanwhile others wait for too.
        if self.acquire.is_disabled() { Hold::none() } else { Hold::begin(self.op, self.task, now) }
    }

    #[cold]
    fn end(&self, outcome: &'static str, granted_at: Stamp) {
        self.record(outcome, granted_at, Stamp::now());
        self.acquire.record(schema::field::OUTCOME, outcome);
    }

    fn record(&self, outcome: &'static str, granted_at: Stamp, now: Stamp) {
        if self.wait.is_disabled() {
            return;
        }
        // Who grants while nobody watches takes no stamp; then the whole wait counts as queued. Who does may have
        // looked at the clock just before the wait joined, so that the two parts would add up to more than the wait.
        let granted_at = if granted_at.0 == 0 { now } else { Stamp(granted_at.0.max(self.joined.0)) };
        self.wait.record(schema::field::OUTCOME, outcome);
        self.wait.record(schema::field::QUEUED_NS, granted_at.since(self.joined));
        self.wait.record(schema::field::WAKE_NS, now.since(granted_at));
    }
}

/// What a guard remembers of its acquisition. Only `op` is written when nobody watches.
#[derive(Clone, Copy)]
pub(crate) struct Hold {
    /// Zero: nobody watched. Invariant H1: `watched` is initialised unless this is zero.
    op: u64,
    watched: MaybeUninit<Watched>,
}

#[derive(Clone, Copy)]
struct Watched {
    task: u64,
    since: Stamp,
}

impl Hold {
    /// Of an acquisition that nobody watched. Not a constant: that would be copied whole, with what means nothing.
    #[inline(always)]
    pub(crate) fn none() -> Self {
        Self { op: 0, watched: MaybeUninit::uninit() }
    }

    fn begin(op: u64, task: u64, since: Stamp) -> Self {
        Self { op, watched: MaybeUninit::new(Watched { task, since }) }
    }

    fn watched(&self) -> Watched {
        if self.op == 0 {
            return Watched { task: 0, since: Stamp::NONE };
        }
        // SAFETY: H1.
        unsafe { self.watched.assume_init() }
    }

    /// The task that acquired; zero when unknown.
    pub(crate) fn task(&self) -> u64 {
        self.watched().task
    }
}

/// A release under way.
pub(crate) struct Release(Span);

impl Release {
    /// Opens `release`, if anybody wants it.
    #[inline]
    pub(crate) fn begin(object: Object<'_>, hold: &Hold) -> Self {
        if is_verbose() { Self::open(object, hold) } else { Self(Span::none()) }
    }

    #[cold]
    fn open(object: Object<'_>, hold: &Hold) -> Self {
        Self(span!(
            target: schema::TARGET,
            Level::TRACE,
            schema::span::RELEASE,
            primitive = object.kind.name(),
            name = object.label.name(),
            id = object.label.id(),
            op = hold.op,
            task = hold.task(),
            held_ns = Stamp::now().since(hold.watched().since),
            woken = Empty,
        ))
    }

    #[inline]
    pub(crate) fn finish(self, woken: usize) {
        self.0.record(schema::field::WOKEN, woken as u64);
    }
}

/// A call that lets waiters go without having held anything.
pub(crate) struct Call(Span);

macro_rules! call_span {
    ($name:expr, $object:expr, $task:expr) => {
        span!(
            target: schema::TARGET,
            Level::TRACE,
            $name,
            primitive = $object.kind.name(),
            name = $object.label.name(),
            id = $object.label.id(),
            task = $task,
            woken = Empty,
        )
    };
}

impl Call {
    #[inline]
    pub(crate) fn set(object: Object<'_>) -> Self {
        Self(if is_verbose() { call_span!(schema::span::SET, object, 0_u64) } else { Span::none() })
    }

    #[inline]
    pub(crate) fn clear(object: Object<'_>) -> Self {
        Self(if is_verbose() { call_span!(schema::span::CLEAR, object, 0_u64) } else { Span::none() })
    }

    #[inline]
    pub(crate) fn notify(object: Object<'_>, task: u64) -> Self {
        Self(if is_verbose() { call_span!(schema::span::NOTIFY, object, task) } else { Span::none() })
    }

    #[inline]
    pub(crate) fn finish(self, woken: usize) {
        self.0.record(schema::field::WOKEN, woken as u64);
    }
}
