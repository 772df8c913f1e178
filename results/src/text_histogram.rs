//! A distribution in one line of text, for tables in a terminal.

use hdrhistogram::Histogram;

/// From nearly nothing to the most.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A distribution as a row of blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextHistogram {
    /// One character for each column: a block as high as its share of the waits, a space where there were none.
    pub bars: String,
    /// Where the first column begins.
    pub from_ns: u64,
    /// Where the last column ends.
    pub to_ns: u64,
}

/// Draws a distribution of waits in at most `width` columns, each of the same ratio of its ends: waits lie over
/// many powers of ten, and on a linear axis one slow wait would press all others into the first column.
///
/// The highest block is that of the fullest column. A column with any wait shows at least the lowest one, so that a
/// long tail is seen however thin it is. There are no more columns than the histogram can tell values apart.
/// `None` where there are no waits or no columns.
///
/// # Examples
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut waits = hdrhistogram::Histogram::<u64>::new(3)?;
/// waits.record_n(100, 400)?;
/// waits.record(100_000)?;
/// let drawn = results::text_histogram(&waits, 8).expect("there are waits");
/// assert_eq!((drawn.bars.as_str(), drawn.from_ns), ("█      ▁", 100));
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn text_histogram(histogram: &Histogram<u64>, width: usize) -> Option<TextHistogram> {
    if histogram.is_empty() {
        return None;
    }
    let (from_ns, to_ns) = (histogram.min(), histogram.max());
    let columns = fill(histogram, [from_ns, to_ns], resolved(histogram, from_ns, to_ns, width));
    let fullest = columns.iter().copied().fold(0.0, f64::max);
    let bars = columns.iter().map(|share| block(share / fullest)).collect();
    (!columns.is_empty()).then_some(TextHistogram { bars, from_ns, to_ns })
}

/// How many columns there is something to tell apart in.
fn resolved(histogram: &Histogram<u64>, from: u64, to: u64, width: usize) -> usize {
    let next = |value: &u64| Some(histogram.next_non_equivalent(*value)).filter(|next| next > value);
    std::iter::successors(Some(from), next).take_while(|value| *value <= to).take(width).count()
}

/// The waits of each column. What the histogram counts together lies evenly over the columns that it spans.
#[expect(clippy::cast_precision_loss, reason = "a line of text, and counts of waits")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the columns")]
fn fill(histogram: &Histogram<u64>, [from, to]: [u64; 2], columns: usize) -> Vec<f64> {
    /// What reaches less far into a column is a rounding error: no bucket is that narrow.
    const NOTHING: f64 = 1e-9;
    let (start, end, width) = (edge(from), edge(to.saturating_add(1)), columns as f64);
    let place = |ns: u64| ((edge(ns) - start) / (end - start) * width).clamp(0.0, width);
    let mut filled = vec![0.0; columns];
    for recorded in histogram.iter_recorded() {
        let value = recorded.value_iterated_to();
        let low = place(histogram.lowest_equivalent(value));
        let high = place(histogram.next_non_equivalent(value));
        let reached = high.ceil() as usize;
        for (column, waits) in filled.iter_mut().enumerate().take(reached).skip(low as usize) {
            let overlap = high.min(column as f64 + 1.0) - low.max(column as f64);
            if overlap > NOTHING {
                *waits += recorded.count_at_value() as f64 * overlap / (high - low);
            }
        }
    }
    filled
}

/// Place of a value on the axis. 0 ns has no logarithm and lies half a nanosecond below 1 ns.
#[expect(clippy::cast_precision_loss, reason = "a place in a line of text")]
fn edge(ns: u64) -> f64 {
    (ns as f64).max(0.5).ln()
}

fn block(share: f64) -> char {
    if share <= 0.0 {
        return ' ';
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is 0 to 1")]
    let eighth = (share * 8.0).ceil() as usize;
    BLOCKS[eighth.clamp(1, BLOCKS.len()) - 1]
}
