//! What `tokio-console` is told, in the words of tokio's own primitives: the feature `console`.
//!
//! | there | here |
//! |---|---|
//! | span `runtime.resource` | an object, from its first operation that is watched to its drop |
//! | span `runtime.resource.async_op`, entered with a span `…poll` | a call that may wait, from its first poll to its end |
//! | event `runtime::resource::poll_op` | its first poll, and the one that ends it. Polls between them change nothing |
//! | event `runtime::resource::state_update` | what an object is like: its name, whether it is locked, permits, waiters |
//! | event `runtime::resource::async_op::state_update` | what a call asks, from which line, behind how many |
//!
//! The console goes by what a thread has entered: the task's span, which tokio enters, then resource, call and poll. So all
//! is told inside of these.
//!
//! The console's layer has room for 32 callsites of a kind, tokio's own included, so each event has one.
//!
//! The span of an object is kept beside it, in a table, so that objects are as small as without the feature. Its locks are held for
//! one look-up, and nothing foreign is called or dropped meanwhile: a subscriber may use these primitives.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::{Level, Span, event_enabled, trace, trace_span};

use super::label::Label;
use super::{Kind, Object};
use crate::probe::{Operation, Outcome};

/// Of the spans. Not that of the others, which a collector may keep from all of a stack.
const TARGET: &str = "sync::console";
const STATE: &str = "runtime::resource::state_update";
const CALL_STATE: &str = "runtime::resource::async_op::state_update";
const POLL: &str = "runtime::resource::poll_op";

/// Parts of the table, so that threads with different objects seldom meet.
const SHARDS: usize = 16;

type Shard = Mutex<BTreeMap<u64, Arc<Span>>>;

/// The spans of objects, by their numbers.
static RESOURCES: [Shard; SHARDS] = [const { Mutex::new(BTreeMap::new()) }; SHARDS];

fn shard(id: u64) -> MutexGuard<'static, BTreeMap<u64, Arc<Span>>> {
    RESOURCES[id as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether anybody listens to what the console listens to.
#[inline]
fn is_wanted() -> bool {
    event_enabled!(target: STATE, Level::TRACE)
}

fn known(id: u64) -> Option<Arc<Span>> {
    shard(id).get(&id).cloned()
}

/// The span of the object that an operation is about, made where there is none yet.
fn resource(operation: &Operation) -> Option<Arc<Span>> {
    if let Some(resource) = known(operation.id) {
        return Some(resource);
    }
    let made_at = operation.made_at;
    let span = trace_span!(
        target: TARGET,
        parent: None,
        "runtime.resource",
        concrete_type = type_name(operation.kind),
        kind = "Sync",
        loc.file = made_at.file(),
        loc.line = made_at.line(),
        loc.col = made_at.column(),
    );
    if span.is_disabled() {
        return None;
    }
    let span = Arc::new(span);
    let kept = Arc::clone(shard(operation.id).entry(operation.id).or_insert_with(|| Arc::clone(&span)));
    if !Arc::ptr_eq(&kept, &span) {
        // Somebody else was quicker.
        return Some(kept);
    }
    if !operation.name.is_empty() {
        span.in_scope(|| trace!(target: STATE, name = operation.name));
    }
    Some(span)
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Mutex => "sync::Mutex",
        Kind::Condition => "sync::Condition",
        Kind::Semaphore => "sync::Semaphore",
        Kind::Event => "sync::Event",
        Kind::Barrier => "sync::Barrier",
    }
}

/// What is called, by an operation.
fn source(operation: &Operation) -> &'static str {
    match (operation.kind, operation.owned) {
        (Kind::Mutex, false) => "Mutex::lock",
        (Kind::Mutex, true) => "Mutex::lock_owned",
        (Kind::Semaphore, false) => "Semaphore::acquire",
        (Kind::Semaphore, true) => "Semaphore::acquire_owned",
        (Kind::Condition, _) => "Condition::wait",
        (Kind::Event, _) => "Event::wait",
        (Kind::Barrier, _) => "Barrier::wait",
    }
}

/// An operation as the console knows it. Boxed, so that what carries it stays small.
pub(super) struct Op(Option<Box<Asked>>);

struct Asked {
    resource: Arc<Span>,
    /// None: it was a `try_`, which the console has no word for.
    call: Option<Call>,
    kind: Kind,
    permits: u64,
    site: &'static Location<'static>,
}

/// `poll` stands before `span`, so that it closes first.
struct Call {
    poll: Span,
    span: Span,
}

impl Op {
    pub(super) const NONE: Self = Self(None);

