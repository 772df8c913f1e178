//! The waits of a case's backends as lines of text, all on one axis so that they can be compared.

use std::fmt::Write as _;

use hdrhistogram::Histogram;
use results::{Cell, format_ns, text_histogram};

use super::screen::Screen;

/// More columns show no more to the eye.
const WIDEST: usize = 72;

/// Appends a line for each backend that has waits; nothing where none has.
pub(super) fn push(out: &mut String, arms: &[&Cell], screen: Screen) {
    let waits: Vec<(&str, Histogram<u64>)> = arms
        .iter()
        // What cannot be read is left out here; the table still has the percentiles.
        .filter_map(|cell| Some((cell.backend.as_str(), cell.wait_ns.histogram().ok()?)))
        .filter(|(_, histogram)| !histogram.is_empty())
        .collect();
    let Some(axis) = Axis::over(waits.iter().map(|(_, histogram)| histogram)) else { return };
    let names = waits.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let width = usize::from(screen.width).saturating_sub(names + 2).min(WIDEST);
    let (from, to) = (format_ns(axis.from_ns as f64), format_ns(axis.to_ns as f64));
    let _ = writeln!(out, "Waits from {from} to {to}, a block as high as its share, log scale:");
    for (name, histogram) in &waits {
        let _ = writeln!(out, "{}", format!("{name:names$}  {}", axis.draw(histogram, width)).trim_end());
    }
    out.push('\n');
}

/// From the shortest to the longest wait of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Axis {
    from_ns: u64,
    to_ns: u64,
}

impl Axis {
    fn over<'h>(histograms: impl Iterator<Item = &'h Histogram<u64>>) -> Option<Self> {
        histograms.fold(None, |axis: Option<Self>, histogram| {
            let own = Self { from_ns: histogram.min(), to_ns: histogram.max() };
            Some(axis.map_or(own, |axis| Self {
                from_ns: axis.from_ns.min(own.from_ns),
                to_ns: axis.to_ns.max(own.to_ns),
            }))
        })
    }

    /// Draws a histogram over the columns that it spans of this axis, with spaces before it.
    fn draw(self, histogram: &Histogram<u64>, width: usize) -> String {
        let first = self.column(histogram.min(), width);
        let span = self.column(histogram.max(), width) - first + 1;
        let Some(drawn) = text_histogram(histogram, span) else { return String::new() };
        let bars: Vec<char> = drawn.bars.chars().collect();
        // Short waits are told apart by whole nanoseconds: then a bar is as wide as its nanosecond.
        let stretched = (0..span).map(|column| bars[column * bars.len() / span]);
        " ".repeat(first).chars().chain(stretched).collect()
    }

    /// The column that a wait falls in, from 0.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a column of the screen")]
    fn column(self, ns: u64, width: usize) -> usize {
        let [from, at, to] = [self.from_ns, ns, self.to_ns].map(|ns| (ns.max(1) as f64).ln());
        let last = width.saturating_sub(1);
        if to <= from {
            return 0;
        }
        (((at - from) / (to - from) * last as f64).round() as usize).min(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(of: &[u64]) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).unwrap();
        of.iter().for_each(|ns| histogram.record(*ns).unwrap());
        histogram
    }

    #[test]
    fn the_same_wait_stands_in_the_same_column_whoever_had_it() {
        let (short, long) = (waits(&[100, 10_000]), waits(&[10_000, 1_000_000]));
        let axis = Axis::over([&short, &long].into_iter()).unwrap();
        let (short, long) = (axis.draw(&short, 41), axis.draw(&long, 41));
        assert_eq!(short.chars().position(|bar| bar != ' '), Some(0), "{short}");
        assert_eq!(short.chars().count(), 21, "{short}");
        assert_eq!(long.chars().position(|bar| bar != ' '), Some(20), "{long}");
        assert_eq!(long.chars().count(), 41, "{long}");
    }

    #[test]
    fn equal_waits_and_a_narrow_screen_are_drawn_too() {
        for (of, width) in
            [(&[5, 5, 5][..], 60), (&[0, 0], 60), (&[1, 2, 3], 60), (&[1, 1_000_000], 1), (&[1, 9], 0)]
        {
            let histogram = waits(of);
            let drawn = Axis::over([&histogram].into_iter()).unwrap().draw(&histogram, width);
            assert!(drawn.chars().count() <= width.max(1), "{drawn}");
        }
    }

    #[test]
    fn a_case_without_waits_has_no_histogram() {
        let mut cell = super::super::testing::report().cells.remove(0);
        cell.wait_ns.hdr = "not a histogram".into();
        let mut out = String::new();
        push(&mut out, &[&cell], Screen { width: 80, colour: false });
        assert_eq!(out, "");
    }
}
