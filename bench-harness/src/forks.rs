//! `--forks`: the rounds in several processes of this program, one after the other, put together into one run.
//!
//! A child is started with the arguments of the run and a hidden option. It tells its parent on standard output, a line
//! of JSON each, where it is and at last what it found. Its standard input carries nothing: where it ends, the child is
//! to end too, whether its parent was interrupted or is gone. Its process group is its own, so that a Ctrl-C reaches the
//! parent alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Context as _;
use hdrhistogram::Histogram;
use results::statistics::{median, spread};
use results::{Cell, OpenLoop, Round, WaitSummary};
use serde::{Deserialize, Serialize};

use crate::assemble::{self, Findings};
use crate::bench::{self, Bench, Stage, Watcher};
use crate::cases::Case;
use crate::cli::RunArgs;
use crate::exit::{Exit, Usage};
use crate::interrupt::Interrupt;
use crate::live::Live;
use crate::runner::{self, CaseTally, Ending, Kept, Observer, Position, Settings, histogram, schedule};

/// A line from a child.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Message {
    /// A slot is about to begin.
    At { slots_done: usize, phase: String },
    /// The process is done.
    Found { findings: Findings, ending: ForkEnding },
}

/// How a child ended; [`Ending`] on the wire.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ForkEnding {
    Complete,
    Interrupted,
    Failed(String),
}

/// Runs all processes and puts together what they found. A process that dies ends the run; the earlier ones count.
///
/// # Errors
/// Where this program cannot be started again.
pub(crate) fn run(
    bench: &Bench<'_>,
    interrupt: &Arc<Interrupt>,
    watcher: &mut Watcher<'_>,
) -> anyhow::Result<(Findings, Ending)> {
    let forks = bench.forks.unwrap_or(1);
    let mut merged = Merged::new(bench);
    let mut ending = Ending::Complete;
    for fork in 0..forks {
        if interrupt.is_raised() {
            ending = Ending::Interrupted;
            break;
        }
        let parent = Parent { bench, fork, forks };
        match parent.run_child(interrupt, watcher)? {
            Ok((findings, end)) => {
                merged.add(fork, findings);
                ending = end;
            }
            Err(died) => ending = Ending::Failed(died),
        }
        watcher.found(|| merged.findings());
        if ending != Ending::Complete {
            break;
        }
    }
    Ok((merged.findings(), ending))
}

/// The parent's side of one process.
struct Parent<'a> {
    bench: &'a Bench<'a>,
    fork: usize,
    forks: usize,
}

impl Parent<'_> {
    /// The inner error says how the process died.
    fn run_child(
        &self,
        interrupt: &Arc<Interrupt>,
        watcher: &mut Watcher<'_>,
    ) -> anyhow::Result<Result<(Findings, Ending), String>> {
        let mut child = self.start().context("cannot start another process of this program")?;
        let lifeline: Arc<Mutex<Option<ChildStdin>>> = Arc::new(Mutex::new(child.stdin.take()));
        let cut = Arc::clone(&lifeline);
        interrupt.notify(move || drop(cut.lock().unwrap_or_else(PoisonError::into_inner).take()));
        let found = self.listen(&mut child, watcher);
        drop(lifeline.lock().unwrap_or_else(PoisonError::into_inner).take());
        let status = child.wait().context("cannot wait for a process")?;
        Ok(found.ok_or_else(|| self.epitaph(status)))
    }

    fn start(&self) -> anyhow::Result<Child> {
        let seed = schedule::part_seed(self.bench.settings.seed, self.fork);
        let mut command = Command::new(std::env::current_exe()?);
        command.args(self.bench.sheet.argv());
        command.arg(format!("--fork={}", self.fork)).arg(format!("--fork-seed={seed}"));
        if !self.bench.kept.is_empty() {
            let kept: Vec<String> = self.bench.kept.keys().map(usize::to_string).collect();
            command.arg(format!("--fork-skip={}", kept.join(",")));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        Ok(command.spawn()?)
    }

    /// Until the process is silent; gives what it found, if it came to say so.
    fn listen(&self, child: &mut Child, watcher: &mut Watcher<'_>) -> Option<(Findings, Ending)> {
        let (slots, _) = runner::extent(self.bench.cases, self.bench.kept, &self.bench.settings);
        let mut found = None;
        for line in BufReader::new(child.stdout.take()?).lines() {
            // A line that is cut short, or no line of ours, is what a dying process leaves.
            let message = line.ok().and_then(|line| serde_json::from_str(&line).ok());
            match message {
                Some(Message::At { slots_done, phase }) => {
                    let phase = format!("process {} of {}: {phase}", self.fork + 1, self.forks);
                    watcher.at(self.fork * slots + slots_done, &phase);
                }
                Some(Message::Found { findings, ending }) => found = Some((findings, ending.into())),
                None => {}
            }
        }
        found
    }

    fn epitaph(&self, status: ExitStatus) -> String {
        let how = match (status.signal(), status.code()) {
            (Some(signal), _) => format!("was killed by signal {signal}"),
            (None, Some(code)) => format!("ended with exit code {code}"),
            (None, None) => "ended".to_owned(),
        };
        format!("process {} of {} {how} before it told what it had found", self.fork + 1, self.forks)
    }
}

