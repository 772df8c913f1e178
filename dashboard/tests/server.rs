//! Every route over a real socket: what it answers, and what it says when it cannot.

mod support;
#[path = "../src/testing.rs"]
mod testing;

use std::fs;
use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use dashboard::snapshot::Snapshot;
use dashboard::{BuildError, Builder, Collector, Level, Progress, RunFeed, RunView, ServerHandle};
use flate2::read::GzDecoder;
use results::{Report, Status};
use support::{Answer, Events, get, request};
use tracing_subscriber::layer::SubscriberExt;

struct Page {
    address: SocketAddr,
    collector: Collector,
    feed: RunFeed,
    reports: tempfile::TempDir,
    handle: ServerHandle,
}

/// A server on a free port with an empty folder of reports.
fn page() -> Page {
    let (reports, feed) = (tempfile::tempdir().unwrap(), RunFeed::new());
    let builder = Builder::new().listen("127.0.0.1:0").reports_dir(reports.path()).run_feed(feed.clone());
    let (collector, server) = builder.build().unwrap();
    let address = server.local_addr();
    Page { address, collector, feed, reports, handle: server.spawn().unwrap() }
}

impl Page {
    fn get(&self, path: &str) -> Answer {
        get(self.address, path)
    }

    fn store(&self, id: &str, report: &Report) {
        fs::write(self.reports.path().join(format!("{id}.json")), report.to_json()).unwrap();
    }

    fn publish(&self, rounds: usize) {
        let progress = Progress { phase: "throughput".to_owned(), slots_done: rounds, ..Progress::default() };
        self.feed.publish(RunView { report: Arc::new(testing::report(rounds, Status::Running)), progress });
    }
}

fn assert_refused(answer: &Answer, status: u16, named: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let body = answer.json();
    assert!(body["error"].as_str().unwrap().contains(named), "{body}");
    assert!(!body["next"].as_str().unwrap().is_empty(), "{body}");
}

/// Locks a mutex once under the page's collector.
fn lock_once(collector: &Collector) {
    let subscriber = tracing_subscriber::registry().with(collector.layer());
    tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { drop(sync::Mutex::new(()).with_name("cache").lock().await) });
    });
}

