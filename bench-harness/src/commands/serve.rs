//! `serve`: the dashboard with stored reports, until Ctrl-C.

use std::path::Path;

use dashboard::recording::Recording;
use results::store;

use crate::cli::ServeArgs;
use crate::exit::{Exit, Usage};
use crate::interrupt::Interrupt;
use crate::live::Live;
use crate::progress::Bar;
use crate::say::say;
use crate::writer;

/// A recording of so many bytes takes seconds to read.
const LONG_BYTES: u64 = 32 << 20;

/// Serves; names the files that are no reports and goes on with the others.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<Exit> {
    let folder = args.dir.clone().unwrap_or_else(writer::default_folder);
    let listing = store::list(&folder)
        .map_err(|error| Usage::error(format!("cannot read DIR '{}': {error}", folder.display())))?;
    for problem in &listing.problems {
        say!("not served: '{}' {}", problem.path.display(), problem.error);
    }
    // Ctrl-C ends the reading of a large recording at once.
    let recording = args.recording.as_ref().map(|folder| read(folder)).transpose()?;
    let interrupt = Interrupt::install()?;
    let live = match recording {
        Some(recording) => Live::with_recording(args.listen, &folder, recording)?,
        None => Live::with_page(args.listen, &folder)?,
    };
    let (count, folder) = (listing.reports.len(), folder.display());
    let plural = if count == 1 { "" } else { "s" };
    say!("{count} report{plural} of '{folder}' at {} until Ctrl-C", live.url().unwrap_or_default());
    interrupt.wait();
    Ok(Exit::Done)
}

/// Reads a recording, which remembers what it has read, and says what it has and which files in it are none.
fn read(folder: &Path) -> anyhow::Result<Recording> {
    let recording = Recording::new(folder);
    let mut bar = None;
    let past = recording.read_with_progress(None, None, |done, all| {
        if all >= LONG_BYTES {
            bar.get_or_insert_with(|| Bar::new(all)).at(done, &format!("reading '{}'", folder.display()));
        }
    });
    bar.iter().for_each(Bar::finish);
    let past = past
        .map_err(|error| Usage::error(format!("cannot read --recording '{}': {error}", folder.display())))?;
    for problem in &past.problems {
        say!("not shown: '{}' {}", folder.join(&problem.file).display(), problem.error);
    }
    let (intervals, primitives) = (past.intervals, past.primitives.len());
    say!("a recording of {intervals} intervals and {primitives} primitives in '{}'", folder.display());
    Ok(recording)
}
