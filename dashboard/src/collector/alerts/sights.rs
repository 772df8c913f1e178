//! What was seen of the waits in progress at earlier looks.

use std::collections::{HashMap, HashSet};

use crate::collector::fields::Kind;
use crate::collector::hash::{self, BuildIdHasher};
use crate::collector::rows::{Row, RowIndex, Rows};
use crate::collector::scene::{Party, Scene, Stage};

/// One for each wait in progress. Bounded as the scene is.
#[derive(Debug, Default)]
pub(super) struct Sights {
    seen: HashMap<u64, Sight, BuildIdHasher>,
    /// Waits that were served of each row by the beginning of the latest look.
    served: Served,
}

/// Waits that were served, by row.
pub(super) type Served = HashMap<RowIndex, u64>;

#[derive(Clone, Copy, Debug)]
struct Sight {
    row: RowIndex,
    /// Waits of the row that were served when it was first seen.
    served: u64,
    /// Others of the row that waited then, or had been granted and not taken note yet: all that could be served before.
    others: u64,
    /// What it waits for was held by somebody when it was looked at.
    was_held: bool,
    /// Since when, as far as was seen, that is free, with what had been acquired of the row by then.
    free: Option<(u64, u64)>,
}

impl Sights {
    /// How many were served of the rows at which somebody was seen to wait. Asked before the scene is gathered: who still waits in
    /// that was not served by then. Asked later it would count what comes while the looking thread has lost its processor.
    pub(super) fn served(&self, rows: &Rows) -> Served {
        let rows_seen: HashSet<RowIndex> = self.seen.values().map(|sight| sight.row).collect();
        let served = |index| Some((index, rows.get(index)?.together().contended()));
        rows_seen.into_iter().filter_map(served).collect()
    }

    /// Takes a look: at the waits of the scene, and no longer at those that are over.
    pub(super) fn look(&mut self, served: Served, scene: &Scene, rows: &Rows) {
        let held: HashSet<u64, BuildIdHasher> = scene.holds.iter().map(|hold| hold.object).collect();
        let mut waiting = HashMap::<RowIndex, u64>::new();
        for wait in scene.waits.iter().chain(scene.holds.iter().filter(|hold| hold.stage == Stage::Granted)) {
            *waiting.entry(wait.row).or_default() += 1;
        }
        let seen = scene.waits.iter().filter_map(|wait| {
            let row = rows.get(wait.row)?;
            let before = self.seen.get(&key(wait)).copied().unwrap_or_else(|| Sight {
                row: wait.row,
                served: row.together().contended(),
                others: (waiting.get(&wait.row).copied().unwrap_or(0) + scene.left_out).saturating_sub(1),
                was_held: false,
                free: None,
            });
            Some((key(wait), before.now(wait, row, held.contains(&wait.object), scene.now_ns)))
        });
        self.seen = seen.collect();
        self.served = served;
    }

    /// Since when the mutex that an operation waits for was seen free, after it was held.
    pub(super) fn free_since(&self, wait: &Party) -> Option<u64> {
        Some(self.seen.get(&key(wait))?.free?.0)
    }

    /// Waits of the row that were served since the operation was first seen, beyond those that could come before it.
    pub(super) fn overtakers(&self, wait: &Party) -> u64 {
        let (Some(sight), Some(served)) = (self.seen.get(&key(wait)), self.served.get(&wait.row)) else {
            return 0;
        };
        served.saturating_sub(sight.served).saturating_sub(sight.others)
    }
}

/// An operation at an object: who was notified waits at another than before.
fn key(wait: &Party) -> u64 {
    hash::mix(wait.op, wait.object)
}

impl Sight {
    fn now(self, wait: &Party, row: &Row, held: bool, now_ns: u64) -> Self {
        if held || wait.kind != Kind::Mutex {
            return Self { was_held: held, free: None, ..self };
        }
        let acquired = row.together().acquisitions();
        let free = match self.free {
            Some((since, before)) if before == acquired => Some((since, before)),
            // It was held meanwhile, or another lock of the row was: time counts anew.
            Some(_) => Some((now_ns, acquired)),
            None => self.was_held.then_some((now_ns, acquired)),
        };
        Self { free, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::budget::Budget;
    use crate::collector::fields::Texts;
    use crate::collector::figures::Waited;
    use crate::collector::sites::NO_SITE;

    fn serve(row: &Row, times: usize) {
        let waited = Waited { queued_ns: Some(1), wake_ns: Some(1), seen_ns: 2 };
        (0..times)
            .for_each(|_| row.line(NO_SITE).mine(&Budget::default()).count_wait(waited, &Budget::default()));
    }

    #[test]
    fn who_is_served_while_a_look_is_taken_has_overtaken_nobody() {
        let rows = Rows::default();
        let index = rows.find(1, Kind::Semaphore, 1, Texts::default);
        let row = rows.get(index).unwrap();
        let party = |op| Party {
            op,
            row: index,
            site_row: index,
            site: NO_SITE,
            kind: Kind::Semaphore,
            object: 5,
            task: op,
            permits: 1,
            queue: 0,
            since_ns: op,
            stage: Stage::Waits,
        };
        let scene = Scene { waits: vec![party(1), party(2)], ..Scene::default() };
        let mut sights = Sights::default();
        // Served after the scene was gathered, but before that was taken note of, and after.
        let served = sights.served(&rows);
        serve(row, 500);
        sights.look(served, &scene, &rows);
        serve(row, 500);
        assert_eq!(sights.overtakers(&scene.waits[1]), 0);
        // By now it is known that the second still waited when they had been; the first may have been among them.
        let served = sights.served(&rows);
        serve(row, 500);
        sights.look(served, &scene, &rows);
        assert_eq!(sights.overtakers(&scene.waits[1]), 499);
        // Of one that is new nothing is said.
        let scene = Scene { waits: vec![party(3)], ..scene };
        let served = sights.served(&rows);
        sights.look(served, &scene, &rows);
        assert_eq!(sights.overtakers(&scene.waits[0]), 0);
    }
}
