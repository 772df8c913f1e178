//! The primitives need no runtime: here each of four threads runs its task on an executor of a dozen lines, which
//! parks the thread until its waker is called.
//!
//! It corresponds to no snippet of asyncio's, whose primitives belong to one event loop.
//!
//! Run it with `cargo run -p sync --example any_executor`.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use sync::{Event, Mutex};

static START: Event = Event::new().with_name("start");
static COUNTER: Mutex<u64> = Mutex::const_new(0).with_name("counter");

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

async fn count() {
    START.wait().await;
    for _ in 0..1000 {
        *COUNTER.lock().await += 1;
    }
}

fn main() {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| block_on(count()));
        }
        START.set();
    });
    println!("4 threads counted to {}", block_on(COUNTER.lock()));
}
