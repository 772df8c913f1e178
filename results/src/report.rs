//! The report of a run: plain data, the wire format of `bench-harness/report/v1`.
//!
//! It knows neither how its figures were measured nor how they are shown. Units stand last in the names.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Value of [`Report::schema`].
pub const SCHEMA: &str = "bench-harness/report/v1";

/// What one run found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Always [`SCHEMA`].
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// When, how and how far.
    pub run: Run,
    /// On what.
    pub environment: Environment,
    /// One for each measured case and backend.
    pub cells: Vec<Cell>,
    /// Backends against the baseline, within this run.
    pub comparisons: Vec<Comparison>,
    /// The baseline against itself under another name: the noise floor of this run.
    pub control: Vec<Comparison>,
    /// What was checked before the figures may be believed.
    pub validity: Vec<Check>,
}

/// Identity of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Sortable by time, usable as a file name: `20261122T190501Z-semaphore-3f9a`.
    pub id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Wall time of the whole run.
    pub duration_s: f64,
    /// The arguments after the program's name.
    pub argv: Vec<String>,
    /// Everything random was drawn from it.
    pub seed: u64,
    /// Rounds that were asked for, so that a run under way or interrupted can say how far it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds_planned: Option<usize>,
    /// Processes that the rounds were spread over, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forks: Option<usize>,
    /// How it ended.
    pub status: Status,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Under way; only ever seen live, never in a file.
    Running,
    /// Every round was measured and every check passed.
    Complete,
    /// Ended early; what was measured is here.
    Interrupted,
    /// A check of [`Report::validity`] failed.
    Invalid,
}

/// The machine and the build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// Model name of the processor.
    pub cpu: String,
    /// Logical processors that the process may use.
    pub cores: usize,
    /// Main memory.
    pub memory_bytes: u64,
    /// Operating system and kernel release.
    pub kernel: String,
    /// `rustc --version` of the build.
    pub rustc: String,
    /// Cargo profile and optimisation level of the build: `dev, opt-level 3`.
    pub profile: String,
    /// Whether debug assertions were compiled in; such figures are invalid.
    pub debug_assertions: bool,
    /// Commit and whether the tree was dirty, where the build knew: `3f9a2c1` or `3f9a2c1-dirty`.
    pub git: Option<String>,
    /// Executor, its flavour and workers: `tokio 1.54.1, multi-thread, 2 workers`.
    pub runtime: String,
    /// Processors to which the runtime's workers were pinned, in the order of the workers; null where they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Vec<usize>>,
    /// The clock and what one read of it cost: `fastant (tsc), 11.2 ns`.
    pub clock: String,
    /// One-minute load average before the run.
    pub load_before: f64,
    /// One-minute load average after the run.
    pub load_after: f64,
}

/// The parameters of a case under the names of their options, durations in nanoseconds as `hold_ns`.
pub type Params = BTreeMap<String, serde_json::Value>;

/// One case on one backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// Workload, such as `semaphore`.
    pub workload: String,
    /// Variant of the workload, such as `pool`.
    pub variant: String,
    /// Backend, such as `tokio`. The control arm carries the baseline's name and `(control)` behind it.
    pub backend: String,
    /// Version of the backend's package.
    pub backend_version: String,
    /// How the backend was put together where it lacks the primitive: `Notify + Mutex`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub composed: Option<String>,
    /// Parameters of the case.
    pub params: Params,
    /// Throughput rounds, in the order of the run; the warm-up is not among them. In an open loop, which has no
    /// throughput slots, the same figures of the latency slots.
    pub rounds: Vec<Round>,
    /// Over the rounds. In an open loop it is what was asked for, as far as that was kept, and no capacity.
    pub throughput_ops_per_s: Spread,
    /// Latency pass: from asking (in an open loop: from the intended start) to having, in nanoseconds.
    pub wait_ns: WaitSummary,
    /// Latency pass round by round, in the order of the run, so that waits too are compared in pairs.
    #[serde(default)]
    pub latency_rounds: Vec<LatencyRound>,
    /// Share of the time of an operation in the latency pass that the clock and the recorder took, 0 to 1: how much
    /// longer it took there than in the throughput pass, median of the rounds. Null in an open loop, which has one
    /// pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorder_share: Option<f64>,
    /// How evenly the tasks were served, over the rounds.
    pub fairness: Fairness,
    /// How the schedule was kept, over all rounds; only in an open loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_loop: Option<OpenLoop>,
    /// Throughput or cost in the unit of another benchmark, where the run asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_figure: Option<PeerFigure>,
}

