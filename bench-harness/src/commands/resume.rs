//! `--resume`: goes on with a run that was interrupted, where it is the same run on the same machine.

use std::path::{Path, PathBuf};

use results::{Cell, Environment, Report, Status};

use super::run;
use crate::assemble;
use crate::cases::Case;
use crate::cli::Output;
use crate::exit::{Exit, Usage};
use crate::runner::Kept;
use crate::scenario;
use crate::writer;

/// What may be typed beside it: where the results go, and `--resume` itself.
const BESIDE: [&str; 7] = ["resume", "out", "format", "listen", "no-dashboard", "stay", "exit"];

/// Goes on with the run of a stored report; its own arguments stand, but for where the results go.
pub(crate) fn run(wanted: &str, typed: &Output, given: &[String]) -> anyhow::Result<Exit> {
    if let Some(other) = given.iter().find(|option| !BESIDE.contains(&option.as_str())) {
        return Err(Usage::error(format!(
            "--resume {wanted}: the run goes on as it began, so leave --{other} out; beside it there may be --{}",
            BESIDE[1..].join(", --")
        )));
    }
    let report = super::find_report(wanted, typed.out.as_ref())?;
    let refuse = |why: String| Usage::error(format!("--resume {wanted}: {why}"));
    if report.run.status != Status::Interrupted {
        return Err(refuse("the report is complete, so there is nothing to go on with".into()));
    }
    let arguments = scenario::arguments_of_run(&report.run.argv).map_err(|error| {
        refuse(format!("the arguments of that run are no longer understood: {error:#}; start it anew"))
    })?;
    if arguments.cli.command.is_some() || arguments.cli.run.resume.is_some() {
        return Err(refuse("its arguments are not those of a run".into()));
    }
    let mut args = arguments.cli.run;
    args.output = output(args.output, typed, given);
    args.method.seed = Some(report.run.seed);
    let folder = typed.out.clone().unwrap_or_else(|| folder_of(wanted));
    run::begin(&args, report.run.argv.clone(), folder, Some(&report))
        .map_err(|error| if error.is::<Usage>() { refuse(error.to_string()) } else { error })
}

/// The report goes back to where it was.
fn folder_of(wanted: &str) -> PathBuf {
    let path = Path::new(wanted);
    match path.parent() {
        Some(folder) if path.exists() && folder.as_os_str().is_empty() => PathBuf::from("."),
        Some(folder) if path.exists() => folder.to_owned(),
        _ => writer::default_folder(),
    }
}

/// What was typed wins over what that run was told.
fn output(old: Output, typed: &Output, given: &[String]) -> Output {
    let is_given = |option: &str| given.iter().any(|given| given == option);
    let (page, end) = (is_given("listen") || is_given("no-dashboard"), is_given("stay") || is_given("exit"));
    Output {
        out: typed.out.clone().or(old.out),
        format: if is_given("format") { typed.format } else { old.format },
        peer_unit: typed.peer_unit.or(old.peer_unit),
        listen: if page { typed.listen } else { old.listen },
        no_dashboard: if page { typed.no_dashboard } else { old.no_dashboard },
        stay: if end { typed.stay } else { old.stay },
        exit: if end { typed.exit } else { old.exit },
    }
}

/// The cases that have all their rounds.
///
/// # Errors
/// A message without the option in front, where the run cannot go on here: what differs.
pub(super) fn kept(report: &Report, cases: &[Case], environment: &Environment) -> anyhow::Result<Kept> {
    let differing = differences(&report.environment, environment);
    if !differing.is_empty() {
        return Err(Usage::error(format!(
            "it was measured elsewhere, and figures of the two do not belong into one report: {}",
            differing.join("; ")
        )));
    }
    if let Some(stray) = report.cells.iter().find(|cell| assemble::case_of(cases, cell).is_none()) {
        return Err(Usage::error(format!(
            "its arguments no longer mean what they did: {} is not among their cases; start it anew",
            stray.case()
        )));
    }
    let rounds =
        report.run.rounds_planned.unwrap_or(usize::MAX).saturating_mul(report.run.forks.unwrap_or(1));
    let mut kept = Kept::new();
    for (index, case) in cases.iter().enumerate() {
        let own = |cell: &&Cell| assemble::case_of(cases, cell) == Some(index);
        let cells: Vec<Cell> = report.cells.iter().filter(own).cloned().collect();
        check_versions(case, &cells)?;
        let whole = |cell: &Cell| cell.rounds.len() == rounds && cell.latency_rounds.len() == rounds;
        if cells.len() == case.entrants.len() && cells.iter().all(whole) {
            kept.insert(index, cells);
        }
    }
    Ok(kept)
}

