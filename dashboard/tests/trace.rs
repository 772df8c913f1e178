//! The timeline as a trace viewer reads it: a strict reader of Chrome's trace event format finds in it what the snapshot says.
//!
//! Levels and the probe are global to a process, so the tests run one at a time.

mod support;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::Duration;

use dashboard::exporters::chrome_trace;
use dashboard::snapshot::{Distribution, PrimitiveSnapshot};
use dashboard::{Builder, Collector};
use hdrhistogram::Histogram;
use serde::Deserialize;
use support::{get, request};
use sync::{Event, Mutex, Semaphore};
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

fn one_at_a_time() -> MutexGuard<'static, ()> {
    static LOCK: StdMutex<()> = StdMutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What viewers take; anything else is an error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Trace {
    display_time_unit: String,
    other_data: Other,
    trace_events: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Other {
    recorded_us: [f64; 2],
    whole_since_us: f64,
    forgotten: u64,
    dropped: u64,
    left_out: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, tag = "ph")]
enum Entry {
    #[serde(rename = "M")]
    Name {
        name: String,
        #[serde(rename = "pid")]
        _pid: u32,
        tid: u32,
        args: serde_json::Value,
    },
    X(Slice),
    #[serde(rename = "s")]
    From(End),
    #[serde(rename = "f")]
    To(End),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Slice {
    #[serde(rename = "name")]
    _name: String,
    cat: String,
    #[serde(rename = "pid")]
    _pid: u32,
    tid: u32,
    ts: f64,
    dur: f64,
    args: Option<Arguments>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    op: u64,
    #[serde(rename = "object")]
    _object: u64,
    permits: u64,
    took_ns: u64,
    #[serde(rename = "primitive")]
    _primitive: String,
    name: String,
    line: String,
    #[serde(rename = "made_at")]
    _made_at: String,
    outcome: Option<String>,
    given_by: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "cat")]
    _cat: String,
    id: u64,
    #[serde(rename = "pid")]
    _pid: u32,
    tid: u32,
    ts: f64,
    bp: Option<String>,
}

fn ns(us: f64) -> u64 {
    (us * 1e3).round() as u64
}

impl Slice {
    fn begin_ns(&self) -> u64 {
        ns(self.ts)
    }

    fn end_ns(&self) -> u64 {
        self.begin_ns() + self.length_ns()
    }

    fn length_ns(&self) -> u64 {
        ns(self.dur)
    }
}

/// Slices, arrows by number, and names of the tracks.
struct Read {
    other: Other,
    slices: Vec<Slice>,
    arrows: HashMap<u64, [Option<End>; 2]>,
    tracks: HashMap<u32, String>,
}

/// Reads a trace and holds it to the rules of its format.
fn read(text: &str) -> Read {
    let trace: Trace = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(trace.display_time_unit, "ns");
    let (mut slices, mut tracks) = (Vec::new(), HashMap::new());
    let mut arrows: HashMap<u64, [Option<End>; 2]> = HashMap::new();
    for entry in trace.trace_events {
        match entry {
            Entry::Name { name, tid, args, .. } if name == "thread_name" => {
                assert!(tracks.insert(tid, args["name"].as_str().unwrap().to_owned()).is_none());
            }
            Entry::Name { .. } => {}
            Entry::X(slice) => slices.push(slice),
            Entry::From(end) => {
                assert_eq!(end.bp, None);
                assert!(arrows.entry(end.id).or_default()[0].replace(end).is_none(), "begins twice");
            }
            Entry::To(end) => {
                assert_eq!(end.bp.as_deref(), Some("e"));
                assert!(arrows.entry(end.id).or_default()[1].replace(end).is_none(), "ends twice");
            }
        }
    }
    let read = Read { other: trace.other_data, slices, arrows, tracks };
    read.check();
    read
}

impl Read {
    fn check(&self) {
        let [since, until] = self.other.recorded_us.map(ns);
        assert!(since <= until && ns(self.other.whole_since_us) <= until);
        let mut by_track: BTreeMap<u32, Vec<&Slice>> = BTreeMap::new();
        for slice in &self.slices {
            assert!(slice.end_ns() <= until, "{slice:?} is past the end of the recording");
            assert!(self.tracks.contains_key(&slice.tid), "a track without a name");
            by_track.entry(slice.tid).or_default().push(slice);
        }
        by_track.values().for_each(|slices| check_nesting(slices));
        for [from, to] in self.arrows.values() {
            let (from, to) = (from.as_ref().expect("a beginning"), to.as_ref().expect("an end"));
            assert!(from.ts <= to.ts, "an arrow goes back in time: {from:?} {to:?}");
            assert_eq!(self.around(from).first().map(|slice| &*slice.cat), Some("hold"), "{from:?}");
            assert!(self.around(to).iter().any(|slice| slice.cat == "wait"), "{to:?}");
        }
    }

