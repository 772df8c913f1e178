//! One run: the cases measured in this process or in several, while terminal and page are told how far it is.

use std::sync::Arc;

use anyhow::Context as _;
use results::Report;

use crate::assemble::{self, Findings, Sheet};
use crate::cases::{Case, Plan, registry};
use crate::cli::{Engine, RunArgs};
use crate::environment::{self, Executor};
use crate::exit::Usage;
use crate::interrupt::Interrupt;
use crate::live::Live;
use crate::pin::Pins;
use crate::progress::Progress;
use crate::runner::{self, CaseTally, Ending, Kept, Machine, Observer, PATIENCE, Position, Settings};
use crate::say::say;

/// Seeds that the program draws itself stay below this: short enough to be typed again, and exact in JavaScript.
const DRAWN_SEEDS: u64 = 1 << 32;
/// A partial report is made anew at most this often: with two hundred cases it takes as long as a slot.
const PARTIAL_REPORT_EVERY_S: f64 = 1.0;

/// A seed for who gave none.
pub(crate) fn drawn_seed() -> u64 {
    assemble::random() % DRAWN_SEEDS
}

/// What the tasks run on.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) executor: Executor,
    pub(crate) pins: Pins,
}

impl Stage {
    /// From the options.
    ///
    /// # Errors
    /// A [`Usage`] that names the options which contradict each other, or the processors that are not there.
    pub(crate) fn new(engine: &Engine) -> anyhow::Result<Self> {
        let executor = Executor::new(engine.runtime, engine.workers).ok_or_else(|| {
            Usage::error(
                "--workers above 1 needs --runtime multi-thread: the current-thread runtime has one worker",
            )
        })?;
        let pins = Pins::new(engine.pin.as_ref(), executor.workers())?;
        Ok(Self { executor, pins })
    }

    /// The machine that runs slots on it; `watch` switches the collector.
    ///
    /// # Errors
    /// Where the system gives no threads.
    pub(crate) fn machine(
        &self,
        interrupt: &Arc<Interrupt>,
        watch: Box<dyn Fn(bool)>,
    ) -> anyhow::Result<Machine> {
        let runtime =
            self.executor.build(&self.pins).context("cannot start the runtime that the tasks run on")?;
        Machine::new(runtime, self.pins.clone(), PATIENCE, Arc::clone(interrupt), watch)
            .context("cannot start the thread that the slots run on")
    }
}

/// The cases that the options ask for.
///
/// # Errors
/// A [`Usage`] that names the option and the value.
pub(crate) fn plan(args: &RunArgs) -> anyhow::Result<Plan> {
    registry().plan(&args.workload, &args.backend, &args.knobs, &args.sweep, args.method.slot)
}

/// One run.
pub(crate) struct Bench<'a> {
    pub(crate) cases: &'a [Case],
    /// Cases that an earlier part of the run has measured.
    pub(crate) kept: &'a Kept,
    pub(crate) settings: Settings,
    /// Processes to spread it over.
    pub(crate) forks: Option<usize>,
    pub(crate) sheet: Sheet,
    pub(crate) live: &'a Live,
}

impl Bench<'_> {
    /// Measures what is not kept, and gives the report.
    ///
    /// # Errors
    /// Where the system gives no threads.
    pub(crate) fn measure(
        mut self,
        stage: &Stage,
        interrupt: &Arc<Interrupt>,
    ) -> anyhow::Result<(Report, Ending)> {
        let (slots, planned) = runner::extent(self.cases, self.kept, &self.settings);
        let processes = self.forks.unwrap_or(1);
        let slots = slots * processes;
        let report = Arc::new(self.sheet.report(self.cases, Findings::default(), None, 0.0));
        // The page may stay after the run, where Ctrl-C ends no slot.
        let measuring = Arc::new(());
        let still = Arc::downgrade(&measuring);
        interrupt.notify(move || {
            if still.strong_count() > 0 {
                say!("ending after this slot; Ctrl-C again ends at once and keeps nothing");
            }
        });
        let mut watcher = Watcher {
            bench: &self,
            progress: Progress::new(slots, planned * processes as u32),
            slots,
            slots_done: 0,
            report,
            reported_s: 0.0,
        };
        watcher.publish("warm-up");
        let (found, ending) = if self.forks.is_some() {
            crate::forks::run(&self, interrupt, &mut watcher)?
        } else {
            let mut machine = stage.machine(interrupt, self.live.switch())?;
            let measured = runner::run(self.cases, self.kept, &self.settings, &mut machine, &mut watcher);
            (Findings::of(self.cases, &measured.tallies), measured.ending)
        };
        watcher.progress.finish();
        let (elapsed_s, slots_done) = (watcher.progress.elapsed_s(), watcher.slots_done);
        (self.live.switch())(false);
        drop(measuring);

        self.sheet.environment.load_after = environment::load_average();
        let report = self.sheet.report(self.cases, found, Some(&ending), elapsed_s);
        self.live.publish(
            Arc::new(report.clone()),
            dashboard::Progress {
                phase: "done".into(),
                slots_done: if ending == Ending::Complete { slots } else { slots_done },
                slots_total: slots,
                elapsed_s,
                remaining_s: Some(0.0),
            },
        );
        Ok((report, ending))
    }
}

/// Where a run is, as a person reads it: `mutex.exclusive, round 3 of 20: tokio, latency`.
pub(crate) fn phase(cases: &[Case], settings: &Settings, at: &Position) -> String {
    let round = match at.round {
        0 => "warm-up".to_owned(),
        round => format!("round {round} of {}", settings.rounds),
    };
    format!("{}, {round}: {}", cases[at.case].name(), at.slot)
}

/// Tells the terminal and the page how far the run is.
pub(crate) struct Watcher<'a> {
    bench: &'a Bench<'a>,
    pub(crate) progress: Progress,
    slots: usize,
    slots_done: usize,
    /// Of whole rounds, a second old at most.
    report: Arc<Report>,
    reported_s: f64,
}

impl Watcher<'_> {
    /// A slot is about to begin.
    pub(crate) fn at(&mut self, slots_done: usize, phase: &str) {
        self.slots_done = slots_done;
        self.progress.update(slots_done, phase);
        self.publish(phase);
    }

    /// Makes the partial report anew, unless the last one is young.
    pub(crate) fn found(&mut self, findings: impl FnOnce() -> Findings) {
        let elapsed_s = self.progress.elapsed_s();
        // Nobody sees a partial report without the page.
        if self.bench.live.url().is_some() && elapsed_s - self.reported_s >= PARTIAL_REPORT_EVERY_S {
            self.report = Arc::new(self.bench.sheet.report(self.bench.cases, findings(), None, elapsed_s));
            self.reported_s = self.progress.elapsed_s();
        }
    }

    fn publish(&self, phase: &str) {
        self.bench.live.publish(
            Arc::clone(&self.report),
            dashboard::Progress {
                phase: phase.to_owned(),
                slots_done: self.slots_done,
                slots_total: self.slots,
                elapsed_s: self.progress.elapsed_s(),
                remaining_s: Some(self.progress.remaining_s()),
            },
        );
    }
}

impl Observer for Watcher<'_> {
    fn slot_begins(&mut self, at: &Position) {
        self.at(at.slots_done, &phase(self.bench.cases, &self.bench.settings, at));
    }

    fn round_counts(&mut self, tallies: &[CaseTally]) {
        let cases = self.bench.cases;
        self.found(|| Findings::of(cases, tallies));
    }
}
