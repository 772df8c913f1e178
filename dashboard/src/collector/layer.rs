//! The collector as a [`Layer`], and the [`Switch`] as a filter of its own.
//!
//! Only here is it decided what other layers of the same stack see; [`Collector`] says what that is.

use std::any::TypeId;
use std::sync::Arc;

use sync::schema;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Metadata, Subscriber};
use tracing_core::{Interest, LevelFilter};
use tracing_subscriber::layer::{Context, Filter, Layer};
use tracing_subscriber::registry::Registry;

use super::{Collector, Core};

impl<S: Subscriber> Layer<S> for Collector {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.core.remember_dispatch(dispatch);
    }

    fn on_layer(&mut self, _: &mut S) {
        self.stands_on_registry = TypeId::of::<S>() == TypeId::of::<Registry>();
    }

    // `register_callsite` and `enabled` stay as they are, always yes: a no would be a no for every other layer too.

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.core.level_hint(self.stands_on_registry)
    }

    #[inline]
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        if attributes.metadata().target() == schema::TARGET && self.core.takes_spans() {
            self.core.intake.opened(attributes, id.into_u64());
        }
    }

    #[inline]
    fn on_record(&self, id: &Id, record: &Record<'_>, _: Context<'_, S>) {
        if self.core.intake.is_enabled() {
            self.core.intake.recorded(record, id.into_u64());
        }
    }

    #[inline]
    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.core.intake.closed(id.into_u64());
    }
}

/// Lets the collector's own spans through to it, while it is on: the filter of [`Collector::layer`].
#[derive(Clone, Debug)]
pub struct Switch(pub(super) Arc<Core>);

impl Switch {
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        // By increasing verbosity: a span passes whose level is within what is wanted.
        metadata.is_span()
            && metadata.target() == schema::TARGET
            && *metadata.level() <= self.0.level().filter()
    }
}

impl<S> Filter<S> for Switch {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.level().filter())
    }
}
