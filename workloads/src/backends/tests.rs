//! What every backend's primitives must do, polled by hand; above all the ones that are composed here.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use crate::backend::{ConditionBackend, EventBackend, Side};
use crate::buffer::{Buffer, has_item, has_room};

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn ready<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it had to wait"),
    }
}

fn set_followed_by_clear_releases_those_who_wait<B: EventBackend>() {
    let event = B::new();
    let (mut early, mut late) = (pin!(B::wait(&event)), pin!(B::wait(&event)));
    assert!(poll(early.as_mut()).is_pending());
    B::set(&event);
    B::clear(&event);
    assert!(poll(late.as_mut()).is_pending(), "it came after the clear");
    assert!(poll(early).is_ready());
    B::set(&event);
    assert!(poll(late).is_ready());
}

fn wait_on_a_set_event_is_over_at_once_until_it_is_cleared<B: EventBackend>() {
    let event = B::new();
    B::set(&event);
    ready(B::wait(&event));
    ready(B::wait(&event));
    B::clear(&event);
    assert!(poll(pin!(B::wait(&event))).is_pending());
}

/// An item is put, and one of two consumers told of it.
fn put<B: ConditionBackend>(pair: &B::Pair) {
    let mut guard = ready(B::lock_when(pair, Side::Producer, has_room));
    guard.put();
    ready(B::notify_other(pair, Side::Producer, guard));
}

fn dropped_wait_passes_its_notification_on<B: ConditionBackend>() {
    let pair = B::new(Buffer::new(2));
    let mut first = Box::pin(B::lock_when(&pair, Side::Consumer, has_item));
    let mut second = pin!(B::lock_when(&pair, Side::Consumer, has_item));
    assert!(poll(first.as_mut()).is_pending());
    assert!(poll(second.as_mut()).is_pending());
    put::<B>(&pair);
    drop(first);
    assert!(poll(second).is_ready());
}

fn wait_dropped_while_it_takes_the_lock_again_passes_its_notification_on<B: ConditionBackend>() {
    let pair = B::new(Buffer::new(2));
    let mut first = Box::pin(B::lock_when(&pair, Side::Consumer, has_item));
    let mut second = pin!(B::lock_when(&pair, Side::Consumer, has_item));
    assert!(poll(first.as_mut()).is_pending());
    assert!(poll(second.as_mut()).is_pending());
    let mut guard = ready(B::lock_when(&pair, Side::Producer, has_room));
    guard.put();
    // Told of the item while another producer is queued at the lock, so that `first` queues behind that one.
    let mut rival = pin!(B::lock_when(&pair, Side::Producer, has_room));
    assert!(poll(rival.as_mut()).is_pending());
    ready(B::notify_other(&pair, Side::Producer, guard));
    let rival = poll(rival);
    assert!(rival.is_ready());
    assert!(poll(first.as_mut()).is_pending(), "the lock is taken");
    drop(first);
    drop(rival);
    assert!(poll(second).is_ready());
}

fn everyone_is_woken_on_both_sides<B: ConditionBackend>() {
    let pair = B::new(Buffer::new(1));
    put::<B>(&pair);
    let mut producer = pin!(B::lock_when(&pair, Side::Producer, has_room));
    assert!(poll(producer.as_mut()).is_pending());
    let mut guard = ready(B::lock_when(&pair, Side::Consumer, has_item));
    guard.take();
    ready(B::notify_everyone(&pair, Side::Consumer, guard));
    assert!(poll(producer).is_ready());
}

/// Every fact on every backend named.
macro_rules! facts {
    ($($backend:ident)+) => {$(
        mod $backend {
            use super::super::$backend::Primitives;

            facts!(@ Primitives:
                set_followed_by_clear_releases_those_who_wait
                wait_on_a_set_event_is_over_at_once_until_it_is_cleared
                dropped_wait_passes_its_notification_on
                wait_dropped_while_it_takes_the_lock_again_passes_its_notification_on
                everyone_is_woken_on_both_sides
            );
        }
    )+};
    (@ $primitives:ident: $($fact:ident)+) => {$(
        #[test]
        fn $fact() {
            super::$fact::<$primitives>();
        }
    )+};
}

facts!(sync tokio tokio_unconstrained async_lock);