/// A figure in the unit of another benchmark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PeerFigure {
    /// The unit in words: `ns per 3000 operations`.
    pub unit: String,
    /// Median of the rounds.
    pub median: f64,
    /// Smallest round.
    pub min: f64,
    /// Largest round.
    pub max: f64,
}

/// How the schedule of an open loop was kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenLoop {
    /// Intended starts in a second, all tasks together.
    pub rate_ops_per_s: f64,
    /// The rate at which they were met: `rate_ops_per_s` times the share of the intended starts whose operation
    /// was finished, or given up as `cancel_percent` asks, by the end of its slot.
    pub achieved_ops_per_s: f64,
    /// The generator's own lag, from the intended to the actual start of an operation whose task was free in
    /// time: its mean, 0 where there was none. It is part of the waits.
    pub lag_mean_ns: f64,
    /// Longest lag of the generator.
    pub lag_max_ns: u64,
    /// Share of the operations that began late because their task was still busy, 0 to 1.
    pub behind_fraction: f64,
}

/// One slot of one backend in one round of the throughput pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Round {
    /// Place of this slot within its round, from 0.
    pub order: usize,
    /// Operations finished.
    pub ops: u64,
    /// Wall time of the slot; in an open loop from the first intended start to the end of the slot.
    pub wall_ns: u64,
    /// CPU time of the process during the slot.
    pub cpu_ns: u64,
    /// Share of acquisitions that had to wait, 0 to 1.
    pub contended_fraction: f64,
    /// Jain's fairness index over the tasks' operations, 1/n to 1.
    pub jain: f64,
    /// Operations of the worst-served task over the mean of all, 0 to 1.
    #[serde(default)]
    pub smallest_share: f64,
    /// Mean time that the primitive was really held; null where nothing is held.
    pub hold_ns: Option<f64>,
    /// Times that a poll returned pending because tokio's cooperative budget was spent.
    pub forced_yields: u64,
    /// Waits dropped before they were ready.
    pub cancelled: u64,
    /// Times that a thread of the process gave up its processor of its own accord, to sleep; null where the system
    /// does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voluntary_switches: Option<u64>,
    /// Times that a thread of the process lost its processor to somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub involuntary_switches: Option<u64>,
    /// Times that a task was woken, looked, and had to wait again; null where no task looks for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub futile_wakeups: Option<u64>,
    /// The process of [`Run::forks`] that measured it, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<usize>,
}

/// One slot of one backend in one round of the latency pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyRound {
    /// Place of this slot within its round, from 0.
    pub order: usize,
    /// Waits that were timed.
    pub count: u64,
    /// Mean wait, 0 without samples.
    pub mean_ns: f64,
    /// Median wait; null where the slot saw too few.
    pub p50_ns: Option<u64>,
    /// 99th percentile; null where the slot saw too few.
    pub p99_ns: Option<u64>,
    /// Mean number of waiters in the queue; null where it was not sampled.
    pub queue_depth: Option<f64>,
    /// Operations finished.
    #[serde(default)]
    pub ops: u64,
    /// Wall time of the slot.
    #[serde(default)]
    pub wall_ns: u64,
    /// Calls of the allocator during the slot, the bench's own included; null where they were not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocations: Option<u64>,
    /// The process of [`Run::forks`] that measured it, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<usize>,
}

/// Median and range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    /// Median of the rounds.
    pub median: f64,
    /// Smallest round.
    pub min: f64,
    /// Largest round.
    pub max: f64,
}

/// Distribution of a duration in nanoseconds. A percentile that the sample is too small for is null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WaitSummary {
    /// Samples.
    pub count: u64,
    /// Mean, 0 without samples.
    pub mean: f64,
    /// Median.
    pub p50: Option<u64>,
    /// 90th percentile.
    pub p90: Option<u64>,
    /// 99th percentile.
    pub p99: Option<u64>,
    /// 99.9th percentile.
    pub p999: Option<u64>,
    /// Largest sample, 0 without samples.
    pub max: u64,
    /// The histogram itself: HdrHistogram V2, base64.
    pub hdr: String,
}

