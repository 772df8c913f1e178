//! The collector as a [`Layer`] that listens without spans: see [`Collector::listener`](super::Collector::listener).

use std::any::TypeId;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sync::schema;
use tracing::{Dispatch, Metadata, Subscriber};
use tracing_core::{Interest, LevelFilter};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::Registry;

use super::Core;

/// Lets the collector hear of `sync` without spans, and keeps the spans of `sync` away from the stack that it is part of,
/// unless it is told to [leave them](Self::with_spans).
///
/// Made by [`Collector::listener`](super::Collector::listener).
#[derive(Debug)]
pub struct Listener {
    core: Arc<Core>,
    stands_on_registry: bool,
    /// Whether the spans are left to others.
    passes_spans: bool,
}

impl Listener {
    pub(super) fn new(core: Arc<Core>) -> Self {
        // Ordering: Relaxed, here and below: see `Core::listens`.
        core.listeners.fetch_add(1, Ordering::Relaxed);
        Self { core, stands_on_registry: false, passes_spans: false }
    }

    /// Leaves the spans of `sync` to the other layers of the stack, for a log or a trace.
    ///
    /// The collector still hears of the primitives in its own way, so that it adds to what the spans cost no more than it takes
    /// without them. It has no opinion then of what others want: switched off, it asks for nothing and silences
    /// nobody.
    ///
    /// # Examples
    ///
    /// ```
    /// use tracing_subscriber::prelude::*;
    ///
    /// let collector = dashboard::Collector::new();
    /// let log = tracing_subscriber::layer::Identity::new(); // in its place what writes the log
    /// tracing_subscriber::registry().with(log).with(collector.listener().with_spans()).init();
    /// ```
    #[must_use]
    pub fn with_spans(mut self) -> Self {
        self.passes_spans = true;
        self
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.core.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S: Subscriber> Layer<S> for Listener {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.core.remember_dispatch(dispatch);
    }

    fn on_layer(&mut self, _: &mut S) {
        self.stands_on_registry = TypeId::of::<S>() == TypeId::of::<Registry>();
    }

    /// A no of one layer is a no of the stack: nobody in it is given a span of `sync`.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_ours(metadata) && !self.passes_spans { Interest::never() } else { Interest::always() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.core.level_hint(self.stands_on_registry && !self.passes_spans)
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == schema::TARGET
}
