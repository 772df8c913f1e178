//! From a function that is generic over the backend to the arms of a variant.
//!
//! It knows no backend and no workload: the one list of backends comes from [`backends`](crate::backends), the
//! family and the function from the variant.

use crate::{Arm, Backend, Limits, Slot, SlotOutcome};

/// The arms of a variant: `arms!(MutexBackend, exclusive)` is the function `exclusive` on every backend whose
/// primitives implement `MutexBackend`.
macro_rules! arms {
    ($family:ident, $run:ident) => { $crate::backends::each_backend!(arms::arms_of, ($family $run)) };
}
pub(crate) use arms;

/// The second half of [`arms`], once it knows the backends.
///
/// Whether a type implements a trait is asked of name resolution: an associated constant of the type itself, which
/// is there under a bound only, goes before that of a trait which every type implements.
macro_rules! arms_of {
    (($family:ident $run:ident) $($backend:ident)+) => {{
        use ::std::marker::PhantomData;
        use $crate::arms::{Part, pick, present};

        struct On<B>(PhantomData<B>);
        #[allow(dead_code, reason = "unused where every backend has the family")]
        trait Lacks {
            const PART: Option<Part> = None;
        }
        impl<B> Lacks for On<B> {}
        impl<B: $crate::backend::$family> On<B> {
            const PART: Option<Part> = Some(Part { composed: B::COMPOSED, limits: B::LIMITS, run: $run::<B> });
        }
        const ALL: &[Option<$crate::Arm>] = &[$(match On::<$crate::backends::$backend::Primitives>::PART {
            Some(part) => Some(part.of(&$crate::backends::$backend::BACKEND)),
            None => None,
        }),+];
        const ARMS: [$crate::Arm; present(ALL)] = pick(ALL);
        &ARMS
    }};
}
pub(crate) use arms_of;

/// An arm without its backend.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub(crate) composed: Option<&'static str>,
    pub(crate) limits: Limits,
    pub(crate) run: fn(Slot<'_>) -> SlotOutcome,
}

impl Part {
    pub(crate) const fn of(self, backend: &'static Backend) -> Arm {
        Arm { backend, composed: self.composed, limits: self.limits, run: self.run }
    }
}

/// How many of `arms` there are.
pub(crate) const fn present(arms: &[Option<Arm>]) -> usize {
    let (mut count, mut place) = (0, 0);
    while place < arms.len() {
        count += arms[place].is_some() as usize;
        place += 1;
    }
    count
}

/// Those of `arms` that there are: `N`, as [`present`] counts them.
pub(crate) const fn pick<const N: usize>(arms: &[Option<Arm>]) -> [Arm; N] {
    // Ours has every primitive, so the first is there.
    let mut picked = [arms[0].unwrap(); N];
    let (mut count, mut place) = (0, 0);
    while place < arms.len() {
        if let Some(arm) = arms[place] {
            picked[count] = arm;
            count += 1;
        }
        place += 1;
    }
    picked
}
