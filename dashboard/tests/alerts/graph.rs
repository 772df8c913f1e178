//! Who waits for whom, as the snapshot tells it.

use std::pin::pin;

use dashboard::snapshot::WaitsFor;
use sync::{Condition, Mutex, Semaphore};

use crate::support::{Task, only, watched};

fn edges(graph: &WaitsFor) -> Vec<(&str, &str, &str)> {
    graph.edges.iter().map(|edge| (edge.from.as_str(), edge.kind.as_str(), edge.to.as_str())).collect()
}

fn node(task: &Task) -> String {
    format!("task-{:x}", task.number())
}

fn object(graph: &WaitsFor, label: &str) -> String {
    let found = graph.nodes.iter().find(|node| node.label == label);
    found.unwrap_or_else(|| panic!("no {label} in {graph:#?}")).id.clone()
}

#[test]
fn where_nobody_waits_there_is_no_graph() {
    watched(only(|_| {}), |collector| {
        let mutex = Mutex::new(());
        let _guard = Task::new().ready(mutex.lock());
        assert_eq!(collector.waits_for(), WaitsFor::default());
    });
}

#[test]
fn waiters_point_at_the_object_and_the_object_at_its_holders_with_lines_and_permits() {
    watched(only(|_| {}), |collector| {
        let (holder, waiter) = (Task::new(), Task::new());
        let pool = Semaphore::new(3).with_name("pool");
        let (line, _permits) = (line!(), holder.ready(pool.acquire_many(2)));
        let mut waiting = pin!(pool.acquire_many(3));
        waiter.waits(waiting.as_mut());
        let graph = collector.waits_for();
        let pool = object(&graph, "pool");
        assert_eq!(edges(&graph), [(&*node(&waiter), "waits", &*pool), (&*pool, "held_by", &*node(&holder))]);
        assert_eq!(graph.edges.iter().map(|edge| edge.permits).collect::<Vec<_>>(), [3, 2]);
        assert!(graph.edges[1].site.contains(&format!("graph.rs:{line}:")), "{:?}", graph.edges[1]);
        assert_eq!(collector.snapshot().waits_for.nodes, graph.nodes);
    });
}

#[test]
fn a_lock_passed_on_through_a_condition_goes_from_one_holder_to_the_next() {
    watched(only(|_| {}), |collector| {
        let (waiter, notifier, other) = (Task::new(), Task::new(), Task::new());
        let queue = Condition::new(()).with_name("queue");
        let mut waiting = pin!(waiter.ready(queue.lock()).wait());
        waiter.waits(waiting.as_mut());
        // It has released the lock, and waits for a notification: nobody is in its way.
        let graph = collector.waits_for();
        assert_eq!(edges(&graph), [(&*node(&waiter), "waits", &*object(&graph, "queue"))]);

        let guard = notifier.ready(queue.lock());
        guard.notify_one();
        let graph = collector.waits_for();
        let lock = graph.nodes.iter().find(|node| node.kind == "mutex").unwrap().id.clone();
        assert_eq!(
            edges(&graph),
            [(&*node(&waiter), "waits", &*lock), (&*lock, "held_by", &*node(&notifier))]
        );

        let mut behind = pin!(queue.lock());
        other.waits(behind.as_mut());
        drop(guard);
        let (waiter_is, other_is) = (node(&waiter), node(&other));
        assert_eq!(
            edges(&collector.waits_for()),
            [(&*other_is, "waits", &*lock), (&*lock, "granted_to", &*waiter_is)]
        );
        let guard = waiter.finish(waiting);
        assert_eq!(
            edges(&collector.waits_for()),
            [(&*other_is, "waits", &*lock), (&*lock, "held_by", &*waiter_is)]
        );
        drop(guard);
        drop(other.finish(behind));
        assert_eq!(collector.waits_for(), WaitsFor::default());
    });
}
