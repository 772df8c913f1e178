//! Plain `tokio::sync` in the collector: see [`Collector::tokio_resources`].
//!
//! ```text
//! layer (here) ─▶ entered     what the calling thread is in the middle of
//!              └▶ resources ─▶ intake     locks, waits and guards, as those of `sync` are
//! ```
//! What tokio says is read in `schema`; what it means stands at the top of `resources`.

mod asked;
mod entered;
mod guards;
mod resources;
mod schema;

use std::sync::Arc;

use tracing::span::{Attributes, Id};
use tracing::{Dispatch, Event, Metadata, Subscriber};
use tracing_core::{Interest, LevelFilter};
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::{Context, Filter, Layer};
use tracing_subscriber::registry::LookupSpan;

use self::entered::Entered;
pub(super) use self::resources::Resources;
use self::schema::{What, is_tokio};
use super::{Collector, Core, Level};

impl Collector {
    /// A layer that shows the program's plain `tokio::sync` locks beside those of `sync`, without a change of the program.
    ///
    /// Tokio tells of its primitives where it is built with `--cfg tokio_unstable` and its feature `tracing`; elsewhere the
    /// layer hears nothing and costs nothing. It needs a [`Registry`](tracing_subscriber::Registry) at the bottom of its stack
    /// and stands beside the collector's [`listener`](Self::listener) or [`layer`](Self::layer), whichever the program has. It is
    /// asked for by itself since tokio's spans are dear: several microseconds for each lock and unlock.
    ///
    /// | of tokio | row | seen | not seen |
    /// |---|---|---|---|
    /// | `Mutex` | `mutex` | waits, holders, `try_lock` | |
    /// | `RwLock` | `rwlock` | the same; reads and writes alike | |
    /// | `Semaphore` | `semaphore` | waits, holders | `try_acquire`, `forget` |
    /// | `Barrier` | `barrier` | waits | |
    ///
    /// - What `const_new` made, and every `Notify`, `watch`, `broadcast` or channel, is not told of by tokio at all.
    /// - Nothing tells whose permit is given back. It counts as one of the task that gives it back, or as that of who has held for
    ///   longest, which a permit of `try_acquire` and `add_permits` can put wrong; so permits never make a deadlock.
    /// - Tokio does not say which line asks. In its place stands the innermost span around it that is not tokio's, of level INFO or
    ///   above, with the line where that was made; where there is none, the line that spawned the task.
    /// - Objects made before the layer was installed are never seen; those made while the collector is
    ///   [off](Self::set_enabled) are.
    ///
    /// # Examples
    ///
    /// ```
    /// use tracing_subscriber::prelude::*;
    ///
    /// let collector = dashboard::Collector::new();
    /// tracing_subscriber::registry().with(collector.listener()).with(collector.tokio_resources()).init();
    /// ```
    #[must_use]
    pub fn tokio_resources<S>(&self) -> Filtered<TokioResources, TokioSwitch, S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        self.core.tokio.get_or_init(Resources::default);
        TokioResources(Arc::clone(&self.core)).with_filter(TokioSwitch(Arc::clone(&self.core)))
    }
}

/// Turns what tokio tells of its primitives into rows, waits and holders: made by [`Collector::tokio_resources`].
#[derive(Clone, Debug)]
pub struct TokioResources(Arc<Core>);

impl TokioResources {
    /// What is known, while the collector is on.
    fn while_on(&self) -> Option<&Resources> {
        self.0.tokio.get().filter(|_| self.0.intake.is_enabled())
    }

    fn collector(&self) -> u64 {
        self.0.intake.collector
    }
}

impl<S> Layer<S> for TokioResources
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.0.remember_dispatch(dispatch);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let Some(resources) = self.0.tokio.get().filter(|_| is_tokio(attributes.metadata())) else { return };
        let (intake, span) = (&self.0.intake, id.into_u64());
        match What::of(attributes.metadata()) {
            // These are heard of once, so also while the collector is off.
            Some(What::Resource) => resources.resource_made(intake, attributes, span),
            Some(What::Task) => resources.task_spawned(intake, attributes, span),
            Some(What::AsyncOp) if intake.is_enabled() => resources.asked(intake, attributes, span),
            _ => {}
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let Some(metadata) = context.metadata(id) else { return };
        let span = id.into_u64();
        let entered = match What::of(metadata) {
            Some(What::Resource) => Entered::Resource(span),
            Some(What::AsyncOp) => Entered::AsyncOp(span),
            Some(What::Task) => Entered::Task(span),
            Some(What::Place) => Entered::Place(metadata),
            _ => return,
        };
        if !entered::enter(self.collector(), span, entered) {
            self.0.intake.in_flight_dropped.add(1);
        }
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        entered::exit(self.collector(), id.into_u64());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let Some(resources) = self.while_on() else { return };
        match What::of(event.metadata()) {
            Some(What::StateUpdate) => resources.state_updated(&self.0.intake, event),
            Some(What::OpUpdate) => resources.op_updated(&self.0.intake, event),
            Some(What::PollOp) => resources.polled(&self.0.intake, event),
            _ => {}
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let what = context.metadata(&id).and_then(What::of);
        let Some(resources) = self.0.tokio.get() else { return };
        match what {
            Some(What::Resource) => resources.resource_gone(&self.0.intake, id.into_u64()),
            Some(What::AsyncOp) => resources.op_gone(&self.0.intake, id.into_u64()),
            Some(What::Task) => resources.task_gone(id.into_u64()),
            _ => {}
        }
    }
}

/// Lets through to [`TokioResources`] what it reads, while the collector is on: its filter.
#[derive(Clone, Debug)]
pub struct TokioSwitch(Arc<Core>);

impl TokioSwitch {
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        match What::of(metadata) {
            // Once for each, and never again: who is switched on later needs them too.
            Some(What::Resource | What::Task) => true,
            Some(_) => self.0.level() != Level::Off,
            None => false,
        }
    }
}

impl<S> Filter<S> for TokioSwitch {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }
}
