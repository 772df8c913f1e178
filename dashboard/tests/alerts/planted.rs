//! Each alert is raised by its fault, stays while that lasts, and ends with it.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use dashboard::Collector;
use dashboard::snapshot::Snapshot;
use sync::{Condition, Mutex, Semaphore};

use crate::support::{Task, every, only, only_alert, parties, watched};

fn kinds(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.alerts.iter().map(|alert| alert.kind.as_str()).collect()
}

#[track_caller]
fn assert_over(collector: &Collector, kind: &str) {
    let snapshot = collector.snapshot();
    assert_eq!(snapshot.alerts, []);
    assert_eq!(snapshot.alerts_ended[0].kind, kind);
    assert!(snapshot.alerts_ended[0].ended_s.is_some());
    assert_eq!(snapshot.alerts_total[kind], 1);
}

#[test]
fn two_locks_taken_crosswise_are_a_deadlock_until_one_gives_up() {
    watched(only(|thresholds| thresholds.deadlock = Duration::ZERO), |collector| {
        let (one, two) = (Task::new(), Task::new());
        let (left, right) = (Mutex::new(()).with_name("left"), Mutex::new(()).with_name("right"));
        let held = (one.ready(left.lock()), two.ready(right.lock()));
        let mut first: Pin<Box<_>> = Box::pin(right.lock());
        one.waits(first.as_mut());
        assert_eq!(collector.snapshot().alerts, []);
        let (line, mut second) = (line!(), pin!(left.lock()));
        two.waits(second.as_mut());

        let snapshot = collector.snapshot();
        let alert = only_alert(&snapshot);
        assert_eq!((alert.kind.as_str(), alert.severity.as_str(), alert.id), ("deadlock", "critical", 1));
        for said in [
            "2 tasks wait for each other",
            "mutex \"left\"",
            "mutex \"right\"",
            &format!("planted.rs:{line}:"),
        ] {
            assert!(alert.message.contains(said), "{said}: {}", alert.message);
        }
        let (one_is, two_is) = (one.number(), two.number());
        assert_eq!(
            parties(alert),
            [("waits", one_is), ("waits", two_is), ("holds", one_is), ("holds", two_is)]
        );
        assert_eq!(collector.snapshot().alerts[0].since_s, alert.since_s, "raised once");
        assert_eq!(snapshot.alerts_total["deadlock"], 1);

        drop(first);
        assert_over(collector, "deadlock");
        drop(held);
        drop(two.finish(second));
    });
}

#[test]
fn a_pool_whose_permits_are_all_with_those_who_want_another_is_a_deadlock() {
    watched(only(|thresholds| thresholds.deadlock = Duration::ZERO), |collector| {
        let tasks = [Task::new(), Task::new(), Task::new()];
        let pool = Semaphore::new(3).with_name("pool");
        let mut held: Vec<_> = tasks.iter().map(|task| task.ready(pool.acquire()).unwrap()).collect();
        let mut second: Vec<_> = tasks.iter().map(|_| Box::pin(pool.acquire())).collect();
        for (task, wanted) in tasks.iter().zip(&mut second) {
            assert_eq!(collector.snapshot().alerts, [], "somebody can still give one back");
            task.waits(wanted.as_mut());
        }
        let snapshot = collector.snapshot();
        assert!(only_alert(&snapshot).message.starts_with("3 tasks wait for each other"));
        assert!(snapshot.waits_for.nodes.iter().filter(|node| node.kind == "task").all(|node| node.stuck));
        held.pop();
        assert_over(collector, "deadlock");
    });
}

#[test]
fn a_condition_that_was_notified_waits_for_its_lock_like_anybody_else() {
    watched(only(|thresholds| thresholds.deadlock = Duration::ZERO), |collector| {
        let (waiter, notifier) = (Task::new(), Task::new());
        let resource = Mutex::new(()).with_name("resource");
        let queue = Condition::new(()).with_name("queue");
        let kept = waiter.ready(resource.lock());
        let mut waiting = pin!(waiter.ready(queue.lock()).wait());
        waiter.waits(waiting.as_mut());

        let guard = notifier.ready(queue.lock());
        let mut wanted: Pin<Box<_>> = Box::pin(resource.lock());
        notifier.waits(wanted.as_mut());
        assert_eq!(collector.snapshot().alerts, [], "anybody may notify");
        guard.notify_one();
        // Now it waits for the lock, whose holder waits for what it keeps.
        let snapshot = collector.snapshot();
        assert_eq!(only_alert(&snapshot).kind, "deadlock");
        assert_eq!(parties(only_alert(&snapshot)).len(), 4);

        drop(wanted);
        assert_over(collector, "deadlock");
        drop(guard);
        // The lock is on its way to it.
        let snapshot = collector.snapshot();
        assert!(snapshot.waits_for.edges.is_empty(), "{:#?}", snapshot.waits_for);
        drop(waiter.finish(waiting));
        drop(kept);
    });
}

