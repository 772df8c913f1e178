//! The collector: listens to the spans of `sync` and keeps what a snapshot tells.
//!
//! ```text
//! layer ─▶ spans ───┬▶ intake ─┬▶ rows (sites, figures, histograms)   grows up to its bound, in stripes, read without a lock
//! heard ────────────┤          ├▶ objects                             which row an object belongs to
//! tokio_resources ──┘          ├▶ in_flight, operations               what waits and what holds
//!                              └▶ queues                              how much of the waiting each hold is charged
//! report ◀── all of them
//! past ◀── timeline ◀── the ends of waits and holds, while somebody wants them
//! alerts, graph ◀── scene ◀── operations              who waits for whom, and what looks wrong in it
//! ```
//! It never blocks for longer than a look-up, never panics, and takes no more than [`limits`] allow.
//! It uses the standard library's locks alone: an instrumented primitive would call the collector back.

mod alerts;
mod budget;
mod clock;
mod cost;
mod counter;
mod fields;
mod figures;
mod graph;
mod hash;
mod heard;
mod histogram;
mod in_flight;
mod intake;
mod layer;
mod level;
mod limits;
mod listener;
mod objects;
mod operations;
mod past;
mod queues;
mod report;
mod rows;
mod scene;
mod sites;
mod spans;
mod timeline;
mod tokio_resources;
mod waits_for;
mod worst;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use tracing::{Dispatch, Subscriber};
use tracing_core::LevelFilter;
use tracing_core::dispatcher::{self, WeakDispatch};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::registry::LookupSpan;

pub use self::alerts::Thresholds;
use self::alerts::{Ledger, Look};
use self::heard::Heard;
use self::intake::Intake;
pub use self::layer::Switch;
pub use self::level::{Level, UnknownLevel};
pub(crate) use self::limits::DURATION_MAX_NS;
pub use self::listener::Listener;
use self::tokio_resources::Resources;
pub use self::tokio_resources::{TokioResources, TokioSwitch};
use crate::snapshot::{RecordingSnapshot, Snapshot, Timeline, WaitsFor};

/// Listens to the spans of `sync` and tells what they say.
///
/// Clones are handles of the same collector: give one to the subscriber, keep another to ask.
///
/// # In a stack of layers
///
/// [`Collector::layer`] is the way that is right in any stack: it sees the spans of `sync` alone, hides nothing
/// from other layers, asks for nothing of other targets, and costs nothing while switched off. It needs a
/// [`Registry`](tracing_subscriber::Registry) at the bottom of the stack.
///
/// The collector is also a [`Layer`] itself, over any subscriber. A plain layer can say no only for all layers
/// of its stack at once, so it hardly ever does:
/// - It never disables a span or event for others; as it has to ask for everything, spans of other
///   targets are made too, even if nobody else wants them.
/// - Standing directly on a `Registry` it takes itself for the only layer: switched off, it gives the level
///   hint OFF. A layer put on top of it should then have a hint (an `EnvFilter` or a `LevelFilter` has one), or it
///   is silenced as well; in doubt put the collector last, or use [`Collector::layer`].
/// - Standing on anything else it has no opinion when switched off. Other layers go on as if it were not there, and
///   the spans of `sync` are made if these want them or have not said that they do not.
///
/// A global filter such as an `EnvFilter` on the same stack must let the target `sync` through.
///
/// # Levels
///
/// The collector asks for what its [`Level`] says, at first TRACE: every acquisition, and holders. At [`Level::Waits`], or under a
/// filter that passes DEBUG alone, it sees the waits: acquisitions are then those that waited, and holders are not known.
///
/// # Which way
///
/// | | [`listener`](Self::listener) | [listener with spans](Listener::with_spans) | layer |
/// |---|---|---|---|
/// | spans of `sync` in a log or a trace | no | yes | yes |
/// | costs a free lock and unlock at TRACE | least | the `Registry`'s two spans, and the same | those, and twice as much as that |
/// | hears | of the whole process | of the whole process | of its own stack |
/// | of a process | the latest alone | the latest alone | as many as there are |
///
/// All tell the same figures of the same program.
///
/// # Examples
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// let collector = dashboard::Collector::new();
/// let subscriber = tracing_subscriber::registry().with(collector.layer());
/// tracing::subscriber::with_default(subscriber, || {
///     // A program that uses `sync`.
/// });
/// assert_eq!(collector.snapshot().waits, []);
/// ```
#[derive(Clone, Debug)]
pub struct Collector {
    core: Arc<Core>,
    /// Whether this handle is a layer directly on a registry.
    stands_on_registry: bool,
}

