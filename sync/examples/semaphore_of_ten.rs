//! asyncio's `Semaphore(10)`: `async with sem: # work with shared resource`.
//!
//! Thirty downloads want to run, ten may at a time.
//!
//! Run it with `cargo run -p sync --example semaphore_of_ten`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sync::Semaphore;

static DOWNLOADS: Semaphore = Semaphore::const_new(10).with_name("downloads");
static RUNNING: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

async fn download() {
    let _permit = DOWNLOADS.acquire().await.expect("nobody closes it");
    let running = RUNNING.fetch_add(1, Ordering::Relaxed) + 1;
    MOST.fetch_max(running, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(100)).await;
    RUNNING.fetch_sub(1, Ordering::Relaxed);
}

#[tokio::main]
async fn main() {
    let downloads: Vec<_> = (0..30).map(|_| tokio::spawn(download())).collect();
    for download in downloads {
        download.await.expect("a download does not panic");
    }
    println!("30 downloads, at most {} at a time", MOST.load(Ordering::Relaxed));
}
