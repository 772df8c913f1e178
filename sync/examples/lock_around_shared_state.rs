//! asyncio's `Lock` around shared state: `async with lock: # access shared state`.
//!
//! Here the state is inside of the lock, so that nothing can reach it without. Between looking and writing the holder
//! awaits, as a call to a database would; without a lock two transfers would overwrite each other's result.
//!
//! Run it with `cargo run -p sync --example lock_around_shared_state`.

use std::sync::Arc;

use sync::Mutex;

struct Accounts {
    savings: u64,
    checking: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let accounts = Arc::new(Mutex::new(Accounts { savings: 100, checking: 0 }).with_name("accounts"));

    let transfers: Vec<_> = (0..10)
        .map(|_| {
            let accounts = Arc::clone(&accounts);
            tokio::spawn(async move {
                let mut accounts = accounts.lock().await;
                let (savings, checking) = (accounts.savings, accounts.checking);
                tokio::task::yield_now().await;
                accounts.savings = savings - 10;
                accounts.checking = checking + 10;
            })
        })
        .collect();
    for transfer in transfers {
        transfer.await.expect("a transfer does not panic");
    }

    let accounts = accounts.lock().await;
    println!("savings {}, checking {}", accounts.savings, accounts.checking);
}
