//! The graph by hand, and against every course that a small program could take.

use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;

use super::*;
use crate::collector::scene::Stage;

/// `task` asks for permits of `object`, or holds them. Operations are numbered by their place in the queue.
fn party(kind: Kind, stage: Stage, task: u64, object: u64, permits: u64) -> Party {
    Party { op: 0, row: 0, site_row: 0, site: 0, kind, object, task, permits, queue: 0, since_ns: 0, stage }
}

fn lock(stage: Stage, task: u64, object: u64) -> Party {
    party(Kind::Mutex, stage, task, object, 1)
}

/// Numbers waits and holds in the order in which they are given.
fn numbered(mut parties: Vec<Party>, first: u64) -> Vec<Party> {
    for (party, number) in parties.iter_mut().zip(first..) {
        (party.op, party.since_ns) = (number, number);
    }
    parties
}

fn of(waits: Vec<Party>, holds: Vec<Party>) -> Standing {
    standing(&numbered(waits, 1), &numbered(holds, 100), most_free)
}

use Stage::{Granted, Holds, Lent, Waits};

#[test]
fn two_who_take_two_locks_crosswise_are_a_knot_and_who_waits_behind_them_is_stuck_outside_of_it() {
    let standing = of(
        vec![lock(Waits, 1, 20), lock(Waits, 2, 10), lock(Waits, 3, 10)],
        vec![lock(Holds, 1, 10), lock(Holds, 2, 20)],
    );
    assert_eq!(standing.stuck, [true, true, true]);
    assert_eq!(standing.knots, [Knot { waits: vec![0, 1], holds: vec![0, 1], agents: 2 }]);
}

#[test]
fn who_stands_between_two_of_a_knot_in_a_queue_is_stuck_and_not_one_of_them() {
    let standing = of(
        vec![lock(Waits, 3, 10), lock(Waits, 1, 20), lock(Waits, 2, 10)],
        vec![lock(Holds, 1, 10), lock(Holds, 2, 20)],
    );
    assert_eq!(standing.stuck, [true, true, true]);
    assert_eq!(standing.knots, [Knot { waits: vec![1, 2], holds: vec![0, 1], agents: 2 }]);
}

#[test]
fn a_chain_that_ends_at_one_who_goes_on_is_no_knot() {
    let standing = of(
        vec![lock(Waits, 1, 20), lock(Waits, 2, 30), lock(Waits, 4, 10)],
        vec![lock(Holds, 1, 10), lock(Holds, 2, 20), lock(Holds, 3, 30)],
    );
    assert_eq!(standing, Standing { stuck: vec![false, false, false], knots: vec![] });
}

#[test]
fn who_waits_for_what_it_holds_or_was_granted_itself_is_a_knot_alone() {
    for stage in [Holds, Granted] {
        let standing = of(vec![lock(Waits, 1, 10)], vec![lock(stage, 1, 10)]);
        assert_eq!(standing.knots, [Knot { waits: vec![0], holds: vec![0], agents: 1 }]);
    }
}

#[test]
fn what_is_lent_or_held_by_nobody_known_keeps_nobody_stuck() {
    let lent = of(vec![lock(Waits, 1, 10)], vec![lock(Lent, 1, 10)]);
    let unknown = of(vec![lock(Waits, 1, 10)], vec![lock(Holds, 0, 10)]);
    let nobody = of(vec![lock(Waits, 1, 10)], vec![]);
    for standing in [lent, unknown, nobody] {
        assert_eq!(standing, Standing { stuck: vec![false], knots: vec![] });
    }
}

#[test]
fn a_waiter_for_permits_is_stuck_only_if_all_who_have_some_are() {
    let permit = |stage, task| party(Kind::Semaphore, stage, task, 10, 1);
    let all = of(vec![permit(Waits, 1), permit(Waits, 2)], vec![permit(Holds, 1), permit(Holds, 2)]);
    assert_eq!(all.stuck, [true, true]);
    assert_eq!(all.knots[0].agents, 2);
    let all_but_one = of(
        vec![permit(Waits, 1), permit(Waits, 2)],
        vec![permit(Holds, 1), permit(Holds, 2), permit(Holds, 3)],
    );
    assert_eq!(all_but_one.stuck, [false, false]);
}

#[test]
fn who_waits_for_a_signal_is_not_stuck_whatever_it_holds() {
    for kind in [Kind::Condition, Kind::Event, Kind::Barrier] {
        let standing = of(
            vec![party(kind, Waits, 1, 20, 0), lock(Waits, 2, 10)],
            vec![lock(Holds, 1, 10), lock(Holds, 2, 20)],
        );
        assert_eq!(standing.stuck, [false, false], "{kind:?}");
    }
}

#[test]
fn a_task_of_several_waits_goes_on_with_any_of_them() {
    let crosswise = vec![lock(Holds, 1, 10), lock(Holds, 2, 20), lock(Holds, 3, 30)];
    let waits = vec![lock(Waits, 1, 20), lock(Waits, 1, 30), lock(Waits, 2, 10)];
    assert_eq!(of(waits, crosswise).stuck, [false, false, false]);
}