    /// The slices that are open where an arrow ends, the shortest first.
    fn around(&self, end: &End) -> Vec<&Slice> {
        let at_ns = ns(end.ts);
        let is_around =
            |slice: &&Slice| slice.tid == end.tid && slice.begin_ns() <= at_ns && at_ns <= slice.end_ns();
        let mut around: Vec<_> = self.slices.iter().filter(is_around).collect();
        around.sort_by_key(|slice| slice.length_ns());
        around
    }

    fn of<'r>(&'r self, cat: &'r str, name: &'r str) -> impl Iterator<Item = (&'r Slice, &'r Arguments)> {
        let slices = self.slices.iter().filter(move |slice| slice.cat == cat);
        slices
            .filter_map(|slice| Some((slice, slice.args.as_ref()?)))
            .filter(move |(_, arguments)| arguments.name == name)
    }
}

/// Slices of one track lie in each other or apart; the parts of a wait fill it.
fn check_nesting(slices: &[&Slice]) {
    let mut open: Vec<&Slice> = Vec::new();
    let mut ordered = slices.to_vec();
    ordered.sort_by_key(|slice| (slice.begin_ns(), std::cmp::Reverse(slice.end_ns())));
    for slice in ordered {
        while open.last().is_some_and(|around| around.end_ns() <= slice.begin_ns()) {
            open.pop();
        }
        assert!(
            open.last().is_none_or(|around| slice.end_ns() <= around.end_ns()),
            "{slice:?} crosses {:?}",
            open.last()
        );
        open.push(slice);
    }
    let length = |cat: &[&str]| -> u64 {
        slices.iter().filter(|slice| cat.contains(&&*slice.cat)).map(|slice| slice.length_ns()).sum()
    };
    assert_eq!(length(&["queued", "wake"]), length(&["wait"]));
}

/// The buckets of a snapshot, made of what a trace says.
fn buckets(lengths: impl Iterator<Item = u64>) -> Vec<(u64, u64)> {
    let mut histogram = Histogram::<u64>::new_with_bounds(1, 3_600_000_000_000, 2).unwrap();
    lengths.for_each(|length| histogram.record(length).unwrap());
    Distribution::from(&histogram).buckets
}

/// Tasks that take turns with a lock and a pool, give waits up, and wait for an event.
fn program(dispatch: &Dispatch) {
    let theirs = dispatch.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        // For as long as the thread lives.
        .on_thread_start(move || std::mem::forget(dispatcher::set_default(&theirs)))
        .build()
        .unwrap();
    dispatcher::with_default(dispatch, || runtime.block_on(work()));
}

async fn work() {
    {
        let cache = Arc::new(Mutex::new(0_u64).with_name("cache"));
        let pool = Arc::new(Semaphore::new(3).with_name("pool"));
        let ready = Arc::new(Event::new().with_name("ready"));
        let tasks: Vec<_> = (0..8)
            .map(|number| {
                let (cache, pool, ready) = (Arc::clone(&cache), Arc::clone(&pool), Arc::clone(&ready));
                tokio::spawn(async move {
                    ready.wait().await;
                    for round in 0..60_u64 {
                        let permit = pool.acquire_many(1 + (number + round as u32) % 2).await.unwrap();
                        if let Ok(mut count) =
                            tokio::time::timeout(Duration::from_micros(40), cache.lock()).await
                        {
                            *count += 1;
                            tokio::task::yield_now().await;
                        }
                        drop(permit);
                    }
                })
            })
            .collect();
        tokio::task::yield_now().await;
        ready.set();
        for task in tasks {
            task.await.unwrap();
        }
        // Somebody waits when it closes.
        let all = pool.acquire_many(3).await.unwrap();
        let last = Arc::clone(&pool);
        let late = tokio::spawn(async move { last.acquire().await.is_err() });
        while pool.statistics().waiting == 0 {
            tokio::task::yield_now().await;
        }
        pool.close();
        assert!(late.await.unwrap());
        drop(all);
    }
}

const WAYS: [fn(&Collector) -> Dispatch; 2] = [
    |collector| Dispatch::new(registry().with(collector.listener())),
    |collector| Dispatch::new(registry().with(collector.layer())),
];

/// What a program that was recorded shows.
fn recorded(way: fn(&Collector) -> Dispatch) -> (Read, Vec<PrimitiveSnapshot>) {
    let collector = Collector::new();
    collector.set_timeline(true);
    program(&way(&collector));
    collector.set_timeline(false);
    let read = read(&chrome_trace::encode(collector.timeline()));
    assert_eq!((read.other.dropped, read.other.forgotten, read.other.left_out), (0, 0, 0));
    (read, collector.snapshot().primitives)
}

