//! Under a subscriber at DEBUG a call that does not wait is left alone: it makes no span, allocates nothing and looks
//! at no clock; one that waits makes one span.
//!
//! The subscriber is the process's own, as in a service, so no other test may stand in this binary.
#![cfg(all(feature = "tracing", not(loom)))]

#[path = "unwatched/counters.rs"]
mod counters;

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use counters::{CLOCK_IS_COUNTED, Counts, count};
use sync::{Barrier, Condition, Event, Mutex, Semaphore};
use tracing::span::{Attributes, Id};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

thread_local! {
    static SPANS: Cell<u64> = const { Cell::new(0) };
}

/// Counts the spans of a thread.
struct CountSpans;

impl<S: tracing::Subscriber> Layer<S> for CountSpans {
    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: tracing_subscriber::layer::Context<'_, S>) {
        SPANS.set(SPANS.get() + 1);
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn ready<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it is not ready"),
    }
}

#[test]
fn call_that_does_not_wait_is_left_alone_at_debug() {
    let subscriber = tracing_subscriber::registry().with(LevelFilter::DEBUG).with(CountSpans);
    tracing::subscriber::set_global_default(subscriber).expect("nobody else installs one");

    let mutex = Mutex::new(());
    let semaphore = Semaphore::new(1);
    let event = Event::new();
    let condition = Condition::new(());
    let (barrier, broken) = (Barrier::new(1), Barrier::new(2));
    let free = count(|| {
        let guard = ready(mutex.lock());
        assert!(mutex.try_lock().is_err());
        drop(guard);
        let permit = ready(semaphore.acquire());
        assert!(semaphore.try_acquire().is_err());
        drop(permit);
        event.set();
        ready(event.wait());
        event.clear();
        let guard = ready(condition.lock());
        guard.notify_all();
        drop(ready(guard.wait_for(|()| true)));
        assert!(ready(barrier.wait()).is_ok());
        broken.abort();
        assert!(ready(broken.wait()).is_err());
        broken.reset();
    });
    assert_eq!((free, SPANS.get()), (Counts::default(), 0));

    // The same counters move where somebody waits.
    let contended = count(|| {
        let guard = ready(mutex.lock());
        let mut waiting = pin!(mutex.lock());
        assert!(poll(waiting.as_mut()).is_pending());
        drop(guard);
        assert!(poll(waiting.as_mut()).is_ready());
    });
    assert_eq!(SPANS.get(), 1);
    assert_ne!(contended.allocations, 0);
    assert_eq!(contended.clock_reads != 0, CLOCK_IS_COUNTED);
}