#[test]
fn a_chain_of_thousands_takes_no_stack() {
    let last = 5_000;
    let waits = (0..last).map(|task| lock(Waits, task + 1, (task + 1) % last)).collect();
    let holds = (0..last).map(|task| lock(Holds, task + 1, task)).collect();
    assert_eq!(of(waits, holds).knots[0].agents, last as usize);
}

/// A program at a moment: who asks in which order, who holds, and what is free of each object.
#[derive(Clone, Debug)]
struct Program {
    waits: Vec<Party>,
    holds: Vec<Party>,
    free: [u64; 3],
}

/// Up to five tasks and three objects, the first of which is a mutex. Task 0 stands for tasks that are not known.
fn program() -> impl Strategy<Value = Program> {
    let place = || (0_u64..6, 0_u64..3, 1_u64..4);
    let places = |most| prop::collection::vec(place(), 0..most);
    (places(7), places(7), prop::array::uniform3(0_u64..3)).prop_map(|(asks, holds, mut free)| {
        let made = |stage: Stage, (task, object, permits): (u64, u64, u64)| {
            if object == 0 {
                lock(stage, task, object)
            } else {
                party(Kind::Semaphore, stage, task, object, permits)
            }
        };
        // A mutex has one holder.
        let mut locked = false;
        let one_holder =
            |&(_, object, _): &(u64, u64, u64)| object != 0 || !std::mem::replace(&mut locked, true);
        let holds: Vec<Party> =
            holds.into_iter().filter(one_holder).map(|place| made(Holds, place)).collect();
        free[0] = 0;
        Program {
            waits: numbered(asks.into_iter().map(|place| made(Waits, place)).collect(), 1),
            holds: numbered(holds, 100),
            free,
        }
    })
}

/// Where a program has come: what is free, which waits are left, which holds are, and who runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Course {
    free: [u64; 3],
    waits: Vec<usize>,
    holds: Vec<(Option<Agent>, u64, u64)>,
}

impl Program {
    /// All who can ever run, found by trying every course: whoever does not wait gives something back, or the first in a
    /// queue gets what it asks for and gives up what else it waits for.
    fn who_can_run(&self) -> HashSet<Agent> {
        let mut free = self.free;
        for (object, free) in free.iter_mut().enumerate() {
            let held = self.holds.iter().any(|hold| hold.object == object as u64);
            // Nobody is known to have it: it may come from anybody.
            if !held {
                *free = 1_000;
            }
        }
        let holds = self.holds.iter().map(|hold| (hold.holder(), hold.object, hold.permits)).collect();
        let start = Course { free, waits: (0..self.waits.len()).collect(), holds };
        let (mut seen, mut open, mut run) = (HashSet::new(), vec![start], HashSet::new());
        while let Some(course) = open.pop() {
            if seen.insert(course.clone()) {
                self.next(&course, &mut open, &mut run);
            }
        }
        run
    }

    fn next(&self, course: &Course, open: &mut Vec<Course>, run: &mut HashSet<Agent>) {
        let waiting: BTreeSet<Agent> = course.waits.iter().map(|&wait| self.waits[wait].waiter()).collect();
        for (index, &(holder, object, permits)) in course.holds.iter().enumerate() {
            if holder.is_none_or(|holder| !waiting.contains(&holder)) {
                let mut next = course.clone();
                next.holds.remove(index);
                next.free[object as usize] += permits;
                open.push(next);
            }
        }
        let mut asked = HashSet::new();
        for &wait in &course.waits {
            let wait = &self.waits[wait];
            let is_first = asked.insert(wait.object);
            if is_first && course.free[wait.object as usize] >= wait.permits {
                let mut next = course.clone();
                next.free[wait.object as usize] -= wait.permits;
                next.holds.push((Some(wait.waiter()), wait.object, wait.permits));
                next.waits.retain(|&other| self.waits[other].waiter() != wait.waiter());
                run.insert(wait.waiter());
                open.push(next);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn stuck_are_those_who_run_in_no_course_of_the_program(program in program()) {
        let standing = standing(&program.waits, &program.holds, |first| program.free[first.object as usize]);
        let run = program.who_can_run();
        for (wait, stuck) in program.waits.iter().zip(&standing.stuck) {
            prop_assert_eq!(*stuck, !run.contains(&wait.waiter()), "{:?} of {:?}", wait, standing);
        }
        for knot in &standing.knots {
            prop_assert!(knot.waits.iter().all(|&wait| standing.stuck[wait]));
            prop_assert!(!knot.waits.is_empty());
        }
    }

    #[test]
    fn who_does_not_know_what_is_free_calls_nobody_stuck_who_is_not(program in program()) {
        // As the collector sees it: whatever the first of a queue asks for is not there.
        let mut program = program;
        for object in 0..3 {
            if let Some(first) = program.waits.iter().find(|wait| wait.object == object) {
                program.free[object as usize] = program.free[object as usize].min(first.permits - 1);
            }
        }
        let standing = standing(&program.waits, &program.holds, most_free);
        let run = program.who_can_run();
        for (wait, stuck) in program.waits.iter().zip(&standing.stuck) {
            prop_assert!(!(*stuck && run.contains(&wait.waiter())), "{:?}", wait);
        }
    }
}
