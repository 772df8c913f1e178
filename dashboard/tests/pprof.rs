//! Go's own `pprof` opens the profile that is served.
//!
//! `cargo test -p dashboard --features pprof-test --test pprof`, with Debian's package `golang-go`.

mod support;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use dashboard::Builder;
use serde_json::Value;
use support::get;
use sync::{Mutex, Semaphore};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Tasks of one thread, each of which gives way while it holds, so that all but one wait.
async fn contend() {
    let cache = Arc::new(Mutex::new(0_u64).with_name("cache"));
    let pool = Arc::new(Semaphore::new(2));
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (cache, pool) = (Arc::clone(&cache), Arc::clone(&pool));
            tokio::spawn(async move {
                for _ in 0..20 {
                    let permit = pool.acquire().await.unwrap();
                    let mut count = cache.lock().await;
                    tokio::task::yield_now().await;
                    *count += 1;
                    drop((count, permit));
                    drop(cache.clone().lock_owned().await);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// What a line has to its three values, below its primitive.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sample {
    values: [i64; 3],
    line: String,
    primitive: String,
}

/// The samples that a snapshot has.
fn of_snapshot(snapshot: &Value) -> Vec<Sample> {
    let mut samples = Vec::new();
    for row in snapshot["primitives"].as_array().unwrap() {
        let text = |field: &str| row[field].as_str().unwrap();
        let name = if text("name").is_empty() { text("location") } else { text("name") };
        for site in row["sites"].as_array().unwrap() {
            let number = |field: &str| site[field].as_i64().unwrap();
            let values =
                [number("contended") + number("cancelled"), number("wait_total_ns"), number("blamed_ns")];
            if values != [0; 3] {
                let line = site["site"].as_str().unwrap().to_owned();
                samples.push(Sample { values, line, primitive: format!("{} {name}", text("primitive")) });
            }
        }
    }
    samples.sort();
    samples
}

/// What `go tool pprof` makes of a file.
fn pprof(arguments: &[&str], file: &Path) -> String {
    let output = Command::new("go")
        .args(["tool", "pprof"])
        .args(arguments)
        .arg(file)
        .env("PPROF_TMPDIR", file.parent().unwrap())
        .output()
        .expect("go is installed (Debian: golang-go)");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The samples of `-raw`, which prints everything that was read: `5 1500 9: 1 2`, with locations below as `1: 0x0 M=1 function file:line s=0()`.
fn of_raw(raw: &str) -> Vec<Sample> {
    let (samples, locations) = raw.split_once("\nLocations\n").unwrap();
    let (locations, _) = locations.split_once("\nMappings\n").unwrap();
    let functions: Vec<&str> = locations
        .lines()
        .zip(1..)
        .map(|(line, number)| {
            let (id, rest) = line.trim().split_once(": 0x0 M=1 ").unwrap();
            assert_eq!(id.parse(), Ok(number));
            let (function, place) = rest.strip_suffix(" s=0()").unwrap().rsplit_once(' ').unwrap();
            assert!(function.contains(place) || place.contains("tests/pprof.rs:"), "{line}");
            function
        })
        .collect();
    let function = |id: &str| functions[id.parse::<usize>().unwrap() - 1].to_owned();
    let mut read: Vec<_> = samples
        .lines()
        .filter_map(|line| {
            let (values, stack) = line.split_once(": ")?;
            let values: Vec<i64> = values.split_whitespace().map_while(|value| value.parse().ok()).collect();
            let [line, primitive] = stack.split_whitespace().collect::<Vec<_>>().try_into().ok()?;
            Some(Sample {
                values: values.try_into().ok()?,
                line: function(line),
                primitive: function(primitive),
            })
        })
        .collect();
    read.sort();
    read
}

#[test]
fn pprof_reads_each_line_that_waited_with_its_figures() {
    let (collector, server) = Builder::new().listen("127.0.0.1:0").build().unwrap();
    let address = server.local_addr();
    tracing_subscriber::registry().with(collector.listener()).init();
    let _page = server.spawn().unwrap();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(contend());

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("profile.pb.gz");
    std::fs::write(&file, get(address, "/api/v1/profile").body).unwrap();
    let raw = pprof(&["-raw"], &file);
    let expected = of_snapshot(&get(address, "/api/v1/snapshot").json());
    assert_eq!(of_raw(&raw), expected, "{raw}");
    assert_eq!(expected.len(), 3, "{expected:?}");
    assert!(raw.contains("contentions/count delay/nanoseconds[dflt] blamed/nanoseconds\n"), "{raw}");

    // As a user asks: the line that made others wait longest comes first.
    let top = pprof(&["-top", "-sample_index=blamed"], &file);
    let most = expected.iter().max_by_key(|sample| sample.values[2]).unwrap();
    let first = top.lines().skip_while(|line| !line.contains("flat%")).nth(1).unwrap();
    assert!(first.ends_with(&most.line), "{most:?} is not first in {top}");
}
