//! asyncio's example of an `Event`: one task waits, another sets the event a second later.
//!
//! It prints `Waiting for event`, then, a second later, `Event processed`.
//!
//! Run it with `cargo run -p sync --example event`.

use std::sync::Arc;
use std::time::Duration;

use sync::Event;

async fn waiter(event: Arc<Event>) {
    println!("Waiting for event");
    event.wait().await;
    println!("Event processed");
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let event = Arc::new(Event::new());
    let waiting = tokio::spawn(waiter(Arc::clone(&event)));

    tokio::time::sleep(Duration::from_secs(1)).await;
    event.set();

    waiting.await.expect("the waiter does not panic");
}
