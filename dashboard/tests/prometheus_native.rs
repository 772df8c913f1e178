//! A real Prometheus scrapes native histograms, and finds in them what the snapshot says.
//!
//! `cargo test -p dashboard --features prometheus-test --test prometheus_native`, with Debian's package `prometheus`.

mod support;

use std::sync::Arc;

use dashboard::Builder;
use dashboard::snapshot::{Distribution, Snapshot};
use support::prometheus::Prometheus;
use support::request;
use sync::Mutex;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How wide a bucket of the schema is, and one of ours.
const WIDTHS: f64 = 1.044_3 * 1.007_9;
const PROTOBUF: &str =
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

/// The only value that a query gives, as soon as it is `wanted`.
fn value(prometheus: &Prometheus, query: &str, wanted: impl Fn(f64) -> bool) -> f64 {
    prometheus.ask(query, |series| {
        assert!(series.len() < 2, "{query} gives more than one series: {series:?}");
        let value = series.first()?["value"][1].as_str()?.parse().ok()?;
        wanted(value).then_some(value)
    })
}

/// Eight tasks that take turns with a lock, two hundred each.
fn contend() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let cache = Arc::new(Mutex::new(0_u64).with_name("cache"));
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let cache = Arc::clone(&cache);
                tokio::spawn(async move {
                    for _ in 0..200 {
                        let mut count = cache.lock().await;
                        *count += 1;
                        // The others find the lock taken.
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// Between which durations a quantile lies: those of the ranks on both sides of it, in seconds.
fn around(distribution: &Distribution, quantile: f64) -> (f64, f64) {
    let rank = quantile * distribution.count as f64;
    let at = |rank: f64| {
        let mut seen = 0.0;
        let holds = |&&(_, count): &&(u64, u64)| {
            seen += count as f64;
            seen >= rank
        };
        let bucket = distribution.buckets.iter().find(holds).or(distribution.buckets.last());
        bucket.expect("something was recorded").0 as f64 / 1e9
    };
    (at(rank.floor().max(1.0)), at(rank.floor() + 1.0))
}

fn cache(snapshot: &Snapshot) -> &dashboard::snapshot::PrimitiveSnapshot {
    snapshot.primitives.iter().find(|row| row.name == "cache").expect("the lock was seen")
}

#[test]
fn prometheus_finds_in_native_histograms_what_the_snapshot_says() {
    let (collector, server) = Builder::new().listen("127.0.0.1:0").build().unwrap();
    let address = server.local_addr();
    tracing_subscriber::registry().with(collector.listener()).init();
    let _page = server.spawn().unwrap();
    contend();
    let snapshot = collector.snapshot();
    let row = cache(&snapshot);
    assert_eq!(row.hold_ns.count, 1_600);
    assert!(row.wait_ns.count > 0, "nobody waited");

    let host = address.to_string();
    let answer = request(address, "GET", "/metrics", &[("host", &host), ("accept", PROTOBUF)], b"");
    assert!(answer.header("content-type").unwrap().starts_with("application/vnd.google.protobuf"));

    let prometheus = Prometheus::scraping(address, &["--enable-feature=native-histograms"]);
    for (metric, distribution) in [
        ("sync_wait_seconds", &row.wait_ns),
        ("sync_hold_seconds", &row.hold_ns),
        ("sync_queued_seconds", &row.queued_ns),
        ("sync_wake_seconds", &row.wake_ns),
    ] {
        let series = format!("{metric}{{name=\"cache\"}}");
        let count = distribution.count as f64;
        value(&prometheus, &format!("histogram_count({series})"), |value| value == count);
        let sum = distribution.mean * count / 1e9;
        let close = |value: f64| (value / sum - 1.0).abs() < 1e-9;
        value(&prometheus, &format!("histogram_sum({series})"), close);
        for quantile in [0.5, 0.9, 0.99] {
            let (low, high) = around(distribution, quantile);
            let query = format!("histogram_quantile({quantile}, {series})");
            let found = value(&prometheus, &query, f64::is_finite);
            assert!(
                found >= low / WIDTHS && found <= high * WIDTHS,
                "{query}: {found} is not within a bucket of {low} to {high}"
            );
        }
    }
    value(&prometheus, "sync_acquisitions_total{name=\"cache\"}", |value| value == 1_600.0);
    value(&prometheus, "sync_waiters{name=\"cache\"}", |value| value == 0.0);
    // Each wait is one of each part; the means of a part are known to 0.4 %, and so are those of the whole.
    let parts = "histogram_sum(sync_queued_seconds) + histogram_sum(sync_wake_seconds)";
    let share = format!("({parts}) / histogram_sum(sync_wait_seconds)");
    value(&prometheus, &share, |share| (share - 1.0).abs() < 0.01);
    value(&prometheus, "sync_collector_memory_bytes", |bytes| bytes > 0.0);
    value(&prometheus, "up", |value| value == 1.0);
}