#[test]
fn what_is_drawn_sums_up_to_what_the_snapshot_says_whichever_way_it_was_heard() {
    let _alone = one_at_a_time();
    for way in WAYS {
        let (read, rows) = recorded(way);
        assert_eq!(rows.len(), 3);
        for row in &rows {
            let took = |cat, outcome: Option<&'static str>| {
                let of_row = read.of(cat, &row.name);
                of_row.filter(move |(_, of)| of.outcome.as_deref() == outcome).map(|(_, of)| of.took_ns)
            };
            assert_eq!(buckets(took("wait", Some("granted"))), row.wait_ns.buckets, "{}", row.name);
            assert_eq!(buckets(took("wait", Some("cancelled"))), row.cancelled_wait_ns.buckets);
            assert_eq!(took("wait", Some("closed")).count() as u64, row.closed);
            assert_eq!(buckets(took("hold", None)), row.hold_ns.buckets, "{}", row.name);
            for site in &row.sites {
                let waits = read.of("wait", &row.name).filter(|(_, of)| of.line == site.site);
                let granted = waits.filter(|(_, of)| of.outcome.as_deref() == Some("granted"));
                assert_eq!(granted.map(|(_, of)| of.took_ns).sum::<u64>(), site.wait_total_ns);
            }
        }
        let pool = rows.iter().find(|row| row.name == "pool").unwrap();
        assert!(read.of("hold", "pool").any(|(_, of)| of.permits == 2));
        assert!(pool.closed == 1 && pool.contended > 0, "{pool:?}");
    }
}

#[test]
fn heard_without_spans_the_slices_themselves_are_exact_and_each_grant_has_its_arrow() {
    let _alone = one_at_a_time();
    let (read, rows) = recorded(WAYS[0]);
    for (slice, of) in ["cache", "pool", "ready"]
        .iter()
        .flat_map(|name| read.of("wait", name).chain(read.of("hold", name)).collect::<Vec<_>>())
    {
        assert_eq!(slice.length_ns(), of.took_ns, "{slice:?}");
    }
    for (part, distribution) in [
        ("queued", |row: &PrimitiveSnapshot| row.queued_ns.count),
        ("wake", |row: &PrimitiveSnapshot| row.wake_ns.count),
    ] as [(&str, fn(&PrimitiveSnapshot) -> u64); 2]
    {
        let drawn = read.slices.iter().filter(|slice| slice.cat == part).count() as u64;
        let granted: u64 = rows.iter().map(distribution).sum();
        assert!(drawn >= granted, "{part}: {drawn} of {granted}");
    }
    let mut arrows = 0;
    for (_, of) in read.of("wait", "cache").filter(|(_, of)| of.outcome.as_deref() == Some("granted")) {
        let [from, to] = read.arrows.get(&of.op).unwrap_or_else(|| panic!("no arrow to {of:?}"));
        let giver = read.around(from.as_ref().unwrap());
        assert!(giver.iter().any(|slice| slice.args.as_ref().unwrap().op == of.given_by.unwrap()));
        let around = read.around(to.as_ref().unwrap());
        assert!(around.iter().any(|slice| slice.args.as_ref().is_some_and(|found| found.op == of.op)));
        arrows += 1;
    }
    assert!(arrows > 0, "nobody waited");
    assert!(read.tracks.values().any(|name| name.starts_with("task #")));
}

#[test]
fn a_server_records_when_it_is_told_to() {
    let _alone = one_at_a_time();
    let (collector, server) = Builder::new().listen("127.0.0.1:0").build().unwrap();
    let address = server.local_addr();
    let _page = server.spawn().unwrap();
    let dispatch = WAYS[0](&collector);
    program(&dispatch);
    assert_eq!(get(address, "/api/v1/status").json()["timeline"], false);
    assert_eq!(read(&get(address, "/api/v1/trace").text()).slices.len(), 0);

    let tell = |body: &str| {
        let host = address.to_string();
        let headers = [("host", &*host), ("content-type", "application/json")];
        request(address, "POST", "/api/v1/trace", &headers, body.as_bytes())
    };
    assert_eq!(tell("{\"recording\":true}").json()["recording"], true);
    assert_eq!(get(address, "/api/v1/status").json()["timeline"], true);
    program(&dispatch);
    assert_eq!(tell("{\"recording\":false}").json()["recording"], false);
    let answer = get(address, "/api/v1/trace");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("content-disposition").unwrap().contains("sync-trace.json"));
    let recorded = read(&answer.text());
    assert!(recorded.of("hold", "cache").count() > 0);
    // It stays until the next begins.
    assert_eq!(read(&get(address, "/api/v1/trace").text()).slices.len(), recorded.slices.len());

    for (body, status) in
        [("{}", 400), ("{\"recording\":1}", 400), ("", 400), ("{\"recording\":true,\"x\":1}", 400)]
    {
        let answer = tell(body);
        assert_eq!(answer.status, status, "{body}");
        assert!(answer.json()["next"].as_str().unwrap().contains("recording"));
    }
    let foreign = [
        ("host", &*address.to_string()),
        ("content-type", "application/json"),
        ("origin", "http://evil.example"),
    ];
    assert_eq!(request(address, "POST", "/api/v1/trace", &foreign, b"{\"recording\":true}").status, 403);
    assert!(!collector.has_timeline());
}
