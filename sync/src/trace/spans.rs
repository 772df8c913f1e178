//! What [`trace`](super) is with the feature: spans, and what a probe is told.
//!
//! Each of the two is asked for itself: a span is made where a subscriber wants it, a probe is told where one is
//! installed. Where neither is, nothing is looked at but the level.

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

use tracing::field::Empty;
use tracing::{Level, Span, level_enabled, span};

use super::console::{self, Op};
use super::probed::installed;
use super::stamp::Stamp;
use super::{By, Given, Number, Object, Request};
use crate::probe::{Called, Operation, Outcome, Probe, Released, Resumed};
use crate::schema;

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
pub(super) fn next_op() -> u64 {
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

/// What spans and probe are told of a request.
fn describe(request: Request<'_>, op: u64, task: u64) -> Operation {
    let label = request.object.label;
    Operation {
        kind: request.object.kind(),
        name: label.name(),
        id: label.id(),
        made_at: label.made_at,
        site: request.site.0,
        op,
        task,
        permits: request.permits,
        owned: request.object.is_owned(),
        lock: request.lock.map_or(0, |lock| lock.label.id()),
    }
}

/// One of the two spans that say who asks what of whom; they have the same fields.
macro_rules! request_span {
    ([$(parent: $parent:expr,)?] $level:expr, $name:expr, $operation:expr $(, $extra:ident = $value:expr)*) => {
        span!(
            target: schema::TARGET,
            $(parent: $parent,)?
            $level,
            $name,
            primitive = $operation.kind.name(),
            name = $operation.name,
            id = $operation.id,
            op = $operation.op,
            task = $operation.task,
            permits = u64::from($operation.permits),
            file = $operation.site.file(),
            line = u64::from($operation.site.line()),
            column = u64::from($operation.site.column()),
            made_file = $operation.made_at.file(),
            made_line = u64::from($operation.made_at.line()),
            outcome = Empty,
            $($extra = $value,)*
        )
    };
}

/// An acquisition within its first poll, before it is known whether it has to wait.
pub(crate) struct Attempt {
    acquire: Span,
    console: Op,
    /// None: nobody wants to know of every call.
    operation: Option<Operation>,
}

impl Attempt {
    /// Opens `acquire`, if anybody wants it.
    #[inline]
    pub(crate) fn begin(request: Request<'_>, waker: Option<&Waker>) -> Self {
        if is_verbose() {
            Self::open(request, waker)
        } else {
            Self { acquire: Span::none(), console: Op::NONE, operation: None }
        }
    }

    #[cold]
    fn open(request: Request<'_>, waker: Option<&Waker>) -> Self {
        let operation = describe(request, next_op(), waker.map_or(0, task));
        let console = Op::asked(&operation, waker.is_some());
        let acquire = request_span!([] Level::TRACE, schema::span::ACQUIRE, operation);
        let heard = !acquire.is_disabled() || !console.is_none() || installed().is_some();
        Self { acquire, console, operation: heard.then_some(operation) }
    }

    /// It was free.
    #[inline]
    pub(crate) fn granted(self) -> Hold {
        let Some(operation) = &self.operation else { return Hold::none() };
        self.console.ended(Outcome::Granted);
        let now = match installed() {
            Some(probe) => {
                let now = Stamp::by(probe);
                probe.granted(operation, now.by_probe());
                now
            }
            None => Stamp::now(),
        };
        Hold::begin(operation.op, operation.task, now)
    }

    /// It was closed.
    pub(crate) fn closed(self) {
        self.ended(Outcome::Closed);
    }

    /// It was a `try_`, and there was nothing to take.
    pub(crate) fn refused(self) {
        self.ended(Outcome::Refused);
    }

    fn ended(self, outcome: Outcome) {
        if let (Some(operation), Some(probe)) = (&self.operation, installed()) {
            probe.refused(operation, outcome);
        }
        self.console.ended(outcome);
        self.acquire.record(schema::field::OUTCOME, outcome.name());
    }

    /// Its number, for the node of a waiter that is about to join a queue, at `joined`; none where nobody watches.
    pub(crate) fn number(&self, joined: Stamp) -> Number {
        Number::of(self.operation.map(|operation| operation.op), joined)
    }

    /// It joined the queue at `joined` under its `number`, behind `ahead` others: opens `wait`, if anybody wants it.
    #[inline]
    pub(crate) fn queued(
        self,
        request: Request<'_>,
        waker: &Waker,
        joined: Stamp,
        (number, ahead): (Number, usize),
    ) -> WaitSpans {
        match number.op() {
            None => WaitSpans::NONE,
            Some(op) => self.open_wait(request, waker, joined, (op, ahead)),
        }
    }

    #[cold]
    fn open_wait(
        self,
        request: Request<'_>,
        waker: &Waker,
        joined: Stamp,
        (op, ahead): (u64, usize),
    ) -> WaitSpans {
        let every_call = self.operation.is_some();
        let operation = self.operation.unwrap_or_else(|| describe(request, op, task(waker)));
        let queue = ahead as u64;
        let wait = if self.acquire.is_disabled() {
            request_span!(
                [] Level::DEBUG, schema::span::WAIT, operation,
                queue = queue, queued_ns = Empty, wake_ns = Empty
            )
        } else {
            request_span!(
                [parent: &self.acquire,] Level::DEBUG, schema::span::WAIT, operation,
                queue = queue, queued_ns = Empty, wake_ns = Empty
            )
        };
        let probe = installed();
        let console = self.console;
        if wait.is_disabled() && self.acquire.is_disabled() && console.is_none() && probe.is_none() {
            return WaitSpans::NONE;
        }
        console.waits(queue);
        if let Some(probe) = probe {
            probe.waiting(&operation, ahead, joined.by_probe());
        }
        let Operation { op, task, .. } = operation;
        let acquire = self.acquire;
        WaitSpans(Some(Box::new(OpenWait { wait, acquire, console, op, task, joined, every_call })))
    }
}

/// The open spans of a wait that outlives a poll. Boxed, so that a future that nobody watches stays small.
pub(crate) struct WaitSpans(Option<Box<OpenWait>>);

/// `wait` stands before `acquire`, so that it closes first.
struct OpenWait {
    wait: Span,
    acquire: Span,
    console: Op,
    op: u64,
    task: u64,
    joined: Stamp,
    /// Whether somebody wants to know of every call, and so of the hold that follows.
    every_call: bool,
}

impl WaitSpans {
    pub(crate) const NONE: Self = Self(None);

    /// Whether nobody watches this wait.
    #[inline]
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// It was given what it asks for by the time that the probe heard of it, or without having joined a queue: who gave
    /// may have told before the wait was known.
    pub(crate) fn handed(&self, granted_at: Stamp) {
        if let Some(open) = &self.0 {
            let mut given = Given::new(By::CALL, granted_at);
            given.note(Number::of(Some(open.op), granted_at));
            given.tell();
        }
    }

    /// What it was given has gone back, since its future is dropped: so many permits are there now.
    #[inline]
    pub(crate) fn left(&self, available: impl FnOnce() -> usize) {
        if let Some(open) = &self.0 {
            open.console.left(available);
        }
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
            open.end(Outcome::Closed, granted_at);
        }
    }

    /// The future was dropped; if it had been granted by then, at `granted_at`.
    pub(crate) fn cancelled(self, granted_at: Stamp) {
        if let Some(open) = self.0 {
            open.end(Outcome::Cancelled, granted_at);
        }
    }
}

