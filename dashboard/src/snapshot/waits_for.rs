//! The wait-for graph as plain data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who waits for whom: from tasks to the objects for which they wait, and from these to the tasks that are in the way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WaitsFor {
    /// Tasks and objects, told by [`GraphNode::id`].
    pub nodes: Vec<GraphNode>,
    /// Between them, the oldest waits first.
    pub edges: Vec<GraphEdge>,
    /// Waits that are not listed, the youngest.
    pub waits_not_listed: u64,
}

/// A task or an object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GraphNode {
    /// `task-1f`, `operation-7` (where its task is not known) or `object-3`.
    pub id: String,
    /// `task`, or what the object is: `mutex`, `condition`, `semaphore`, `event` or `barrier`.
    pub kind: String,
    /// Of an object: its name, or where it was made; empty for a task.
    pub label: String,
    /// Of a task: whether nothing that is seen can let it go on.
    pub stuck: bool,
    /// Row of the object, [`PrimitiveSnapshot::id`](super::PrimitiveSnapshot::id); 0 for a task.
    pub primitive_id: u64,
}

/// That one waits for the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GraphEdge {
    /// Id of the node that waits or is held.
    pub from: String,
    /// Id of the node that it waits for, or by which it is held.
    pub to: String,
    /// `waits` (from a task to an object), `held_by` or `granted_to` (from an object to a task).
    pub kind: String,
    /// The operation.
    pub op: u64,
    /// The line that asked.
    pub site: String,
    /// For how long.
    pub age_ns: u64,
    /// Permits that it asks for or holds.
    pub permits: u64,
    /// Of a hold: whether the guard may have gone to another task, so that nobody is known to be in the way.
    pub lent: bool,
}
