//! The report itself.

use super::Format;
use crate::{ReadError, Report};

pub(super) const FORMAT: Format =
    Format { name: "json", extension: "json", summary: "the whole report, as it is stored", write };

#[expect(clippy::unnecessary_wraps, reason = "the signature of a format")]
fn write(report: &Report) -> Result<String, ReadError> {
    Ok(report.to_json())
}