/// What the handles share.
#[derive(Debug)]
struct Core {
    intake: Intake,
    started: Instant,
    /// Listeners that live: while there are any, it hears of operations without spans.
    listeners: AtomicUsize,
    /// Made when it first listens.
    ear: OnceLock<&'static Heard>,
    /// What it wants to know while it is on.
    level_when_on: Mutex<Level>,
    /// The subscriber that this collector is part of, the latest if there are several.
    dispatch: Mutex<Option<WeakDispatch>>,
    alerts: Mutex<Ledger>,
    /// What is known of `tokio::sync`. Made when it is asked for.
    tokio: OnceLock<Resources>,
    /// How a recording of it to a folder stands.
    recording: Mutex<Option<RecordingSnapshot>>,
}

impl Collector {
    /// Makes a collector that is switched on.
    #[must_use]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // Ordering: Relaxed, only uniqueness counts.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let core = Core {
            intake: Intake::new(number),
            started: Instant::now(),
            listeners: AtomicUsize::new(0),
            ear: OnceLock::new(),
            level_when_on: Mutex::new(Level::Calls),
            dispatch: Mutex::new(None),
            alerts: Mutex::default(),
            tokio: OnceLock::new(),
            recording: Mutex::default(),
        };
        Self { core: Arc::new(core), stands_on_registry: false }
    }

    /// This collector as a layer with a filter of its own, for a stack that other layers share.
    pub fn layer<S>(&self) -> Filtered<Self, Switch, S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        self.clone().with_filter(Switch(Arc::clone(&self.core)))
    }

    /// This collector as a layer that hears of `sync` without spans, which costs a fraction of what they do.
    ///
    /// Put it on top of whatever stack the program has, or on a bare
    /// [`Registry`](tracing_subscriber::Registry). The spans of `sync` are then made for nobody in this stack, since a no of one
    /// layer is one of all; who wants them in a log or a trace adds [`with_spans`](Listener::with_spans). Spans and events of
    /// others pass as they are.
    ///
    /// A process has one listening collector: the latest. Spans of the same collector's [`layer`](Self::layer) are left out
    /// while it listens, so that nothing counts twice. It listens from now on, wherever and whenever the listener is put, until that is
    /// dropped; who installs it late has missed what was before, and nothing else. A collector that has listened is never freed.
    ///
    /// # Examples
    ///
    /// ```
    /// use tracing_subscriber::prelude::*;
    ///
    /// let collector = dashboard::Collector::new();
    /// tracing_subscriber::registry().with(collector.listener()).init();
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mutex = sync::Mutex::new(0).with_name("counter");
    /// *mutex.lock().await += 1;
    /// # });
    /// assert_eq!(collector.snapshot().primitives[0].acquisitions, 1);
    /// ```
    #[must_use]
    pub fn listener(&self) -> Listener {
        let listener = self.listener_to_be();
        self.listen();
        listener
    }

    /// A listener that hears nothing before [`listen`](Self::listen): for who does not know yet whether it will be installed.
    pub(crate) fn listener_to_be(&self) -> Listener {
        Listener::new(Arc::clone(&self.core))
    }

    /// Has the primitives tell this collector, in place of any other.
    pub(crate) fn listen(&self) {
        // What is told may outlive every handle: the primitives keep the ear for good, one for each collector.
        let ear = self.core.ear.get_or_init(|| Box::leak(Box::new(Heard(Arc::clone(&self.core)))));
        sync::probe::install(*ear);
    }

    /// Switches the collector on or off, while the program runs.
    ///
    /// Off is [`Level::Off`], and on the level that it had before. Off, nothing is taken in and what was under way is forgotten; the
    /// figures stay. A span that was opened before and is closed after a switch is left out. What the stack as a whole then wants
    /// of the primitives is said [above](Collector#in-a-stack-of-layers); the callsites are told, so a primitive that nobody
    /// watches pays one relaxed load a call.
    pub fn set_enabled(&self, enabled: bool) {
        self.core.switch(|when_on| if enabled { when_on } else { Level::Off });
    }

    /// Whether the collector is switched on.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.core.intake.is_enabled()
    }

    /// Says how much the collector wants to know, while the program runs.
    ///
    /// From [`Level::Calls`] down to [`Level::Waits`] it forgets who holds, since it will not hear of the release;
    /// who waits stays. [`Level::Off`] is what [`set_enabled`](Self::set_enabled) says of it.
    pub fn set_level(&self, level: Level) {
        self.core.switch(|_| level);
    }

    /// How much the collector wants to know.
    #[must_use]
    pub fn level(&self) -> Level {
        self.core.level()
    }

    /// What was seen until now. May be asked at any time, from any thread.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = report::snapshot(&self.core.intake, self.core.started.elapsed().as_secs_f64());
        snapshot.overhead.memory_bytes += self.core.tokio.get().map_or(0, Resources::memory_bytes) as u64;
        let look = self.look();
        snapshot.waits_for = self.graph_of(&look, Snapshot::GRAPH_LIMIT);
        self.core.ledger().write(&mut snapshot);
        snapshot.recording = self.core.recording.lock().unwrap_or_else(PoisonError::into_inner).clone();
        snapshot
    }

    /// Who waits for whom at this moment: the same as [`Snapshot::waits_for`], with more of it.
    #[must_use]
    pub fn waits_for(&self) -> WaitsFor {
        self.graph_of(&self.look(), limits::GRAPH_WAITS)
    }

    /// Switches the timeline on, which begins anew, or off, which keeps what it has. It is off at first.
    ///
    /// On, the collector keeps finished waits and holds with their times, the latest 65,536 or some more, in 6 MiB, at some 110
    /// instructions each. Figures and snapshots are as they are without it.
    pub fn set_timeline(&self, on: bool) {
        self.core.intake.timeline.set(on);
    }

    /// What the timeline has, whether it still goes on or not.
    #[must_use]
    pub fn timeline(&self) -> Timeline {
        past::timeline(&self.core.intake)
    }

    /// Whether the timeline is on.
    #[must_use]
    pub fn has_timeline(&self) -> bool {
        self.core.intake.timeline.is_on()
    }

    /// Sets from when on something is an alert.
    pub fn set_thresholds(&self, thresholds: Thresholds) {
        self.core.ledger().thresholds = thresholds;
    }

    /// From when on something is an alert.
    #[must_use]
    pub fn thresholds(&self) -> Thresholds {
        self.core.ledger().thresholds
    }

    /// Looks whether something is wrong, and tells of what is new as events of the target `dashboard`: at WARN of alerts that
    /// are raised, at INFO of those that have ended.
    ///
    /// Every snapshot does, and a server once a second. A program that has neither calls this now and then, from
    /// anywhere but the tasks that may be stuck.
    pub fn check(&self) {
        self.look();
    }

    /// Shows in snapshots how a recording stands.
    pub(crate) fn note_recording(&self, status: RecordingSnapshot) {
        *self.core.recording.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
    }

    /// Has events reach the subscriber that this collector is part of, whichever thread tells of them.
    pub(crate) fn tell_as_own(&self, tell: impl FnOnce()) {
        self.core.tell_as_own(tell);
    }

    fn look(&self) -> Look {
        let uptime_s = self.core.started.elapsed().as_secs_f64();
        let look = self.core.ledger().look(&self.core.intake, clock::now_ns(), uptime_s);
        self.core.tell(&look.changes);
        look
    }

    fn graph_of(&self, look: &Look, limit: usize) -> WaitsFor {
        graph::graph(&look.scene, &look.standing, &self.core.intake.rows, limit)
    }

    /// Sets all figures to zero.
    ///
    /// Rows with their ids, the count of their objects, and what waits or holds at the moment stay. A timeline that is on begins anew.
    pub fn reset(&self) {
        self.core.intake.reset();
    }
}

