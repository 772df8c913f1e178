//! What changes while the scene is looked at.

use std::sync::atomic::{AtomicU64, Ordering};

use sync::probe::Outcome;

use super::*;
use crate::collector::fields::{Fields, Texts};
use crate::collector::figures::Waited;
use crate::collector::queues::Mark;
use crate::collector::waits_for::{Knot, most_free, standing};

/// Mutexes whose tasks come and go.
struct Locks(Intake);

/// Of the operation by which a task takes a mutex.
fn number(task: u64, object: u64) -> u64 {
    10 * object + task
}

impl Locks {
    fn new() -> Self {
        // Threads remember objects by the number of their collector.
        static NEXT: AtomicU64 = AtomicU64::new(1 << 61);
        Self(Intake::new(NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    fn operation(&self, task: u64, object: u64, phase: Phase) -> Operation {
        let fields = Fields { made_line: object, ..Fields::default() };
        let row = self.0.row_of(Kind::Mutex, object, &fields, Texts::default);
        // A guard of an unknown line counts as lent.
        let site = self.0.rows.get(row).unwrap().sites.find((1, task, 1), || "main.rs".to_owned());
        Operation {
            row,
            site,
            phase,
            acquiring: false,
            failed: false,
            object,
            task,
            permits: 1,
            queue: 0,
            since_ns: 100,
            mark: Mark::default(),
            turn: Turn::None,
        }
    }

    fn holds(&self, task: u64, object: u64) {
        self.0.acquired(number(task, object), self.operation(task, object, Phase::Holding));
    }

    fn waits(&self, task: u64, object: u64) {
        self.0.heard_waiting(number(task, object), &self.operation(task, object, Phase::Waiting));
    }

    fn granted(&self, task: u64, object: u64) {
        let found = self.0.operations.note_turn(number(task, object), Turn::Granted(200));
        assert!(found.is_some());
    }

    fn resumes(&self, task: u64, object: u64) {
        let waited = Waited { queued_ns: Some(100), wake_ns: Some(1), seen_ns: 0 };
        self.0.wait_over(number(task, object), Outcome::Granted, waited, 300, true);
    }

    fn releases(&self, task: u64, object: u64) {
        self.0.hold_over(number(task, object), 400, |_| 300);
    }

    /// A scene in the middle of which `meanwhile` happens.
    fn scene(&self, meanwhile: impl FnOnce()) -> Scene {
        let mut scene = Scene::waiting(&self.0, 1_000);
        meanwhile();
        scene.gather_holds(&self.0);
        scene.confirm(&self.0);
        scene
    }
}

fn parties(seen: &[Party]) -> Vec<(u64, u64, Stage)> {
    seen.iter().map(|party| (party.task, party.object, party.stage)).collect()
}

fn knots(scene: &Scene) -> Vec<Knot> {
    standing(&scene.waits, &scene.holds, most_free).knots
}

#[test]
fn who_waits_all_the_while_is_seen_with_who_holds() {
    let locks = Locks::new();
    locks.holds(1, 1);
    locks.waits(2, 1);
    let scene = locks.scene(|| ());
    assert_eq!(parties(&scene.waits), [(2, 1, Stage::Waits)]);
    assert_eq!(parties(&scene.holds), [(1, 1, Stage::Holds)]);
}

#[test]
fn who_was_served_in_the_middle_of_the_look_does_not_wait_for_what_it_holds() {
    let locks = Locks::new();
    locks.holds(1, 1);
    locks.waits(2, 1);
    let scene = locks.scene(|| {
        locks.releases(1, 1);
        locks.granted(2, 1);
        locks.resumes(2, 1);
    });
    assert_eq!(parties(&scene.waits), []);
    assert_eq!(parties(&scene.holds), [(2, 1, Stage::Holds)]);
    assert_eq!(knots(&scene), []);
}

#[test]
fn a_grant_that_was_taken_in_the_middle_of_the_look_is_one_hold() {
    let locks = Locks::new();
    locks.waits(1, 1);
    locks.waits(2, 1);
    locks.granted(1, 1);
    let scene = locks.scene(|| locks.resumes(1, 1));
    assert_eq!(parties(&scene.waits), [(2, 1, Stage::Waits)]);
    assert_eq!(parties(&scene.holds), [(1, 1, Stage::Holds)]);
}

#[test]
fn two_who_take_turns_at_two_locks_in_the_middle_of_the_look_are_no_knot() {
    let locks = Locks::new();
    locks.holds(1, 1);
    locks.holds(3, 2);
    locks.waits(1, 2);
    locks.waits(2, 1);
    let scene = locks.scene(|| {
        // The first gets the other too and gives both back; the second, which waits for one of them, then takes both.
        locks.releases(3, 2);
        locks.granted(1, 2);
        locks.resumes(1, 2);
        locks.releases(1, 2);
        locks.releases(1, 1);
        locks.granted(2, 1);
        locks.resumes(2, 1);
        locks.holds(2, 2);
    });
    assert_eq!(knots(&scene), []);
    let crosswise = Locks::new();
    crosswise.holds(1, 1);
    crosswise.holds(2, 2);
    crosswise.waits(1, 2);
    crosswise.waits(2, 1);
    assert_eq!(knots(&crosswise.scene(|| ())).len(), 1, "what is one is found");
}
