//! Makes a [`Snapshot`] of what the collector knows.

use std::collections::BTreeMap;

use sync::schema::outcome;

use super::clock::now_ns;
use super::figures::{Together, Which};
use super::intake::{Intake, number};
use super::operations::{Operation, Phase};
use super::rows::{Row, RowIndex};
use super::sites::{Site, SiteIndex};
use super::worst::WorstWait;
use crate::snapshot::{
    BlockerSnapshot, Distribution, HolderSnapshot, Overhead, PrimitiveSnapshot, SCHEMA, SiteSnapshot,
    Snapshot, WaitSnapshot, WaitsFor, WorstWaitSnapshot,
};

/// Takes a snapshot. Shard after shard is locked for the moment of copying; figures are read as they stand.
pub(super) fn snapshot(intake: &Intake, uptime_s: f64) -> Snapshot {
    let now_ns = now_ns();
    let mut gathered = Gathered::default();
    intake.operations.for_each(|op, operation| gathered.see(op, operation));
    let waits_not_listed = gathered.waits.left_out();
    let mut rows: Vec<(RowIndex, &Row)> = intake.rows.iter().collect();
    rows.sort_unstable_by_key(|(_, row)| row.id);
    let primitives: Vec<_> = rows
        .iter()
        .map(|&(index, row)| {
            let in_row = gathered.rows.remove(&index).unwrap_or_default();
            primitive(intake, row, in_row, now_ns, uptime_s)
        })
        .collect();
    let wait = |&(op, operation): &(u64, Operation)| wait(intake, op, &operation, now_ns);
    Snapshot {
        schema: SCHEMA.to_owned(),
        uptime_s,
        enabled: intake.is_enabled(),
        waits: gathered.waits.oldest().iter().map(wait).collect(),
        // The rest is the ledger's.
        alerts: Vec::new(),
        alerts_not_listed: 0,
        alerts_ended: Vec::new(),
        alerts_total: BTreeMap::new(),
        waits_for: WaitsFor::default(),
        recording: None,
        overhead: overhead(intake, &rows, waits_not_listed, now_ns),
        primitives,
    }
}

/// What is under way, sorted by row while the tables are read.
#[derive(Debug, Default)]
struct Gathered {
    waits: Oldest<{ Snapshot::WAITS_LIMIT }>,
    rows: std::collections::HashMap<RowIndex, InRow>,
}

#[derive(Debug, Default)]
struct InRow {
    waiters: u64,
    longest_since: Option<u64>,
    holders: Oldest<{ PrimitiveSnapshot::HOLDERS_LIMIT }>,
}

impl Gathered {
    fn see(&mut self, op: u64, operation: &Operation) {
        match operation.phase {
            Phase::Asking => {}
            Phase::Waiting => {
                self.waits.add(op, operation);
                let row = self.rows.entry(operation.row).or_default();
                row.waiters += 1;
                row.longest_since = Some(
                    row.longest_since.map_or(operation.since_ns, |longest| longest.min(operation.since_ns)),
                );
            }
            Phase::Holding => self.rows.entry(operation.row).or_default().holders.add(op, operation),
        }
    }
}

/// The oldest `LIMIT` of many operations; the rest is only counted.
#[derive(Debug, Default)]
struct Oldest<const LIMIT: usize> {
    kept: Vec<(u64, Operation)>,
    seen: u64,
}

impl<const LIMIT: usize> Oldest<LIMIT> {
    fn add(&mut self, op: u64, operation: &Operation) {
        self.seen += 1;
        self.kept.push((op, *operation));
        if self.kept.len() >= 2 * LIMIT {
            self.kept.select_nth_unstable_by_key(LIMIT, age_order);
            self.kept.truncate(LIMIT);
        }
    }

    fn left_out(&self) -> u64 {
        self.seen.saturating_sub(LIMIT as u64)
    }

    fn oldest(mut self) -> Vec<(u64, Operation)> {
        self.kept.sort_unstable_by_key(age_order);
        self.kept.truncate(LIMIT);
        self.kept
    }
}

fn age_order(&(op, ref operation): &(u64, Operation)) -> (u64, u64) {
    (operation.since_ns, op)
}

fn primitive(intake: &Intake, row: &Row, in_row: InRow, now_ns: u64, uptime_s: f64) -> PrimitiveSnapshot {
    let holders_count = in_row.holders.seen;
    let holder = |(op, operation): (u64, Operation)| HolderSnapshot {
        op: number(op),
        task: operation.task,
        site: site_name(row, operation.site),
        age_ns: now_ns.saturating_sub(operation.since_ns),
        permits: operation.permits,
        blamed_ns: intake.queues.charged_until_now(
            operation.object,
            now_ns,
            operation.mark,
            operation.permits,
        ),
    };
    let together = row.together();
    let distribution = |which| Distribution::from_buckets(together.buckets(which));
    PrimitiveSnapshot {
        id: row.id,
        primitive: row.kind.as_str().to_owned(),
        name: row.name.clone(),
        location: row.location.clone(),
        objects: row.objects.get(),
        acquisitions: together.acquisitions(),
        contended: together.contended(),
        cancelled: together.cancelled(),
        closed: together.closed(),
        waiters: in_row.waiters,
        longest_wait_ns: in_row.longest_since.map_or(0, |since| now_ns.saturating_sub(since)),
        holders: in_row.holders.oldest().into_iter().map(holder).collect(),
        holders_count,
        wait_ns: distribution(Which::Wait),
        hold_ns: distribution(Which::Hold),
        queued_ns: distribution(Which::Queued),
        wake_ns: distribution(Which::Wake),
        cancelled_wait_ns: distribution(Which::CancelledWait),
        sites: sites(row),
        worst_waits: row.worst.kept().iter().map(|wait| worst_wait(row, wait, now_ns, uptime_s)).collect(),
    }
}

