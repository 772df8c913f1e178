//! `schema`: the JSON Schema of a report.

use results::Report;

use crate::exit::Exit;

/// Prints it.
pub(crate) fn run() -> anyhow::Result<Exit> {
    let schema = serde_json::to_string_pretty(&Report::json_schema())?;
    super::print(&format!("{schema}\n"))?;
    Ok(Exit::Done)
}
