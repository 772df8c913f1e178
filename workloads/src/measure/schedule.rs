//! The intended starts of an open loop: when, whose, and what to do until then. Pure; it reads no clock.

use std::time::Duration;

/// Closer than this to an intended start a task yields instead of sleeping: tokio's timer has a grain of a
/// millisecond, and may round up by one.
const NEAR: Duration = Duration::from_millis(2);
/// Longest sleep before a task looks whether the slot is over …
const NAP: Duration = Duration::from_millis(5);
/// … and what each further task adds to it, so that the looking of a million tasks does not fill the slot.
const NAP_PER_TASK: Duration = Duration::from_micros(4);

/// The intended starts of one task: every N-th of the slot's, which lie evenly in time.
///
/// Each is worked out from its number and not from the one before, so that no rounding adds up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    rate_ops_per_s: f64,
    /// Number of the next intended start among those of the slot.
    next: u64,
    tasks: u64,
}

/// What a free task does until its intended start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// The time has come.
    Due,
    /// It is near: go to the back of the run queue once.
    Yield,
    /// It is far.
    Sleep(Duration),
}

impl Schedule {
    /// The schedule of the task with the number `index` of `tasks`.
    pub(crate) fn new(rate_ops_per_s: f64, index: usize, tasks: usize) -> Self {
        Self { rate_ops_per_s, next: index as u64, tasks: tasks as u64 }
    }

    /// The next intended start, in nanoseconds from the slot's first one.
    #[inline]
    pub(crate) fn advance(&mut self) -> u64 {
        let number = self.next;
        self.next = number.saturating_add(self.tasks);
        // The conversion saturates: a start that no clock reaches is never due.
        (number as f64 * 1e9 / self.rate_ops_per_s) as u64
    }

    /// Intended starts of the whole slot in its first `window_ns`.
    pub(crate) fn due(&self, window_ns: u64) -> u64 {
        (window_ns as f64 * self.rate_ops_per_s / 1e9).ceil() as u64
    }

    /// What to do `now` until `intended`.
    #[inline]
    pub(crate) fn rest(&self, now_ns: u64, intended_ns: u64) -> Rest {
        let ahead = Duration::from_nanos(intended_ns.saturating_sub(now_ns));
        if ahead.is_zero() {
            Rest::Due
        } else if ahead <= NEAR {
            Rest::Yield
        } else {
            let more = NAP_PER_TASK.saturating_mul(u32::try_from(self.tasks).unwrap_or(u32::MAX));
            Rest::Sleep((ahead - NEAR).min(NAP.saturating_add(more)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_take_turns_at_evenly_spaced_starts() {
        let mut tasks: Vec<Schedule> = (0..3).map(|index| Schedule::new(1e6, index, 3)).collect();
        let starts: Vec<u64> = (0..9).map(|turn| tasks[turn % 3].advance()).collect();
        assert_eq!(starts, [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000]);
    }

    #[test]
    fn periods_that_are_no_whole_nanoseconds_do_not_drift() {
        let mut schedule = Schedule::new(3.0, 0, 1);
        let last = (0..=3_000_000).map(|_| schedule.advance()).last();
        assert_eq!(last, Some(1_000_000 * 1_000_000_000));
    }

    #[test]
    fn what_is_due_is_what_was_handed_out_before_the_end() {
        for (rate, window_ns) in [(1.0, 200_000_000), (7.0, 1_000_000_000), (2e4, 40_000_001), (1e9, 17)] {
            let mut schedule = Schedule::new(rate, 0, 1);
            let handed_out = std::iter::repeat_with(|| schedule.advance()).take_while(|&at| at < window_ns);
            assert_eq!(Schedule::new(rate, 0, 1).due(window_ns), handed_out.count() as u64, "{rate}");
        }
        assert_eq!(Schedule::new(5.0, 0, 1).due(0), 0);
    }

    #[test]
    fn a_start_beyond_the_clock_is_never_due() {
        let mut schedule = Schedule::new(f64::MIN_POSITIVE, 1, 2);
        assert_eq!(schedule.advance(), u64::MAX);
        assert!(matches!(schedule.rest(1 << 60, u64::MAX), Rest::Sleep(_)));
    }

    #[test]
    fn a_task_sleeps_far_from_its_start_and_yields_near_it() {
        let schedule = Schedule::new(1e3, 0, 1);
        assert_eq!(schedule.rest(10, 10), Rest::Due);
        assert_eq!(schedule.rest(11, 10), Rest::Due);
        assert_eq!(schedule.rest(9, 10), Rest::Yield);
        assert_eq!(schedule.rest(0, 2_000_000), Rest::Yield);
        assert_eq!(schedule.rest(0, 5_000_000), Rest::Sleep(Duration::from_millis(3)));
    }

    #[test]
    fn no_sleep_outlasts_the_slot_by_long() {
        let nap = |tasks| match Schedule::new(1.0, 0, tasks).rest(0, u64::MAX) {
            Rest::Sleep(nap) => nap,
            rest => panic!("{rest:?}"),
        };
        assert!(nap(64) < Duration::from_millis(6));
        assert!(nap(1_000_000) < Duration::from_secs(5));
    }
}