#[test]
fn the_shell_names_its_scripts_and_every_one_of_them_is_there() {
    let page = page();
    let shell = page.get("/");
    assert_eq!((shell.status, shell.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let html = shell.text();
    let linked: Vec<&str> = html.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert!(linked.len() >= 4, "{linked:?}");
    for path in linked {
        let asset = page.get(path);
        assert_eq!(asset.status, 200, "{path}");
        assert!(asset.header("cache-control").unwrap().contains("immutable"), "{path}");
        assert!(!asset.body.is_empty(), "{path}");
    }
}

#[test]
fn every_module_that_a_script_imports_is_served() {
    let page = page();
    let html = page.get("/").text();
    let app = html.split('"').find(|part| part.ends_with("/app.js")).unwrap().to_owned();
    let (folder, _) = app.rsplit_once('/').unwrap();
    let mut waiting = vec!["app.js".to_owned()];
    let mut seen = Vec::new();
    while let Some(name) = waiting.pop() {
        let script = page.get(&format!("{folder}/{name}"));
        assert_eq!(
            (script.status, script.header("content-type")),
            (200, Some("text/javascript; charset=utf-8")),
            "{name}"
        );
        seen.push(name);
        for import in script.text().split("from \"./").skip(1) {
            let import = import.split('"').next().unwrap().to_owned();
            if !seen.contains(&import) {
                waiting.push(import);
            }
        }
    }
    assert!(seen.len() > 5, "{seen:?}");
}

#[test]
fn plotly_comes_compressed_to_those_who_take_it_and_plain_to_others() {
    let page = page();
    let html = page.get("/").text();
    let path = html.split('"').find(|part| part.ends_with("/plotly.min.js")).unwrap().to_owned();
    let host = page.address.to_string();
    let zipped = request(page.address, "GET", &path, &[("host", &host), ("accept-encoding", "gzip")], b"");
    assert_eq!(zipped.header("content-encoding"), Some("gzip"));
    assert_eq!(zipped.header("vary"), Some("accept-encoding"));
    let mut script = String::new();
    GzDecoder::new(zipped.body.as_slice()).read_to_string(&mut script).unwrap();
    assert!(script.contains("window.Plotly = Plotly"));
    assert!(zipped.body.len() * 2 < script.len());

    let plain = page.get(&path);
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(plain.text(), script);
}

#[test]
fn the_profile_is_a_compressed_file_to_keep() {
    let page = page();
    let answer = page.get("/api/v1/profile");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    assert!(answer.header("content-disposition").unwrap().contains(".pb.gz"));
    assert_eq!(answer.body[..2], [0x1f, 0x8b], "the mark of gzip");
}

#[test]
fn the_snapshot_is_what_the_collector_tells() {
    let page = page();
    lock_once(&page.collector);
    let answer = page.get("/api/v1/snapshot");
    let snapshot: Snapshot = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(snapshot.schema, "dashboard/snapshot/v1");
    assert_eq!(snapshot.primitives, page.collector.snapshot().primitives);
    assert_eq!(snapshot.primitives[0].name, "cache");
}

#[test]
fn the_stream_begins_with_a_snapshot_and_goes_on_with_the_run() {
    let page = page();
    lock_once(&page.collector);
    page.publish(3);
    let mut events = Events::open(page.address);
    assert_eq!(events.status, 200);
    assert!(events.headers.contains(&("content-type".to_owned(), "text/event-stream".to_owned())));
    let (name, data) = events.next().unwrap();
    assert_eq!(name, "", "the snapshot is the default event");
    let snapshot: Snapshot = serde_json::from_str(&data).unwrap();
    assert_eq!(snapshot.primitives[0].acquisitions, 1);

    let rounds_of_next_run = |events: &mut Events| loop {
        let (name, data) = events.next().unwrap();
        if name == "run" {
            let run: serde_json::Value = serde_json::from_str(&data).unwrap();
            return run["cases"][0]["charts"]["throughput"]["data"][0]["y"].as_array().unwrap().len();
        }
    };
    assert_eq!(rounds_of_next_run(&mut events), 3);
    page.publish(4);
    assert_eq!(rounds_of_next_run(&mut events), 4);
}

#[test]
fn progress_without_a_new_report_is_a_small_event() {
    let page = page();
    page.publish(3);
    let mut events = Events::open(page.address);
    while events.next().unwrap().0 != "run" {}
    let mut view = page.feed.latest().unwrap();
    view.progress.phase = "throughput, slot 5".to_owned();
    page.feed.publish(view);
    loop {
        let (name, data) = events.next().unwrap();
        assert_ne!(name, "run", "the report is the same");
        if name == "progress" {
            assert_eq!(serde_json::from_str::<Progress>(&data).unwrap().phase, "throughput, slot 5");
            return;
        }
    }
}

#[test]
fn a_second_listener_gets_the_run_that_was_published_before_it_came() {
    let page = page();
    page.publish(2);
    let mut first = Events::open(page.address);
    while first.next().unwrap().0 != "run" {}
    let mut second = Events::open(page.address);
    while second.next().unwrap().0 != "run" {}
}

#[test]
fn dropping_the_handle_ends_streams_and_frees_the_port() {
    let Page { address, handle, .. } = page();
    let mut events = Events::open(address);
    assert!(events.next().is_some());
    drop(handle);
    while events.next().is_some() {}
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
    TcpListener::bind(address).unwrap();
}

#[test]
fn a_detached_server_goes_on() {
    let (_, server) = Builder::new().listen("127.0.0.1:0").build().unwrap();
    let address = server.local_addr();
    server.spawn().unwrap().detach();
    assert_eq!(get(address, "/healthz").status, 200);
}

#[tokio::test]
async fn a_server_runs_on_the_callers_runtime_too() {
    let (_, server) = Builder::new().listen("127.0.0.1:0").build().unwrap();
    let address = server.local_addr();
    let asked = tokio::task::spawn_blocking(move || get(address, "/healthz").status);
    tokio::select! {
        ended = server.run() => panic!("it ended: {ended:?}"),
        status = asked => assert_eq!(status.unwrap(), 200),
    }
}

#[test]
fn metrics_come_as_prometheus_text_or_open_metrics() {
    let page = page();
    lock_once(&page.collector);
    let text = page.get("/metrics");
    assert_eq!(text.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert!(text.text().contains("sync_acquisitions_total{"), "{}", text.text());
    let accept = ("accept", "application/openmetrics-text");
    let open = request(page.address, "GET", "/metrics", &[("host", "localhost"), accept], b"");
    assert!(open.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(open.text().ends_with("# EOF\n"));
}

#[test]
fn health_and_status_are_told() {
    let page = page();
    assert_eq!(page.get("/healthz").status, 200);
    let status = page.get("/api/v1/status").json();
    assert_eq!((status["run"].as_bool(), status["reports"].as_bool()), (Some(false), Some(true)));
    page.publish(1);
    assert_eq!(page.get("/api/v1/status").json()["run"], true);
}

#[test]
fn a_run_is_shown_once_there_is_one() {
    let page = page();
    assert_refused(&page.get("/api/v1/run"), 404, "no run");
    page.publish(6);
    let run = page.get("/api/v1/run").json();
    assert_eq!(run["progress"]["slots_done"], 6);
    assert_eq!(run["run"]["status"], "running");
    assert_eq!(run["cases"][0]["rows"][0]["backend"], "sync");
}

#[test]
fn the_charts_of_a_primitive_are_made_of_its_snapshot() {
    let page = page();
    lock_once(&page.collector);
    let id = page.collector.snapshot().primitives[0].id;
    let charts = page.get(&format!("/api/v1/primitives/{id}/charts")).json();
    assert_eq!(charts["durations"]["data"][0]["name"], "hold", "nobody waited, one held");
    assert_refused(&page.get("/api/v1/primitives/999999/charts"), 404, "999999");
    assert_refused(&page.get("/api/v1/primitives/cache/charts"), 400, "number");
}

#[test]
fn reports_are_listed_newest_first_and_bad_files_are_named() {
    let page = page();
    assert_eq!(page.get("/api/v1/reports").json()["reports"].as_array().unwrap().len(), 0);
    let mut report = testing::report(8, Status::Complete);
    page.store("first", &report);
    report.run.started_at = "2026-11-23T00:00:00Z".to_owned();
    report.run.status = Status::Invalid;
    page.store("second", &report);
    fs::write(page.reports.path().join("broken.json"), "{").unwrap();
    let list = page.get("/api/v1/reports").json();
    assert_eq!((&list["reports"][0]["id"], &list["reports"][1]["id"]), (&"second".into(), &"first".into()));
    assert_eq!(list["reports"][0]["status"], "invalid");
    assert_eq!(list["reports"][1]["backends"], serde_json::json!(["sync", "sync-traced", "tokio"]));
    assert!(list["reports"][1]["verdicts"][0].as_str().unwrap().contains("faster"));
    assert_eq!(list["problems"][0]["file"], "broken.json");
}

#[test]
fn a_report_comes_as_it_was_written_and_as_the_page_shows_it() {
    let page = page();
    let report = testing::report(8, Status::Complete);
    page.store("one", &report);
    let answer = page.get("/api/v1/reports/one");
    assert_eq!(Report::from_json(&answer.body).unwrap(), report);
    let view = page.get("/api/v1/reports/one/view").json();
    assert_eq!(view["cases"].as_array().unwrap().len(), 2);
    assert!(view["progress"].is_null());
}

#[test]
fn a_report_is_opened_by_its_parts() {
    let page = page();
    let tasks = [serde_json::json!(2), serde_json::json!(8)];
    page.store("one", &testing::sweep(&[("tasks", &tasks)]));
    let overview = page.get("/api/v1/reports/one/overview").json();
    assert_eq!(overview["cases"].as_array().unwrap().len(), 2);
    assert!(overview["cases"][0]["charts"].is_null());
    let part = |part: &str, key: &serde_json::Value| {
        let key = key.as_str().unwrap().replace(' ', "%20");
        page.get(&format!("/api/v1/reports/one/{part}?key={key}")).json()
    };
    let case = part("case", &overview["cases"][1]["key"]);
    assert_eq!(case["charts"]["throughput"]["data"][0]["name"], "sync");
    let figure = part("sweep", &overview["sweeps"][0]["figures"][0]["key"]);
    assert_eq!(figure["rows"].as_array().unwrap().len(), 2 * 11);
}

#[test]
fn a_part_that_is_not_there_says_where_the_names_stand() {
    let page = page();
    page.store("one", &testing::report(8, Status::Complete));
    for part in ["case", "sweep"] {
        let ask = |query: &str| page.get(&format!("/api/v1/reports/one/{part}{query}"));
        assert_refused(&ask("?key=nothing"), 404, "'nothing'");
        assert_refused(&ask(""), 400, "'key'");
        assert_refused(&ask("?kay=a"), 400, "'kay'");
        assert_refused(&page.get(&format!("/api/v1/run/{part}?key=a")), 404, "no run");
    }
    assert_refused(&page.get("/api/v1/run/overview"), 404, "no run");
    assert_refused(&page.get("/api/v1/events?run=half"), 400, "query");
}

#[test]
fn a_listener_may_ask_for_runs_without_their_charts() {
    let page = page();
    page.publish(3);
    let mut whole = Events::open(page.address);
    while whole.next().unwrap().0 != "run" {}
    let mut events = Events::open_at(page.address, "/api/v1/events?run=overview");
    loop {
        let (name, data) = events.next().unwrap();
        assert_ne!(name, "run", "that is what the other one wanted");
        if name == "overview" {
            let overview: serde_json::Value = serde_json::from_str(&data).unwrap();
            assert_eq!(overview["progress"]["slots_done"], 3);
            assert!(!data.contains("\"charts\""));
            return;
        }
    }
}

#[test]
fn long_answers_are_compressed_for_those_who_take_it_and_events_never() {
    let page = page();
    page.store("one", &testing::report(8, Status::Complete));
    let host = page.address.to_string();
    let headers = [("host", host.as_str()), ("accept-encoding", "gzip")];
    let compressed = request(page.address, "GET", "/api/v1/reports/one/view", &headers, b"");
    assert_eq!(compressed.header("content-encoding"), Some("gzip"));
    let plain = page.get("/api/v1/reports/one/view");
    assert_eq!(plain.header("content-encoding"), None);
    assert!(compressed.body.len() * 3 < plain.body.len());
    let events = Events::open(page.address);
    assert!(events.headers.iter().all(|(name, _)| name != "content-encoding"));
}

#[test]
fn an_unknown_report_and_a_broken_one_are_told_apart() {
    let page = page();
    fs::write(page.reports.path().join("broken.json"), "[]").unwrap();
    assert_refused(&page.get("/api/v1/reports/none"), 404, "none");
    assert_refused(&page.get("/api/v1/reports/broken"), 422, "broken.json");
    assert_refused(&page.get("/api/v1/reports/%FF"), 400, "id");
}

#[test]
fn no_id_leads_out_of_the_folder() {
    let page = page();
    let inside = page.reports.path().join("inside");
    fs::create_dir(&inside).unwrap();
    page.store("secret", &testing::report(2, Status::Complete));
    let (_, server) = Builder::new().listen("127.0.0.1:0").reports_dir(&inside).build().unwrap();
    let address = server.local_addr();
    let _handle = server.spawn().unwrap();
    for id in ["..%2Fsecret", "%2e%2e%2fsecret", "..%5Csecret", ".", "..", "%2Fetc%2Fpasswd", "secret%00", ""]
    {
        let answer = get(address, &format!("/api/v1/reports/{id}"));
        assert_eq!(answer.status, 404, "{id}: {}", answer.text());
    }
    for path in ["/assets/../Cargo.toml", "/assets/x/..%2F..%2FCargo.toml", "/assets/x/app.js"] {
        assert_eq!(get(address, path).status, 404, "{path}");
    }
}

#[test]
fn two_reports_are_compared() {
    let page = page();
    page.store("old", &testing::report(8, Status::Complete));
    page.store("new", &testing::report(9, Status::Complete));
    let answer = page.get("/api/v1/compare?baseline=old&candidate=new");
    let body = answer.json();
    assert_eq!(answer.status, 200, "{body}");
    assert_eq!((&body["baseline"]["id"], &body["candidate"]["id"]), (&"old".into(), &"new".into()));
    assert!(
        body["comparisons"].as_array().unwrap().iter().any(|found| found["verdict"] == "equivalent"),
        "{body}"
    );
}

#[test]
fn a_comparison_that_cannot_be_made_says_which_parameter_is_wrong() {
    let page = page();
    page.store("old", &testing::report(8, Status::Complete));
    let compare = |query: &str| page.get(&format!("/api/v1/compare{query}"));
    assert_refused(&compare(""), 400, "'baseline'");
    assert_refused(&compare("?baseline=old"), 400, "'candidate'");
    assert_refused(&compare("?baseline=&candidate=old"), 400, "'baseline'");
    assert_refused(&compare("?baseline=old&baseline=old&candidate=old"), 400, "'baseline' is there twice");
    assert_refused(&compare("?base=old&candidate=old"), 400, "'base'");
    assert_refused(&compare("?baseline=old&candidate=gone"), 404, "gone");
}

#[test]
fn without_a_folder_there_are_no_reports_and_a_folder_may_come_later() {
    let (_, server) = Builder::new().listen("127.0.0.1:0").build().unwrap();
    let address = server.local_addr();
    let _handle = server.spawn().unwrap();
    assert_eq!(get(address, "/api/v1/reports").json()["reports"], serde_json::json!([]));
    assert_refused(&get(address, "/api/v1/reports/any"), 404, "no folder");

    let page = page();
    fs::remove_dir(page.reports.path()).unwrap();
    assert_eq!(page.get("/api/v1/reports").status, 200);
}

#[test]
fn unknown_paths_and_other_methods_are_refused_with_the_next_step() {
    let page = page();
    assert_refused(&page.get("/api/v2/snapshot"), 404, "/api/v2/snapshot");
    let host = page.address.to_string();
    let posted = request(page.address, "POST", "/api/v1/snapshot", &[("host", &host)], b"{}");
    assert_refused(&posted, 405, "read");
    assert!(posted.header("allow").unwrap().contains("GET"));
}

#[test]
fn the_level_of_the_collector_is_changed_by_the_page_and_by_nobody_elses() {
    let page = page();
    let (host, path) = (page.address.to_string(), "/api/v1/collector");
    let json = [("host", &*host), ("content-type", "application/json")];
    assert_eq!(page.get(path).json()["level"], "calls");
    let own = format!("http://{host}");
    for (level, headers) in
        [("waits", vec![]), ("off", vec![("origin", &*own), ("sec-fetch-site", "same-origin")])]
    {
        let body = format!("{{\"level\":\"{level}\"}}");
        let answer = request(page.address, "POST", path, &[&json[..], &headers].concat(), body.as_bytes());
        assert_eq!((answer.status, &answer.json()["level"]), (200, &level.into()));
        assert_eq!(page.collector.level().as_str(), level);
    }
    let refused = |headers: &[(&str, &str)], body: &str, status, named| {
        let headers = [&[("host", &*host)], headers].concat();
        assert_refused(&request(page.address, "POST", path, &headers, body.as_bytes()), status, named);
        assert_eq!(page.collector.level(), Level::Off);
    };
    let wanted = "{\"level\":\"calls\"}";
    refused(&[json[1], ("origin", "http://evil.example")], wanted, 403, "another page");
    refused(&[json[1], ("sec-fetch-site", "cross-site")], wanted, 403, "another page");
    refused(&[("content-type", "text/plain")], wanted, 415, "JSON");
    refused(&[json[1]], "{\"level\":\"loud\"}", 400, "loud");
    refused(&[json[1]], "{\"level\":\"calls\",\"more\":1}", 400, "more");
    refused(&[json[1]], "", 400, "body");
    refused(&[json[1]], &" ".repeat(2_000), 413, "body");
}

#[test]
fn a_foreign_host_is_refused_on_every_route() {
    let page = page();
    for path in ["/", "/api/v1/snapshot", "/api/v1/events", "/metrics", "/nowhere"] {
        let answer = request(page.address, "GET", path, &[("host", "evil.example")], b"");
        assert_refused(&answer, 403, "evil.example");
    }
    assert_eq!(request(page.address, "GET", "/healthz", &[("host", "localhost:1")], b"").status, 200);
}

#[test]
fn every_answer_carries_the_security_headers_and_none_allows_other_origins() {
    let page = page();
    let origin = ("origin", "http://evil.example");
    for path in ["/", "/api/v1/snapshot", "/nowhere"] {
        let answer = request(page.address, "GET", path, &[("host", "127.0.0.1"), origin], b"");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[test]
fn a_busy_port_is_an_error_and_the_next_one_is_taken_where_that_is_allowed() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = Builder::new().listen(address.to_string()).build().unwrap_err();
    assert!(
        matches!(error, BuildError::Busy { .. }) && error.to_string().contains(&address.to_string()),
        "{error}"
    );
    let (_, server) = Builder::new().listen_or_next(address.to_string()).build().unwrap();
    assert!(server.local_addr().port() > address.port());
    assert_eq!(server.url(), format!("http://{}/", server.local_addr()));
}

#[test]
fn a_page_for_other_machines_is_opened_at_loopback_by_its_url() {
    let (_, server) = Builder::new().listen("0.0.0.0:0").build().unwrap();
    assert_eq!(server.url(), format!("http://127.0.0.1:{}/", server.local_addr().port()));
}

#[test]
fn the_collector_given_to_the_builder_is_the_one_that_is_shown() {
    let collector = Collector::new();
    collector.set_enabled(false);
    let (same, server) = Builder::new().listen("127.0.0.1:0").collector(collector).build().unwrap();
    let address = server.local_addr();
    let _handle = server.spawn().unwrap();
    assert_eq!(get(address, "/api/v1/snapshot").json()["enabled"], false);
    same.set_enabled(true);
    assert_eq!(get(address, "/api/v1/snapshot").json()["enabled"], true);
}
