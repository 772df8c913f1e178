//! JSON to [`Report`] and back.

use serde::Deserialize;
use serde_json::error::Category;

use crate::{ReadError, Report, SCHEMA};

/// What all versions of the schema have in front of the number.
const SCHEMA_FAMILY: &str = "bench-harness/report/";

impl Report {
    /// Reads a report from JSON.
    ///
    /// # Errors
    /// Says what is wrong: no JSON at all, JSON cut short, JSON of something else, a report of another schema
    /// version, or which field is missing or odd. Never panics, whatever the bytes are.
    ///
    /// # Examples
    /// ```
    /// let error = results::Report::from_json(br#"{"schema": "bench-harness/report/v9"}"#).unwrap_err();
    /// assert!(error.to_string().contains("v9"));
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<Report, ReadError> {
        // Editors of some systems put a byte order mark in front; RFC 8259 allows to ignore it.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        // A report of many cases has tens of megabytes: what is sound is read once, and where a fault lies is looked for
        // only when there is one.
        match serde_json::from_slice::<Report>(bytes) {
            Ok(report) if report.schema == SCHEMA && is_object(bytes) => Ok(report),
            _ => read_naming_faults(bytes),
        }
    }

    /// The report as indented JSON, with a line feed at the end.
    ///
    /// A number that JSON cannot hold (NaN, infinity) becomes `null`, and such a report can be read back only
    /// where the field allows `null`.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Maps have string keys and nothing in the report has a fallible `Serialize`, so this cannot fail.
        let mut json = serde_json::to_string_pretty(self).expect("a report is always representable as JSON");
        json.push('\n');
        json
    }

    /// The JSON Schema (2020-12) of a report.
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Report).to_value()
    }
}

/// As [`Report::from_json`], slower, and able to say which field it is that cannot be read.
fn read_naming_faults(bytes: &[u8]) -> Result<Report, ReadError> {
    check_head(bytes)?;
    let mut json = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut json).map_err(|error| ReadError::Field {
        path: error.path().to_string(),
        reason: error.inner().to_string(),
    })
}

/// serde takes a list for a struct too, field by field.
fn is_object(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

/// Looks at the whole input, but keeps nothing of it except the schema: cheap, and it separates "not a report"
/// from "a report with a fault".
fn check_head(bytes: &[u8]) -> Result<(), ReadError> {
    #[derive(Deserialize)]
    struct Head {
        schema: Option<serde_json::Value>,
    }

    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ReadError::Empty);
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        Category::Eof => ReadError::CutShort { line: error.line(), column: error.column() },
        Category::Syntax | Category::Io => {
            ReadError::NotJson { reason: error.to_string(), line: error.line(), column: error.column() }
        }
        Category::Data => ReadError::NotAReport { reason: error.to_string() },
    })?;
    if !is_object(bytes) {
        return Err(ReadError::NotAReport { reason: "it holds a list".to_owned() });
    }
    match head.schema {
        None => Err(ReadError::NotAReport { reason: "it has no `schema`".to_owned() }),
        Some(serde_json::Value::String(schema)) if schema == SCHEMA => Ok(()),
        Some(serde_json::Value::String(found)) if found.starts_with(SCHEMA_FAMILY) => {
            Err(ReadError::OtherVersion { found })
        }
        Some(other) => {
            Err(ReadError::NotAReport { reason: format!("its `schema` is {}", shortened(&other)) })
        }
    }
}

/// A foreign value, short enough for a message.
fn shortened(value: &serde_json::Value) -> String {
    const LIMIT: usize = 80;
    let text = value.to_string();
    if text.chars().count() <= LIMIT {
        return text;
    }
    text.chars().take(LIMIT).chain(['…']).collect()
}