/// What makes the figures of one part of a run unlike those of the other.
fn differences(old: &Environment, new: &Environment) -> Vec<String> {
    let none = || "none".to_owned();
    let pinned =
        |environment: &Environment| environment.pinned.as_ref().map_or_else(none, |pins| format!("{pins:?}"));
    [
        ("processor", old.cpu.clone(), new.cpu.clone()),
        ("processors", old.cores.to_string(), new.cores.to_string()),
        ("memory", old.memory_bytes.to_string(), new.memory_bytes.to_string()),
        ("kernel", old.kernel.clone(), new.kernel.clone()),
        ("compiler", old.rustc.clone(), new.rustc.clone()),
        ("profile", old.profile.clone(), new.profile.clone()),
        ("version", old.git.clone().unwrap_or_else(none), new.git.clone().unwrap_or_else(none)),
        ("runtime", old.runtime.clone(), new.runtime.clone()),
        ("pinned to", pinned(old), pinned(new)),
    ]
    .into_iter()
    .filter(|(_, old, new)| old != new)
    .map(|(what, old, new)| format!("{what} {old} there, {new} here"))
    .collect()
}

fn check_versions(case: &Case, cells: &[Cell]) -> anyhow::Result<()> {
    for cell in cells {
        let entrant = case.entrants.iter().find(|entrant| entrant.name == cell.backend);
        match entrant.map(|entrant| entrant.arm.backend.version) {
            Some(version) if version == cell.backend_version => {}
            Some(version) => {
                return Err(Usage::error(format!(
                    "it measured {} {}, and this program has {version}: start it anew",
                    cell.backend, cell.backend_version
                )));
            }
            None => {
                return Err(Usage::error(format!(
                    "its arguments no longer mean what they did: {} is not measured in {}; start it anew",
                    cell.backend,
                    cell.case()
                )));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;

    fn environment() -> Environment {
        let pins = crate::pin::Pins::default();
        crate::environment::describe(crate::environment::Executor::CurrentThread, &pins)
    }

    #[test]
    fn what_differs_is_named_and_load_and_clock_are_free_to() {
        let here = environment();
        let there = Environment { load_before: 9.0, clock: "another, 1 ns a read".into(), ..here.clone() };
        assert!(differences(&there, &here).is_empty());
        let there = Environment {
            cpu: "Made Up 9000".into(),
            profile: "release, opt-level 3".into(),
            ..here.clone()
        };
        let found = differences(&there, &here);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("Made Up 9000") && found[1].contains("release"), "{found:?}");
    }

    #[test]
    fn what_is_typed_wins_over_what_the_run_was_told() {
        let told = Output {
            out: Some("there".into()),
            format: Format::Json,
            peer_unit: None,
            listen: None,
            no_dashboard: true,
            stay: false,
            exit: true,
        };
        let silent =
            Output { out: None, format: Format::Table, no_dashboard: false, exit: false, ..told.clone() };
        let kept = output(told.clone(), &silent, &[]);
        assert_eq!((kept.format, kept.no_dashboard, kept.exit), (Format::Json, true, true));
        let changed = output(told, &Output { stay: true, ..silent }, &["format".into(), "stay".into()]);
        assert_eq!((changed.format, changed.stay, changed.exit), (Format::Table, true, false));
        assert!(changed.no_dashboard);
    }
}
