//! Order statistics of all sums a + b, one of each side, without making the pairs.
//!
//! The matrix of sums of two sorted lists is sorted along its rows and columns, so how many of them are at
//! most x takes one walk along its staircase. The k-th smallest is then found by bisection over the bit
//! patterns of f64: at most 64 walks, exact to the bit, no memory, and a thousand rounds cost no more than
//! sorting the pairs of thirty.

/// Which pairs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pairs<'a> {
    /// Each value with itself and every later one; ascending order.
    Walsh(&'a [f64]),
    /// Each value of one with each of the other; both in ascending order.
    Cross(&'a [f64], &'a [f64]),
}

impl Pairs<'_> {
    /// How many.
    pub(super) fn len(self) -> usize {
        match self {
            Pairs::Walsh(a) => a.len() * (a.len() + 1) / 2,
            Pairs::Cross(a, b) => a.len() * b.len(),
        }
    }

    /// Median of the sums; `None` where there are none.
    pub(super) fn median(self) -> Option<f64> {
        let pairs = self.len();
        if pairs == 0 {
            return None;
        }
        let low = self.kth_sum(pairs.div_ceil(2));
        if pairs % 2 == 1 { Some(low) } else { Some(f64::midpoint(low, self.kth_sum(pairs / 2 + 1))) }
    }

    /// The k-th smallest sum, k from 1 to [`len`](Self::len). The values must be finite.
    pub(super) fn kth_sum(self, k: usize) -> f64 {
        debug_assert!((1..=self.len()).contains(&k), "{k} of {}", self.len());
        let (a, b) = self.sides();
        let (mut low, mut high) = (ordered(a[0] + b[0]), ordered(a[a.len() - 1] + b[b.len() - 1]));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.at_most(unordered(middle)) >= k {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        // Never a negative zero, which would be shown as `-0`.
        unordered(low) + 0.0
    }

    /// How many sums are at most `x`.
    fn at_most(self, x: f64) -> usize {
        let (a, b) = self.sides();
        let mut columns = b.len();
        let mut all = 0;
        for &value in a {
            while columns > 0 && value + b[columns - 1] > x {
                columns -= 1;
            }
            all += columns;
        }
        match self {
            Pairs::Cross(..) => all,
            // Off the diagonal each pair was met twice.
            Pairs::Walsh(a) => (all + a.partition_point(|value| value + value <= x)) / 2,
        }
    }

    fn sides(&self) -> (&[f64], &[f64]) {
        match self {
            Pairs::Walsh(a) => (a, a),
            Pairs::Cross(a, b) => (a, b),
        }
    }
}

/// Whole numbers in the order of the floats.
fn ordered(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

fn unordered(order: u64) -> f64 {
    f64::from_bits(if order >> 63 == 1 { order & !(1 << 63) } else { !order })
}