#[test]
fn a_grant_that_its_own_task_keeps_from_itself_is_a_futurelock() {
    watched(only(|thresholds| thresholds.futurelock = Duration::ZERO), |collector| {
        let (holder, task) = (Task::new(), Task::new());
        let cache = Mutex::new(()).with_name("cache");
        let guard = holder.ready(cache.lock());
        // As in `select!` over `&mut first` and a timeout whose branch takes the same lock.
        let mut first = pin!(cache.lock());
        task.waits(first.as_mut());
        let mut second: Pin<Box<_>> = Box::pin(cache.lock());
        task.waits(second.as_mut());
        assert_eq!(collector.snapshot().alerts, []);
        drop(guard);

        let snapshot = collector.snapshot();
        let alert = only_alert(&snapshot);
        assert_eq!((alert.kind.as_str(), alert.severity.as_str()), ("futurelock", "critical"));
        assert!(alert.message.contains("was granted mutex \"cache\""), "{}", alert.message);
        assert_eq!(parties(alert), [("waits", task.number()), ("granted", task.number())]);
        let granted = snapshot.waits_for.edges.iter().find(|edge| edge.kind == "granted_to").unwrap();
        assert_eq!(granted.to, format!("task-{:x}", task.number()));

        drop(second);
        assert_over(collector, "futurelock");
        drop(task.finish(first));
    });
}

#[test]
fn a_grant_whose_task_has_gone_on_to_something_else_is_a_futurelock() {
    watched(only(|thresholds| thresholds.futurelock = Duration::ZERO), |collector| {
        let (holder, task, other) = (Task::new(), Task::new(), Task::new());
        let (cache, log) = (Mutex::new(()).with_name("cache"), Mutex::new(()).with_name("log"));
        let guard = holder.ready(cache.lock());
        let mut left_alone = pin!(cache.lock());
        task.waits(left_alone.as_mut());
        let mut behind = pin!(cache.lock());
        other.waits(behind.as_mut());
        drop(guard);
        assert_eq!(collector.snapshot().alerts, [], "it may come any moment");

        let busy = task.ready(log.lock());
        let snapshot = collector.snapshot();
        let alert = only_alert(&snapshot);
        assert_eq!(alert.kind, "futurelock");
        assert!(
            alert.message.contains("does not take it, and since then took mutex \"log\""),
            "{}",
            alert.message
        );
        let (task_is, other_is) = (task.number(), other.number());
        assert_eq!(parties(alert), [("granted", task_is), ("elsewhere", task_is), ("waits", other_is)]);

        let taken = task.finish(left_alone);
        assert_over(collector, "futurelock");
        drop((busy, taken));
        drop(other.finish(behind));
    });
}

#[test]
fn a_grant_whose_task_never_comes_is_a_lost_wake_up() {
    watched(only(|thresholds| thresholds.lost_wake_up = Duration::ZERO), |collector| {
        let (holder, task) = (Task::new(), Task::new());
        let pool = Semaphore::new(1).with_name("pool");
        let permit = holder.ready(pool.acquire()).unwrap();
        let mut waiting: Pin<Box<_>> = Box::pin(pool.acquire());
        task.waits(waiting.as_mut());
        assert_eq!(collector.snapshot().alerts, []);
        drop(permit);
        let snapshot = collector.snapshot();
        let alert = only_alert(&snapshot);
        assert_eq!((alert.kind.as_str(), parties(alert)), ("lost_wake_up", vec![("granted", task.number())]));
        assert!(alert.message.contains("has not come for it"), "{}", alert.message);
        drop(waiting);
        assert_over(collector, "lost_wake_up");
    });
}