/// How evenly the tasks were served.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fairness {
    /// Jain's index, median of the rounds.
    pub jain: f64,
    /// Operations of the worst-served task over the mean of all, median of the rounds, 0 to 1.
    pub smallest_share: f64,
    /// Longest wait that the latency pass saw, in nanoseconds.
    pub longest_wait_ns: u64,
}

/// One backend against another, on one metric of one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Workload of the case.
    pub workload: String,
    /// Variant of the case.
    pub variant: String,
    /// Parameters of the case.
    pub params: Params,
    /// `throughput` or `wait_p50` and the like.
    pub metric: String,
    /// Backend compared against.
    pub baseline: String,
    /// Backend compared.
    pub candidate: String,
    /// Above 1: the candidate is better. Null where it could not be estimated (fewer than two rounds).
    pub ratio: Option<f64>,
    /// Interval of the ratio, lower and upper bound; null where the rounds cannot give one.
    pub ci: Option<[f64; 2]>,
    /// Confidence that the interval attains, 0 to 1.
    pub confidence: f64,
    /// How ratio and interval were found.
    pub method: String,
    /// Pairs of rounds used; between two runs, whose rounds make no pairs, those of the shorter run.
    pub rounds: usize,
    /// Two-sided p-value of the signed-rank test (between two runs of the rank-sum test), Holm-adjusted over
    /// the comparisons made together; null where there is no estimate.
    pub p_adjusted: Option<f64>,
    /// The smallest ratio above 1 that this many rounds with this spread would probably have told from 1; null
    /// where there is no interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detectable: Option<f64>,
    /// What it comes to.
    pub verdict: Verdict,
}

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The interval lies above the margin of equivalence.
    Faster,
    /// The interval lies below it.
    Slower,
    /// The interval lies inside it.
    Equivalent,
    /// None of these.
    Inconclusive,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// What was checked: `contended`, `counts`, `debug-assertions`.
    pub check: String,
    /// Whether it held.
    pub pass: bool,
    /// What was seen and, where it failed, what to change.
    pub detail: String,
}

impl Cell {
    /// Whether the operations began by a schedule: the cell then has waits to compare, and no throughput.
    #[must_use]
    pub fn is_open_loop(&self) -> bool {
        self.open_loop.is_some()
    }

    /// The case as people name it: workload, variant and parameters, `semaphore/pool permits=8 tasks=64`.
    ///
    /// Two cells are of the same case exactly when their names are the same.
    #[must_use]
    pub fn case(&self) -> String {
        case_name(&self.workload, &self.variant, &self.params)
    }

    /// Case and backend: `semaphore/pool permits=8 tasks=64 on tokio`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{} on {}", self.case(), self.backend)
    }
}

impl Comparison {
    /// The case, as [`Cell::case`] names it.
    #[must_use]
    pub fn case(&self) -> String {
        case_name(&self.workload, &self.variant, &self.params)
    }
}

impl Round {
    /// Operations in a second; `None` where the slot took no time, as only a broken report has it.
    #[must_use]
    pub fn throughput_ops_per_s(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "below 2^53 in any real run")]
        (self.wall_ns > 0).then(|| self.ops as f64 * 1e9 / self.wall_ns as f64)
    }
}

impl Verdict {
    /// Its name on the wire: `faster`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Faster => "faster",
            Verdict::Slower => "slower",
            Verdict::Equivalent => "equivalent",
            Verdict::Inconclusive => "inconclusive",
        }
    }
}

fn case_name(workload: &str, variant: &str, params: &Params) -> String {
    use serde_json::Value;

    let mut name = format!("{}/{}", quoted_unless(is_name, workload), quoted_unless(is_name, variant));
    for (key, value) in params {
        name.push(' ');
        name.push_str(&quoted_unless(is_name, key));
        name.push('=');
        match value {
            Value::String(text) => name.push_str(&quoted_unless(is_word, text)),
            value => name.push_str(&value.to_string()),
        }
    }
    name
}

/// The text as it is where `plain` allows it, else as JSON, so that no two names can read alike.
fn quoted_unless(plain: fn(&str) -> bool, text: &str) -> String {
    if plain(text) { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// Whether a name of a workload or parameter needs no quotes: `pool`, `32:1000`.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|character| character.is_alphanumeric() || "-_.:".contains(character))
}

/// Whether a value that is text needs no quotes: `spin`, `multi-thread`; not `8` or `true`, which are no text.
fn is_word(text: &str) -> bool {
    is_name(text) && text.starts_with(char::is_alphabetic) && !["true", "false", "null"].contains(&text)
}
