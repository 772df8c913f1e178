//! asyncio's `Condition`: `async with cond: await cond.wait()`, with the predicate that it needs in practice.
//!
//! A producer puts jobs into a list, two consumers wait until there is one. The lock belongs to the condition, and
//! only its guard can wait or notify.
//!
//! Run it with `cargo run -p sync --example condition`.

use std::collections::VecDeque;
use std::sync::Arc;

use sync::Condition;

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<u32>,
    is_complete: bool,
}

async fn consume(name: &str, jobs: Arc<Condition<Jobs>>) {
    loop {
        let guard = jobs.lock().await;
        let mut guard = guard.wait_for(|jobs| !jobs.waiting.is_empty() || jobs.is_complete).await;
        let Some(job) = guard.waiting.pop_front() else { break };
        drop(guard);
        println!("{name} works on job {job}");
        tokio::task::yield_now().await;
    }
    println!("{name} is done");
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let jobs = Arc::new(Condition::new(Jobs::default()).with_name("jobs"));
    let consumers = ["Ada", "Grace"].map(|name| tokio::spawn(consume(name, Arc::clone(&jobs))));

    for job in 1..=4 {
        let mut guard = jobs.lock().await;
        guard.waiting.push_back(job);
        guard.notify_one();
        drop(guard);
        tokio::task::yield_now().await;
    }
    let mut guard = jobs.lock().await;
    guard.is_complete = true;
    guard.notify_all();
    drop(guard);

    for consumer in consumers {
        consumer.await.expect("a consumer does not panic");
    }
}
