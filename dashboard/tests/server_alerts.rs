//! A server looks for alerts by itself: a log hears of them though nobody asks.

mod support;

use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Waker};
use std::time::Duration;

use dashboard::{Builder, Thresholds};
use support::get;
use sync::Mutex;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{self, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Longer than a look takes to come; a test that waits this long fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// Passes on what it is told by the dashboard.
struct Log(Sender<Level>);

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        if event.metadata().target() == "dashboard" {
            self.0.send(*event.metadata().level()).expect("the test listens");
        }
    }
}

#[test]
fn an_alert_is_raised_and_ended_by_the_server_and_shown_at_its_routes() {
    let (sender, events) = channel();
    let mut thresholds = Thresholds::default();
    thresholds.long_wait = Duration::ZERO;
    let (collector, server) = Builder::new().listen("127.0.0.1:0").thresholds(thresholds).build().unwrap();
    assert_eq!(collector.thresholds(), thresholds);
    let address = server.local_addr();
    tracing_subscriber::registry().with(Log(sender)).with(collector.listener()).init();
    let _page = server.spawn().unwrap();

    let cache = Mutex::new(()).with_name("cache");
    let guard = cache.try_lock().unwrap();
    let mut waiting = Box::pin(cache.lock());
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Level::WARN));

    let graph = get(address, "/api/v1/graph").json();
    assert_eq!(graph["edges"][0]["kind"], "waits");
    assert_eq!(graph["edges"][0]["to"], graph["edges"][1]["from"]);
    assert!(graph["nodes"].as_array().unwrap().iter().any(|node| node["label"] == "cache"), "{graph}");
    let snapshot = get(address, "/api/v1/snapshot").json();
    assert_eq!(snapshot["alerts"][0]["kind"], "long_wait");
    let metrics = get(address, "/metrics").text();
    assert!(metrics.contains("sync_alerts_total{kind=\"long_wait\"} 1\n"), "{metrics}");
    assert!(metrics.contains("sync_alerts_total{kind=\"deadlock\"} 0\n"), "{metrics}");

    drop((waiting, guard));
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Level::INFO));
    let metrics = get(address, "/metrics").text();
    assert!(metrics.contains("sync_alerts_total{kind=\"long_wait\"} 1\n"), "it never falls: {metrics}");
}
