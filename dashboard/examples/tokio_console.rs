//! A program to look at with `tokio-console`, in which locks of `sync` and of tokio stand side by side:
//!
//! ```sh
//! RUSTFLAGS="--cfg tokio_unstable" CARGO_TARGET_DIR=target/console \
//!     cargo run -p dashboard --example tokio_console -- 60
//! tokio-console    # in another terminal; `r` shows the resources
//! ```
//!
//! It ends by itself after so many seconds.

#[cfg(not(tokio_unstable))]
fn main() {
    eprintln!("built without `--cfg tokio_unstable`: the command stands at the top of this example");
}

#[cfg(tokio_unstable)]
fn main() {
    let seconds = std::env::args().nth(1).map_or(60, |text| text.parse().expect("seconds, a whole number"));
    console_subscriber::init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime can be started").block_on(async {
        let _ = tokio::time::timeout(std::time::Duration::from_secs(seconds), shop::open()).await;
    });
}

#[cfg(tokio_unstable)]
mod shop {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::time::sleep;

    /// Clerks who need the till, which is one of ours, and the books, which are tokio's.
    pub(super) async fn open() {
        let till = Arc::new(sync::Mutex::new(0).with_name("till"));
        let counters = Arc::new(sync::Semaphore::new(3).with_name("counters"));
        let books = Arc::new(tokio::sync::Mutex::new(0));
        for _ in 0..5 {
            let (till, counters, books) = (Arc::clone(&till), Arc::clone(&counters), Arc::clone(&books));
            tokio::spawn(async move {
                loop {
                    let _counter = counters.acquire().await;
                    let mut coins = till.lock().await;
                    sleep(Duration::from_millis(200)).await;
                    *coins += 1;
                    *books.lock().await += 1;
                }
            });
        }
        std::future::pending().await
    }
}