#[test]
fn long_waits_and_long_holds_are_told_by_object_with_both_sides() {
    watched(
        only(|thresholds| (thresholds.long_wait, thresholds.long_hold) = (Duration::ZERO, Duration::ZERO)),
        |collector| {
            let (holder, first, second) = (Task::new(), Task::new(), Task::new());
            let cache = Mutex::new(()).with_name("cache");
            let (line, guard) = (line!(), holder.ready(cache.lock()));
            assert_eq!(collector.snapshot().alerts, [], "nobody waits");
            let (mut one, mut two) = (pin!(cache.lock()), pin!(cache.lock()));
            first.waits(one.as_mut());
            second.waits(two.as_mut());
            let snapshot = collector.snapshot();
            assert_eq!(kinds(&snapshot), ["long_wait", "long_hold"]);
            let [wait, hold] = &snapshot.alerts[..] else { unreachable!() };
            let (holds, waits) =
                (("holds", holder.number()), [("waits", first.number()), ("waits", second.number())]);
            assert_eq!(parties(wait), [waits[0], waits[1], holds]);
            assert_eq!(parties(hold), [holds, waits[0], waits[1]]);
            assert!(hold.message.contains(&format!("planted.rs:{line}:")), "{}", hold.message);
            assert!(hold.message.ends_with("and 2 wait"), "{}", hold.message);
            assert_eq!(wait.severity, "warning");
            drop(guard);
            drop(first.finish(one));
            drop(second.finish(two));
            assert_eq!(kinds(&collector.snapshot()), [""; 0]);
            assert_eq!(collector.snapshot().alerts_ended.len(), 2);
        },
    );
}

#[test]
fn a_lock_that_does_not_come_back_to_those_who_wait_is_told_with_every_kind_of_object() {
    watched(every(Duration::ZERO), |collector| {
        let (holder, waiter) = (Task::new(), Task::new());
        let pool = Semaphore::new(2).with_name("pool");
        let permit = holder.ready(pool.acquire_many(2)).unwrap();
        let mut waiting = pin!(pool.acquire_many(2));
        waiter.waits(waiting.as_mut());
        let snapshot = collector.snapshot();
        assert_eq!(kinds(&snapshot), ["long_wait", "long_hold"]);
        assert!(snapshot.alerts[0].message.contains("2 permits of semaphore \"pool\""));
        drop(permit);
    });
}

#[test]
fn alerts_reach_a_log_as_events_of_the_stack_and_may_ask_the_collector_meanwhile() {
    use tracing::field::{Field, Visit};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    #[derive(Clone, Default)]
    struct Log(Arc<StdMutex<Vec<String>>>, Option<Collector>);
    struct Words(String);
    impl Visit for Words {
        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            if ["message", "kind"].contains(&field.name()) {
                self.0.push_str(&format!(" {value:?}"));
            }
        }
    }
    impl<S: tracing::Subscriber> Layer<S> for Log {
        fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
            // A layer that wants to know more.
            let lasting = self.1.as_ref().map_or(0, |collector| collector.snapshot().alerts.len());
            let mut words =
                Words(format!("{} {} {lasting}", event.metadata().level(), event.metadata().target()));
            event.record(&mut words);
            self.0.lock().unwrap().push(words.0);
        }
    }

    watched(every(Duration::MAX), |_| {
        let collector = Collector::new();
        collector.set_thresholds(only(|thresholds| thresholds.long_wait = Duration::ZERO));
        let log = Log(Arc::default(), Some(collector.clone()));
        let subscriber = tracing_subscriber::registry().with(log.clone()).with(collector.listener());
        tracing::subscriber::with_default(subscriber, || {
            let task = Task::new();
            let cache = Mutex::new(()).with_name("cache");
            let guard = task.ready(cache.lock());
            let other = Task::new();
            let mut waiting = pin!(cache.lock());
            other.waits(waiting.as_mut());
            // From a thread that has no subscriber, as a server's.
            std::thread::scope(|threads| threads.spawn(|| collector.check()).join().unwrap());
            drop(guard);
            drop(other.finish(waiting));
            collector.check();
            collector.check();
        });
        let lines = log.0.lock().unwrap().clone();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("WARN dashboard 1 "), "{lines:?}");
        assert!(lines[0].contains("long_wait") && lines[0].contains("mutex \"cache\""), "{lines:?}");
        assert!(lines[1].starts_with("INFO dashboard 0 ") && lines[1].contains("over: "), "{lines:?}");
    });
}
