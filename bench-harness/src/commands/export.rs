//! `export`: a stored report in another program's format.

use anyhow::Context as _;
use results::formats::{self, FORMATS};
use results::{Cell, Comparison, Report};

use crate::cli::ExportArgs;
use crate::exit::{Exit, Usage};

/// Names that a message lists at most.
const NAMES_LISTED: usize = 6;

/// Prints the report in the format.
pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<Exit> {
    let format = formats::find(&args.to).ok_or_else(|| {
        let known: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
        Usage::error(format!("unknown format '{}' for --to; there are {}", args.to, known.join(", ")))
    })?;
    let mut report = super::find_report(&args.report, args.folder.out.as_ref())?;
    if let Some(wanted) = &args.cell {
        select(&mut report, wanted)?;
    }
    let text = (format.write)(&report).with_context(|| format!("'{}'", args.report))?;
    super::print(&text)?;
    Ok(Exit::Done)
}

/// Leaves the cells that have the text in their names, and what compares them.
fn select(report: &mut Report, wanted: &str) -> anyhow::Result<()> {
    let names: Vec<String> = report.cells.iter().map(Cell::full_name).collect();
    let is_wanted = |name: &str| name.contains(wanted);
    if !names.iter().any(|name| is_wanted(name)) {
        let some: Vec<&str> = names.iter().map(String::as_str).take(NAMES_LISTED).collect();
        return Err(Usage::error(format!(
            "no cell has '{wanted}' of --cell in its name; of {} there are {}",
            names.len(),
            some.join("; ")
        )));
    }
    let is_of_wanted = |it: &Comparison| is_wanted(&format!("{} on {}", it.case(), it.candidate));
    report.cells.retain(|cell| is_wanted(&cell.full_name()));
    report.comparisons.retain(is_of_wanted);
    report.control.retain(is_of_wanted);
    Ok(())
}
