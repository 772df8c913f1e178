//! What the console shows of each primitive.

use std::sync::Arc;

use console_api::field::Value;
use console_api::resources::resource::kind::Kind;
use sync::{Barrier, Event, Mutex, Semaphore};

use crate::console::{Told, watched};

fn debug(told: &Told, call: &console_api::async_ops::AsyncOp, attribute: &str) -> String {
    match told.call_state(call, attribute) {
        Some(Value::DebugVal(text)) => text.clone(),
        other => panic!("{attribute} is {other:?}"),
    }
}

#[test]
fn a_mutex_is_shown_with_its_name_its_line_and_who_waits_for_it() {
    const MADE_AT: u32 = line!() + 3;
    let told = watched(
        |ready, go_on| async {
            let stock = Arc::new(Mutex::new(0).with_name("stock"));
            let guard = stock.lock().await;
            let waiter = tokio::spawn({
                let stock = Arc::clone(&stock);
                async move { *stock.lock().await += 1 }
            });
            tokio::task::yield_now().await;
            ready.send(()).unwrap();
            go_on.await.unwrap();
            drop(guard);
            waiter.await.unwrap();
        },
        |told| {
            let Some(stock) = told.named("stock") else { return false };
            told.state(stock, "locked") == Some(&Value::BoolVal(true))
                && told.state(stock, "waiters") == Some(&Value::U64Val(1))
                && told.calls(stock).len() == 2
        },
        |told| told.named("stock").is_some_and(|stock| told.is_dropped(stock)),
    );
    let stock = told.named("stock").unwrap();
    assert_eq!(stock.concrete_type, "sync::Mutex");
    assert_eq!(stock.kind.as_ref().unwrap().kind, Some(Kind::Other("Sync".to_owned())));
    assert!(!stock.is_internal);
    let location = stock.location.as_ref().unwrap();
    assert_eq!((location.file.as_deref(), location.line), (Some(file!()), Some(MADE_AT)));
    assert_eq!(told.state(stock, "locked"), Some(&Value::BoolVal(false)));
    assert_eq!(told.state(stock, "waiters"), Some(&Value::U64Val(0)));

    let [first, second] = told.calls(stock)[..] else { panic!("{:#?}", told.async_ops) };
    assert_eq!((first.source.as_str(), second.source.as_str()), ("Mutex::lock", "Mutex::lock"));
    assert!(debug(&told, second, "line").starts_with(&format!("{}:", file!())));
    assert_eq!(told.call_state(second, "queue"), Some(&Value::U64Val(0)));
    assert_eq!(told.call_state(second, "permits_obtained"), Some(&Value::U64Val(1)));
    let stats = told.stats(second).unwrap();
    assert!(stats.task_id.is_some(), "the task that waits");
    assert!(stats.dropped_at.is_some());
    assert_eq!(stats.poll_stats.as_ref().unwrap().polls, 2, "{stats:#?}");
    let polls: Vec<bool> =
        told.poll_ops.iter().filter(|poll| poll.async_op_id == second.id).map(|poll| poll.is_ready).collect();
    assert_eq!(polls, [false, true]);
    assert_eq!(told.dropped, 0);
}

#[test]
fn permits_are_counted_and_a_dropped_wait_is_over() {
    let told = watched(
        |ready, go_on| async {
            let pool = Arc::new(Semaphore::new(3).with_name("pool"));
            let one = pool.acquire().await.unwrap();
            let waiter = tokio::spawn({
                let pool = Arc::clone(&pool);
                async move { drop(pool.acquire_many_owned(3).await) }
            });
            tokio::task::yield_now().await;
            ready.send(()).unwrap();
            go_on.await.unwrap();
            waiter.abort();
            assert!(waiter.await.unwrap_err().is_cancelled());
            drop(one);
            assert_eq!(pool.available_permits(), 3);
            drop(pool.try_acquire_many(2).unwrap());
        },
        |told| {
            let Some(pool) = told.named("pool") else { return false };
            told.state(pool, "waiters") == Some(&Value::U64Val(1)) && told.calls(pool).len() == 2
        },
        |told| told.named("pool").is_some_and(|pool| told.is_dropped(pool)),
    );
    let pool = told.named("pool").unwrap();
    assert_eq!(pool.concrete_type, "sync::Semaphore");
    assert_eq!(told.state(pool, "permits"), Some(&Value::U64Val(3)));
    assert_eq!(told.state(pool, "waiters"), Some(&Value::U64Val(0)));
    let [first, second] = told.calls(pool)[..] else { panic!("a try is no call: {:#?}", told.async_ops) };
    assert_eq!(first.source, "Semaphore::acquire");
    assert_eq!(second.source, "Semaphore::acquire_owned");
    assert_eq!(told.call_state(second, "permits_requested"), Some(&Value::U64Val(3)));
    assert_eq!(told.call_state(second, "permits_obtained"), None);
    assert!(told.stats(second).unwrap().dropped_at.is_some());
}

#[test]
fn events_and_barriers_say_how_they_stand() {
    let told = watched(
        |ready, go_on| async {
            let opened = Arc::new(Event::new().with_name("opened"));
            let start = Arc::new(Barrier::new(2).with_name("start"));
            let waiter = tokio::spawn({
                let (opened, start) = (Arc::clone(&opened), Arc::clone(&start));
                async move {
                    opened.wait().await;
                    start.wait().await.unwrap_err();
                }
            });
            tokio::task::yield_now().await;
            opened.set();
            tokio::task::yield_now().await;
            ready.send(()).unwrap();
            go_on.await.unwrap();
            start.abort();
            waiter.await.unwrap();
            opened.clear();
        },
        |told| {
            let (Some(opened), Some(start)) = (told.named("opened"), told.named("start")) else {
                return false;
            };
            told.state(opened, "set") == Some(&Value::BoolVal(true))
                && told.state(start, "waiters") == Some(&Value::U64Val(1))
        },
        |told| told.named("start").is_some_and(|start| told.is_dropped(start)),
    );
    let (opened, start) = (told.named("opened").unwrap(), told.named("start").unwrap());
    assert_eq!(told.state(opened, "set"), Some(&Value::BoolVal(false)));
    assert_eq!(told.state(start, "broken"), Some(&Value::BoolVal(true)));
    assert_eq!(told.state(start, "waiters"), Some(&Value::U64Val(0)));
    assert_eq!(told.calls(opened)[0].source, "Event::wait");
}

#[test]
fn plain_tokio_and_ours_stand_side_by_side() {
    let told = watched(
        |ready, go_on| async {
            let theirs = tokio::sync::Mutex::new(());
            let ours = Mutex::new(()).with_name("ours");
            let _both = (theirs.lock().await, ours.lock().await);
            ready.send(()).unwrap();
            go_on.await.unwrap();
        },
        |told| {
            let (Some(theirs), Some(ours)) = (theirs(told), told.named("ours")) else { return false };
            [theirs, ours].iter().all(|lock| told.state(lock, "locked") == Some(&Value::BoolVal(true)))
        },
        |_| true,
    );
    assert_eq!(theirs(&told).unwrap().kind, told.named("ours").unwrap().kind);
}

fn theirs(told: &Told) -> Option<&console_api::resources::Resource> {
    told.resources.iter().find(|resource| resource.concrete_type == "Mutex")
}