/// The findings of the processes until now.
struct Merged<'a> {
    bench: &'a Bench<'a>,
    /// By case and backend, with the waits of all processes.
    cells: BTreeMap<(usize, String), (Cell, Histogram<u64>)>,
    broken_laws: Vec<String>,
}

impl<'a> Merged<'a> {
    fn new(bench: &'a Bench<'a>) -> Self {
        Self { bench, cells: BTreeMap::new(), broken_laws: Vec::new() }
    }

    fn add(&mut self, fork: usize, findings: Findings) {
        let laws = findings.broken_laws.into_iter().map(|law| format!("process {}: {law}", fork + 1));
        self.broken_laws.extend(laws);
        for mut cell in findings.cells {
            let Some(case) = assemble::case_of(self.bench.cases, &cell) else { continue };
            cell.rounds.iter_mut().for_each(|round| round.fork = Some(fork));
            cell.latency_rounds.iter_mut().for_each(|round| round.fork = Some(fork));
            let waits = cell.wait_ns.histogram().unwrap_or_else(|_| histogram());
            match self.cells.get_mut(&(case, cell.backend.clone())) {
                Some((all, all_waits)) => {
                    all_waits.add(waits).expect("it grows to whatever is added to it");
                    add(all, cell);
                }
                None => {
                    let mut all_waits = histogram();
                    all_waits.add(waits).expect("it grows to whatever is added to it");
                    self.cells.insert((case, cell.backend.clone()), (cell, all_waits));
                }
            }
        }
    }

    /// In the order of the cases, those that were kept among them.
    fn findings(&self) -> Findings {
        let mut cells = Vec::new();
        for (index, case) in self.bench.cases.iter().enumerate() {
            cells.extend(self.bench.kept.get(&index).into_iter().flatten().cloned());
            for entrant in &case.entrants {
                let found = self.cells.get(&(index, entrant.name.clone()));
                cells.extend(found.map(|(cell, waits)| summed_up(cell, waits)));
            }
        }
        Findings { cells, broken_laws: self.broken_laws.clone() }
    }
}

/// Adds the rounds of another process.
fn add(all: &mut Cell, more: Cell) {
    let (ops, more_ops) = (operations(all), operations(&more));
    let shares = [all.recorder_share, more.recorder_share].into_iter().flatten().collect::<Vec<_>>();
    if let (Some(open), Some(more)) = (&mut all.open_loop, &more.open_loop) {
        *open = both(open, ops, more, more_ops);
    }
    // The share has no rounds of its own in a report: the mean weighs the processes by their rounds.
    let (rounds, more_rounds) = (all.rounds.len() as f64, more.rounds.len() as f64);
    all.recorder_share = match shares.as_slice() {
        [one, other] => Some((one * rounds + other * more_rounds) / (rounds + more_rounds)),
        shares => shares.first().copied(),
    };
    all.rounds.extend(more.rounds);
    all.latency_rounds.extend(more.latency_rounds);
}

/// What follows from the rounds and the waits of all processes.
fn summed_up(cell: &Cell, waits: &Histogram<u64>) -> Cell {
    let mut cell = cell.clone();
    let over_rounds = |figure: fn(&Round) -> f64| {
        median(&cell.rounds.iter().map(figure).collect::<Vec<_>>()).unwrap_or_default()
    };
    cell.fairness.jain = over_rounds(|round| round.jain);
    cell.fairness.smallest_share = over_rounds(|round| round.smallest_share);
    cell.fairness.longest_wait_ns = waits.max();
    let throughputs: Vec<f64> = cell.rounds.iter().filter_map(Round::throughput_ops_per_s).collect();
    cell.throughput_ops_per_s = spread(&throughputs);
    cell.wait_ns = WaitSummary::from_histogram(waits);
    cell
}

fn operations(cell: &Cell) -> f64 {
    cell.rounds.iter().map(|round| (round.ops + round.cancelled) as f64).sum()
}