impl Default for Collector {
    fn default() -> Self {
        Self::new()
    }
}

impl Core {
    fn level(&self) -> Level {
        match (self.intake.is_enabled(), self.intake.hears_every_call()) {
            (false, _) => Level::Off,
            (true, false) => Level::Waits,
            (true, true) => Level::Calls,
        }
    }

    /// Goes to a level, chosen by knowing the one that it has while it is on.
    fn switch(&self, choose: impl FnOnce(Level) -> Level) {
        // Held to the end, so that of two who switch at one time the callsites hear the same one last.
        let mut when_on = self.level_when_on.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, level) = (self.level(), choose(*when_on));
        if level != Level::Off {
            *when_on = level;
        }
        if level == before {
            return;
        }
        // Ordering: SeqCst, so that who enters an operation sees it, or is seen: see `operations`.
        self.intake.every_call.store(level == Level::Calls, Ordering::SeqCst);
        self.intake.enabled.store(level != Level::Off, Ordering::SeqCst);
        match level {
            Level::Off => {
                self.intake.forget_in_flight();
                self.tokio.get().into_iter().for_each(Resources::forget_in_flight);
            }
            Level::Waits if before == Level::Calls => {
                self.intake.forget_holders();
                self.tokio.get().into_iter().for_each(Resources::forget_holders);
            }
            _ => {}
        }
        self.rebuild_interest();
    }

    /// Whether spans are taken in: it is on, and hears of the same operations in no other way.
    #[inline]
    fn takes_spans(&self) -> bool {
        self.intake.is_enabled() && !self.listens()
    }

    /// Whether a listener lives.
    #[inline]
    fn listens(&self) -> bool {
        // Ordering: Relaxed; an operation that begins while one comes or goes may be heard or not.
        self.listeners.load(Ordering::Relaxed) != 0
    }

    /// What a layer of this collector asks for, standing on a registry or on others.
    fn level_hint(&self, stands_on_registry: bool) -> Option<LevelFilter> {
        // Beside other layers there is no opinion but the highest: a lower hint would win over layers that have none, and
        // silence them.
        match self.level() {
            Level::Calls => Some(LevelFilter::TRACE),
            level if stands_on_registry => Some(level.filter()),
            _ => None,
        }
    }

    fn remember_dispatch(&self, dispatch: &Dispatch) {
        *self.dispatch.lock().unwrap_or_else(PoisonError::into_inner) = Some(dispatch.downgrade());
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.alerts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, changes: &[alerts::Change]) {
        if !changes.is_empty() {
            self.tell_as_own(|| changes.iter().for_each(alerts::tell));
        }
    }

    /// Tells the subscriber that this collector is part of, which need not be the default of the calling thread.
    fn tell_as_own(&self, tell: impl FnOnce()) {
        let dispatch = self.dispatch.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match dispatch.and_then(|dispatch| dispatch.upgrade()) {
            Some(dispatch) => dispatcher::with_default(&dispatch, tell),
            None => tell(),
        }
    }

    /// Has every callsite ask its subscribers again.
    ///
    /// While a process has only one subscriber, `tracing` asks the default of the calling thread. That thread may
    /// have none (a server's, say, when the subscriber was set for a scope), so ours is made the default meanwhile.
    fn rebuild_interest(&self) {
        let dispatch = self.dispatch.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match dispatch.and_then(|dispatch| dispatch.upgrade()) {
            Some(dispatch) => {
                dispatcher::with_default(&dispatch, tracing_core::callsite::rebuild_interest_cache)
            }
            None => tracing_core::callsite::rebuild_interest_cache(),
        }
    }
}
