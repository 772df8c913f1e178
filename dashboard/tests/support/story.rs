//! Programs made of bytes, for property tests and the fuzz target: real primitives driven by hand, and spans of our names from
//! a crate that does not know what they mean.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use dashboard::snapshot::{Distribution, PrimitiveSnapshot, Snapshot};
use dashboard::{Collector, Level};
use sync::schema::TARGET;
use sync::{Event, Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tracing::{Span, span};

/// The bytes that are left; zero past the end.
#[derive(Debug)]
pub(crate) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// All of them.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn next(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.next()) % bound.max(1)
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// What was got by waiting; it is there to be dropped.
#[allow(dead_code, reason = "held, and never looked at")]
enum Held {
    Mutex(OwnedMutexGuard<u64>),
    Permit(OwnedSemaphorePermit),
    Nothing,
}

type Waiting = Pin<Box<dyn Future<Output = Held>>>;

/// Real primitives, what waits for them and what holds them.
pub(crate) struct Program {
    mutexes: [Arc<Mutex<u64>>; 2],
    semaphores: [Arc<Semaphore>; 2],
    event: Arc<Event>,
    waiting: Vec<Waiting>,
    held: Vec<Held>,
}

impl Program {
    /// One in which nothing has happened yet.
    pub(crate) fn new() -> Self {
        Self {
            mutexes: [Arc::new(Mutex::new(0).with_name("first")), Arc::new(Mutex::new(0))],
            semaphores: [Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(3).with_name("pool"))],
            event: Arc::new(Event::new()),
            waiting: Vec::new(),
            held: Vec::new(),
        }
    }

    /// Does the next thing that the bytes say.
    pub(crate) fn step(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.below(16) {
            0..=2 => self.lock(bytes.below(2)),
            3..=5 => self.acquire(bytes.below(2), 1 + bytes.below(3) as u32),
            6 => self.wait(),
            7..=8 => self.poll(bytes.next()),
            9 => drop(take(&mut self.waiting, bytes.next())),
            10..=12 => drop(take(&mut self.held, bytes.next())),
            13 => self.event.set(),
            14 => self.event.clear(),
            _ => self.seldom(bytes),
        }
    }

    fn lock(&mut self, which: usize) {
        let lock = Arc::clone(&self.mutexes[which]).lock_owned();
        self.begin(Box::pin(async { Held::Mutex(lock.await) }));
    }

    fn acquire(&mut self, which: usize, permits: u32) {
        let acquire = Arc::clone(&self.semaphores[which]).acquire_many_owned(permits);
        self.begin(Box::pin(async { acquire.await.map_or(Held::Nothing, Held::Permit) }));
    }

    fn wait(&mut self) {
        let wait = Arc::clone(&self.event).wait_owned();
        self.begin(Box::pin(async {
            wait.await;
            Held::Nothing
        }));
    }

    fn seldom(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.below(4) {
            0 => self.held.extend(Arc::clone(&self.mutexes[0]).try_lock_owned().map(Held::Mutex)),
            1 => self.held.extend(Arc::clone(&self.semaphores[1]).try_acquire_owned().map(Held::Permit)),
            2 => self.semaphores[0].close(),
            _ => self.waiting.clear(),
        }
    }

    fn begin(&mut self, waiting: Waiting) {
        self.waiting.push(waiting);
        self.poll_at(self.waiting.len() - 1);
    }

    fn poll(&mut self, which: u8) {
        if !self.waiting.is_empty() {
            self.poll_at(usize::from(which) % self.waiting.len());
        }
    }

    fn poll_at(&mut self, index: usize) {
        let polled = self.waiting[index].as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(held) = polled {
            drop(self.waiting.remove(index));
            self.held.push(held);
        }
    }
}

fn take<T>(from: &mut Vec<T>, which: u8) -> Option<T> {
    let len = from.len();
    (len != 0).then(|| from.remove(usize::from(which) % len))
}

const NUMBERS: [u64; 10] = [0, 1, 2, 7, 1_024, 1_500, u64::MAX, u64::MAX - 1, 1 << 62, 1 << 63];
const TEXTS: [&str; 9] =
    ["mutex", "semaphore", "barrier", "event", "condition", "rwlock", "", "granted", "src/a.rs"];

/// Spans of ours with every field that they may have, of one type each.
macro_rules! whole {
    ($name:expr, $bytes:expr) => {
        span!(
            target: TARGET, tracing::Level::TRACE, $name,
            primitive = $bytes.pick(&TEXTS), name = $bytes.pick(&TEXTS), id = $bytes.pick(&NUMBERS),
            op = $bytes.pick(&NUMBERS), task = $bytes.pick(&NUMBERS), permits = $bytes.pick(&NUMBERS),
            file = $bytes.pick(&TEXTS), line = $bytes.pick(&NUMBERS), column = 1_u64,
            made_file = $bytes.pick(&TEXTS), made_line = $bytes.pick(&NUMBERS), queue = $bytes.pick(&NUMBERS),
            held_ns = $bytes.pick(&NUMBERS), outcome = tracing::field::Empty,
            queued_ns = tracing::field::Empty, wake_ns = tracing::field::Empty, woken = tracing::field::Empty
        )
    };
}

