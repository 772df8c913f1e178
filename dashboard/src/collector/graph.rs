//! The wait-for graph as a snapshot shows it.

use std::collections::{BTreeMap, HashSet};

use super::intake::number;
use super::rows::Rows;
use super::scene::{Agent, Party, Scene, Stage};
use super::waits_for::Standing;
use crate::snapshot::{GraphEdge, GraphNode, WaitsFor};

/// The oldest `limit` waits, and who is in their way.
pub(super) fn graph(scene: &Scene, standing: &Standing, rows: &Rows, limit: usize) -> WaitsFor {
    let waits = &scene.waits[..scene.waits.len().min(limit)];
    let waited_for: HashSet<u64> = waits.iter().map(|wait| wait.object).collect();
    let stuck: HashSet<Agent> = scene
        .waits
        .iter()
        .zip(&standing.stuck)
        .filter(|&(_, &stuck)| stuck)
        .map(|(wait, _)| wait.waiter())
        .collect();
    let mut nodes = BTreeMap::new();
    let mut edges = Vec::new();
    for wait in waits {
        let waiter = task(&mut nodes, wait.waiter(), &stuck);
        let object = object(&mut nodes, wait, rows);
        edges.push(edge(waiter, object, "waits", wait, rows, scene.now_ns));
    }
    for hold in scene.holds.iter().filter(|hold| waited_for.contains(&hold.object)) {
        let object = object(&mut nodes, hold, rows);
        let holder = task(&mut nodes, hold.holder().unwrap_or_else(|| hold.waiter()), &stuck);
        let kind = if hold.stage == Stage::Granted { "granted_to" } else { "held_by" };
        edges.push(edge(object, holder, kind, hold, rows, scene.now_ns));
    }
    WaitsFor {
        nodes: nodes.into_values().collect(),
        edges,
        waits_not_listed: (scene.waits.len() - waits.len()) as u64 + scene.left_out,
    }
}

/// The node of a task, made where it is new. Returns its id.
fn task(nodes: &mut BTreeMap<String, GraphNode>, agent: Agent, stuck: &HashSet<Agent>) -> String {
    let id = match agent {
        Agent::Task(task) => format!("task-{task:x}"),
        Agent::Operation(op) => format!("operation-{}", number(op)),
    };
    nodes.entry(id.clone()).or_insert_with(|| GraphNode {
        id: id.clone(),
        kind: "task".to_owned(),
        stuck: stuck.contains(&agent),
        ..GraphNode::default()
    });
    id
}

/// The node of an object, as of a task.
fn object(nodes: &mut BTreeMap<String, GraphNode>, party: &Party, rows: &Rows) -> String {
    let id = format!("object-{}", party.object);
    nodes.entry(id.clone()).or_insert_with(|| {
        let row = rows.get(party.row);
        let label = row.map_or("", |row| if row.name.is_empty() { &row.location } else { &row.name });
        GraphNode {
            id: id.clone(),
            kind: party.kind.as_str().to_owned(),
            label: label.to_owned(),
            stuck: false,
            primitive_id: row.map_or(0, |row| row.id),
        }
    });
    id
}

fn edge(from: String, to: String, kind: &str, party: &Party, rows: &Rows, now_ns: u64) -> GraphEdge {
    let site = rows.get(party.site_row).and_then(|row| row.sites.get(party.site));
    GraphEdge {
        from,
        to,
        kind: kind.to_owned(),
        op: number(party.op),
        site: site.map_or_else(String::new, |site| site.name.clone()),
        age_ns: party.age_ns(now_ns),
        permits: party.permits,
        lent: party.stage == Stage::Lent,
    }
}
