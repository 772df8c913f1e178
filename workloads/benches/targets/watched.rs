//! What a subscriber at DEBUG costs calls that do not wait: a subscriber cannot be taken away again, so it stands
//! aside, its level off, and is switched on for every other slot.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static ON: AtomicBool = AtomicBool::new(false);
static SPANS: AtomicU64 = AtomicU64::new(0);

/// Wants everything up to DEBUG while it is on, and nothing otherwise.
struct AtDebug;

impl Subscriber for AtDebug {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        level() >= *metadata.level()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(level())
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        // Ordering: Relaxed; one thread makes spans and counts them.
        SPANS.fetch_add(1, Ordering::Relaxed);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn level() -> LevelFilter {
    // Ordering: Relaxed; one thread switches and asks.
    if ON.load(Ordering::Relaxed) { LevelFilter::DEBUG } else { LevelFilter::OFF }
}

/// Puts the subscriber in place, off.
pub(crate) fn install() {
    tracing::subscriber::set_global_default(AtDebug).expect("nobody else has set one");
    switch(false);
}

/// Switches it, as the collector is switched.
pub(crate) fn switch(on: bool) {
    // Ordering: Relaxed, see `level`.
    if ON.swap(on, Ordering::Relaxed) != on || LevelFilter::current() != level() {
        tracing::callsite::rebuild_interest_cache();
    }
    assert_eq!(LevelFilter::current(), level(), "tracing did not take the level");
}

/// Spans made so far: none while nothing waits.
pub(crate) fn spans() -> u64 {
    // Ordering: Relaxed, see `new_span`.
    SPANS.load(Ordering::Relaxed)
}
