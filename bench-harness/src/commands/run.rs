//! A run: measures the cases, shows them while they are measured, and writes the report.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use results::{Report, Status, formats};

use crate::assemble::Sheet;
use crate::bench::{self, Bench, Stage};
use crate::cases::Plan;
use crate::cli::{Format, Output, RunArgs};
use crate::environment;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::live::Live;
use crate::progress;
use crate::runner::{self, Ending, Kept, Settings};
use crate::say::say;
use crate::table::{self, Screen};
use crate::{validity, writer};

/// Runs; everything that can be refused is refused before the first slot.
pub(crate) fn run(args: &RunArgs, argv: Vec<String>) -> anyhow::Result<Exit> {
    let folder = args.output.out.clone().unwrap_or_else(writer::default_folder);
    begin(args, argv, folder, None)
}

/// Runs, or goes on with the run whose report is given.
pub(super) fn begin(
    args: &RunArgs,
    argv: Vec<String>,
    folder: PathBuf,
    earlier: Option<&Report>,
) -> anyhow::Result<Exit> {
    let method = &args.method;
    let stage = Stage::new(&method.engine)?;
    let plan = bench::plan(args)?;
    let environment = environment::describe(stage.executor, &stage.pins);
    let kept = match earlier {
        Some(report) => super::resume::kept(report, &plan.cases, &environment)?,
        None => Kept::new(),
    };
    writer::prepare(&folder)?;
    let live = live(&args.output, &plan, &folder)?;
    let interrupt = Interrupt::install()?;
    announce(&plan, &live);

    let settings = Settings {
        rounds: method.rounds,
        slot: method.slot,
        seed: method.seed.unwrap_or_else(bench::drawn_seed),
        observed: live.url().is_some() && method.forks.is_none(),
    };
    announce_extent(args, &plan, &kept, &settings);
    let mut sheet = Sheet::new(&plan.cases, argv, &settings, method.forks, environment);
    sheet.peer_unit = args.output.peer_unit;
    let sheet = match earlier {
        Some(report) => sheet.going_on(report),
        None => sheet,
    };
    let bench = Bench { cases: &plan.cases, kept: &kept, settings, forks: method.forks, sheet, live: &live };
    let (report, ending) = bench.measure(&stage, &interrupt)?;
    let exit = finish(&report, &ending, &folder, args.output.format)?;
    if stays(&args.output, &live, exit) {
        say!("the dashboard stays at {} until Ctrl-C", live.url().unwrap_or_default());
        interrupt.wait();
    }
    Ok(exit)
}

/// The page is worth having, but only an address that was asked for is worth failing for.
fn live(output: &Output, plan: &Plan, folder: &Path) -> anyhow::Result<Live> {
    let traced = plan.is_traced();
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

/// Says how long it will take where one would not guess it.
fn announce_extent(args: &RunArgs, plan: &Plan, kept: &Kept, settings: &Settings) {
    let (_, planned) = runner::extent(&plan.cases, kept, settings);
    let planned = progress::in_words(planned * args.method.forks.unwrap_or(1) as u32);
    let count = |cases: usize| format!("{cases} case{}", if cases == 1 { "" } else { "s" });
    if !kept.is_empty() {
        let rest = plan.cases.len() - kept.len();
        say!("{} measured before, {rest} to go, about {planned}", count(kept.len()));
    } else if let Some(forks) = args.method.forks {
        say!("{} in {forks} processes, about {planned}", count(plan.cases.len()));
    } else if !args.sweep.is_empty() {
        say!("{}, about {planned}", count(plan.cases.len()));
    }
}

/// Writes the report, prints it, and says how the run ended. A report that cannot be written is printed whole,
/// so that nothing that was measured is lost.
fn finish(report: &Report, ending: &Ending, folder: &Path, format: Format) -> anyhow::Result<Exit> {
    let written = writer::write(folder, report);
    if let Ok(path) = &written {
        // Before it is printed, which may fail too.
        say!("report: {}", path.display());
    }
    let json = format == Format::Json || written.is_err();
    super::print(&if json { report.to_json() } else { in_words(report, format)? })?;
    let path = match written {
        Ok(path) => path,
        Err(error) => {
            say!("error: {error:#}; the report went to standard output instead");
            return Ok(Exit::Failed);
        }
    };
    for check in &report.validity {
        if !check.pass {
            say!("check {} failed: {}", check.check, check.detail);
        } else if check.check == validity::RECORDER {
            say!("recorder: {}", check.detail);
        }
    }
    let go_on = format!("go on with: bench-harness --resume {}", path.display());
    Ok(match (ending, report.run.status) {
        (Ending::Failed(what), _) => {
            say!("error: {what}; what was measured before was kept; {go_on}");
            Exit::Failed
        }
        (Ending::Interrupted, _) => {
            say!("interrupted: what was measured was kept; {go_on}");
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

/// Whoever pressed Ctrl-C wants to leave.
fn stays(output: &Output, live: &Live, exit: Exit) -> bool {
    let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
    live.url().is_some() && exit != Exit::Interrupted && (output.stay || terminal && !output.exit)
}