fn worst_wait(row: &Row, wait: &WorstWait, now_ns: u64, uptime_s: f64) -> WorstWaitSnapshot {
    let ago_s = now_ns.saturating_sub(wait.ended_ns) as f64 / 1e9;
    WorstWaitSnapshot {
        wait_ns: wait.wait_ns,
        ended_at_s: (uptime_s - ago_s).max(0.0),
        outcome: if wait.cancelled { outcome::CANCELLED } else { outcome::GRANTED }.to_owned(),
        op: wait.op,
        object: wait.object,
        task: wait.task,
        site: site_name(row, wait.site),
        blocker: wait.blocker.map(|blocker| BlockerSnapshot {
            op: blocker.op,
            task: blocker.task,
            site: site_name(row, blocker.site),
            released: blocker.released,
        }),
    }
}

/// The sites with figures, the most waited-at first.
fn sites(row: &Row) -> Vec<SiteSnapshot> {
    let has_figures = |site: &SiteSnapshot| {
        site.acquisitions + site.contended + site.cancelled + site.closed > 0 || site.hold_ns.count > 0
    };
    let mut sites: Vec<_> = row.sites.iter().map(site).filter(has_figures).collect();
    sites.sort_by(|a, b| {
        let weight = |site: &SiteSnapshot| (site.wait_total_ns, site.acquisitions);
        weight(b).cmp(&weight(a)).then_with(|| a.site.cmp(&b.site))
    });
    sites
}

fn site(site: &Site) -> SiteSnapshot {
    let together: Together<'_> = site.line.parts().collect();
    // Buckets of every line would make most of a snapshot; the row has them.
    let distribution =
        |which| Distribution { buckets: Vec::new(), ..Distribution::from_buckets(together.buckets(which)) };
    SiteSnapshot {
        site: site.name.clone(),
        acquisitions: together.acquisitions(),
        contended: together.contended(),
        cancelled: together.cancelled(),
        closed: together.closed(),
        wait_total_ns: together.wait_total_ns(),
        blamed_ns: together.blamed_ns(),
        wait_ns: distribution(Which::Wait),
        hold_ns: distribution(Which::Hold),
        queued_ns: distribution(Which::Queued),
        wake_ns: distribution(Which::Wake),
        cancelled_wait_ns: distribution(Which::CancelledWait),
    }
}

fn site_name(row: &Row, site: SiteIndex) -> String {
    row.sites.get(site).map_or_else(String::new, |site| site.name.clone())
}

fn wait(intake: &Intake, op: u64, operation: &Operation, now_ns: u64) -> WaitSnapshot {
    let row = intake.rows.get(operation.row);
    WaitSnapshot {
        op: number(op),
        primitive_id: row.map_or(0, |row| row.id),
        object: operation.object,
        task: operation.task,
        site: row.map_or_else(String::new, |row| site_name(row, operation.site)),
        age_ns: now_ns.saturating_sub(operation.since_ns),
        queue: operation.queue,
        permits: operation.permits,
    }
}

fn overhead(intake: &Intake, rows: &[(RowIndex, &Row)], waits_not_listed: u64, now_ns: u64) -> Overhead {
    let row_bytes: usize = rows.iter().map(|(_, row)| row.memory_bytes()).sum();
    let table_bytes = intake.spans.memory_bytes()
        + intake.operations.memory_bytes()
        + intake.objects.memory_bytes()
        + intake.queues.memory_bytes()
        + intake.locks.memory_bytes()
        + intake.timeline.memory_bytes();
    let cost = intake.cost.estimate(now_ns);
    Overhead {
        spans: intake.taken.get(),
        rows: rows.len() as u64,
        memory_bytes: (row_bytes + table_bytes) as u64,
        malformed: intake.malformed.get(),
        rows_dropped: intake.rows_dropped.get(),
        sites_dropped: intake.sites_dropped.get(),
        objects_dropped: intake.objects_dropped.get(),
        in_flight_dropped: intake.in_flight_dropped.get(),
        waits_not_listed,
        durations_dropped: intake.budget.durations_dropped.get(),
        blame_dropped: intake.queues.dropped.get(),
        calls_sampled: cost.sampled,
        ns_per_call: cost.ns_per_call,
        core_share: cost.core_share,
    }
}
