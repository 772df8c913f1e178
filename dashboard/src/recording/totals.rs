//! What was counted until some moment, so that what came after it can be told.

use std::collections::BTreeMap;

use super::sums;
use super::tag::{Metric, Tag};
use crate::snapshot::Snapshot;

/// Buckets of a distribution: highest value, and count; ascending.
pub(super) type Buckets = Vec<(u64, u64)>;

/// Rows of one kind and name are one.
#[derive(Debug, Default)]
pub(super) struct Totals(BTreeMap<Tag, Buckets>);

impl Totals {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let mut totals: BTreeMap<Tag, Buckets> = BTreeMap::new();
        for row in &snapshot.primitives {
            for metric in Metric::ALL {
                let buckets = &metric.of(row).buckets;
                if !buckets.is_empty() {
                    let sum = totals.entry(Tag::of(row, metric)).or_default();
                    sums::add(sum, buckets);
                }
            }
        }
        Self(totals)
    }

    /// What is in these and not in those `before`. Where counts have fallen they were reset, and all is new.
    pub(super) fn since(&self, before: &Self) -> BTreeMap<&Tag, Buckets> {
        let new = self.0.iter().map(|(tag, now)| {
            let earlier = before.0.get(tag).map(Vec::as_slice).unwrap_or_default();
            (tag, subtracted(now, earlier).unwrap_or_else(|| now.clone()))
        });
        new.filter(|(_, buckets)| !buckets.is_empty()).collect()
    }
}

/// `None` where something was there before that is not there now.
fn subtracted(now: &[(u64, u64)], before: &[(u64, u64)]) -> Option<Buckets> {
    let mut rest: BTreeMap<u64, u64> = now.iter().copied().collect();
    for &(highest, count) in before {
        let left = rest.get_mut(&highest)?;
        *left = left.checked_sub(count)?;
    }
    Some(rest.into_iter().filter(|&(_, count)| count > 0).collect())
}
