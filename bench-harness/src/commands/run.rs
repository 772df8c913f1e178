//! A run: measures the cases, shows them while they are measured, and writes the report.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use results::{Report, Status, formats};

use crate::assemble::{self, Sheet};
use crate::cases::{Case, Plan, REGISTRY};
use crate::cli::{Format, Output, RunArgs};
use crate::environment::{self, Executor};
use crate::exit::{Exit, Usage};
use crate::interrupt::Interrupt;
use crate::live::Live;
use crate::progress::{self, Progress};
use crate::runner::{self, CaseTally, Ending, Machine, Observer, PATIENCE, Position, Settings};
use crate::say::say;
use crate::table::{self, Screen};
use crate::writer;

/// Seeds that the program draws itself stay below this: short enough to be typed again, and exact in JavaScript.
const DRAWN_SEEDS: u64 = 1 << 32;

/// Runs; everything that can be refused is refused before the first slot.
pub(crate) fn run(args: &RunArgs, argv: Vec<String>) -> anyhow::Result<Exit> {
    let method = &args.method;
    let executor = Executor::new(method.runtime, method.workers).ok_or_else(|| {
        Usage::error(
            "--workers above 1 needs --runtime multi-thread: the current-thread runtime has one worker",
        )
    })?;
    let plan = REGISTRY.plan(&args.workload, &args.backend, &args.knobs, &args.sweep, method.slot)?;
    let folder = args.output.out.clone().unwrap_or_else(writer::default_folder);
    writer::prepare(&folder)?;
    let live = live(&args.output, &plan, &folder)?;
    let interrupt = Interrupt::install()?;
    announce(&plan, &live);

    let settings = Settings {
        rounds: method.rounds,
        slot: method.slot,
        seed: method.seed.unwrap_or_else(|| assemble::random() % DRAWN_SEEDS),
        observed: live.url().is_some(),
    };
    if !args.sweep.is_empty() {
        let (_, planned) = runner::extent(&plan.cases, &settings);
        say!("{} cases, about {}", plan.cases.len(), progress::in_words(planned));
    }
    let mut sheet = Sheet::new(&plan.cases, argv, &settings, environment::describe(executor));
    sheet.peer_unit = args.output.peer_unit;
    let bench = Bench { plan: &plan, settings, sheet, live: &live };
    let runtime = executor.build().context("cannot start the runtime that the tasks run on")?;
    let (report, ending) = bench.measure(runtime, &interrupt)?;
    let exit = finish(&report, &ending, &folder, args.output.format)?;
    if stays(&args.output, &live, exit) {
        say!("the dashboard stays at {} until Ctrl-C", live.url().unwrap_or_default());
        interrupt.wait();
    }
    Ok(exit)
}

/// The page is worth having, but only an address that was asked for is worth failing for.
fn live(output: &Output, plan: &Plan, folder: &Path) -> anyhow::Result<Live> {
    let traced = plan.cases.iter().flat_map(|case| &case.entrants).any(|entrant| entrant.arm.backend.traced);
    if output.no_dashboard {
        return Live::without_page(traced);
    }
    match Live::with_page(output.listen, folder) {
        Err(error) if output.listen.is_none() => {
            say!("no dashboard: {error:#}");
            Live::without_page(traced)
        }
        live => live,
    }
}

fn announce(plan: &Plan, live: &Live) {
    for note in &plan.notes {
        say!("note: {note}");
    }
    if let Some(url) = live.url() {
        say!("dashboard: {url}");
    }
}

/// One run.
struct Bench<'a> {
    plan: &'a Plan,
    settings: Settings,
    sheet: Sheet,
    live: &'a Live,
}

