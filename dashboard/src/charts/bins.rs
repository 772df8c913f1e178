//! Histograms of durations in bins of equal width on a logarithmic axis, so that any two can be overlaid.

use super::rounded;

/// Bins in a factor of ten: a bin is 10 % wide, which two significant digits resolve.
const BINS_PER_DECADE: f64 = 24.0;

/// Bins at most: from 1 ns to more than an hour.
const BINS_LIMIT: i32 = 24 * 13;

/// What may lie outside the body on either side, and the room left beside it.
const OUTSIDE_PERCENT: f64 = 0.1;
const ROOM_BINS: i32 = 4;

/// Shares of a distribution, in percent, over adjacent bins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bins {
    first: i32,
    percent: Vec<f64>,
}

impl Bins {
    /// Sorts values in nanoseconds with their counts into bins; `None` when there are none.
    pub(super) fn of(values: impl IntoIterator<Item = (u64, u64)>) -> Option<Self> {
        let mut counts = vec![0_u64; BINS_LIMIT as usize];
        let mut total = 0_u64;
        for (value_ns, count) in values {
            let index = bin_of(value_ns) as usize;
            counts[index] = counts[index].saturating_add(count);
            total = total.saturating_add(count);
        }
        let first = counts.iter().position(|&count| count > 0)?;
        let last = counts.iter().rposition(|&count| count > 0)?;
        let percent = counts[first..=last].iter().map(|&count| 100.0 * count as f64 / total as f64).collect();
        Some(Self { first: first as i32, percent })
    }

    /// The edges in nanoseconds between which nearly all lies, with a little room: what a chart shows at first.
    ///
    /// A single wait of a second among microseconds would squeeze the rest into a few pixels.
    pub(super) fn body_ns(&self) -> (f64, f64) {
        let mut below = 0.0;
        let mut inside = (self.percent.len(), 0);
        for (offset, percent) in self.percent.iter().enumerate() {
            if below + percent > OUTSIDE_PERCENT && below < 100.0 - OUTSIDE_PERCENT {
                inside = (inside.0.min(offset), inside.1.max(offset));
            }
            below += percent;
        }
        let (start, end) = (self.first + inside.0 as i32, self.first + inside.1 as i32);
        (edge(start - ROOM_BINS), edge(end + 1 + ROOM_BINS))
    }

    /// Lowest and highest edge in nanoseconds.
    pub(super) fn span_ns(&self) -> (f64, f64) {
        (edge(self.first), edge(self.first + self.percent.len() as i32))
    }

    /// The outline as points of a step line, from zero to zero: edges in nanoseconds and percent.
    pub(super) fn outline(&self) -> (Vec<f64>, Vec<f64>) {
        let start = edge(self.first);
        let (mut x, mut y) = (vec![rounded(start)], vec![0.0]);
        for (offset, percent) in (0..).zip(&self.percent) {
            x.push(rounded(edge(self.first + offset)));
            y.push(rounded(*percent));
        }
        x.push(rounded(self.span_ns().1));
        y.push(0.0);
        (x, y)
    }

    #[cfg(test)]
    fn total_percent(&self) -> f64 {
        self.percent.iter().sum()
    }
}

/// The span that covers both.
pub(super) fn joined(a: Option<(f64, f64)>, b: (f64, f64)) -> Option<(f64, f64)> {
    Some(a.map_or(b, |a| (a.0.min(b.0), a.1.max(b.1))))
}

fn bin_of(value_ns: u64) -> i32 {
    let bin = ((value_ns.max(1) as f64).log10() * BINS_PER_DECADE).floor() as i32;
    bin.clamp(0, BINS_LIMIT - 1)
}

fn edge(bin: i32) -> f64 {
    10_f64.powf(f64::from(bin) / BINS_PER_DECADE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_to_a_hundred_whatever_the_counts() {
        let bins = Bins::of([(1, 3), (250, 1), (1_000_000, 7), (u64::MAX, 1)]).unwrap();
        assert!((bins.total_percent() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_value_lies_between_the_edges_of_its_bin() {
        for value_ns in [1_u64, 2, 9, 10, 11, 999, 1_000, 123_456_789] {
            let (low, high) = Bins::of([(value_ns, 1)]).unwrap().span_ns();
            assert!(
                low <= value_ns as f64 * 1.000_001 && (value_ns as f64) < high,
                "{value_ns} {low} {high}"
            );
        }
    }

    #[test]
    fn the_outline_begins_and_ends_at_zero() {
        let (x, y) = Bins::of([(100, 1), (200, 1)]).unwrap().outline();
        assert_eq!(x.len(), y.len());
        assert_eq!((y[0], *y.last().unwrap()), (0.0, 0.0));
        assert!(x.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn a_lonely_outlier_lies_outside_the_body() {
        let bins = Bins::of([(30, 1), (20_000, 50_000), (40_000, 50_000), (1_000_000_000, 1)]).unwrap();
        let (low, high) = bins.body_ns();
        assert!(low > 10_000.0 && low < 20_000.0 && high > 40_000.0 && high < 80_000.0, "{low} {high}");
    }

    #[test]
    fn a_single_bin_is_its_own_body() {
        let (low, high) = Bins::of([(700, 1)]).unwrap().body_ns();
        assert!(low < 700.0 && high > 700.0, "{low} {high}");
    }

    #[test]
    fn nothing_recorded_is_nothing_to_draw() {
        assert_eq!(Bins::of([]), None);
        assert_eq!(Bins::of([(5, 0)]), None);
    }
}