/// The same with little in it, and of other types.
macro_rules! odd {
    ($name:expr, $bytes:expr) => {
        match $bytes.below(5) {
            0 => span!(target: TARGET, tracing::Level::DEBUG, $name),
            1 => span!(target: TARGET, tracing::Level::DEBUG, $name, primitive = "mutex", id = 7_u64, op = -1_i64),
            2 => span!(target: TARGET, tracing::Level::INFO, $name, primitive = 7_u64, id = "seven", op = true),
            3 => span!(target: TARGET, tracing::Level::TRACE, $name, primitive = "mutex", id = f64::NAN, op = 1_u64),
            _ => span!(
                target: TARGET, tracing::Level::TRACE, $name, primitive = "semaphore", id = 7_u64,
                op = $bytes.pick(&NUMBERS), outcome = "lost", held_ns = u128::MAX, colour = ?"red"
            ),
        }
    };
}

/// A span of our target that nobody of us made.
fn foreign_span(bytes: &mut Bytes<'_>) -> Span {
    match bytes.below(9) {
        0..=1 => whole!("acquire", bytes),
        2..=3 => whole!("wait", bytes),
        4 => whole!("release", bytes),
        5 => whole!("set", bytes),
        6 => odd!("acquire", bytes),
        7 => odd!("wait", bytes),
        _ => odd!("release", bytes),
    }
}

/// Records something on a span, mostly what waits record.
fn record(span: &Span, bytes: &mut Bytes<'_>) {
    let field = bytes.pick(&["outcome", "queued_ns", "wake_ns", "woken", "op", "unknown"]);
    match bytes.below(4) {
        0 => span.record(field, bytes.pick(&["granted", "cancelled", "closed", "refused", "lost"])),
        1 => span.record(field, bytes.pick(&NUMBERS)),
        2 => span.record(field, -1_i64),
        _ => span.record(field, bytes.pick(&[1_u64, 900, 1_000_000])),
    };
}

/// Plays what the bytes say, foreign spans among it, to a collector that is heard as the subscriber of the moment has it, and
/// checks its snapshots.
pub(crate) fn tell(collector: &Collector, bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let (mut program, mut spans) = (Program::new(), Vec::<Span>::new());
    while !bytes.is_empty() {
        match bytes.below(12) {
            0..=3 => program.step(&mut bytes),
            4..=6 => spans.push(foreign_span(&mut bytes)),
            7..=8 if !spans.is_empty() => record(&spans[bytes.below(spans.len())], &mut bytes),
            9 => drop(take(&mut spans, bytes.next())),
            10 => check(&collector.snapshot()),
            11 if bytes.below(4) == 0 => collector.set_level(bytes.pick(&Level::ALL)),
            _ => {}
        }
    }
    drop((program, spans));
    check(&collector.snapshot());
}

/// What holds of a snapshot whatever went before.
pub(crate) fn check(snapshot: &Snapshot) {
    let json = serde_json::to_string(snapshot).expect("a snapshot can be written");
    assert!(serde_json::from_str::<Snapshot>(&json).is_ok(), "and read: {json}");
    assert!(snapshot.waits.len() <= Snapshot::WAITS_LIMIT);
    snapshot.primitives.iter().for_each(check_row);
}

fn check_row(row: &PrimitiveSnapshot) {
    let sites =
        |figure: fn(&dashboard::snapshot::SiteSnapshot) -> u64| row.sites.iter().map(figure).sum::<u64>();
    assert!(sites(|site| site.acquisitions) <= row.acquisitions, "{row:#?}");
    assert!(sites(|site| site.hold_ns.count) <= row.hold_ns.count, "{row:#?}");
    assert_eq!((row.wait_ns.count, row.cancelled_wait_ns.count), (row.contended, row.cancelled), "{row:#?}");
    assert!(row.queued_ns.count <= row.contended && row.wake_ns.count <= row.contended, "{row:#?}");
    assert!(row.holders.len() as u64 <= row.holders_count, "{row:#?}");
    assert!(row.worst_waits.len() <= PrimitiveSnapshot::WORST_WAITS_LIMIT, "{row:#?}");
    assert!(row.worst_waits.is_sorted_by(|a, b| a.wait_ns >= b.wait_ns), "{row:#?}");
    let distributions = [&row.wait_ns, &row.hold_ns, &row.queued_ns, &row.wake_ns, &row.cancelled_wait_ns];
    for Distribution { p50, p90, p99, p999, max, .. } in distributions {
        assert!([p50, p90, p99, p999, max].is_sorted(), "{row:#?}");
    }
}
