//! The command line: its words, defaults and help. It knows nothing of what is done with them.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, RangedU64ValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use results::units::PeerUnit;
use workloads::{Params, SCENARIOS};

use crate::duration;
use crate::pin::{self, Pin};
use crate::sweep::{self, Axis};

const EXAMPLES: &str = "\
Examples:
  bench-harness --workload semaphore
      compare our semaphore with tokio's, and watch it at http://127.0.0.1:7411
  bench-harness --workload semaphore --tasks 256 --permits 4 --hold 10us
      the same under heavier contention
  bench-harness --workload all --backend all --exit
      everything against everything, then exit
  bench-harness --workload semaphore --rate 50000
      open loop: 50,000 operations a second, waits from their intended starts
  bench-harness --workload mutex --format json --exit > report.json
      for another program; only the report goes to standard output
  bench-harness --workload semaphore --sweep permits=1,4,16 --sweep hold=0,10us
      six cases, one for each combination
  bench-harness --preset lockhammer
      a contention that others measure too; `list` has more
  bench-harness --workload mutex --forks 8
      the same in eight processes, to see what the luck of one process is worth
  bench-harness --resume 20261127T081500Z-mutex-3f9a
      go on with a sweep that was interrupted
  bench-harness calibrate
      how often does this machine see a difference where there is none?
  bench-harness list
      the workloads, their variants and knobs, the backends and the presets

Exit codes: 0 done, 1 failed, 2 usage, 3 the measurement is not valid, 99 compare found a regression,
130 interrupted (what was measured is kept, and marked).";

/// Drives contention over async locks, semaphores, events and conditions, and says which implementation is
/// faster, how sure that is, and how evenly the tasks were served.
///
/// Without a subcommand it runs a measurement: every backend in turn, many short rounds, the baseline twice
/// to know the noise. Throughput and waiting times are measured in separate slots. With the dashboard on,
/// one more short slot a round runs `sync` with its collector switched on, for the Live page only: it enters
/// no figure.
#[derive(Debug, Parser)]
#[command(name = "bench-harness", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// What to do instead of a run.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// Everything but a run.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the workloads with their variants and knobs, the backends and the presets.
    List(ListArgs),
    /// Compare two stored reports, cell by cell.
    Compare(CompareArgs),
    /// Write a stored report in another program's format to standard output.
    Export(ExportArgs),
    /// Serve the dashboard with the stored reports until Ctrl-C.
    Serve(ServeArgs),
    /// Compare a backend with itself many times, and say how often this machine finds a difference where there is none.
    Calibrate(Box<CalibrateArgs>),
    /// Print the JSON Schema of a report.
    Schema,
}

/// The options of a run.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// What to run: names from `list`, separated by commas.
    ///
    /// A bare name runs its first variant, NAME.VARIANT another, NAME.all every variant of it;
    /// `all` is the first variant of every workload, `all.all` every variant of every workload.
    #[arg(long, value_name = "NAME|all", default_value = "semaphore", value_delimiter = ',')]
    pub(crate) workload: Vec<String>,
    /// Whose primitives: names from `list`, separated by commas, or `all`.
    ///
    /// `tokio` is the baseline when it is among them, else the first.
    #[arg(long, value_name = "LIST|all", default_value = "sync,tokio", value_delimiter = ',')]
    pub(crate) backend: Vec<String>,
    /// Take options from a TOML file; what is typed beside it wins.
    ///
    /// A key is the name of an option of a run, without the dashes in front, and takes what the option takes:
    /// numbers bare (tasks = 64), durations and names in quotes (hold = "10us"), switches as true or false;
    /// workload and backend also take arrays of names. A table [sweep] has knobs with arrays of values
    /// (permits = [1, 4, 16]). A relative path in it starts from the current folder. There is a commented
    /// example in workloads/scenarios/example.toml.
    #[arg(long, value_name = "FILE.toml", conflicts_with = "preset")]
    pub(crate) scenario: Option<PathBuf>,
    /// Take options from a scenario that comes with the program; what is typed beside it wins.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(SCENARIOS.iter().map(|it| it.name)))]
    pub(crate) preset: Option<String>,
    /// Go on with a run that was interrupted: a file, or the id of a stored report.
    ///
    /// The options are those of that run; beside it only options of this help's last section may be given. Cases that
    /// have all their rounds are kept, the others are measured anew, and the report keeps its id. Another machine,
    /// build or backend than that of the report is refused.
    #[arg(long, value_name = "REPORT")]
    pub(crate) resume: Option<String>,
    #[command(flatten)]
    pub(crate) knobs: Knobs,
    /// Measure a knob at several values, each as a case of its own: `--sweep permits=1,4,16`.
    ///
    /// KEY is an option of this section, and a value what that option takes. Given several times, for
    /// different knobs, it makes a case of every combination, up to 1,000 together.
    #[arg(long, value_name = "KEY=A,B,C", value_parser = sweep::parse, allow_hyphen_values = true,
          help_heading = "The contention")]
    pub(crate) sweep: Vec<Axis>,
    #[command(flatten)]
    pub(crate) method: Method,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) forked: Forked,
}

