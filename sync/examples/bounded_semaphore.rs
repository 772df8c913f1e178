//! asyncio's `BoundedSemaphore`: a pool of connections that cannot grow by mistake.
//!
//! A connection that fails takes its permit along, until somebody has replaced it. Replacing it twice is an error,
//! where a plain semaphore would let one more run than there are connections.
//!
//! It prints how many connections are free as one is lost, replaced, and, by mistake, replaced again.
//!
//! Run it with `cargo run -p sync --example bounded_semaphore`.

use sync::{AcquireError, BoundedSemaphore};

static CONNECTIONS: BoundedSemaphore = BoundedSemaphore::new(3).with_name("connections");

async fn query(is_lost: bool) -> Result<(), AcquireError> {
    let connection = CONNECTIONS.acquire().await?;
    tokio::task::yield_now().await;
    if is_lost {
        connection.forget();
    }
    Ok(())
}

fn say(what: &str) {
    println!("{what}: {} of {} connections are free", CONNECTIONS.available_permits(), CONNECTIONS.bound());
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    say("at first");
    let queries: Vec<_> = (0..10).map(|n| tokio::spawn(query(n == 4))).collect();
    for query in queries {
        query.await.expect("it does not panic").expect("nobody closes it");
    }
    say("one was lost");

    CONNECTIONS.release(1).expect("one is missing");
    say("it was replaced");

    let error = CONNECTIONS.release(1).expect_err("all are there");
    println!("replaced again: {error}");
    say("so nothing changed");
}
