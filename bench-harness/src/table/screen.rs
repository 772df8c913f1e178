//! What the output can show: its width, and whether colours are wanted.

use std::io::IsTerminal as _;

use comfy_table::{Cell as TableCell, Color, ContentArrangement, Table, TableStyle, presets};
use results::Verdict;

/// Width where there is no terminal to ask.
const PLAIN_WIDTH: u16 = 80;
/// A terminal that says it is narrower does not know its width; some say 0.
const NARROWEST: u16 = 40;

/// What the output can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Screen {
    pub(crate) width: u16,
    pub(crate) colour: bool,
}

impl Screen {
    /// What standard output can show. Colour is for terminals, unless `NO_COLOR` is set.
    pub(crate) fn of_stdout() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let asked = if terminal { Table::new().width() } else { None };
        let width = asked.filter(|width| *width >= NARROWEST).unwrap_or(PLAIN_WIDTH);
        Self { width, colour: terminal && !no_colour }
    }

    /// A table without lines that keeps within the screen.
    pub(crate) fn table(self, header: &[&str]) -> Table {
        let mut table = Table::new();
        table
            .load_style(STYLE)
            .force_no_tty()
            .enforce_styling()
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(self.width)
            .set_header(header);
        table
    }

    /// Breaks a sentence at its spaces; what follows the first line is indented.
    pub(crate) fn wrap(self, sentence: &str) -> String {
        let mut out = String::new();
        let mut column = 0;
        for word in sentence.split_whitespace() {
            let length = word.chars().count();
            if column > 0 && column + 1 + length > usize::from(self.width) {
                out.push_str("\n  ");
                column = 2;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
        out
    }

    /// The verdict's word; the colour only repeats it.
    pub(crate) fn verdict(self, verdict: Verdict) -> TableCell {
        let cell = TableCell::new(verdict.name());
        match verdict {
            Verdict::Faster if self.colour => cell.fg(Color::Green),
            Verdict::Slower if self.colour => cell.fg(Color::Red),
            _ => cell,
        }
    }
}

/// Only a rule below the header.
const STYLE: TableStyle =
    presets::NOTHING.header_separator(comfy_table::LineStyle::none().fill('─').junction('─'));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_broken_at_spaces_and_keep_every_word() {
        let screen = Screen { width: 20, colour: false };
        let sentence = "sync has 1.62× the throughput of tokio (95 % interval 1.58–1.66, 20 rounds): faster.";
        let wrapped = screen.wrap(sentence);
        assert!(wrapped.lines().all(|line| line.chars().count() <= 20), "{wrapped}");
        assert_eq!(
            wrapped.split_whitespace().collect::<Vec<_>>(),
            sentence.split_whitespace().collect::<Vec<_>>()
        );
    }
}