    /// An operation begins, which `may_wait` or is a `try_`.
    #[inline]
    pub(super) fn asked(operation: &Operation, may_wait: bool) -> Self {
        if is_wanted() { Self::open(operation, may_wait) } else { Self::NONE }
    }

    #[cold]
    fn open(operation: &Operation, may_wait: bool) -> Self {
        let Some(resource) = resource(operation) else { return Self::NONE };
        let call = may_wait.then(|| resource.in_scope(|| Call::open(operation)));
        let Operation { kind, permits, site, .. } = *operation;
        Self(Some(Box::new(Asked { resource, call, kind, permits: permits.into(), site })))
    }

    #[inline]
    pub(super) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Its first poll found that it has to wait, behind `ahead` others.
    pub(super) fn waits(&self, ahead: u64) {
        let Some(asked) = &self.0 else { return };
        asked.in_poll(|| {
            asked.tell_request();
            trace!(target: CALL_STATE, queue = ahead, queue.op = "override");
            polled(false);
        });
        asked.count_waiter("add");
    }

    /// Its first poll ended it, or it was a `try_`.
    pub(super) fn ended(&self, outcome: Outcome) {
        let Some(asked) = &self.0 else { return };
        asked.in_poll(|| {
            asked.tell_request();
            asked.tell_end(outcome);
        });
    }

    /// It is dropped, and what it had been given is back.
    pub(super) fn left(&self, available: impl FnOnce() -> usize) {
        if let Some(asked) = &self.0 {
            tell_left(&asked.resource, asked.kind, available());
        }
    }

    /// It has waited, and that is over.
    pub(super) fn resumed(&self, outcome: Outcome) {
        let Some(asked) = &self.0 else { return };
        if outcome != Outcome::Cancelled {
            asked.in_poll(|| asked.tell_end(outcome));
        }
        asked.count_waiter("sub");
    }
}

impl Call {
    /// Within the span of its resource. It is not entered before it is polled: the console counts that.
    fn open(operation: &Operation) -> Self {
        let span = trace_span!(target: TARGET, "runtime.resource.async_op", source = source(operation));
        let poll = trace_span!(target: TARGET, parent: &span, "runtime.resource.async_op.poll");
        Self { poll, span }
    }
}

impl Asked {
    /// Tells something from within a poll, where it is a call that is polled.
    fn in_poll(&self, tell: impl FnOnce()) {
        let Some(call) = &self.call else { return };
        let _resource = self.resource.enter();
        let _call = call.span.enter();
        let _poll = call.poll.enter();
        tell();
    }

    fn tell_request(&self) {
        trace!(target: CALL_STATE, permits_requested = self.permits, permits_requested.op = "override");
        trace!(target: CALL_STATE, line = %self.site);
    }

    fn tell_end(&self, outcome: Outcome) {
        if outcome == Outcome::Granted {
            trace!(target: CALL_STATE, permits_obtained = self.permits, permits_obtained.op = "override");
        }
        polled(true);
    }

    fn count_waiter(&self, change: &str) {
        self.resource.in_scope(|| trace!(target: STATE, waiters = 1_u64, waiters.op = change));
    }
}

fn polled(is_ready: bool) {
    trace!(target: POLL, op_name = "poll", is_ready = is_ready);
}

/// So many permits of an object are there now, or none of a mutex that is held.
#[inline]
pub(crate) fn left(object: Object<'_>, available: impl FnOnce() -> usize) {
    if !is_wanted() {
        return;
    }
    let Some(resource) = known(object.label.id()) else { return };
    tell_left(&resource, object.kind(), available());
}

fn tell_left(resource: &Span, kind: Kind, available: usize) {
    resource.in_scope(|| match kind {
        Kind::Mutex => trace!(target: STATE, locked = available == 0),
        _ => trace!(target: STATE, permits = available as u64, permits.op = "override"),
    });
}

/// An event was set or cleared, a barrier broken or mended.
#[inline]
pub(super) fn turned(object: Object<'_>, on: bool) {
    if !is_wanted() {
        return;
    }
    let Some(resource) = known(object.label.id()) else { return };
    resource.in_scope(|| match object.kind() {
        Kind::Barrier => trace!(target: STATE, broken = on),
        _ => trace!(target: STATE, set = on),
    });
}

impl Drop for Label {
    #[inline]
    fn drop(&mut self) {
        // Ordering: Relaxed; who drops the object has it to itself.
        let id = u64::from(self.id.load(Ordering::Relaxed));
        if id != 0 {
            // Dropped when the table is free again: its close may do anything.
            let resource = shard(id).remove(&id);
            drop(resource);
        }
    }
}
