//! Conditions that do not wait.

use super::*;

/// A condition that does not look at what it waits for.
struct NoCondition;

impl Library for NoCondition {}

impl ConditionBackend for NoCondition {
    type Pair = Mutex<Buffer>;
    type Guard<'a> = MutexGuard<'a, Buffer>;

    fn new(buffer: Buffer) -> Self::Pair {
        Mutex::new(buffer)
    }

    fn lock_when(
        pair: &Self::Pair,
        _side: Side,
        _ready: impl FnMut(&Buffer) -> bool + Send,
    ) -> impl Future<Output = Self::Guard<'_>> + Send {
        pair.lock()
    }

    async fn notify_other<'a>(_pair: &'a Self::Pair, _side: Side, _guard: Self::Guard<'a>) {}

    async fn notify_all_others<'a>(_pair: &'a Self::Pair, _side: Side, _guard: Self::Guard<'a>) {}

    async fn notify_everyone<'a>(_pair: &'a Self::Pair, _side: Side, _guard: Self::Guard<'a>) {}
}

#[test]
fn condition_that_does_not_wait_is_caught() {
    for case in [condition::bounded_buffer::<NoCondition>, condition::bounded_buffer_all::<NoCondition>] {
        let law = law_of(case, &defaults("condition"));
        // Whoever comes first finds it empty or full.
        let breach = |law: &String| law.contains("was due, None was taken") || law.contains("held 1 already");
        assert!(law.as_ref().is_err_and(breach), "{law:?}");
    }
}

#[test]
fn condition_that_lets_sleepers_take_turns_out_of_order_is_caught() {
    let law = law_of(condition::sleepers::<NoCondition>, &defaults("condition"));
    assert!(law.as_ref().is_err_and(|law| law.contains("took a turn that was task")), "{law:?}");
}
