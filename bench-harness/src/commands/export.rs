//! `export`: a stored report in another program's format.

use anyhow::Context as _;
use results::formats::{self, FORMATS};

use crate::cli::ExportArgs;
use crate::exit::{Exit, Usage};

/// Prints the report in the format.
pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<Exit> {
    let format = formats::find(&args.to).ok_or_else(|| {
        let known: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
        Usage::error(format!("unknown format '{}' for --to; there are {}", args.to, known.join(", ")))
    })?;
    let report = super::find_report(&args.report, args.folder.out.as_ref())?;
    let text = (format.write)(&report).with_context(|| format!("'{}'", args.report))?;
    super::print(&text)?;
    Ok(Exit::Done)
}
