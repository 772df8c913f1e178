//! asyncio's example of a `Barrier`, and what asyncio's does too: parties go on together, one gives up, one breaks it.
//!
//! It prints which party is ready, who came last and let everybody go on, and what an abort says to the one that waits.
//!
//! Run it with `cargo run -p sync --example barrier`.

use std::sync::Arc;
use std::time::Duration;

use sync::{Barrier, BarrierError};

const PARTIES: usize = 3;

async fn prepare(party: u64, barrier: Arc<Barrier>) -> Result<(), BarrierError> {
    tokio::time::sleep(Duration::from_millis(100 * party)).await;
    println!("party {party} is ready");
    let passed = barrier.wait().await?;
    if passed.is_leader() {
        println!("party {party} came last: everybody goes on");
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let barrier = Arc::new(Barrier::new(PARTIES));

    // Who gives up in time is not counted.
    let impatient = tokio::time::timeout(Duration::from_millis(10), barrier.wait()).await;
    println!(
        "an impatient party {}, {} wait now",
        if impatient.is_err() { "gave up" } else { "passed" },
        barrier.waiting()
    );

    let parties: Vec<_> =
        (1..).take(PARTIES).map(|party| tokio::spawn(prepare(party, Arc::clone(&barrier)))).collect();
    for party in parties {
        party.await.expect("it does not panic").expect("nobody broke the barrier");
    }

    // Who cannot come breaks the barrier, so that nobody waits for it.
    let waiting = tokio::spawn(prepare(1, Arc::clone(&barrier)));
    tokio::time::sleep(Duration::from_millis(200)).await;
    barrier.abort();
    let error = waiting.await.expect("it does not panic").expect_err("the barrier is broken");
    println!("party 1 did not pass: {error}");
}
