//! The table of targets: ours beside its limits and every rival, measured in one interleaved run.
//!
//! ```sh
//! cargo bench -p workloads --bench targets                     # the targets, some half a minute
//! cargo bench -p workloads --bench targets -- --all            # every operation there is
//! cargo bench -p workloads --bench targets -- --rounds 41 --slot-ms 20 --seed 7
//! ```
//!
//! Rounds are the replicates; the figure of a round is the median of the five blocks of a slot. What stands in the table is Hodges and Lehmann's estimate over them, with Wilcoxon's
//! interval of 95 %; a target is met where the whole interval is within it, missed where none of it is. Our own
//! operation is there twice: "sync / itself" shows what a difference means on this machine.
#![deny(unsafe_code)]

#[path = "../operations/mod.rs"]
mod operations;
mod rounds;
mod table;
mod watched;

use std::time::Duration;

use operations::operations;
use rounds::{Cell, Plan, measure};

/// What ours must keep below.
#[derive(Clone, Copy, Debug)]
enum Bound {
    Ns(f64),
    TimesLimit(f64),
}

struct Target {
    title: &'static str,
    group: &'static str,
    /// The arm that ours is measured against, where a group has several limits.
    limit: Option<&'static str>,
    bound: Bound,
}

impl Target {
    const fn new(
        title: &'static str,
        group: &'static str,
        limit: Option<&'static str>,
        bound: Bound,
    ) -> Self {
        Self { title, group, limit, bound }
    }
}

/// The single-threaded rows of the design's table.
const TARGETS: &[Target] = &[
    Target::new("Mutex lock+unlock, free", "mutex/free", Some("parking_lot"), Bound::TimesLimit(1.0)),
    Target::new(
        "… polled once by hand",
        "mutex/free_polled_once",
        Some("parking_lot"),
        Bound::TimesLimit(1.0),
    ),
    Target::new("Semaphore acquire+release, free", "semaphore/free", Some("two CAS"), Bound::TimesLimit(1.4)),
    Target::new(
        "… polled once by hand",
        "semaphore/free_polled_once",
        Some("two CAS"),
        Bound::TimesLimit(1.4),
    ),
    Target::new("hand-off, 2 tasks", "hand_off/2", None, Bound::Ns(75.0)),
    Target::new("hand-off, 8 tasks", "hand_off/8", None, Bound::Ns(75.0)),
    Target::new("hand-off, 64 tasks", "hand_off/64", None, Bound::Ns(75.0)),
    Target::new("hand-off, 1,000 tasks", "hand_off/1000", None, Bound::Ns(75.0)),
    Target::new("Event: wait on a set one", "event/wait_set", None, Bound::Ns(5.0)),
    Target::new("Event, 1,000 waiters: arm, each", "event/arm/1000", None, Bound::Ns(20.0)),
    Target::new("Event, 1,000 waiters: set, each", "event/set/1000", None, Bound::Ns(5.0)),
    Target::new("Event, 1,000 waiters: resume, each", "event/resume/1000", None, Bound::Ns(15.0)),
    Target::new("Condition: notify_all over 1,000, each", "condition/notify_all/1000", None, Bound::Ns(90.0)),
];

/// Ours alone is looked at while a subscriber at DEBUG is there: title, group, calls in an operation.
const WATCHED: &[(&str, &str, f64)] = &[
    ("Mutex lock and unlock, free", "mutex/free", 2.0),
    ("Semaphore acquire and release, free", "semaphore/free", 2.0),
    ("Event: wait on a set one", "event/wait_set", 1.0),
];
const PER_CALL_NS: f64 = 2.0;

fn main() {
    let options = Options::from_arguments();
    println!("{}", machine(&options));
    print!("{}", table::head());
    let mut cells: Vec<Cell> = Vec::new();
    for operation in operations() {
        if options.all || TARGETS.iter().any(|target| target.group == operation.group) {
            cells.push(Cell::new(operation, false));
            if operation.arm == "sync" {
                cells.push(Cell::new(operation, true));
            }
        }
    }
    measure(options.plan, &mut cells, |_| {});
    for arms in cells.chunk_by(|one, other| one.operation.group == other.operation.group) {
        let group = arms[0].operation.group;
        let target = TARGETS.iter().find(|target| target.group == group);
        let title = target.map_or(group, |target| target.title);
        print!(
            "{}",
            table::row(
                title,
                arms,
                target.and_then(|target| target.limit),
                target.map(|target| target.bound)
            )
        );
    }
    print!("{}\n{}", table::composed(&cells), operations::sizes::table());
    watched_rows(options.plan);
}

/// Last, because a subscriber stays.
fn watched_rows(plan: Plan) {
    watched::install();
    let ours = operations().into_iter().filter(|operation| operation.arm == "sync");
    let of_interest = ours.filter(|operation| WATCHED.iter().any(|(_, group, _)| *group == operation.group));
    let mut cells: Vec<Cell> =
        of_interest.flat_map(|operation| [false, true].map(|on| Cell::new(operation, on))).collect();
    // `again` is the one that is watched here.
    measure(plan, &mut cells, |cell| watched::switch(cell.again));
    assert_eq!(watched::spans(), 0, "a call that did not wait made a span");
    println!(
        "\n| a subscriber at DEBUG, nothing waits | ns on top, a call | target | met |\n|---|---|---|---|"
    );
    for (title, group, calls) in WATCHED {
        let find = |on| cells.iter().find(|cell| cell.operation.group == *group && cell.again == on);
        let (Some(with), Some(without)) = (find(true), find(false)) else { continue };
        print!("{}", table::difference(title, &with.ns, &without.ns, *calls, PER_CALL_NS));
    }
}

struct Options {
    plan: Plan,
    all: bool,
}

impl Options {
    fn from_arguments() -> Self {
        let plan = Plan { rounds: 21, slot: Duration::from_millis(5), seed: 1 };
        let mut options = Self { plan, all: false };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut number =
                || arguments.next().and_then(|value| value.parse::<u64>().ok()).unwrap_or_else(usage);
            match argument.as_str() {
                "--bench" => {}
                "--all" => options.all = true,
                "--rounds" => options.plan.rounds = usize::try_from(number()).unwrap_or(usize::MAX),
                "--slot-ms" => options.plan.slot = Duration::from_millis(number()),
                "--seed" => options.plan.seed = number(),
                _ => usage(),
            }
        }
        options
    }
}

fn usage<T>() -> T {
    eprintln!("targets [--all] [--rounds N] [--slot-ms N] [--seed N]");
    std::process::exit(2)
}

/// What the figures are worth elsewhere.
fn machine(options: &Options) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let cpu =
        cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, cpu)| cpu);
    let versions: Vec<String> = operations::BACKENDS[1..]
        .iter()
        .map(|backend| format!("{} {}", backend.name, backend.version))
        .collect();
    let Plan { rounds, slot, seed } = options.plan;
    format!(
        "{}, load {}; {rounds} rounds of {slot:?} a slot, seed {seed}; {}\n",
        cpu.unwrap_or(std::env::consts::ARCH),
        read("/proc/loadavg").split(' ').next().unwrap_or("unknown"),
        versions.join(", "),
    )
}
