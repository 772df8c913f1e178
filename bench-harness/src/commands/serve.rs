//! `serve`: the dashboard with stored reports, until Ctrl-C.

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
    let live = Live::with_page(args.listen, &folder)?;
    let (count, folder) = (listing.reports.len(), folder.display());
    let plural = if count == 1 { "" } else { "s" };
    say!("{count} report{plural} of '{folder}' at {} until Ctrl-C", live.url().unwrap_or_default());
    interrupt.wait();
    Ok(Exit::Done)
}
