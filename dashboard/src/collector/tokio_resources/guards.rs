//! Who has what of one primitive: the guards and permits that are out.
//!
//! Tokio says that something was given back, not by which guard, and says so when the next one may have it already. So guards are
//! told by what is known: their task, whether they are for reading or for writing, and who came first.

use std::collections::VecDeque;

use crate::collector::limits::GUARDS;

/// A guard, or permits in one hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Guard {
    pub(super) op: u64,
    pub(super) task: u64,
    pub(super) permits: u64,
    /// It is the only one at its time.
    pub(super) exclusive: bool,
}

/// The guards of one primitive.
#[derive(Debug, Default)]
pub(super) struct Guards {
    /// The oldest first.
    held: VecDeque<Guard>,
    /// Permits that calls were given which have not returned them to their tasks yet. They go back if the call is dropped.
    given: VecDeque<Guard>,
    /// The same of calls that have failed, whose permits are what goes back next.
    returning: VecDeque<Guard>,
    /// Guards that were handed out and not spoken of by the primitive yet, shared and exclusive ones.
    unspoken: [u32; 2],
}

impl Guards {
    pub(super) fn has_room(&self) -> bool {
        self.held.len() < GUARDS
    }

    /// A guard that the primitive will speak of. Returns whether there was room.
    pub(super) fn hold(&mut self, guard: Guard) -> bool {
        let unspoken = &mut self.unspoken[usize::from(guard.exclusive)];
        *unspoken = unspoken.saturating_add(1);
        self.hold_tried(guard)
    }

    /// A guard that the primitive has spoken of, or never will. Returns whether there was room.
    pub(super) fn hold_tried(&mut self, guard: Guard) -> bool {
        self.taken(guard.op);
        let has_room = self.has_room();
        if has_room {
            self.held.push_back(guard);
        }
        has_room
    }

    /// The primitive says that there is a guard. Returns whether it is one that no call was seen for.
    pub(super) fn is_news(&mut self, exclusive: bool) -> bool {
        let unspoken = &mut self.unspoken[usize::from(exclusive)];
        let news = *unspoken == 0;
        *unspoken = unspoken.saturating_sub(1);
        news
    }

    /// A call was given permits.
    pub(super) fn give(&mut self, guard: Guard) {
        if let Some(given) = self.given.iter_mut().find(|given| given.op == guard.op) {
            given.permits = given.permits.saturating_add(guard.permits);
        } else if self.given.len() < GUARDS {
            self.given.push_back(guard);
        }
    }

    /// What a call was given is with its task now, or gone.
    pub(super) fn taken(&mut self, op: u64) {
        self.given.retain(|given| given.op != op);
        self.returning.retain(|given| given.op != op);
    }

    /// A call has failed, and is about to give back what it was given.
    pub(super) fn will_return(&mut self, op: u64) {
        if let Some(index) = self.given.iter().position(|given| given.op == op)
            && self.returning.len() < GUARDS
        {
            self.returning.extend(self.given.remove(index));
        }
    }

    /// The only guard of its time was given back. The next one may be there already, so it is the oldest.
    pub(super) fn end_exclusive(&mut self) -> Option<Guard> {
        let index = self.held.iter().position(|guard| guard.exclusive)?;
        self.held.remove(index)
    }

    /// A task gives permits back. Returns the guards that end with it.
    pub(super) fn end_shared(&mut self, task: u64, mut permits: u64) -> Vec<Guard> {
        let mut ended = Vec::new();
        while permits > 0 {
            let mine = |guard: &Guard| guard.task == task && !guard.exclusive;
            if let Some(index) = self.returning.iter().position(mine) {
                part(&mut self.returning, index, &mut permits);
            } else if let Some(index) = self.held.iter().position(mine) {
                ended.extend(part(&mut self.held, index, &mut permits));
            } else if let Some(index) = self.given.iter().position(mine) {
                part(&mut self.given, index, &mut permits);
            } else if let Some(index) = self.held.iter().position(|guard| !guard.exclusive) {
                ended.extend(part(&mut self.held, index, &mut permits));
            } else {
                break;
            }
        }
        ended
    }

    /// Forgets all of them, and says which were held.
    pub(super) fn forget(&mut self) -> VecDeque<Guard> {
        std::mem::take(self).held
    }
}

/// Takes permits from a guard; the guard itself where none are left.
fn part(guards: &mut VecDeque<Guard>, index: usize, permits: &mut u64) -> Option<Guard> {
    let guard = guards.get_mut(index)?;
    let taken = guard.permits.min(*permits);
    *permits -= taken;
    guard.permits -= taken;
    if guard.permits == 0 { guards.remove(index) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(op: u64, task: u64, permits: u64) -> Guard {
        Guard { op, task, permits, exclusive: false }
    }

    fn ops(ended: &[Guard]) -> Vec<u64> {
        ended.iter().map(|guard| guard.op).collect()
    }

    #[test]
    fn a_task_gives_back_its_own_permits_first_and_the_oldest_next() {
        let mut guards = Guards::default();
        [guard(1, 10, 1), guard(2, 20, 2), guard(3, 20, 1)]
            .into_iter()
            .for_each(|guard| assert!(guards.hold(guard)));
        assert_eq!(ops(&guards.end_shared(20, 1)), [0; 0], "half of its first");
        assert_eq!(ops(&guards.end_shared(20, 1)), [2]);
        assert_eq!(ops(&guards.end_shared(99, 2)), [1, 3]);
        assert_eq!(ops(&guards.end_shared(99, 5)), [0; 0], "nobody has any");
    }

    #[test]
    fn permits_of_a_call_that_is_dropped_are_nobody_elses() {
        let mut guards = Guards::default();
        guards.hold(guard(1, 10, 1));
        guards.give(guard(2, 20, 1));
        assert_eq!(ops(&guards.end_shared(20, 1)), [0; 0]);
        assert_eq!(ops(&guards.end_shared(20, 1)), [1], "now there is nothing but the other's");
    }

    #[test]
    fn the_next_exclusive_guard_may_come_before_the_last_has_gone() {
        let mut guards = Guards::default();
        let exclusive = |op| Guard { exclusive: true, ..guard(op, op, 1) };
        guards.hold(exclusive(1));
        assert!(!guards.is_news(true));
        guards.hold(exclusive(2));
        assert_eq!(guards.end_exclusive(), Some(exclusive(1)));
        assert!(!guards.is_news(true));
        assert!(guards.is_news(true), "tried: no call was seen");
        assert_eq!(guards.end_exclusive(), Some(exclusive(2)));
        assert_eq!(guards.end_exclusive(), None);
    }

    #[test]
    fn there_is_a_bound() {
        let mut guards = Guards::default();
        (0..GUARDS as u64).for_each(|op| assert!(guards.hold(guard(op, 0, 1))));
        assert!(!guards.hold(guard(0, 0, 1)));
        assert!(!guards.has_room());
        assert_eq!(guards.forget().len(), GUARDS);
    }
}
