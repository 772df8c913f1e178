//! What intervals of a recording add up to, within a bound on memory.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::tag::Tag;
use super::totals::Buckets;

/// Buckets of all histograms at most. A recorder's own files have some hundred thousand; a file that was made for it could have
/// a thousand in a line of a hundred bytes.
pub(super) const BUCKETS: usize = 4 << 20;

/// Sums of histograms by what they are of, and the intervals that they are from.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// By start and end: each has many lines.
    pub(super) intervals: BTreeSet<(Duration, Duration)>,
    by_tag: BTreeMap<Tag, Buckets>,
    buckets: usize,
}

impl Sums {
    /// Adds a histogram of an interval.
    ///
    /// # Errors
    /// Where there are too many buckets already; then nothing was added.
    pub(super) fn add(
        &mut self,
        tag: &Tag,
        interval: (Duration, Duration),
        buckets: &[(u64, u64)],
    ) -> Result<(), &'static str> {
        self.add_buckets(tag, buckets)?;
        self.intervals.insert(interval);
        Ok(())
    }

    /// Adds others to these, as far as there is room.
    pub(super) fn add_all(&mut self, others: &Self) -> Result<(), &'static str> {
        for (tag, buckets) in &others.by_tag {
            self.add_buckets(tag, buckets)?;
        }
        self.intervals.extend(&others.intervals);
        Ok(())
    }

    fn add_buckets(&mut self, tag: &Tag, buckets: &[(u64, u64)]) -> Result<(), &'static str> {
        if self.buckets >= BUCKETS {
            return Err("there are too many histograms to add up");
        }
        if let Some(sum) = self.by_tag.get_mut(tag) {
            let before = sum.len();
            add(sum, buckets);
            self.buckets += sum.len() - before;
        } else {
            self.buckets += buckets.len();
            self.by_tag.insert(tag.clone(), buckets.to_vec());
        }
        Ok(())
    }

    /// What they take in memory, in entries of a few words.
    pub(super) fn weight(&self) -> usize {
        self.buckets + self.intervals.len() + self.by_tag.len()
    }

    pub(super) fn into_histograms(self) -> impl Iterator<Item = (Tag, Buckets)> {
        self.by_tag.into_iter()
    }
}

/// Adds buckets to a sum, both ascending. Most are there already: histograms of one thing are alike.
pub(super) fn add(sum: &mut Buckets, buckets: &[(u64, u64)]) {
    let (mut at, mut new) = (0, Vec::new());
    for &(highest, count) in buckets {
        while sum.get(at).is_some_and(|&(other, _)| other < highest) {
            at += 1;
        }
        match sum.get_mut(at) {
            Some((same, total)) if *same == highest => *total = total.saturating_add(count),
            _ => new.push((highest, count)),
        }
    }
    if !new.is_empty() {
        sum.extend(new);
        sum.sort_unstable_by_key(|&(highest, _)| highest);
    }
}
