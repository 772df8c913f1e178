//! A program of plain `tokio::sync` on the page, with no change but a layer and two flags of its build:
//!
//! ```sh
//! RUSTFLAGS="--cfg tokio_unstable" CARGO_TARGET_DIR=target/console cargo run -p dashboard --example plain_tokio -- 60
//! ```
//!
//! It ends by itself after so many seconds. Built without the flag the page is empty, as tokio tells nothing then.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, RwLock, Semaphore};
use tokio::time::{sleep, timeout};
use tracing::{Instrument, info_span};
use tracing_subscriber::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seconds = std::env::args().nth(1).map_or(Ok(60), |text| text.parse())?;
    let (collector, server) = dashboard::Builder::new().listen_or_next("127.0.0.1:7411").build()?;
    tracing_subscriber::registry().with(collector.listener()).with(collector.tokio_resources()).init();
    let page = server.spawn()?;
    println!("open {}", page.url());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let _ = timeout(Duration::from_secs(seconds), shop()).await;
    });
    Ok(())
}

/// Clerks who share a till, behind fewer counters, and look at a price list that is seldom written.
async fn shop() {
    let (till, counters) = (Arc::new(Mutex::new(0)), Arc::new(Semaphore::new(3)));
    let prices = Arc::new(RwLock::new(1));
    for clerk in 0..5 {
        let (till, counters, prices) = (Arc::clone(&till), Arc::clone(&counters), Arc::clone(&prices));
        tokio::spawn(async move {
            loop {
                let _counter = counters.acquire().await;
                sell(&till, &prices).instrument(info_span!("sell")).await;
                if clerk == 0 {
                    let mut price = prices.write().await;
                    sleep(Duration::from_millis(5)).await;
                    *price += 1;
                }
            }
        });
    }
    std::future::pending().await
}

async fn sell(till: &Mutex<u64>, prices: &RwLock<u64>) {
    let mut coins = till.lock().await;
    let price = *prices.read().await;
    sleep(Duration::from_millis(20)).await;
    *coins += price;
}