/// The pace of two processes, each weighed by its operations.
fn both(one: &OpenLoop, ops: f64, other: &OpenLoop, other_ops: f64) -> OpenLoop {
    let mean = |a: f64, a_weight: f64, b: f64, b_weight: f64| {
        let weight = a_weight + b_weight;
        if weight > 0.0 { (a * a_weight + b * b_weight) / weight } else { 0.0 }
    };
    // Due were as many as were answered, over the share that was.
    let due = |open: &OpenLoop, ops: f64| {
        let share = open.achieved_ops_per_s / open.rate_ops_per_s;
        if share > 0.0 { ops / share } else { 0.0 }
    };
    let on_time = |open: &OpenLoop, ops: f64| ops * (1.0 - open.behind_fraction);
    OpenLoop {
        rate_ops_per_s: one.rate_ops_per_s,
        achieved_ops_per_s: mean(
            one.achieved_ops_per_s,
            due(one, ops),
            other.achieved_ops_per_s,
            due(other, other_ops),
        ),
        lag_mean_ns: mean(one.lag_mean_ns, on_time(one, ops), other.lag_mean_ns, on_time(other, other_ops)),
        lag_max_ns: one.lag_max_ns.max(other.lag_max_ns),
        behind_fraction: mean(one.behind_fraction, ops, other.behind_fraction, other_ops),
    }
}

/// The life of a child.
///
/// # Errors
/// Where the arguments make no sense, which its parent has seen before, or the parent does not listen.
pub(crate) fn child(args: &RunArgs) -> anyhow::Result<Exit> {
    let stage = Stage::new(&args.method.engine)?;
    let plan = bench::plan(args)?;
    let seed = args.forked.fork_seed.ok_or_else(|| Usage::error("--fork needs --fork-seed"))?;
    let kept: Kept = args.forked.fork_skip.iter().map(|&index| (index, Vec::new())).collect();
    let live = Live::without_page(plan.is_traced())?;
    let interrupt = Arc::new(Interrupt::default());
    end_with_parent(&interrupt)?;
    let settings = Settings { rounds: args.method.rounds, slot: args.method.slot, seed, observed: false };
    let mut machine = stage.machine(&interrupt, live.switch())?;
    let mut teller = Teller { cases: &plan.cases, settings };
    let measured = runner::run(&plan.cases, &kept, &settings, &mut machine, &mut teller);
    let findings = Findings::of(&plan.cases, &measured.tallies);
    tell(&Message::Found { findings, ending: measured.ending.into() }).context("the parent is gone")?;
    Ok(Exit::Done)
}

/// Standard input ends when the parent wants an end, or has come to its own.
fn end_with_parent(interrupt: &Arc<Interrupt>) -> anyhow::Result<()> {
    let interrupt = Arc::clone(interrupt);
    let watch = move || {
        // Whatever comes, and whether it comes by an error: it is over.
        let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
        interrupt.raise();
    };
    thread::Builder::new()
        .name("lifeline".into())
        .spawn(watch)
        .context("cannot start the thread that watches the parent")?;
    Ok(())
}

/// Tells the parent how far the process is.
struct Teller<'a> {
    cases: &'a [Case],
    settings: Settings,
}

impl Observer for Teller<'_> {
    fn slot_begins(&mut self, at: &Position) {
        let phase = bench::phase(self.cases, &self.settings, at);
        // A parent that is gone has closed standard input too.
        let _ = tell(&Message::At { slots_done: at.slots_done, phase });
    }

    fn round_counts(&mut self, _: &[CaseTally]) {}
}

fn tell(message: &Message) -> anyhow::Result<()> {
    let mut line = String::new();
    let _ = writeln!(line, "{}", serde_json::to_string(message)?);
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(line.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

impl From<Ending> for ForkEnding {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Complete => Self::Complete,
            Ending::Interrupted => Self::Interrupted,
            Ending::Failed(what) => Self::Failed(what),
        }
    }
}

impl From<ForkEnding> for Ending {
    fn from(ending: ForkEnding) -> Self {
        match ending {
            ForkEnding::Complete => Self::Complete,
            ForkEnding::Interrupted => Self::Interrupted,
            ForkEnding::Failed(what) => Self::Failed(what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_of_two_processes_is_weighed_by_their_operations() {
        let open = |achieved_ops_per_s, lag_mean_ns, lag_max_ns, behind_fraction| OpenLoop {
            rate_ops_per_s: 1_000.0,
            achieved_ops_per_s,
            lag_mean_ns,
            lag_max_ns,
            behind_fraction,
        };
        // 900 of 900 met, all on time; 100 of 200 met, half of them behind.
        let found = both(&open(1_000.0, 10.0, 70, 0.0), 900.0, &open(500.0, 130.0, 50, 0.5), 100.0);
        assert!((found.achieved_ops_per_s - 1_000.0 * 1_000.0 / 1_100.0).abs() < 1e-9, "{found:?}");
        assert!((found.lag_mean_ns - (9_000.0 + 50.0 * 130.0) / 950.0).abs() < 1e-9, "{found:?}");
        assert!((found.behind_fraction - 0.05).abs() < 1e-12 && found.lag_max_ns == 70, "{found:?}");
    }
}
