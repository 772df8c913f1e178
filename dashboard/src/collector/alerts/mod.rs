//! Alerts: what looks wrong in the program, found by looking at what is in flight.
//!
//! ```text
//! scene ──▶ waits_for ──▶ rules ──▶ findings ──▶ ledger ──▶ Snapshot, events
//!   └────▶ sights (what earlier looks saw) ─┘
//! ```
//! Nothing of it runs in the application's tasks: whoever asks for a snapshot looks, and the server does once a second. A
//! look where nobody waits is a walk through the table of operations, and nothing more.

mod event;
mod finding;
mod rules;
mod sights;
mod thresholds;

use std::collections::{BTreeMap, HashSet, VecDeque};

use self::finding::{AlertKind, Finding, Role, Words};
use self::rules::Case;
use self::sights::Sights;
pub use self::thresholds::Thresholds;
use super::intake::Intake;
use super::limits::EVIDENCE;
use super::rows::Rows;
use super::scene::{Party, Scene};
use super::waits_for::{self, Standing};
use crate::snapshot::{AlertSnapshot, Evidence, Snapshot};

pub(super) use self::event::{Change, tell};

/// Which alerts last, which have ended, and how many there were.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) thresholds: Thresholds,
    sights: Sights,
    active: BTreeMap<(AlertKind, u64), AlertSnapshot>,
    /// The last ended first.
    ended: VecDeque<AlertSnapshot>,
    raised: BTreeMap<AlertKind, u64>,
    /// Findings of the last look for which there was no room.
    beyond: u64,
}

/// What a look has found.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) scene: Scene,
    pub(super) standing: Standing,
    /// Alerts that were raised by it, or ended.
    pub(super) changes: Vec<Change>,
}

impl Ledger {
    /// Looks at what is in flight, at `now_ns` by the collector's clock, `uptime_s` after its start.
    pub(super) fn look(&mut self, intake: &Intake, now_ns: u64, uptime_s: f64) -> Look {
        let served = self.sights.served(&intake.rows);
        let scene = Scene::of(intake, now_ns);
        let standing = waits_for::standing(&scene.waits, &scene.holds, waits_for::most_free);
        self.sights.look(served, &scene, &intake.rows);
        let case = Case {
            scene: &scene,
            standing: &standing,
            sights: &self.sights,
            rows: &intake.rows,
            thresholds: &self.thresholds,
        };
        let findings = rules::findings(case);
        let changes = self.settle(findings, &intake.rows, now_ns, uptime_s);
        Look { scene, standing, changes }
    }

    /// Raises what is new, keeps what lasts, ends what is over.
    fn settle(&mut self, findings: Vec<Finding>, rows: &Rows, now_ns: u64, uptime_s: f64) -> Vec<Change> {
        let last: HashSet<(AlertKind, u64)> = findings.iter().map(Finding::identity).collect();
        let over: Vec<_> = self.active.keys().filter(|identity| !last.contains(identity)).copied().collect();
        let mut changes = Vec::new();
        for identity in over {
            let Some(mut alert) = self.active.remove(&identity) else { continue };
            alert.ended_s = Some(uptime_s);
            self.ended.truncate(Snapshot::ENDED_LIMIT - 1);
            self.ended.push_front(alert.clone());
            changes.push(Change::Ended(alert));
        }
        self.beyond = 0;
        for finding in findings {
            let identity = finding.identity();
            let before = self.active.get(&identity);
            if before.is_none() && self.active.len() >= Snapshot::ALERTS_LIMIT {
                self.beyond += 1;
                continue;
            }
            let (id, since_s) = match before {
                Some(alert) => (alert.id, alert.since_s),
                None => (self.raised.values().sum::<u64>() + 1, uptime_s),
            };
            let alert = AlertSnapshot { id, since_s, ..told(&finding, rows, now_ns) };
            if before.is_none() {
                *self.raised.entry(finding.kind).or_default() += 1;
                changes.push(Change::Raised(alert.clone()));
            }
            self.active.insert(identity, alert);
        }
        changes
    }

    /// Writes into a snapshot what lasts, what has ended, and how many there were.
    pub(super) fn write(&self, snapshot: &mut Snapshot) {
        snapshot.alerts = self.active.values().cloned().collect();
        snapshot.alerts.sort_by_key(|alert| alert.id);
        snapshot.alerts_not_listed = self.beyond;
        snapshot.alerts_ended = self.ended.iter().cloned().collect();
        let raised = |kind: AlertKind| self.raised.get(&kind).copied().unwrap_or(0);
        snapshot.alerts_total =
            AlertKind::ALL.into_iter().map(|kind| (kind.as_str().to_owned(), raised(kind))).collect();
    }
}

impl Finding {
    fn identity(&self) -> (AlertKind, u64) {
        (self.kind, self.key)
    }
}

/// A finding as a snapshot has it, without what only the ledger knows.
fn told(finding: &Finding, rows: &Rows, now_ns: u64) -> AlertSnapshot {
    let shown = finding.evidence.iter().take(EVIDENCE);
    AlertSnapshot {
        kind: finding.kind.as_str().to_owned(),
        message: finding.message.clone(),
        next: finding.kind.next_step().to_owned(),
        severity: if finding.kind.is_critical() { "critical" } else { "warning" }.to_owned(),
        age_ns: now_ns.saturating_sub(finding.since_ns),
        primitive_id: rows.get(finding.row).map_or(0, |row| row.id),
        object: finding.object,
        evidence: shown.map(|(role, party)| evidence(*role, party, rows, now_ns)).collect(),
        evidence_not_listed: finding.evidence.len().saturating_sub(EVIDENCE) as u64,
        ..AlertSnapshot::default()
    }
}

fn evidence(role: Role, party: &Party, rows: &Rows, now_ns: u64) -> Evidence {
    let row = rows.get(party.row);
    Evidence {
        role: role.as_str().to_owned(),
        op: super::intake::number(party.op),
        task: party.task,
        site: Words(rows).site(party),
        age_ns: party.age_ns(now_ns),
        permits: party.permits,
        primitive: party.kind.as_str().to_owned(),
        name: row.map_or_else(String::new, |row| row.name.clone()),
        location: row.map_or_else(String::new, |row| row.location.clone()),
        primitive_id: row.map_or(0, |row| row.id),
        object: party.object,
    }
}

#[cfg(test)]
mod tests;
