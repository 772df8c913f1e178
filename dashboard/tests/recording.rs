//! A recording from end to end: what a program did is in the folder when its server has ended, and another server shows it.

mod support;

use std::fs;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use dashboard::recording::{Recording, RecordingLimits};
use dashboard::{BuildError, Builder};
use support::get;
use sync::Mutex;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{self, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Longer than an interval takes to come; a test that waits this long fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// Passes on what it is told by the dashboard.
struct Log(Sender<Level>);

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        if event.metadata().target() == "dashboard" {
            // Whoever listened may have gone.
            let _ = self.0.send(*event.metadata().level());
        }
    }
}

/// Four tasks that take turns with a lock.
fn contend() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let cache = Arc::new(Mutex::new(0_u64).with_name("a cache, of two"));
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let cache = Arc::clone(&cache);
                tokio::spawn(async move {
                    for _ in 0..100 {
                        let mut count = cache.lock().await;
                        *count += 1;
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

#[test]
fn what_a_program_did_is_recorded_and_shown_by_another_server() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("recording");
    let (sender, events) = channel();
    let mut limits = RecordingLimits::default();
    limits.interval = Duration::from_millis(100);
    let builder = Builder::new().listen("127.0.0.1:0").record_to(&folder).recording_limits(limits);
    let (collector, server) = builder.build().unwrap();
    let address = server.local_addr();
    tracing_subscriber::registry().with(Log(sender)).with(collector.listener()).init();
    let page = server.spawn().unwrap();
    contend();
    let shown = get(address, "/api/v1/snapshot").json();
    assert_eq!(shown["recording"]["folder"], folder.display().to_string());
    assert_eq!(shown["recording"]["problem"], serde_json::Value::Null);
    // A server that records shows what it recorded.
    assert_eq!(get(address, "/api/v1/status").json()["recording"], true);
    assert_eq!(get(address, "/api/v1/recording").status, 200);
    // The last interval is written when it ends.
    drop(page);
    let row = collector.snapshot().primitives.remove(0);
    let past = Recording::new(&folder).read(None, None).unwrap();
    assert_eq!(past.problems, []);
    let [found] = &past.primitives[..] else { panic!("{past:?}") };
    assert_eq!((&*found.primitive, &*found.name), ("mutex", "a cache, of two"));
    assert_eq!(found.hold_ns.count, 400);
    for (found, counted) in [
        (&found.wait_ns, &row.wait_ns),
        (&found.hold_ns, &row.hold_ns),
        (&found.queued_ns, &row.queued_ns),
        (&found.wake_ns, &row.wake_ns),
    ] {
        assert_eq!(found, counted);
    }

    let (_, server) = Builder::new().listen("127.0.0.1:0").replay(&folder).build().unwrap();
    let address = server.local_addr();
    let _page = server.spawn().unwrap();
    let whole = get(address, "/api/v1/recording?primitive=mutex&name=a%20cache,%20of%20two").json();
    assert_eq!(whole["primitives"][0]["hold_ns"]["count"], 400);
    assert_eq!(whole["primitives"][0]["hold_ns"]["p50"], row.hold_ns.p50);
    assert_eq!(whole["primitives"][0]["hold_ns"]["buckets"].as_array().unwrap().len(), 0);
    assert!(!whole["chart"]["data"].as_array().unwrap().is_empty());
    let end = whole["recorded_s"][1].as_f64().unwrap();
    let later = get(address, &format!("/api/v1/recording?from={}&to={}", end + 1.0, end + 2.0)).json();
    assert_eq!((later["intervals"].as_u64(), later["covered_s"].is_null()), (Some(0), true));
    for query in ["from=soon", "to=inf", "until=5"] {
        let refused = get(address, &format!("/api/v1/recording?{query}"));
        assert_eq!(refused.status, 400, "{query}");
        assert!(refused.json()["next"].as_str().unwrap().contains("from=SECONDS"));
    }

    // From here on a folder that is taken away while it is written to.
    let builder = Builder::new().listen("127.0.0.1:0").collector(collector.clone()).record_to(&folder);
    let (_, server) = builder.recording_limits(limits).build().unwrap();
    let page = server.spawn().unwrap();
    fs::remove_dir_all(&folder).unwrap();
    while events.recv_timeout(PATIENCE).expect("it is said") != Level::WARN {}
    assert!(collector.snapshot().recording.unwrap().problem.is_some());
    fs::create_dir(&folder).unwrap();
    while events.recv_timeout(PATIENCE).expect("that it is over is said") != Level::INFO {}
    contend();
    drop(page);
    let again = Recording::new(&folder).read(None, None).unwrap();
    assert_eq!(again.primitives[0].hold_ns.count, 400);
}

#[test]
fn a_folder_that_cannot_be_is_an_error_and_no_recording_is_said() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Builder::new().listen("127.0.0.1:0").record_to(file.path()).build().unwrap_err();
    assert!(matches!(error, BuildError::Recording { .. }), "{error}");
    assert!(error.to_string().contains(&file.path().display().to_string()), "{error}");

    let (_, server) = Builder::new().listen("127.0.0.1:0").build().unwrap();
    let address = server.local_addr();
    let _page = server.spawn().unwrap();
    let none = get(address, "/api/v1/recording");
    assert_eq!(none.status, 404);
    assert!(none.json()["next"].as_str().unwrap().contains("serve --recording"));
    let (_, server) = Builder::new().listen("127.0.0.1:0").replay("/nowhere/at/all").build().unwrap();
    let address = server.local_addr();
    let _other = server.spawn().unwrap();
    let gone = get(address, "/api/v1/recording");
    assert_eq!(gone.status, 422);
    assert!(gone.json()["error"].as_str().unwrap().contains("/nowhere/at/all"));
}
