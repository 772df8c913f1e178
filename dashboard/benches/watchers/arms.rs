//! The arms: a lock, and who watches it.
//!
//! Each runs in a process of its own, as the only task of a runtime, since the console leaves out what happens elsewhere. The budget
//! is switched off: tokio's locks would make way after 128 calls, and ours do not.

use std::hint::black_box;
use std::time::{Duration, Instant};

use console_subscriber::ConsoleLayer;
use dashboard::{Collector, Level};
use results::statistics::median;
use sync::schema;
use tokio::task::unconstrained;
use tracing::Subscriber;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Identity, Layer};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::{LookupSpan, Registry};

/// Blocks that a slot is cut into; the figure is that of the median one.
const BLOCKS: u32 = 5;

pub(crate) struct Arm {
    pub(crate) name: &'static str,
    /// Arms of one lock are compared with the first of it.
    pub(crate) lock: &'static str,
    pub(crate) watched_by: &'static str,
    pub(crate) measure: fn(Duration) -> f64,
}

impl Arm {
    const fn tokio(name: &'static str, watched_by: &'static str, measure: fn(Duration) -> f64) -> Self {
        Self { name, lock: "`tokio::sync::Mutex`", watched_by, measure }
    }

    const fn ours(name: &'static str, watched_by: &'static str, measure: fn(Duration) -> f64) -> Self {
        Self { name, lock: "`sync::Mutex`", watched_by, measure }
    }
}

pub(crate) static ARMS: [Arm; 13] = [
    Arm::tokio("tokio", "nobody", tokio_locks),
    Arm::tokio("hotpath", "hotpath, without spans", hotpath_locks),
    Arm::tokio("tokio-resources", "`Collector::tokio_resources`", |slot| {
        let collector = Collector::new();
        let resources = collector.tokio_resources();
        Registry::default().with(collector.listener()).with(resources).init();
        let ns = tokio_locks(slot);
        assert_ne!(acquisitions(&collector), 0, "it was not heard");
        ns
    }),
    Arm::tokio("tokio-console", "console-subscriber", |slot| {
        with_console();
        tokio_locks(slot)
    }),
    Arm::ours("sync", "nobody", |slot| locks(slot, |_| ())),
    Arm::ours("off", "listener, off", |slot| listened(slot, Level::Off)),
    Arm::ours("waits", "listener, waits (nobody waits)", |slot| listened(slot, Level::Waits)),
    Arm::ours("calls", "listener, calls", |slot| listened(slot, Level::Calls)),
    Arm::ours("registry", "a `Registry`, and nobody looks", |slot| {
        watched_by(Identity::new());
        locks(slot, |_| ())
    }),
    Arm::ours("with-spans", "listener with spans, over a `Registry`", |slot| {
        let collector = Collector::new();
        watched_by(collector.listener().with_spans());
        locks(slot, |done| assert_eq!(acquisitions(&collector), done))
    }),
    Arm::ours("layer", "layer", |slot| {
        let collector = Collector::new();
        watched_by(collector.clone());
        locks(slot, |done| assert_eq!(acquisitions(&collector), done))
    }),
    Arm::ours("filtered", "layer with its own filter", |slot| {
        let collector = Collector::new();
        watched_by(collector.layer());
        locks(slot, |done| assert_eq!(acquisitions(&collector), done))
    }),
    Arm::ours("sync-console", "console-subscriber, feature `console`", |slot| {
        with_console();
        locks(slot, |_| ())
    }),
];

/// The layer and its server as `console_subscriber::init` starts them, at a free port.
fn with_console() {
    let console = ConsoleLayer::builder().server_addr(([127, 0, 0, 1], 0)).spawn();
    Registry::default().with(console).init();
    assert!(tracing::event_enabled!(target: "runtime::resource::poll_op", tracing::Level::TRACE));
}

/// A layer that is given the spans of `sync` alone: not what tokio and the feature `console` tell, which is in this build for other
/// arms' sake.
fn watched_by<L>(layer: L)
where
    L: Layer<Registry> + Send + Sync,
    tracing_subscriber::layer::Layered<L, Registry>: Subscriber + Send + Sync + for<'span> LookupSpan<'span>,
{
    let ours = filter_fn(|metadata| metadata.target() == schema::TARGET);
    Registry::default().with(layer).with(ours).init();
}

fn listened(slot: Duration, level: Level) -> f64 {
    let collector = Collector::new();
    collector.set_level(level);
    watched_by(collector.listener());
    locks(slot, |done| {
        assert_eq!(acquisitions(&collector), if level == Level::Calls { done } else { 0 });
    })
}

fn acquisitions(collector: &Collector) -> u64 {
    collector.snapshot().primitives.iter().map(|row| row.acquisitions).sum()
}

fn locks(slot: Duration, check: impl FnOnce(u64)) -> f64 {
    let lock = sync::Mutex::new(0_u64).with_name("cache");
    pairs(slot, async || *black_box(&lock).lock().await += 1, check)
}

fn tokio_locks(slot: Duration) -> f64 {
    let lock = tokio::sync::Mutex::new(0_u64);
    pairs(slot, async || *black_box(&lock).lock().await += 1, |_| ())
}

fn hotpath_locks(slot: Duration) -> f64 {
    let lock = hotpath::mutex!(tokio::sync::Mutex::new(0_u64));
    pairs(slot, async || *black_box(&lock).lock().await += 1, |_| ())
}

/// Nanoseconds for a pair, of very many; their number is told to `check`.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some millions at most"
)]
fn pairs(slot: Duration, pair: impl AsyncFn(), check: impl FnOnce(u64)) -> f64 {
    let block = async |n: u64| {
        let began = Instant::now();
        for _ in 0..n {
            pair().await;
        }
        began.elapsed()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be started");
    runtime.block_on(unconstrained(async {
        let (mut n, mut took, mut done) = (64, Duration::ZERO, 0);
        // The last of these is long enough to go by, and all of them warm up.
        while took < slot / BLOCKS / 4 {
            n *= 2;
            took = block(n).await;
            done += n;
        }
        n = (n as f64 * (slot / BLOCKS).as_secs_f64() / took.as_secs_f64()) as u64;
        let mut ns = Vec::new();
        for _ in 0..BLOCKS {
            ns.push(block(n).await.as_secs_f64() * 1e9 / n as f64);
            done += n;
        }
        check(done);
        median(&ns).expect("there are some")
    }))
}
