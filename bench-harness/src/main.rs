//! Drives contention over async synchronisation primitives and reports what it measured.
//!
//! | room | what happens there |
//! |---|---|
//! | [`cli`] | the words of the command line and their help |
//! | [`commands`] | one file for each subcommand; the only ones that print results |
//! | [`scenario`], [`sweep`] | files of options, and options with several values |
//! | [`cases`] | arguments → cases: workload × parameters × arms |
//! | [`runner`] | cases → readings: rounds, slots, the clock |
//! | [`mod@bench`], [`forks`] | the runner in this process or in several, the terminal and the page told how far it is |
//! | [`assemble`], [`validity`], [`environment`] | readings → report |
//! | [`table`], [`overview`], [`progress`], [`live`], [`say`](mod@say) | what a person sees, during the run and after it |
//! | [`threads`], [`pin`], [`allocations`] | who runs the tasks and where, and what they ask of the allocator |
//! | [`writer`], [`interrupt`], [`exit`] | files, Ctrl-C, exit codes |
// Not `forbid`, for the sake of one file: an allocator that counts.
#![deny(unsafe_code)]

mod allocations;
mod assemble;
mod bench;
mod cases;
mod cli;
mod commands;
mod duration;
mod environment;
mod exit;
mod forks;
mod interrupt;
mod live;
mod overview;
mod pin;
mod progress;
mod runner;
mod say;
mod scenario;
mod sweep;
mod table;
mod threads;
mod validity;
mod writer;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::cli::Command;
use crate::exit::{Exit, Usage};
use crate::say::say;
use crate::scenario::Arguments;

fn main() -> ExitCode {
    let exit = run().unwrap_or_else(|error| {
        say!("error: {error:#}");
        if error.is::<Usage>() { Exit::Usage } else { Exit::Failed }
    });
    ExitCode::from(exit.code())
}

fn run() -> anyhow::Result<Exit> {
    // Not `std::env::args`, which panics where an argument is not Unicode.
    let typed: Vec<OsString> = std::env::args_os().collect();
    let argv = typed.iter().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    let Arguments { cli, origins, given } = scenario::arguments(&typed)?;
    if let Some(report) = &cli.run.resume {
        return commands::resume::run(report, &cli.run.output, &given);
    }
    match &cli.command {
        None if cli.run.forked.fork.is_some() => forks::child(&cli.run),
        None => commands::run::run(&cli.run, argv).map_err(|error| origins.explain(error)),
        Some(Command::List(args)) => commands::list::run(args),
        Some(Command::Compare(args)) => commands::compare::run(args),
        Some(Command::Export(args)) => commands::export::run(args),
        Some(Command::Serve(args)) => commands::serve::run(args),
        Some(Command::Calibrate(args)) => commands::calibrate::run(args),
        Some(Command::Schema) => commands::schema::run(),
    }
}