impl Bench<'_> {
    fn measure(
        mut self,
        runtime: tokio::runtime::Runtime,
        interrupt: &Arc<Interrupt>,
    ) -> anyhow::Result<(Report, Ending)> {
        let cases = &self.plan.cases;
        let (slots, planned) = runner::extent(cases, &self.settings);
        let switch = self.live.switch();
        let mut machine = Machine::new(runtime, PATIENCE, Arc::clone(interrupt), switch)
            .context("cannot start the thread that the slots run on")?;
        let report = Arc::new(self.sheet.report(cases, &[], None, 0.0));
        let mut watcher =
            Watcher { bench: &self, progress: Progress::new(slots, planned), slots, report, at: None };
        watcher.publish(0, "warm-up".into());
        let measured = runner::run(cases, &self.settings, &mut machine, &mut watcher);
        watcher.progress.finish();
        let (elapsed_s, slots_done) = (watcher.progress.elapsed_s(), watcher.slots_done());
        (self.live.switch())(false);

        self.sheet.environment.load_after = environment::load_average();
        let report = self.sheet.report(cases, &measured.tallies, Some(&measured.ending), elapsed_s);
        self.live.publish(
            Arc::new(report.clone()),
            dashboard::Progress {
                phase: "done".into(),
                slots_done: if measured.ending == Ending::Complete { slots } else { slots_done },
                slots_total: slots,
                elapsed_s,
                remaining_s: Some(0.0),
            },
        );
        Ok((report, measured.ending))
    }
}

/// Tells the terminal and the page how far the run is.
struct Watcher<'a> {
    bench: &'a Bench<'a>,
    progress: Progress,
    slots: usize,
    /// With all whole rounds until now.
    report: Arc<Report>,
    at: Option<Position>,
}

impl Watcher<'_> {
    fn slots_done(&self) -> usize {
        self.at.as_ref().map_or(0, |at| at.slots_done)
    }

    fn publish(&self, slots_done: usize, phase: String) {
        self.bench.live.publish(
            Arc::clone(&self.report),
            dashboard::Progress {
                phase,
                slots_done,
                slots_total: self.slots,
                elapsed_s: self.progress.elapsed_s(),
                remaining_s: Some(self.progress.remaining_s()),
            },
        );
    }
}

impl Observer for Watcher<'_> {
    fn slot_begins(&mut self, at: &Position) {
        let case: &Case = &self.bench.plan.cases[at.case];
        let round = match at.round {
            0 => "warm-up".to_owned(),
            round => format!("round {round} of {}", self.bench.settings.rounds),
        };
        let phase = format!("{}, {round}: {}", case.name(), at.slot);
        self.progress.update(at.slots_done, &phase);
        self.publish(at.slots_done, phase);
        self.at = Some(at.clone());
    }

    fn round_counts(&mut self, tallies: &[CaseTally]) {
        // Nobody sees a partial report without the page, and making one takes a while.
        if self.bench.live.url().is_some() {
            let elapsed_s = self.progress.elapsed_s();
            self.report = Arc::new(self.bench.sheet.report(&self.bench.plan.cases, tallies, None, elapsed_s));
        }
    }
}

/// Writes the report, prints it, and says how the run ended. A report that cannot be written is printed whole,
/// so that nothing that was measured is lost.
fn finish(report: &Report, ending: &Ending, folder: &Path, format: Format) -> anyhow::Result<Exit> {
    let written = writer::write(folder, report);
    let json = format == Format::Json || written.is_err();
    super::print(&if json { report.to_json() } else { in_words(report, format)? })?;
    if let Err(error) = written.map(|path| say_where(&path)) {
        say!("error: {error:#}; the report went to standard output instead");
        return Ok(Exit::Failed);
    }
    for check in report.validity.iter().filter(|check| !check.pass) {
        say!("check {} failed: {}", check.check, check.detail);
    }
    Ok(match (ending, report.run.status) {
        (Ending::Failed(what), _) => {
            say!("error: {what}; what was measured before was kept");
            Exit::Failed
        }
        (Ending::Interrupted, _) => {
            say!("interrupted: what was measured was kept");
            Exit::Interrupted
        }
        (Ending::Complete, Status::Invalid) => Exit::Invalid,
        (Ending::Complete, _) => Exit::Done,
    })
}

fn in_words(report: &Report, format: Format) -> anyhow::Result<String> {
    match (format, formats::find("markdown")) {
        (Format::Markdown, Some(markdown)) => Ok((markdown.write)(report)?),
        _ => Ok(table::render(report, Screen::of_stdout())),
    }
}

fn say_where(path: &Path) {
    say!("report: {}", path.display());
}

/// Whoever pressed Ctrl-C wants to leave.
fn stays(output: &Output, live: &Live, exit: Exit) -> bool {
    let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
    live.url().is_some() && exit != Exit::Interrupted && (output.stay || terminal && !output.exit)
}
