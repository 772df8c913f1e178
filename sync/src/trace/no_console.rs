//! What [`console`](super) is without the feature: an empty type and functions that do nothing.

use super::Object;
use crate::probe::{Operation, Outcome};

pub(super) struct Op;

impl Op {
    pub(super) const NONE: Self = Self;

    #[inline(always)]
    pub(super) fn asked(_operation: &Operation, _may_wait: bool) -> Self {
        Self
    }

    #[inline(always)]
    pub(super) fn is_none(&self) -> bool {
        true
    }

    #[inline(always)]
    pub(super) fn waits(&self, _ahead: u64) {}

    #[inline(always)]
    pub(super) fn ended(&self, _outcome: Outcome) {}

    #[inline(always)]
    pub(super) fn left(&self, _available: impl FnOnce() -> usize) {}

    #[inline(always)]
    pub(super) fn resumed(&self, _outcome: Outcome) {}
}

#[inline(always)]
pub(crate) fn left(_object: Object<'_>, _available: impl FnOnce() -> usize) {}

#[inline(always)]
pub(super) fn turned(_object: Object<'_>, _on: bool) {}