/// What a run tells the processes that it starts for `--forks`; no part of the interface.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Forked {
    /// Which of the processes this one is, from 0.
    #[arg(long, hide = true, value_name = "N")]
    pub(crate) fork: Option<usize>,
    /// The seed of this process.
    #[arg(long, hide = true, value_name = "N", requires = "fork")]
    pub(crate) fork_seed: Option<u64>,
    /// Cases that need not be measured, by their place among all.
    #[arg(long, hide = true, value_name = "LIST", value_delimiter = ',', requires = "fork")]
    pub(crate) fork_skip: Vec<usize>,
}

/// The knobs of a case; where one is not given the workload's own default stands (see `list`).
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "The contention")]
pub(crate) struct Knobs {
    /// Tasks that contend, 1 to 1,000,000.
    #[arg(long, value_name = "N", value_parser = count(Params::MAX_TASKS), allow_negative_numbers = true)]
    pub(crate) tasks: Option<usize>,
    /// Permits of the semaphore or places in the buffer, 1 to 1,000,000,000.
    #[arg(long, value_name = "N", value_parser = count(Params::MAX_PERMITS), allow_negative_numbers = true)]
    pub(crate) permits: Option<usize>,
    /// Locks of which each operation takes one at random, 1 to 10,000,000.
    #[arg(long, value_name = "N", value_parser = count(Params::MAX_LOCKS), allow_negative_numbers = true)]
    pub(crate) locks: Option<usize>,
    /// Most permits of one request, up to --permits: each draws a power of two, so that 4 means 1, 2 or 4.
    #[arg(long, value_name = "N", value_parser = count(Params::MAX_PERMITS), allow_negative_numbers = true)]
    pub(crate) weight: Option<usize>,
    /// Tasks that post what the others take, 1 to 1,000,000.
    #[arg(long, value_name = "N", value_parser = count(Params::MAX_TASKS), allow_negative_numbers = true)]
    pub(crate) posters: Option<usize>,
    /// How long each task holds what it acquired, on average, such as 500ns, 10us or 2ms.
    #[arg(long, value_name = "DUR", value_parser = duration::parse, allow_hyphen_values = true)]
    pub(crate) hold: Option<Duration>,
    /// How the hold times lie around that average.
    #[arg(long, value_name = "SHAPE")]
    pub(crate) hold_distribution: Option<Distribution>,
    /// How that time is spent.
    #[arg(long, value_name = "MODE")]
    pub(crate) hold_mode: Option<HoldMode>,
    /// Computation between two operations of a task, on average, such as 0, 500ns or 10us.
    #[arg(long, value_name = "DUR", value_parser = duration::parse, allow_hyphen_values = true)]
    pub(crate) think: Option<Duration>,
    /// How the think times lie around that average.
    #[arg(long, value_name = "SHAPE")]
    pub(crate) think_distribution: Option<Distribution>,
    /// Open loop: begin so many operations a second, by a schedule that waits for none; up to 1e9.
    ///
    /// Without it each task begins an operation when its last is over, and throughput is what is compared. With it
    /// waits count from the intended start, so that a stall is seen by all who were due meanwhile; slots take the
    /// whole of --slot, and there is no throughput to compare.
    #[arg(long, value_name = "OPS_PER_S", value_parser = rate, allow_hyphen_values = true)]
    pub(crate) rate: Option<f64>,
    /// Percentage of the acquisitions that are given up while they wait, 0 to 100.
    #[arg(long, value_name = "PERCENT", value_parser = percent, allow_hyphen_values = true)]
    pub(crate) cancel: Option<f64>,
}

/// How it is measured.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The method")]
pub(crate) struct Method {
    /// Rounds that count; one more before them warms up. Fewer than 6 give no interval.
    #[arg(long, value_name = "N", default_value = "20", value_parser = count(10_000), allow_negative_numbers = true)]
    pub(crate) rounds: usize,
    /// Length of a throughput slot, 1ms to 60s; a latency slot takes a quarter of it.
    #[arg(long, value_name = "DUR", default_value = "200ms", value_parser = slot, allow_hyphen_values = true)]
    pub(crate) slot: Duration,
    /// Everything random is drawn from it; a random one where it is not given, and in the report.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// Spread the measurement over so many processes, one after the other, each with all the rounds.
    ///
    /// A process keeps what chance gave it: where its memory lies, how its maps hash. Processes show how much of a
    /// difference that is. Fewer than 6 give no interval.
    #[arg(long, value_name = "N", value_parser = count(1_000), allow_negative_numbers = true)]
    pub(crate) forks: Option<usize>,
    #[command(flatten)]
    pub(crate) engine: Engine,
}

