//! What only spans of others can show: our own primitives serve in order, and lose nothing.

use std::time::Duration;

use dashboard::Collector;
use sync::schema::{field, outcome, primitive, span};
use tracing::Span;
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{only, only_alert};

macro_rules! request {
    ($level:ident, $name:expr, $op:expr) => {
        tracing::span!(
            target: sync::schema::TARGET, tracing::Level::$level, $name,
            primitive = primitive::MUTEX, name = "unfair", id = 7_u64, op = $op, task = $op, permits = 1_u64,
            file = "src/other.rs", line = 3_u64, column = 5_u64, made_file = "src/other.rs", made_line = 1_u64,
            outcome = tracing::field::Empty, queue = 0_u64, queued_ns = tracing::field::Empty,
            wake_ns = tracing::field::Empty
        )
    };
}

fn wait(op: u64) -> Span {
    request!(DEBUG, span::WAIT, op)
}

fn serve(wait: Span) {
    wait.record(field::OUTCOME, outcome::GRANTED);
    wait.record(field::QUEUED_NS, 10_u64);
    wait.record(field::WAKE_NS, 10_u64);
}

fn release(op: u64) {
    drop(tracing::span!(
        target: sync::schema::TARGET, tracing::Level::TRACE, span::RELEASE,
        primitive = primitive::MUTEX, name = "unfair", id = 7_u64, op = op, task = op, held_ns = 5_u64
    ));
}

fn collected(collector: &Collector, run: impl FnOnce()) {
    let subscriber = tracing_subscriber::registry().with(collector.clone());
    tracing::subscriber::with_default(subscriber, run);
}

#[test]
fn who_still_waits_while_later_ones_are_served_starves() {
    let collector = Collector::new();
    collector.set_thresholds(only(|thresholds| {
        (thresholds.starvation, thresholds.starvation_factor) = (Duration::ZERO, 0.0);
    }));
    collected(&collector, || {
        let (early, late) = (wait(1), wait(2));
        assert_eq!(collector.snapshot().alerts, []);
        serve(late);
        assert_eq!(collector.snapshot().alerts, [], "it may have stood ahead, for all that is known");
        (3..67).for_each(|op| serve(wait(op)));
        let snapshot = collector.snapshot();
        let alert = only_alert(&snapshot);
        assert_eq!((alert.kind.as_str(), alert.evidence[0].op), ("starvation", 1));
        assert!(alert.message.contains("while others were served that came later"), "{}", alert.message);
        serve(early);
        assert_eq!(collector.snapshot().alerts, []);
    });
}

#[test]
fn a_lock_that_was_given_back_and_given_to_nobody_is_a_lost_wake_up() {
    let collector = Collector::new();
    collector.set_thresholds(only(|thresholds| thresholds.lost_wake_up = Duration::ZERO));
    collected(&collector, || {
        drop(request!(TRACE, span::ACQUIRE, 1_u64));
        let waiting = wait(2);
        assert_eq!(collector.snapshot().alerts, []);
        release(1);
        let snapshot = collector.snapshot();
        let alert = only_alert(&snapshot);
        assert_eq!(alert.kind, "lost_wake_up");
        assert!(alert.message.contains("mutex \"unfair\" is free, and yet"), "{}", alert.message);
        serve(waiting);
        assert_eq!(collector.snapshot().alerts, []);
    });
}
