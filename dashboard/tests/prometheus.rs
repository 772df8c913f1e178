//! A real Prometheus scrapes a server, and answers every query of the Grafana dashboard.
//!
//! `cargo test -p dashboard --features prometheus-test --test prometheus`, with Debian's package `prometheus`, which also
//! has `promtool`.

mod support;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use dashboard::Builder;
use serde_json::Value;
use support::prometheus::Prometheus;
use support::{get, request};
use sync::{Mutex, Semaphore};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

const GRAFANA: &str = include_str!("../grafana/primitives.json");

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

    let prometheus = Prometheus::scraping(address, &[]);
    let asked = queries();
    assert!(asked.len() > 10, "{asked:?}");
    for query in &asked {
        prometheus.ask(query, |series| (!series.is_empty()).then_some(()));
    }
    // Some waits are given up, and the collector drops nothing of so little.
    prometheus.ask("sync_cancelled_wait_seconds_count > 0", |series| (!series.is_empty()).then_some(()));
    prometheus.ask("sum(sync_collector_dropped_total)", |series| {
        (series.first()?["value"][1] == "0").then_some(())
    });
    prometheus.ask("up", |series| (series.first()?["value"][1] == "1").then_some(()));

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
