//! A real Prometheus scrapes a server, and answers every query of the Grafana dashboard.
//!
//! `cargo test -p dashboard --features prometheus-test --test prometheus`, with Debian's package `prometheus`, which also
//! has `promtool`.

mod support;

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dashboard::Builder;
use serde_json::Value;
use support::{get, request};
use sync::{Mutex, Semaphore};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Longer than a few scrapes take; a test that waits this long fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(60);
const GRAFANA: &str = include_str!("../grafana/primitives.json");

/// Ends its process when dropped.
struct Prometheus {
    process: Child,
    address: SocketAddr,
}

impl Prometheus {
    /// Scrapes `target` five times a second, into a folder of its own.
    fn scraping(target: SocketAddr, folder: &Path) -> Self {
        let config = folder.join("prometheus.yml");
        let scrape = format!(
            "scrape_configs:\n- job_name: service\n  scrape_interval: 200ms\n  scrape_timeout: 200ms\n  \
             static_configs:\n  - targets: ['{target}']\n"
        );
        fs::write(&config, scrape).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus is installed (Debian: apt-get install prometheus)");
        Self { process, address }
    }

    /// Asks until there is an answer that is not empty.
    fn answer(&self, query: &str, folder: &Path) -> Value {
        let path = format!("/api/v1/query?query={}", encoded(query));
        let begun = Instant::now();
        let mut last = String::new();
        while begun.elapsed() < PATIENCE {
            // Before it listens nobody answers.
            if std::net::TcpStream::connect(self.address).is_ok() {
                let answer = get(self.address, &path);
                last = answer.text();
                assert_ne!(answer.status, 400, "{query}: {last}");
                let found = answer.json()["data"]["result"].clone();
                if found.as_array().is_some_and(|series| !series.is_empty()) {
                    return found;
                }
            }
            thread::yield_now();
            thread::park_timeout(Duration::from_millis(100));
        }
        let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
        panic!("no answer to {query}: {last}\n{log}");
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn encoded(query: &str) -> String {
    query.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// Queries of all panels, as Grafana would send them for all primitives.
fn queries() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(GRAFANA).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    targets
        .map(|target| target["expr"].as_str().unwrap())
        .map(|expr| expr.replace("$__rate_interval", "1m").replace("$primitive", ".*").replace("$name", ".*"))
        .collect()
}

/// Tasks that contend until they are told to end, and now and then give a wait up.
fn service(over: &Arc<AtomicBool>) -> thread::JoinHandle<()> {
    let over = Arc::clone(over);
    thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let cache = Arc::new(Mutex::new(0_u64).with_name("cache"));
            let pool = Arc::new(Semaphore::new(2).with_name("pool"));
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    let (cache, pool, over) = (Arc::clone(&cache), Arc::clone(&pool), Arc::clone(&over));
                    tokio::spawn(async move {
                        while !over.load(Ordering::Relaxed) {
                            let permit = pool.acquire().await.unwrap();
                            let brief = Duration::from_micros(200);
                            if let Ok(mut count) = tokio::time::timeout(brief, cache.lock()).await {
                                *count += 1;
                                tokio::time::sleep(brief).await;
                            }
                            drop(permit);
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
    })
}

#[test]
fn prometheus_reads_what_is_served_and_answers_every_query_of_the_grafana_dashboard() {
    let (collector, server) = Builder::new().listen("127.0.0.1:0").build().unwrap();
    let address = server.local_addr();
    tracing_subscriber::registry().with(collector.listener()).init();
    let _page = server.spawn().unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let tasks = service(&over);

    let folder = tempfile::tempdir().unwrap();
    let prometheus = Prometheus::scraping(address, folder.path());
    let asked = queries();
    assert!(asked.len() > 10, "{asked:?}");
    for query in &asked {
        let found = prometheus.answer(query, folder.path());
        assert!(found[0]["value"][1].as_str().is_some_and(|value| !value.is_empty()), "{query}: {found}");
    }
    let up = prometheus.answer("up", folder.path());
    assert_eq!(up[0]["value"][1], "1", "the last scrape failed");

    // Both formats, by the tool that says what is wrong with metrics.
    let text = get(address, "/metrics");
    assert_eq!(promtool(&text.body), "");
    let host = address.to_string();
    let open = request(
        address,
        "GET",
        "/metrics",
        &[("host", &host), ("accept", "application/openmetrics-text; version=1.0.0")],
        b"",
    );
    assert!(open.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(open.text().ends_with("# EOF\n"));

    over.store(true, Ordering::Relaxed);
    tasks.join().unwrap();
}

/// What `promtool check metrics` finds to say.
fn promtool(metrics: &[u8]) -> String {
    let mut process = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed");
    process.stdin.take().unwrap().write_all(metrics).unwrap();
    let output = process.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}
