//! What counts as wrong: each rule is a function of who waits and who is in the way.
//!
//! A rule that would call a sound program wrong is worse than none. So what is not known counts in the program's
//! favour, and whoever merely waits for a signal (a condition, an event, permits that nobody holds) may wait for ever.

use std::collections::{BTreeMap, HashSet};

use super::finding::{AlertKind, Finding, Role, Words};
use super::sights::Sights;
use super::thresholds::{Thresholds, ns};
use crate::collector::fields::Kind;
use crate::collector::figures::Which;
use crate::collector::rows::Rows;
use crate::collector::scene::{Party, Scene, Stage};
use crate::collector::waits_for::{Knot, Standing};

/// What the rules look at.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) scene: &'a Scene,
    pub(super) standing: &'a Standing,
    pub(super) sights: &'a Sights,
    pub(super) rows: &'a Rows,
    pub(super) thresholds: &'a Thresholds,
}

/// Everybody at one object.
#[derive(Debug, Default)]
struct Place<'a> {
    /// In the order of the queue.
    waits: Vec<&'a Party>,
    /// The oldest first.
    holds: Vec<&'a Party>,
}

/// Served later ones that make starvation. Some may seem later that joined on other threads while the table was looked through.
const OVERTAKERS: u64 = 64;

/// Sentences of a message about a knot; the rest is in the evidence.
const SENTENCES: usize = 4;

/// All that looks wrong.
pub(super) fn findings(case: Case<'_>) -> Vec<Finding> {
    let mut found = case.knots();
    case.untaken_grants(&mut found);
    let places = case.places();
    case.lost_wake_ups(&places, &mut found);
    // Where tasks are stuck, that somebody waits for long says nothing new.
    let told: HashSet<u64> =
        found.iter().flat_map(|finding| &finding.evidence).map(|(_, party)| party.object).collect();
    for (_, place) in places.iter().filter(|(object, _)| !told.contains(object)) {
        found.extend(case.long_wait(place));
        found.extend(case.long_hold(place));
        found.extend(case.starvation(place));
    }
    found
}

