//! Any order of calls, by a clock that steps.

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::*;
use crate::collector::clock::MAX_NS;
use crate::collector::report;
use crate::snapshot::Snapshot;

/// What a primitive may tell of an operation; a duration is what it measured itself.
#[derive(Clone, Copy, Debug)]
enum Told {
    Granted,
    Waiting,
    Handed,
    Resumed(Outcome, u64),
    Released(u64),
}

/// A call about an operation of one of a few tasks, at a moment that has nothing to do with the one before.
#[derive(Clone, Copy, Debug)]
struct Call {
    task: u64,
    told: Told,
    now_ns: u64,
}

const TASKS: u64 = 6;
/// Two mutexes and a semaphore.
const OBJECTS: u64 = 3;

fn moment() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..2_000_000_u64, 1 => Just(0), 1 => Just(MAX_NS), 1 => 0..=MAX_NS]
}

fn call() -> impl Strategy<Value = Call> {
    let outcome = prop_oneof![Just(Outcome::Granted), Just(Outcome::Cancelled), Just(Outcome::Closed)];
    let told = prop_oneof![
        3 => Just(Told::Granted),
        3 => Just(Told::Waiting),
        1 => Just(Told::Handed),
        3 => (outcome, 0..1_000_000_u64).prop_map(|(outcome, ns)| Told::Resumed(outcome, ns)),
        3 => (0..1_000_000_u64).prop_map(Told::Released),
    ];
    (1..=TASKS, told, moment()).prop_map(|(task, told, now_ns)| Call { task, told, now_ns })
}

/// A collector's knowledge, and the number of each task's latest operation.
struct Course {
    intake: Intake,
    ops: [u64; TASKS as usize],
}

impl Course {
    fn new() -> Self {
        // Threads remember objects by the number of their collector.
        static NEXT: AtomicU64 = AtomicU64::new(1 << 60);
        Self { intake: Intake::new(NEXT.fetch_add(1, Ordering::Relaxed)), ops: [0; TASKS as usize] }
    }

    fn is_under_way(&self, op: u64) -> bool {
        let mut found = false;
        self.intake.operations.for_each(|key, _| found |= key == op);
        found
    }

    /// A number that was not used before, as `sync` has one for each operation; none while the one before goes on.
    fn begin(&mut self, task: u64) -> Option<u64> {
        let op = &mut self.ops[task as usize - 1];
        let (before, next) = (*op, *op + TASKS + if *op == 0 { task } else { 0 });
        if self.is_under_way(before) {
            return None;
        }
        self.ops[task as usize - 1] = next;
        Some(next)
    }

    /// The operation as it asks; each task has an object of its own choice for good, and three permits of the semaphore's.
    fn asked(&self, task: u64, phase: Phase, since_ns: u64) -> Operation {
        let object = 1 + task % OBJECTS;
        let kind = if object == OBJECTS { Kind::Semaphore } else { Kind::Mutex };
        let fields = Fields { made_line: object, ..Fields::default() };
        let row = self.intake.row_of(kind, object, &fields, Texts::default);
        Operation {
            row,
            site: NO_SITE,
            phase,
            acquiring: false,
            failed: false,
            object,
            task,
            permits: if kind == Kind::Semaphore { 3 } else { 1 },
            queue: 0,
            since_ns,
            mark: Mark::default(),
            turn: Turn::None,
        }
    }

    fn tell(&mut self, Call { task, told, now_ns }: Call) {
        let op = match told {
            Told::Granted | Told::Waiting => self.begin(task),
            _ => Some(self.ops[task as usize - 1]).filter(|&op| op != 0),
        };
        let (Some(op), intake) = (op, &self.intake) else { return };
        match told {
            Told::Granted => intake.acquired(op, self.asked(task, Phase::Holding, now_ns)),
            Told::Waiting => intake.heard_waiting(op, &self.asked(task, Phase::Waiting, now_ns)),
            Told::Handed => {
                intake.operations.note_turn(op, Turn::Granted(now_ns));
            }
            Told::Resumed(outcome, queued_ns) => {
                let waited = Waited { queued_ns: Some(queued_ns), wake_ns: Some(1), seen_ns: 0 };
                intake.wait_over(op, outcome, waited, now_ns, true);
            }
            Told::Released(held_ns) => intake.hold_over(op, now_ns, |_| held_ns),
        }
    }

    /// Ends whatever is under way, at one moment.
    fn end(&mut self, now_ns: u64) {
        for task in 1..=TASKS {
            for told in [Told::Released(0), Told::Resumed(Outcome::Cancelled, 0)] {
                self.tell(Call { task, told, now_ns });
            }
        }
    }

    fn snapshot(&self) -> Snapshot {
        report::snapshot(&self.intake, 1.0)
    }
}

fn sum(snapshot: &Snapshot, of: impl Fn(&crate::snapshot::PrimitiveSnapshot) -> u64) -> u64 {
    snapshot.primitives.iter().map(of).sum()
}

proptest! {
    #[test]
    fn no_course_of_calls_and_no_clock_makes_up_a_wait_or_leaves_one_behind(
        calls in prop::collection::vec(call(), 0..60),
        last_ns in moment(),
    ) {
        let mut course = Course::new();
        for &call in &calls {
            course.tell(call);
            prop_assert!(sum(&course.snapshot(), |row| row.waiters + row.holders_count) <= TASKS);
        }
        course.end(last_ns);
        let snapshot = course.snapshot();
        prop_assert_eq!(sum(&snapshot, |row| row.waiters + row.holders_count), 0);
        let longest = |row: &crate::snapshot::PrimitiveSnapshot| {
            [&row.wait_ns, &row.hold_ns, &row.queued_ns].map(|of| of.max).into_iter().max().unwrap()
        };
        // What a primitive measured is what is counted, whatever the clock showed; two digits are kept of it.
        prop_assert!(snapshot.primitives.iter().map(longest).max().unwrap_or(0) <= 1_020_000);
        let told = |wanted: fn(&Told) -> bool| calls.iter().filter(|call| wanted(&call.told)).count() as u64;
        let ended = told(|told| matches!(told, Told::Resumed(..))) + TASKS;
        prop_assert!(sum(&snapshot, |row| row.contended + row.cancelled) <= ended);
        prop_assert!(sum(&snapshot, |row| row.hold_ns.count) <= told(|told| matches!(told, Told::Released(_))) + TASKS);
    }
}

#[test]
fn a_hold_that_begins_after_its_end_is_charged_nothing() {
    let mut course = Course::new();
    // One that has the first mutex and one that waits for it, by a clock that steps back before the release.
    let (holds, waits) = (OBJECTS, 2 * OBJECTS);
    for (task, told, now_ns) in [
        (holds, Told::Granted, 1_000_000),
        (waits, Told::Waiting, 1_500_000),
        (holds, Told::Released(7), 10),
        (waits, Told::Resumed(Outcome::Granted, 3), 20),
        (waits, Told::Released(7), 5),
    ] {
        course.tell(Call { task, told, now_ns });
    }
    let snapshot = course.snapshot();
    let [row] = &snapshot.primitives[..] else { panic!("{snapshot:?}") };
    assert_eq!((row.acquisitions, row.contended, row.hold_ns.count), (2, 1, 2));
    let blamed_ns = row.sites.iter().map(|site| site.blamed_ns).sum::<u64>();
    assert_eq!((blamed_ns, row.wait_ns.max, row.hold_ns.max), (0, 4, 7));
}
