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

#[cfg(test)]
mod tests {
    use super::{Pairs, ordered, unordered};

    /// All sums, sorted.
    fn listed(pairs: Pairs<'_>) -> Vec<f64> {
        let mut sums: Vec<f64> = match pairs {
            Pairs::Walsh(a) => (0..a.len()).flat_map(|i| a[i..].iter().map(move |b| a[i] + b)).collect(),
            Pairs::Cross(a, b) => a.iter().flat_map(|a| b.iter().map(move |b| a + b)).collect(),
        };
        sums.sort_by(f64::total_cmp);
        sums
    }

    #[track_caller]
    fn check(pairs: Pairs<'_>) {
        let sums = listed(pairs);
        assert_eq!(pairs.len(), sums.len());
        for (k, sum) in (1..).zip(&sums) {
            assert_eq!(pairs.kth_sum(k), *sum, "number {k} of {sums:?}");
        }
        let middle = f64::midpoint(sums[(sums.len() - 1) / 2], sums[sums.len() / 2]);
        assert_eq!(pairs.median(), Some(middle));
    }

    #[test]
    fn kth_sum_is_that_of_the_sorted_list() {
        let values = [-7.5, -1.0, -1.0, -1e-300, 0.0, 1e-9, 0.1, 0.1, 0.3, 2.0, 1e17];
        for from in 0..values.len() {
            for to in from + 1..=values.len() {
                check(Pairs::Walsh(&values[from..to]));
                check(Pairs::Cross(&values[from..to], &values));
                check(Pairs::Cross(&values, &values[from..to]));
            }
        }
    }

    #[test]
    fn no_pairs_have_no_median() {
        assert_eq!(Pairs::Walsh(&[]).median(), None);
        assert_eq!(Pairs::Cross(&[1.0], &[]).median(), None);
    }

    #[test]
    fn zero_has_no_sign() {
        assert!(Pairs::Walsh(&[-0.0, -0.0]).kth_sum(2).is_sign_positive());
    }

    #[test]
    fn whole_numbers_stand_in_the_order_of_the_floats() {
        let ascending =
            [f64::NEG_INFINITY, f64::MIN, -1.0, -5e-324, -0.0, 0.0, 5e-324, 1.0, f64::MAX, f64::INFINITY];
        assert!(ascending.map(ordered).is_sorted());
        for value in ascending {
            assert_eq!(unordered(ordered(value)).to_bits(), value.to_bits());
        }
    }
}