impl OpenWait {
    #[cold]
    fn granted(&self, granted_at: Stamp) -> Hold {
        let now = Stamp::now();
        self.tell(Outcome::Granted, granted_at, now);
        // The hold begins where the wait ends: what the subscriber does meanwhile others wait for too.
        if self.every_call { Hold::begin(self.op, self.task, now) } else { Hold::none() }
    }

    #[cold]
    fn end(&self, outcome: Outcome, granted_at: Stamp) {
        self.tell(outcome, granted_at, Stamp::now());
        self.acquire.record(schema::field::OUTCOME, outcome.name());
    }

    fn tell(&self, outcome: Outcome, granted_at: Stamp, now: Stamp) {
        // Who grants while nobody watches takes no stamp; then the whole wait counts as queued. Who does may have
        // looked at the clock just before the wait joined, so that the two parts would add up to more than the wait.
        let granted_at = if granted_at.is_taken() { granted_at.max(self.joined) } else { now };
        let (queued_ns, wake_ns) = (granted_at.since(self.joined), now.since(granted_at));
        if let Some(probe) = installed() {
            probe.resumed(&Resumed {
                op: self.op,
                outcome,
                queued_ns,
                wake_ns,
                now_ns: now.by_probe(),
                every_call: self.every_call,
            });
        }
        self.console.resumed(outcome);
        if !self.wait.is_disabled() {
            self.wait.record(schema::field::OUTCOME, outcome.name());
            self.wait.record(schema::field::QUEUED_NS, queued_ns);
            self.wait.record(schema::field::WAKE_NS, wake_ns);
        }
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

    /// The operation that acquired; zero when nobody watched.
    pub(super) fn op(&self) -> u64 {
        self.op
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
        if let Some(probe) = installed() {
            tell_release(probe, object, hold);
        }
        Self(span!(
            target: schema::TARGET,
            Level::TRACE,
            schema::span::RELEASE,
            primitive = object.kind().name(),
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
        finish(&self.0, woken);
    }
}

fn tell_release(probe: &dyn Probe, object: Object<'_>, hold: &Hold) {
    let (now, Watched { task, since }) = (Stamp::by(probe), hold.watched());
    probe.released(&Released {
        kind: object.kind(),
        id: object.label.id(),
        op: hold.op,
        task,
        held_ns: now.since(since),
        now_ns: now.by_probe(),
    });
}

/// Asked first, since a span that is off looks its field up by name all the same.
#[inline]
fn finish(span: &Span, woken: usize) {
    if !span.is_disabled() {
        span.record(schema::field::WOKEN, woken as u64);
    }
}

/// A call that lets waiters go without having held anything.
pub(crate) struct Call<'a> {
    span: Span,
    /// None: nobody wants to know of every call.
    told: Option<Told<'a>>,
}

/// What a probe is told when the call is over.
struct Told<'a> {
    name: &'static str,
    object: Object<'a>,
    task: u64,
}

macro_rules! call_span {
    ($name:expr, $object:expr, $task:expr) => {
        if is_verbose() {
            let span = span!(
                target: schema::TARGET,
                Level::TRACE,
                $name,
                primitive = $object.kind().name(),
                name = $object.label.name(),
                id = $object.label.id(),
                task = $task,
                woken = Empty,
            );
            Self { span, told: Some(Told { name: $name, object: $object, task: $task }) }
        } else {
            Self { span: Span::none(), told: None }
        }
    };
}

impl<'a> Call<'a> {
    #[inline]
    pub(crate) fn set(object: Object<'a>) -> Self {
        if is_verbose() {
            console::turned(object, true);
        }
        call_span!(schema::span::SET, object, 0_u64)
    }

    #[inline]
    pub(crate) fn clear(object: Object<'a>) -> Self {
        if is_verbose() {
            console::turned(object, false);
        }
        call_span!(schema::span::CLEAR, object, 0_u64)
    }

    #[inline]
    pub(crate) fn notify(object: Object<'a>, task: u64) -> Self {
        call_span!(schema::span::NOTIFY, object, task)
    }

    #[inline]
    pub(crate) fn finish(self, woken: usize) {
        if let (Some(Told { name, object, task }), Some(probe)) = (self.told, installed()) {
            probe.called(&Called { name, kind: object.kind(), id: object.label.id(), task, woken });
        }
        finish(&self.span, woken);
    }
}
