//! A small shop behind HTTP, of which there are two: `shop_before` uses `tokio::sync`, `shop` is watched. They differ in
//! two lines.
//!
//! ```text
//! cargo run -p dashboard --example shop -- 120
//! curl http://127.0.0.1:7410/item/7
//! curl http://127.0.0.1:7410/plant/deadlock
//! ```
//! The number is the seconds after which it ends. `/plant/convoy`, `/plant/deadlock` and `/plant/futurelock` each plant a
//! fault that happens in real services; it ends by itself after half a minute.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use sync::{Mutex, Semaphore};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

/// What the requests share.
struct Shop {
    /// The database takes four queries at a time.
    connections: Semaphore,
    /// What was asked lately.
    cache: Mutex<HashMap<u64, String>>,
    /// Pieces that are there.
    stock: Mutex<u64>,
    /// Money that was taken.
    till: Mutex<u64>,
}

/// How long a planted fault lasts.
const FAULT: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    dashboard::init()?;
    let shop = Arc::new(Shop {
        connections: Semaphore::new(4),
        cache: Mutex::new(HashMap::new()),
        stock: Mutex::new(1_000),
        till: Mutex::new(0),
    });
    let router = Router::new()
        .route("/item/{id}", get(item))
        .route("/sell", get(sell))
        .route("/plant/convoy", get(convoy))
        .route("/plant/deadlock", get(deadlock))
        .route("/plant/futurelock", get(futurelock))
        .with_state(shop);
    let listener = TcpListener::bind("127.0.0.1:7410").await?;
    let seconds = std::env::args().nth(1).map_or(Ok(120), |seconds| seconds.parse())?;
    println!("the shop is at http://127.0.0.1:7410/item/7 for {seconds} s");
    let served = timeout(Duration::from_secs(seconds), async { axum::serve(listener, router).await });
    // Its time is up: that is no error.
    served.await.unwrap_or(Ok(()))?;
    Ok(())
}

/// Looks into the cache, else into the database.
async fn item(State(shop): State<Arc<Shop>>, Path(id): Path<u64>) -> String {
    if let Some(found) = shop.cache.lock().await.get(&id) {
        return found.clone();
    }
    let found = query(&shop, id).await;
    let mut cache = shop.cache.lock().await;
    if cache.len() >= 100 {
        cache.clear();
    }
    cache.insert(id, found.clone());
    found
}

async fn query(shop: &Shop, id: u64) -> String {
    let _connection = shop.connections.acquire().await.expect("it is never closed");
    sleep(Duration::from_millis(2)).await;
    format!("item {id}\n")
}

/// A piece goes out, and money comes in.
async fn sell(State(shop): State<Arc<Shop>>) -> String {
    let mut stock = shop.stock.lock().await;
    let mut till = shop.till.lock().await;
    *stock = stock.saturating_sub(1);
    *till += 5;
    format!("{} left, {} taken\n", *stock, *till)
}

/// Everybody waits behind one who asks another service while it holds the cache.
async fn convoy(State(shop): State<Arc<Shop>>) -> &'static str {
    tokio::spawn(async move {
        let mut cache = shop.cache.lock().await;
        // The other service is slow today.
        sleep(FAULT).await;
        cache.clear();
    });
    "the cache is locked for half a minute\n"
}

/// Stock and till, taken in the other order than a sale does.
async fn deadlock(State(shop): State<Arc<Shop>>) -> &'static str {
    let balance = Arc::clone(&shop);
    tokio::spawn(timeout(FAULT, async move {
        let till = balance.till.lock().await;
        sleep(Duration::from_millis(50)).await;
        let stock = balance.stock.lock().await;
        println!("balance: {} and {}", *till, *stock);
    }));
    tokio::spawn(timeout(FAULT, async move {
        let stock = shop.stock.lock().await;
        sleep(Duration::from_millis(50)).await;
        let till = shop.till.lock().await;
        println!("sold: {} and {}", *till, *stock);
    }));
    "a sale and a balance wait for each other\n"
}

/// A refresh that is given up for a while, but not dropped, stands in the queue of the cache before what replaces it.
async fn futurelock(State(shop): State<Arc<Shop>>) -> &'static str {
    let holder = Arc::clone(&shop);
    tokio::spawn(async move {
        let _cache = holder.cache.lock().await;
        sleep(Duration::from_secs(1)).await;
    });
    tokio::spawn(timeout(FAULT, async move {
        sleep(Duration::from_millis(50)).await;
        let mut refresh = pin!(shop.cache.lock());
        tokio::select! {
            mut cache = &mut refresh => cache.clear(),
            // It takes too long, so that this goes without; but the one above keeps its place, and is not polled here.
            () = sleep(Duration::from_millis(100)) => shop.cache.lock().await.clear(),
        }
    }));
    "a task keeps the cache from itself, and from everybody\n"
}
