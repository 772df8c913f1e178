//! A real Prometheus scrapes native histograms, and finds in them what the snapshot says.
//!
//! `cargo test -p dashboard --features prometheus-test --test prometheus_native`, with Debian's package `prometheus`.

mod support;

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use dashboard::Builder;
use dashboard::snapshot::{Distribution, Snapshot};
use serde_json::Value;
use support::{get, request};
use sync::Mutex;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Longer than a few scrapes take; a test that waits this long fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(60);
/// How wide a bucket of the schema is, and one of ours.
const WIDTHS: f64 = 1.044_3 * 1.007_9;
const PROTOBUF: &str =
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

/// Ends its process when dropped.
struct Prometheus {
    process: Child,
    address: SocketAddr,
}

impl Prometheus {
    /// Scrapes `target` five times a second, native histograms included, into a folder of its own.
    fn scraping(target: SocketAddr, folder: &Path) -> Self {
        let config = folder.join("prometheus.yml");
        let scrape = format!(
            "scrape_configs:\n- job_name: service\n  scrape_interval: 200ms\n  scrape_timeout: 200ms\n  \
             static_configs:\n  - targets: ['{target}']\n"
        );
        fs::write(&config, scrape).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new("prometheus")
            .arg("--enable-feature=native-histograms")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("log")).unwrap())
            .spawn()
            .expect("prometheus is installed (Debian: apt-get install prometheus)");
        Self { process, address }
    }

    /// The only value that a query gives, as soon as it is `wanted`.
    fn value(&self, query: &str, folder: &Path, wanted: impl Fn(f64) -> bool) -> f64 {
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let begun = Instant::now();
        let mut last = String::new();
        while begun.elapsed() < PATIENCE {
            // Before it listens nobody answers.
            if TcpStream::connect(self.address).is_ok() {
                let answer = get(self.address, &format!("/api/v1/query?query={encoded}"));
                last = answer.text();
                assert_ne!(answer.status, 400, "{query}: {last}");
                // While it reads its log it answers with a status and no JSON.
                let found = serde_json::from_str::<Value>(&last).unwrap_or_default();
                let result = found["data"]["result"].as_array().cloned().unwrap_or_default();
                assert!(result.len() < 2, "{query} gives more than one series: {last}");
                let value = result.first().and_then(|series| series["value"][1].as_str()?.parse().ok());
                if let Some(value) = value.filter(|&value| wanted(value)) {
                    return value;
                }
            }
            thread::park_timeout(Duration::from_millis(100));
        }
        let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
        panic!("not the wanted answer to {query}: {last}\n{log}");
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
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

    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let prometheus = Prometheus::scraping(address, folder);
    for (metric, distribution) in [("sync_wait_seconds", &row.wait_ns), ("sync_hold_seconds", &row.hold_ns)] {
        let series = format!("{metric}{{name=\"cache\"}}");
        let count = distribution.count as f64;
        prometheus.value(&format!("histogram_count({series})"), folder, |value| value == count);
        let sum = distribution.mean * count / 1e9;
        let close = |value: f64| (value / sum - 1.0).abs() < 1e-9;
        prometheus.value(&format!("histogram_sum({series})"), folder, close);
        for quantile in [0.5, 0.9, 0.99] {
            let (low, high) = around(distribution, quantile);
            let query = format!("histogram_quantile({quantile}, {series})");
            let value = prometheus.value(&query, folder, |value| value.is_finite());
            assert!(
                value >= low / WIDTHS && value <= high * WIDTHS,
                "{query}: {value} is not within a bucket of {low} to {high}"
            );
        }
    }
    prometheus.value("sync_acquisitions_total{name=\"cache\"}", folder, |value| value == 1_600.0);
    prometheus.value("sync_waiters{name=\"cache\"}", folder, |value| value == 0.0);
    prometheus.value("up", folder, |value| value == 1.0);
}
