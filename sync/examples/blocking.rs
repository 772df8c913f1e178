//! A thread beside tasks: all of them stand in the same queue for a lock, and may wait for each other.
//!
//! It corresponds to no snippet of asyncio's, whose primitives belong to one event loop. The thread does what would hold
//! up an executor, such as reading a file, and so waits by `blocking_lock` and `blocking_wait`.
//!
//! It prints what the thread read, as the tasks take it out.
//!
//! Run it with `cargo run -p sync --example blocking`.

use std::collections::VecDeque;
use std::thread;

use sync::{Condition, Event};

const LINES: [&str; 4] = ["one", "two", "three", "four"];

#[derive(Default)]
struct Lines {
    read: VecDeque<&'static str>,
    is_complete: bool,
}

fn read(lines: &Condition<Lines>, start: &Event) {
    start.blocking_wait();
    for line in LINES {
        // At most one line lies there.
        let mut guard = lines.blocking_lock().blocking_wait_for(|lines| lines.read.is_empty());
        guard.read.push_back(line);
        guard.notify_all();
    }
    let mut guard = lines.blocking_lock();
    guard.is_complete = true;
    guard.notify_all();
}

async fn print(name: &str, lines: &Condition<Lines>) {
    loop {
        let guard = lines.lock().await;
        let mut guard = guard.wait_for(|lines| !lines.read.is_empty() || lines.is_complete).await;
        let Some(line) = guard.read.pop_front() else { break };
        guard.notify_all();
        println!("{name} got {line}");
    }
}

fn main() {
    let lines = Condition::new(Lines::default()).with_name("lines");
    let start = Event::new().with_name("start");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be built");
    thread::scope(|threads| {
        threads.spawn(|| read(&lines, &start));
        runtime.block_on(async {
            start.set();
            tokio::join!(print("Ada", &lines), print("Grace", &lines));
        });
    });
}
