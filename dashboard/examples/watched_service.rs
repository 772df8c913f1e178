//! A small service whose locks and semaphores are watched: the way to put `sync` and its dashboard into your own.
//!
//! ```text
//! cargo run -p dashboard --example watched_service -- --seconds 30
//! ```
//! Then open the address that it prints. It ends by itself, or on Ctrl-C. With `--record FOLDER` it is recorded, and
//! `bench-harness serve --recording FOLDER` shows that afterwards.

use std::sync::Arc;
use std::time::Duration;

use sync::{Condition, Event, Mutex, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What the service's tasks share. The names are what the dashboard shows.
struct Service {
    /// The database takes four queries at a time.
    connections: Semaphore,
    /// Answers known already. Held across an await now and then, as happens.
    cache: Mutex<Vec<u64>>,
    /// Orders that the shipping task waits for.
    orders: Condition<Vec<u64>>,
    /// Set when the settings are read; nobody serves before.
    ready: Event,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Wanted { seconds, folder } = wanted()?;

    // These lines are all that the dashboard takes. The server has a thread of its own: it shows the page even while
    // this program is stuck.
    let mut builder = dashboard::Builder::new().listen_or_next("127.0.0.1:7411");
    if let Some(folder) = folder {
        // Optional: every ten seconds what happened goes to a file there, for the Recording tab.
        builder = builder.record_to(folder);
    }
    let (collector, server) = builder.build()?;
    tracing_subscriber::registry().with(collector.listener()).init();
    let page = server.spawn()?;
    println!("watch it at {} for {seconds} s", page.url());

    let service = Arc::new(Service {
        connections: Semaphore::new(4).with_name("connections"),
        cache: Mutex::new(Vec::new()).with_name("cache"),
        orders: Condition::new(Vec::new()).with_name("orders"),
        ready: Event::new().with_name("settings-read"),
    });
    for customer in 0..24 {
        tokio::spawn(serve(Arc::clone(&service), customer));
    }
    tokio::spawn(ship(Arc::clone(&service)));
    sleep(Duration::from_millis(200)).await;
    service.ready.set();

    tokio::select! {
        () = sleep_until(Instant::now() + Duration::from_secs(seconds)) => println!("done"),
        _ = tokio::signal::ctrl_c() => println!("interrupted"),
    }
    Ok(())
}

/// A customer's requests: a look into the cache, else a query, then an order.
async fn serve(service: Arc<Service>, customer: u64) {
    service.ready.wait().await;
    for request in 0.. {
        let key = (customer * 31 + request) % 97;
        let known = service.cache.lock().await.contains(&key);
        if !known {
            query(&service, key).await;
        }
        service.orders.lock().await.push(key);
        service.orders.lock().await.notify_one();
        sleep(Duration::from_millis(3 + key % 20)).await;
    }
}

async fn query(service: &Service, key: u64) {
    // The semaphore is never closed.
    let Ok(_permit) = service.connections.acquire().await else { return };
    sleep(Duration::from_millis(2 + key % 9)).await;
    let mut cache = service.cache.lock().await;
    cache.push(key);
    if cache.len() > 40 {
        // Tidying up while holding the lock: the dashboard shows who waits for it.
        sleep(Duration::from_millis(5)).await;
        cache.clear();
    }
}

async fn ship(service: Arc<Service>) {
    loop {
        let orders = service.orders.lock().await;
        let mut orders = orders.wait_for(|orders| orders.len() >= 10).await;
        orders.clear();
    }
}

/// What the command line asks for.
struct Wanted {
    seconds: u64,
    /// Where to record to.
    folder: Option<String>,
}

/// `--seconds N`, 30 unless said otherwise, and `--record FOLDER`.
fn wanted() -> Result<Wanted, String> {
    let mut wanted = Wanted { seconds: 30, folder: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(option) = arguments.next() {
        match (option.as_str(), arguments.next()) {
            ("--seconds", Some(seconds)) => {
                wanted.seconds = seconds
                    .parse()
                    .map_err(|_| format!("--seconds {seconds}: give a whole number, such as --seconds 30"))?;
            }
            ("--record", Some(folder)) => wanted.folder = Some(folder),
            _ => return Err(format!("{option}: the options are --seconds N and --record FOLDER")),
        }
    }
    Ok(wanted)
}
