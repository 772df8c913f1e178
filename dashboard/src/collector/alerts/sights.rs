//! What was seen of the waits in progress at earlier looks.

use std::collections::HashMap;

use crate::collector::fields::Kind;
use crate::collector::hash::{self, BuildIdHasher};
use crate::collector::rows::{Row, RowIndex, Rows};
use crate::collector::scene::{Party, Scene, Stage};

/// One for each wait in progress. Bounded as the scene is.
#[derive(Debug, Default)]
pub(super) struct Sights(HashMap<u64, Sight, BuildIdHasher>);

#[derive(Clone, Copy, Debug)]
struct Sight {
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
    /// Takes a look: at the waits of the scene, and no longer at those that are over.
    pub(super) fn look(&mut self, scene: &Scene, rows: &Rows) {
        let held: std::collections::HashSet<u64, BuildIdHasher> =
            scene.holds.iter().map(|hold| hold.object).collect();
        let mut waiting = HashMap::<RowIndex, u64>::new();
        for wait in scene.waits.iter().chain(scene.holds.iter().filter(|hold| hold.stage == Stage::Granted)) {
            *waiting.entry(wait.row).or_default() += 1;
        }
        let seen = scene.waits.iter().filter_map(|wait| {
            let row = rows.get(wait.row)?;
            let before = self.0.get(&key(wait)).copied().unwrap_or_else(|| Sight {
                served: row.together().contended(),
                others: (waiting.get(&wait.row).copied().unwrap_or(0) + scene.left_out).saturating_sub(1),
                was_held: false,
                free: None,
            });
            Some((key(wait), before.now(wait, row, held.contains(&wait.object), scene.now_ns)))
        });
        let seen = seen.collect();
        self.0 = seen;
    }

    /// Since when the mutex that an operation waits for was seen free, after it was held.
    pub(super) fn free_since(&self, wait: &Party) -> Option<u64> {
        Some(self.0.get(&key(wait))?.free?.0)
    }

    /// Waits of the row that were served since the operation was first seen, beyond those that could come before it.
    pub(super) fn overtakers(&self, wait: &Party, row: &Row) -> u64 {
        let served = |sight: &Sight| row.together().contended().saturating_sub(sight.served);
        self.0.get(&key(wait)).map_or(0, |sight| served(sight).saturating_sub(sight.others))
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