/// What the tasks run on.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The method")]
pub(crate) struct Engine {
    /// The executor under the tasks.
    #[arg(long, value_name = "KIND", default_value = "multi-thread")]
    pub(crate) runtime: RuntimeKind,
    /// Worker threads of the multi-thread runtime [default: 2, or 1 on a single core].
    #[arg(long, value_name = "N", value_parser = workers, allow_negative_numbers = true)]
    pub(crate) workers: Option<NonZeroUsize>,
    /// Pin each worker to a processor of its own: the first ones, or those named, as in --pin=0,1.
    #[arg(long, value_name = "LIST", num_args = 0..=1, require_equals = true, default_missing_value = pin::AUTO,
          value_parser = pin::parse)]
    pub(crate) pin: Option<Pin>,
}

/// Where the results go.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The results")]
pub(crate) struct Output {
    /// Folder for the report [default: results/reports of the checkout that built this program, or of the
    /// current folder where there is no such checkout].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// What standard output carries; everything else goes to standard error.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: Format,
    /// Give each backend's figure in another benchmark's unit too, as the presets do.
    ///
    /// time-per-N is the wall time of N operations, khz-per-task thousands of operations a second and task, overhead
    /// the processor time of an operation less what was spun while holding and between two operations.
    #[arg(long, value_name = "UNIT")]
    pub(crate) peer_unit: Option<PeerUnit>,
    /// Address of the dashboard [default: 127.0.0.1:7411, or the next free port].
    #[arg(long, value_name = "ADDR", conflicts_with = "no_dashboard")]
    pub(crate) listen: Option<SocketAddr>,
    /// Serve no dashboard.
    #[arg(long)]
    pub(crate) no_dashboard: bool,
    /// Keep the dashboard up after the run until Ctrl-C, which then ends with the run's own exit code
    /// [default: in a terminal].
    #[arg(long, conflicts_with_all = ["exit", "no_dashboard"])]
    pub(crate) stay: bool,
    /// Exit after the run [default: when not in a terminal].
    #[arg(long)]
    pub(crate) exit: bool,
}

/// The options of `list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// A table for people or JSON for programs.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: ListFormat,
}

/// The options of `compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The report to compare against: a file, or the id of a stored one.
    pub(crate) base: String,
    /// The report to judge: a file, or the id of a stored one.
    pub(crate) candidate: String,
    /// Differences up to this percentage count as equivalent; where a figure became worse by more, and surely,
    /// the exit code is 99.
    #[arg(long, value_name = "PERCENT", default_value = "2", value_parser = percent, allow_hyphen_values = true)]
    pub(crate) threshold: f64,
    /// Compare although another processor, build profile, runtime or pinning makes the ratios say little.
    #[arg(long)]
    pub(crate) force: bool,
    /// What standard output carries.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) folder: Folder,
}

/// The options of `export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The report: a file, or the id of a stored one.
    pub(crate) report: String,
    /// The format; an unknown one lists those there are.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) to: String,
    /// Only what has this text in its name, as in 'tasks=64 on sync': workload/variant, parameters, backend.
    #[arg(long, value_name = "TEXT")]
    pub(crate) cell: Option<String>,
    #[command(flatten)]
    pub(crate) folder: Folder,
}

/// The options of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Folder with reports [default: as `--out` of a run].
    pub(crate) dir: Option<PathBuf>,
    /// Also show the recording in a folder: the `.hlog` files that `dashboard::Builder::record_to` writes.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) recording: Option<PathBuf>,
    /// Address of the dashboard [default: 127.0.0.1:7411, or the next free port].
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
}