impl<'a> Case<'a> {
    fn words(&self) -> Words<'a> {
        Words(self.rows)
    }

    fn has_lasted(&self, since_ns: u64, least: std::time::Duration) -> bool {
        self.scene.now_ns.saturating_sub(since_ns) >= ns(least)
    }

    fn places(&self) -> BTreeMap<u64, Place<'a>> {
        let mut places = BTreeMap::<u64, Place<'a>>::new();
        for wait in
            self.scene.waits.iter().filter(|wait| wait.kind != Kind::Event && wait.kind != Kind::Barrier)
        {
            places.entry(wait.object).or_default().waits.push(wait);
        }
        for hold in &self.scene.holds {
            if let Some(place) = places.get_mut(&hold.object) {
                place.holds.push(hold);
            }
        }
        places
    }

    /// Tasks that keep each other waiting, or themselves.
    fn knots(&self) -> Vec<Finding> {
        self.standing.knots.iter().filter_map(|knot| self.knot(knot)).collect()
    }

    fn knot(&self, knot: &Knot) -> Option<Finding> {
        let waits: Vec<&Party> = knot.waits.iter().map(|&wait| &self.scene.waits[wait]).collect();
        let holds: Vec<&Party> = knot.holds.iter().map(|&hold| &self.scene.holds[hold]).collect();
        let parties = || waits.iter().chain(&holds).copied();
        let first = *waits.first()?;
        let untaken = holds.iter().any(|hold| hold.stage == Stage::Granted);
        let kind = if knot.agents == 1 || untaken { AlertKind::Futurelock } else { AlertKind::Deadlock };
        let least = match kind {
            AlertKind::Deadlock => self.thresholds.deadlock,
            _ => self.thresholds.futurelock,
        };
        // It is one since the last of them joined.
        let since_ns = parties().map(|party| party.since_ns).max()?;
        if !self.has_lasted(since_ns, least) {
            return None;
        }
        let sentences: Vec<String> =
            waits.iter().take(SENTENCES).map(|wait| self.sentence(wait, &holds)).collect();
        let more = match waits.len().saturating_sub(SENTENCES) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let subject = match knot.agents {
            1 => "a task waits for itself".to_owned(),
            agents => format!("{agents} tasks wait for each other"),
        };
        Some(Finding {
            kind,
            key: waits.iter().map(|wait| wait.op).min()?,
            message: format!("{subject}: {}{more}", sentences.join("; ")),
            since_ns,
            row: first.row,
            object: first.object,
            evidence: parties().map(|party| (Role::of(party), *party)).collect(),
        })
    }

    /// What one of a knot waits for, and what it has meanwhile.
    fn sentence(&self, wait: &Party, holds: &[&Party]) -> String {
        let words = self.words();
        let task = words.task(Some(wait.waiter()));
        let waits = format!("waits for {} at {}", words.wanted(wait), words.site(wait));
        match holds.iter().find(|hold| hold.holder() == Some(wait.waiter())) {
            None => format!("{task} {waits}"),
            Some(hold) if hold.stage == Stage::Granted => {
                let (wanted, site) = (words.wanted(hold), words.site(hold));
                format!("{task} was granted {wanted} at {site}, does not take it, and {waits}")
            }
            Some(hold) => {
                format!("{task} holds {} since {} and {waits}", words.wanted(hold), words.site(hold))
            }
        }
    }

    /// Grants that nobody takes.
    fn untaken_grants(&self, found: &mut Vec<Finding>) {
        let in_knots: HashSet<u64> =
            found.iter().flat_map(|finding| &finding.evidence).map(|(_, party)| party.op).collect();
        let untaken = |hold: &&Party| hold.stage == Stage::Granted && !in_knots.contains(&hold.op);
        for grant in self.scene.holds.iter().filter(untaken) {
            let runs = |party: &&Party| {
                grant.task != 0
                    && party.task == grant.task
                    && party.op != grant.op
                    && party.since_ns > grant.since_ns
            };
            let mut elsewhere: Vec<(Role, Party)> =
                self.scene.waits.iter().filter(runs).map(|party| (Role::Waits, *party)).collect();
            elsewhere.extend(self.scene.elsewhere.iter().filter(runs).map(|party| (Role::Elsewhere, *party)));
            let (kind, least) = if elsewhere.is_empty() {
                (AlertKind::LostWakeUp, self.thresholds.lost_wake_up)
            } else {
                (AlertKind::Futurelock, self.thresholds.futurelock)
            };
            if self.has_lasted(grant.since_ns, least) {
                found.push(self.untaken_grant(kind, grant, elsewhere));
            }
        }
    }

    fn untaken_grant(&self, kind: AlertKind, grant: &Party, elsewhere: Vec<(Role, Party)>) -> Finding {
        let words = self.words();
        let (task, wanted, site) = (words.task(Some(grant.waiter())), words.wanted(grant), words.site(grant));
        let meanwhile = match elsewhere.first() {
            None => "and has not come for it; nothing else was seen of it since".to_owned(),
            Some((Role::Waits, party)) => {
                format!(
                    "does not take it, and since then waits for {} at {}",
                    words.wanted(party),
                    words.site(party)
                )
            }
            Some((_, party)) => {
                format!(
                    "does not take it, and since then took {} at {}",
                    words.wanted(party),
                    words.site(party)
                )
            }
        };
        let behind = self.scene.waits.iter().filter(|wait| wait.object == grant.object);
        let behind = behind.map(|wait| (Role::Waits, *wait));
        Finding {
            kind,
            key: grant.op,
            message: format!("{task} was granted {wanted} at {site}, {meanwhile}"),
            since_ns: grant.since_ns,
            row: grant.row,
            object: grant.object,
            evidence: [(Role::Granted, *grant)].into_iter().chain(elsewhere).chain(behind).collect(),
        }
    }

    /// A mutex that is free, with somebody waiting, and nothing happens. That it was held by somebody who was watched
    /// must have been seen: one who came before the collector may hold it unseen.
    fn lost_wake_ups(&self, places: &BTreeMap<u64, Place<'a>>, found: &mut Vec<Finding>) {
        for place in places.values() {
            let Some(&first) = place.waits.first() else { continue };
            let Some(free_since_ns) = self.sights.free_since(first) else { continue };
            if first.kind != Kind::Mutex || !self.has_lasted(free_since_ns, self.thresholds.lost_wake_up) {
                continue;
            }
            let words = self.words();
            found.push(Finding {
                message: format!(
                    "{} is free, and yet {} waits for it at {}",
                    words.object(first),
                    words.task(Some(first.waiter())),
                    words.site(first)
                ),
                since_ns: free_since_ns,
                ..self.at_object(AlertKind::LostWakeUp, first, place.waits.iter().copied())
            });
        }
    }

    /// Somebody waits for long for what others have.
    fn long_wait(&self, place: &Place<'a>) -> Option<Finding> {
        let &first = place.waits.first()?;
        let holder = place.holds.first();
        let held = first.kind == Kind::Mutex || (first.kind.is_held() && holder.is_some());
        if !held || !self.has_lasted(first.since_ns, self.thresholds.long_wait) {
            return None;
        }
        let words = self.words();
        let by = holder.map_or_else(String::new, |holder| {
            format!("; {} has it since {}", words.task(holder.holder()), words.site(holder))
        });
        Some(Finding {
            message: format!(
                "{} waits for {} at {}{by}",
                words.task(Some(first.waiter())),
                words.wanted(first),
                words.site(first)
            ),
            since_ns: first.since_ns,
            ..self.at_object(AlertKind::LongWait, first, place.waits.iter().chain(&place.holds).copied())
        })
    }

    /// Somebody holds for long what others wait for.
    fn long_hold(&self, place: &Place<'a>) -> Option<Finding> {
        let (&first, &holder) =
            (place.waits.first()?, place.holds.iter().find(|hold| hold.stage != Stage::Granted)?);
        let least = self.thresholds.long_hold;
        if !self.has_lasted(holder.since_ns, least) || !self.has_lasted(first.since_ns, least / 10) {
            return None;
        }
        let words = self.words();
        let waiting = place.waits.len();
        Some(Finding {
            message: format!(
                "{} holds {} since {}, and {waiting} wait",
                words.task(holder.holder()),
                words.wanted(holder),
                words.site(holder)
            ),
            since_ns: holder.since_ns,
            ..self.at_object(AlertKind::LongHold, holder, place.holds.iter().chain(&place.waits).copied())
        })
    }

    /// Somebody still waits though others were served that came later. Strictly fair primitives never do that; others'
    /// spans may. Who was served is known by row, so that this is asked of rows with one object.
    fn starvation(&self, place: &Place<'a>) -> Option<Finding> {
        let overtaken = |wait: &&&Party| {
            let Some(row) = self.rows.get(wait.row) else { return false };
            row.objects.get() == 1 && self.sights.overtakers(wait) >= OVERTAKERS
        };
        let &wait = place.waits.iter().find(overtaken)?;
        let row = self.rows.get(wait.row)?;
        let usual = crate::snapshot::Distribution::from_buckets(row.together().buckets(Which::Wait)).p99;
        let least = (usual as f64 * self.thresholds.starvation_factor) as u64;
        let age_ns = wait.age_ns(self.scene.now_ns);
        if age_ns < least.max(ns(self.thresholds.starvation)) {
            return None;
        }
        let words = self.words();
        Some(Finding {
            message: format!(
                "{} waits for {} at {} while others were served that came later",
                words.task(Some(wait.waiter())),
                words.wanted(wait),
                words.site(wait)
            ),
            since_ns: wait.since_ns,
            ..self.at_object(
                AlertKind::Starvation,
                wait,
                [wait].into_iter().chain(place.holds.iter().copied()),
            )
        })
    }

    /// A finding about an object, without its words.
    fn at_object<'p>(
        &self,
        kind: AlertKind,
        party: &Party,
        evidence: impl Iterator<Item = &'p Party>,
    ) -> Finding {
        Finding {
            kind,
            key: party.object,
            message: String::new(),
            since_ns: party.since_ns,
            row: party.row,
            object: party.object,
            evidence: evidence.map(|party| (Role::of(party), *party)).collect(),
        }
    }
}
