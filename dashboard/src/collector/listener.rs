//! The collector as a [`Layer`] that listens without spans: see [`Collector::listener`](super::Collector::listener).

use std::any::TypeId;
use std::sync::Arc;

use sync::schema;
use tracing::{Dispatch, Metadata, Subscriber};
use tracing_core::{Interest, LevelFilter};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::Registry;

use super::Core;

/// Lets the collector hear of `sync` without spans, and keeps the spans of `sync` away from the stack that it is part of.
///
/// Made by [`Collector::listener`](super::Collector::listener).
#[derive(Debug)]
pub struct Listener {
    pub(super) core: Arc<Core>,
    pub(super) stands_on_registry: bool,
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
        if is_ours(metadata) { Interest::never() } else { Interest::always() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.core.level_hint(self.stands_on_registry)
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == schema::TARGET
}