/// The options of `calibrate`.
#[derive(Debug, Args)]
pub(crate) struct CalibrateArgs {
    /// Comparisons of the backend with itself, 1 to 100,000.
    #[arg(long, value_name = "N", default_value = "200", value_parser = count(100_000), allow_negative_numbers = true)]
    pub(crate) comparisons: usize,
    /// One workload, and if need be its variant.
    #[arg(long, value_name = "NAME", default_value = "mutex")]
    pub(crate) workload: String,
    /// The backend that is compared with itself.
    #[arg(long, value_name = "NAME", default_value = "tokio")]
    pub(crate) backend: String,
    #[command(flatten)]
    pub(crate) knobs: Knobs,
    /// Rounds of each comparison, at least 6; one more before them warms up.
    #[arg(long, value_name = "N", default_value = "20", value_parser = interval_rounds, allow_negative_numbers = true,
          help_heading = "The method")]
    pub(crate) rounds: usize,
    /// Length of a throughput slot, 1ms to 60s; a latency slot takes a quarter of it.
    #[arg(long, value_name = "DUR", default_value = "5ms", value_parser = slot, allow_hyphen_values = true,
          help_heading = "The method")]
    pub(crate) slot: Duration,
    /// Everything random is drawn from it; a random one where it is not given, and printed.
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "The method")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) engine: Engine,
    /// A table for people or JSON for programs.
    #[arg(long, value_name = "FORMAT", default_value = "table", help_heading = "The results")]
    pub(crate) format: ListFormat,
}

/// Where stored reports are looked up by id.
#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// Folder in which ids are looked up [default: as `--out` of a run].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// `--hold-mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HoldMode {
    /// Computes, keeping the worker.
    Spin,
    /// Gives the worker away until the time is over.
    Yield,
    /// Sleeps on the runtime's timer, whose grain is 1 ms.
    Sleep,
}

impl From<HoldMode> for workloads::HoldMode {
    fn from(mode: HoldMode) -> Self {
        match mode {
            HoldMode::Spin => Self::Spin,
            HoldMode::Yield => Self::Yield,
            HoldMode::Sleep => Self::Sleep,
        }
    }
}

/// `--hold-distribution` and `--think-distribution`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Distribution {
    /// All the same.
    Constant,
    /// Anything from nothing to twice the average.
    Uniform,
    /// Mostly short, now and then a long one, up to some eight times the average.
    Exponential,
    /// Nine in ten take half the average, one in ten takes 5.5 times it.
    Bimodal,
}

impl From<Distribution> for workloads::Distribution {
    fn from(distribution: Distribution) -> Self {
        match distribution {
            Distribution::Constant => Self::Constant,
            Distribution::Uniform => Self::Uniform,
            Distribution::Exponential => Self::Exponential,
            Distribution::Bimodal => Self::Bimodal,
        }
    }
}

/// `--runtime`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuntimeKind {
    /// All tasks on one thread.
    CurrentThread,
    /// Tasks on `--workers` threads.
    MultiThread,
}

/// `--format` of a run and of `compare`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For an issue or a pull request.
    Markdown,
}

/// `--format` of `list` and of `calibrate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}

fn count(most: usize) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=most as u64)
}

fn interval_rounds(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(rounds) if (6..=10_000).contains(&rounds) => Ok(rounds),
        _ => Err(String::from("expected 6 to 10,000: fewer rounds give no interval")),
    }
}

fn percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=100.0).contains(&value) => Ok(value),
        _ => Err(String::from("expected a percentage, 0 to 100")),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= Params::MAX_RATE => Ok(value),
        _ => Err(String::from("expected operations a second, more than 0 and up to 1e9")),
    }
}

fn slot(text: &str) -> Result<Duration, String> {
    let slot = duration::parse(text)?;
    if (Duration::from_millis(1)..=Duration::from_secs(60)).contains(&slot) {
        Ok(slot)
    } else {
        Err(String::from("expected 1ms to 60s"))
    }
}

fn workers(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse::<NonZeroUsize>() {
        Ok(workers) if workers.get() <= 1024 => Ok(workers),
        _ => Err(String::from("expected 1 to 1024")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_run_needs_no_argument() {
        let cli = Cli::try_parse_from(["bench-harness"]).unwrap();
        assert_eq!(cli.run.workload, ["semaphore"]);
        assert_eq!(cli.run.backend, ["sync", "tokio"]);
        assert_eq!(cli.run.method.rounds, 20);
        assert_eq!(cli.run.method.slot, Duration::from_millis(200));
    }

    #[test]
    fn percentages_outside_0_to_100_are_refused() {
        for text in ["-1", "100.1", "nan", "inf", "", "ten"] {
            assert!(percent(text).is_err(), "{text:?} was taken");
        }
        assert_eq!(percent("12.5"), Ok(12.5));
    }

    #[test]
    fn rates_that_no_schedule_can_keep_are_refused() {
        for text in ["0", "-1", "nan", "inf", "1e12", "", "fast"] {
            assert!(rate(text).is_err(), "{text:?} was taken");
        }
        assert_eq!((rate("20000"), rate("0.5"), rate("1e9")), (Ok(2e4), Ok(0.5), Ok(1e9)));
    }
}
