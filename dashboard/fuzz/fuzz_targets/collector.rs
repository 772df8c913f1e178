//! Tells the collector stories that a fuzzer makes up. The first byte chooses the way in which it hears.
#![no_main]

#[path = "../../tests/support/story.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod story;

use std::sync::LazyLock;

use dashboard::{Collector, Level};
use libfuzzer_sys::fuzz_target;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

/// A collector that has listened is never freed, so one listens to all stories, and its bounds are met too.
static LISTENING: LazyLock<Collector> = LazyLock::new(Collector::new);

fuzz_target!(|bytes: &[u8]| {
    let Some((way, bytes)) = bytes.split_first() else { return };
    let (collector, dispatch) = match way % 3 {
        0 => with(Collector::new(), |collector| Dispatch::new(registry().with(collector.clone()))),
        1 => with(Collector::new(), |collector| Dispatch::new(registry().with(collector.layer()))),
        _ => with(LISTENING.clone(), |collector| Dispatch::new(registry().with(collector.listener()))),
    };
    collector.set_level(Level::Calls);
    tracing::dispatcher::with_default(&dispatch, || story::tell(&collector, bytes));
});

fn with(collector: Collector, way: fn(&Collector) -> Dispatch) -> (Collector, Dispatch) {
    let dispatch = way(&collector);
    (collector, dispatch)
}
