//! Whether a span names a place in the source: the text that stands there is compared.

use sync::schema::field;

use crate::capture::Captured;

/// Asserts that the span's caller is in this file, where `text` stands. `source` is the file's text.
#[track_caller]
pub(crate) fn assert_called_at(span: &Captured, file: &str, source: &str, text: &str) {
    assert_eq!(span.text(field::FILE), file);
    let line = source_line(source, span.number(field::LINE));
    let column = usize::try_from(span.number(field::COLUMN)).expect("columns are small");
    assert!(line[column - 1..].starts_with(text), "column {column} of `{line}` is not at `{text}`");
}

/// Asserts that the span's object was made in this file, on a line with `text`.
#[track_caller]
pub(crate) fn assert_made_at(span: &Captured, file: &str, source: &str, text: &str) {
    assert_eq!(span.text(field::MADE_FILE), file);
    let line = source_line(source, span.number(field::MADE_LINE));
    assert!(line.contains(text), "`{line}` is without `{text}`");
}

fn source_line(source: &str, number: u64) -> &str {
    let index = usize::try_from(number).expect("lines are few") - 1;
    source.lines().nth(index).unwrap_or_else(|| panic!("there is no line {number}"))
}
