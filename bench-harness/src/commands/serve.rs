//! `serve`: the dashboard with stored reports, until Ctrl-C.

use std::path::Path;

use dashboard::recording::Recording;
use results::store;

use crate::cli::ServeArgs;
use crate::exit::{Exit, Usage};
use crate::interrupt::Interrupt;
use crate::live::Live;
use crate::say::say;
use crate::writer;

/// Serves; names the files that are no reports and goes on with the others.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<Exit> {
    let folder = args.dir.clone().unwrap_or_else(writer::default_folder);
    let listing = store::list(&folder)
        .map_err(|error| Usage::error(format!("cannot read DIR '{}': {error}", folder.display())))?;
    for problem in &listing.problems {
        say!("not served: '{}' {}", problem.path.display(), problem.error);
    }
    let interrupt = Interrupt::install()?;
    let live = match &args.recording {
        Some(recording) => {
            tell_of(recording)?;
            Live::with_recording(args.listen, &folder, recording)?
        }
        None => Live::with_page(args.listen, &folder)?,
    };
    let (count, folder) = (listing.reports.len(), folder.display());
    let plural = if count == 1 { "" } else { "s" };
    say!("{count} report{plural} of '{folder}' at {} until Ctrl-C", live.url().unwrap_or_default());
    interrupt.wait();
    Ok(Exit::Done)
}

/// Says what a recording has, and names the files in it that are none.
fn tell_of(folder: &Path) -> anyhow::Result<()> {
    let past = Recording::new(folder)
        .read(None, None)
        .map_err(|error| Usage::error(format!("cannot read --recording '{}': {error}", folder.display())))?;
    for problem in &past.problems {
        say!("not shown: '{}' {}", folder.join(&problem.file).display(), problem.error);
    }
    let (intervals, primitives) = (past.intervals, past.primitives.len());
    say!("a recording of {intervals} intervals and {primitives} primitives in '{}'", folder.display());
    Ok(())
}
