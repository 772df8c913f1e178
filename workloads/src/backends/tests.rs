//! What every backend's primitives must do, polled by hand: what the family promises on all that have it, the order
//! of grants on those that promise one. A promise that a rival breaks stands in [`KNOWN_FAILURES`].
//!
//! That locks exclude and counts are conserved between threads too is for `tests/contract` to see.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use super::each_backend;
use crate::Backend;
use crate::backend::{
    BarrierBackend, ConditionBackend, EventBackend, MutexBackend, SemaphoreBackend, Side,
    WeightedSemaphoreBackend,
};
use crate::buffer::{Buffer, has_item, has_room};

/// A fact that does not hold on a rival, through no fault of ours.
struct KnownFailure {
    backend: &'static str,
    fact: &'static str,
    why: &'static str,
}

const KNOWN_FAILURES: &[KnownFailure] = &[
    KnownFailure {
        backend: "futures-intrusive",
        fact: "dropped_large_request_lets_the_small_ones_pass",
        why: "a request that is dropped while it waits wakes nobody behind it, until the next release: \
              https://github.com/Matthias247/futures-intrusive/pull/61, closed without being merged",
    },
    KnownFailure {
        backend: "saa",
        fact: "dropped_arrival_lets_nobody_go",
        why: "saa 5.6.2 processes the queue of a barrier like a lock's when it takes a dropped wait out, and lets \
              everyone go who waits: `SyncPrimitive::force_remove_wait_queue_entry` in \
              https://codeberg.org/wvwwvwwv/synchronous-and-asynchronous; not reported there that we know of",
    },
];

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn ready<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it had to wait"),
    }
}

/// The place of the one future that is ready, `None` if there is none.
fn granted<F: Future>(waiting: &mut [Pin<Box<F>>]) -> Option<(usize, F::Output)> {
    let mut granted = None;
    for (place, wait) in waiting.iter_mut().enumerate() {
        if let Poll::Ready(output) = poll(wait.as_mut()) {
            assert!(granted.is_none(), "two were granted at once");
            granted = Some((place, output));
        }
    }
    granted
}

/// Three who wait for the lock, in this order.
fn three_wait<B: MutexBackend>(
    mutex: &B::Mutex,
) -> Vec<Pin<Box<impl Future<Output = B::Guard<'_>> + use<'_, B>>>> {
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(B::lock(mutex))).collect();
    assert!(waiting.iter_mut().all(|wait| poll(wait.as_mut()).is_pending()), "the lock is taken");
    waiting
}

fn lock_excludes_until_it_is_given_back<B: MutexBackend>() {
    let mutex = B::new(7);
    let mut guard = ready(B::lock(&mutex));
    *guard += 1;
    assert!(B::try_lock(&mutex).is_none());
    let mut waiting = three_wait::<B>(&mutex);
    drop(guard);
    for left in (0..3).rev() {
        let (place, mut guard) = granted(&mut waiting).expect("the lock was given back");
        *guard += 1;
        assert!(B::try_lock(&mutex).is_none());
        drop(waiting.remove(place));
        assert_eq!(waiting.len(), left);
        drop(guard);
    }
    assert_eq!(B::try_lock(&mutex).map(|guard| *guard), Some(11));
}

fn lock_goes_to_the_longest_waiter<B: MutexBackend>() {
    let mutex = B::new(0);
    let mut guard = ready(B::lock(&mutex));
    let mut waiting = three_wait::<B>(&mutex);
    for _ in 0..3 {
        drop(guard);
        assert!(B::try_lock(&mutex).is_none(), "overtaken by a newcomer");
        // Polled from the youngest on, so that nobody has the lock for being first to ask.
        waiting.reverse();
        let (place, next) = granted(&mut waiting).expect("the lock was given back");
        assert_eq!(place, waiting.len() - 1, "overtaken by a younger waiter");
        waiting.pop();
        waiting.reverse();
        guard = next;
    }
}

fn dropped_lock_leaves_the_queue<B: MutexBackend>() {
    let mutex = B::new(0);
    let guard = ready(B::lock(&mutex));
    let mut waiting = three_wait::<B>(&mutex);
    drop(waiting.remove(1));
    drop(waiting.remove(0));
    drop(guard);
    drop(granted(&mut waiting).expect("the one who is left"));
    drop(waiting);
    assert!(B::try_lock(&mutex).is_some());
}

fn lock_dropped_after_its_grant_passes_it_on<B: MutexBackend>() {
    let mutex = B::new(0);
    let guard = ready(B::lock(&mutex));
    let mut waiting = three_wait::<B>(&mutex);
    drop(guard);
    // Whoever of them was granted or woken by the release is gone before it could act on it.
    drop(waiting.remove(0));
    drop(waiting.remove(0));
    drop(granted(&mut waiting).expect("the one who is left"));
    drop(waiting);
    assert!(B::try_lock(&mutex).is_some());
}

fn permits_are_as_many_as_they_were<B: SemaphoreBackend>() {
    let semaphore = B::new(2);
    let held = [ready(B::acquire(&semaphore)), B::try_acquire(&semaphore).expect("one is free")];
    assert!(B::try_acquire(&semaphore).is_none());
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(B::acquire(&semaphore))).collect();
    assert!(granted(&mut waiting).is_none(), "all permits are taken");
    assert_eq!(B::available(&semaphore), 0);
    drop(waiting.remove(1));
    drop(held);
    let permits = waiting.iter_mut().map(|wait| poll(wait.as_mut()));
    let permits: Vec<_> = permits.collect();
    assert!(permits.iter().all(Poll::is_ready), "two permits for two who wait");
    assert_eq!(B::available(&semaphore), 0);
    drop((waiting, permits));
    assert_eq!(B::available(&semaphore), 2);
}

fn permit_goes_to_the_longest_waiter<B: SemaphoreBackend>() {
    let semaphore = B::new(1);
    let mut permit = ready(B::acquire(&semaphore));
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(B::acquire(&semaphore))).collect();
    assert!(granted(&mut waiting).is_none(), "the permit is taken");
    for _ in 0..3 {
        drop(permit);
        assert!(B::try_acquire(&semaphore).is_none(), "overtaken by a newcomer");
        waiting.reverse();
        let (place, next) = granted(&mut waiting).expect("the permit was given back");
        assert_eq!(place, waiting.len() - 1, "overtaken by a younger waiter");
        waiting.pop();
        waiting.reverse();
        permit = next;
    }
}

fn permit_granted_to_a_dropped_wait_is_not_stranded<B: SemaphoreBackend>() {
    let semaphore = B::new(1);
    let permit = ready(B::acquire(&semaphore));
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(B::acquire(&semaphore))).collect();
    assert!(granted(&mut waiting).is_none(), "the permit is taken");
    drop(permit);
    drop(waiting.remove(0));
    drop(waiting.remove(0));
    drop(granted(&mut waiting).expect("the one who is left"));
    drop(waiting);
    assert_eq!(B::available(&semaphore), 1);
}

fn many_permits_are_taken_and_given_back_together<B: WeightedSemaphoreBackend>() {
    let semaphore = B::new(5);
    let three = ready(B::acquire_many(&semaphore, 3));
    assert_eq!(B::available(&semaphore), 2);
    assert!(B::try_acquire_many(&semaphore, 3).is_none());
    let two = B::try_acquire_many(&semaphore, 2).expect("two are free");
    let mut four = pin!(B::acquire_many(&semaphore, 4));
    assert!(poll(four.as_mut()).is_pending());
    drop(two);
    assert!(poll(four.as_mut()).is_pending(), "two are not four");
    drop(three);
    let four = poll(four);
    assert!(four.is_ready());
    assert_eq!(B::available(&semaphore), 1);
    drop(four);
    assert_eq!(B::available(&semaphore), 5);
}

fn large_request_is_not_overtaken_by_small_ones<B: WeightedSemaphoreBackend>() {
    let semaphore = B::new(3);
    let (one, two) = (ready(B::acquire_many(&semaphore, 1)), ready(B::acquire_many(&semaphore, 2)));
    let mut large = pin!(B::acquire_many(&semaphore, 3));
    let mut small = pin!(B::acquire_many(&semaphore, 1));
    assert!(poll(large.as_mut()).is_pending() && poll(small.as_mut()).is_pending());
    drop(two);
    assert!(poll(small.as_mut()).is_pending(), "two are free, but the large request was first");
    drop(one);
    assert!(poll(small.as_mut()).is_pending());
    let large = poll(large);
    assert!(large.is_ready());
    drop(large);
    assert!(poll(small).is_ready());
}

fn dropped_large_request_lets_the_small_ones_pass<B: WeightedSemaphoreBackend>() {
    let semaphore = B::new(3);
    let two = ready(B::acquire_many(&semaphore, 2));
    let mut large = Box::pin(B::acquire_many(&semaphore, 3));
    let mut small = pin!(B::acquire_many(&semaphore, 1));
    assert!(poll(large.as_mut()).is_pending());
    let before = poll(small.as_mut());
    drop(large);
    assert!(before.is_ready() || poll(small).is_ready(), "one was free all the time");
    drop((before, two));
    assert_eq!(B::available(&semaphore), 3);
}

fn dropped_wait_takes_nobody_else_with_it<B: EventBackend>() {
    let event = B::new();
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(B::wait(&event))).collect();
    assert!(granted(&mut waiting).is_none());
    drop(waiting.remove(1));
    assert!(granted(&mut waiting).is_none(), "nobody set it");
    B::set(&event);
    B::clear(&event);
    assert!(waiting.iter_mut().all(|wait| poll(wait.as_mut()).is_ready()));
}

fn released_wait_that_is_dropped_releases_nobody_in_its_place<B: EventBackend>() {
    let event = B::new();
    let (mut first, mut dropped) = (pin!(B::wait(&event)), Box::pin(B::wait(&event)));
    assert!(poll(first.as_mut()).is_pending() && poll(dropped.as_mut()).is_pending());
    B::set(&event);
    B::clear(&event);
    assert!(poll(first).is_ready());
    let mut late = pin!(B::wait(&event));
    assert!(poll(late.as_mut()).is_pending(), "it came after the clear");
    drop(dropped);
    assert!(poll(late.as_mut()).is_pending(), "nobody has set it since");
    B::set(&event);
    assert!(poll(late).is_ready());
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

fn all_parties_leave_together_and_one_of_them_leads<B: BarrierBackend>() {
    let barrier = B::new(3);
    for _ in 0..2 {
        let mut first = pin!(B::wait(&barrier));
        let mut second = pin!(B::wait(&barrier));
        assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
        let led = [ready(B::wait(&barrier)), ready(first), ready(second)];
        assert_eq!(led.iter().filter(|led| **led).count(), 1, "{led:?}");
    }
}

fn single_party_never_waits<B: BarrierBackend>() {
    let barrier = B::new(1);
    assert!(ready(B::wait(&barrier)) && ready(B::wait(&barrier)));
}

fn arrival_of_a_dropped_wait_counts_as_the_backend_says<B: BarrierBackend>() {
    let barrier = B::new(2);
    let mut dropped = Box::pin(B::wait(&barrier));
    assert!(poll(dropped.as_mut()).is_pending());
    drop(dropped);
    let mut wait = pin!(B::wait(&barrier));
    assert_eq!(poll(wait.as_mut()).is_pending(), B::RETRACTS);
}

fn dropped_arrival_lets_nobody_go<B: BarrierBackend>() {
    let barrier = B::new(3);
    let mut dropped = Box::pin(B::wait(&barrier));
    let mut waiting = pin!(B::wait(&barrier));
    assert!(poll(dropped.as_mut()).is_pending() && poll(waiting.as_mut()).is_pending());
    drop(dropped);
    assert!(poll(waiting.as_mut()).is_pending(), "two of three parties came");
}

/// A backend, and a fact on it where it has the family.
type Claim = (&'static Backend, Option<fn()>);

/// What [`each_backend`] makes of a family and a fact: a [`Claim`] for each backend, as in `arms_of`.
macro_rules! claims_of {
    (($family:ident $fact:ident) $($backend:ident)+) => {{
        struct On<B>(::std::marker::PhantomData<B>);
        #[allow(dead_code, reason = "unused where every backend has the family")]
        trait Lacks {
            const FACT: Option<fn()> = None;
        }
        impl<B> Lacks for On<B> {}
        impl<B: $crate::backend::$family> On<B> {
            const FACT: Option<fn()> = Some(super::$fact::<B>);
        }
        let claims: Vec<super::Claim> = vec![$((
            &$crate::backends::$backend::BACKEND,
            On::<$crate::backends::$backend::Primitives>::FACT,
        )),+];
        claims
    }};
}
pub(crate) use claims_of;

/// Checks a fact on all backends that have the family and that it is said of.
fn check(fact: &str, claims: &[Claim], said_of: fn(&Backend) -> bool) {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (backend, claim) in claims {
        let Some(claim) = claim.filter(|_| said_of(backend)) else { continue };
        let known = KNOWN_FAILURES.iter().find(|known| (known.backend, known.fact) == (backend.name, fact));
        match (catch_unwind(AssertUnwindSafe(claim)), known) {
            (Ok(()), None) => checked += 1,
            (Err(_), Some(known)) => println!("{}: known not to hold: {}", backend.name, known.why),
            (Ok(()), Some(_)) => wrong.push(format!("{}: it holds now, take it off the list", backend.name)),
            (Err(_), None) => wrong.push(backend.name.to_owned()),
        }
    }
    assert!(wrong.is_empty(), "{fact} does not hold on {wrong:?}; the panics above say why");
    assert!(checked >= 2, "{fact} was checked on {checked} backends");
}

fn everyone(_: &Backend) -> bool {
    true
}

fn fair(backend: &Backend) -> bool {
    backend.fair
}

/// A test for each fact, which runs it on all backends with the family.
macro_rules! facts {
    ($($said_of:ident $family:ident: $($fact:ident)+;)+) => {
        mod facts {
            $($(
                #[test]
                fn $fact() {
                    let claims = super::each_backend!(backends::claims_of, ($family $fact));
                    super::check(stringify!($fact), &claims, super::$said_of);
                }
            )+)+

            #[test]
            fn known_failures_are_of_facts_that_there_are() {
                let facts = [$($(stringify!($fact)),+),+];
                for known in super::KNOWN_FAILURES {
                    assert!(facts.contains(&known.fact), "{}", known.fact);
                }
            }
        }
    };
}

facts! {
    everyone MutexBackend:
        lock_excludes_until_it_is_given_back
        dropped_lock_leaves_the_queue
        lock_dropped_after_its_grant_passes_it_on;
    fair MutexBackend:
        lock_goes_to_the_longest_waiter;
    everyone SemaphoreBackend:
        permits_are_as_many_as_they_were
        permit_granted_to_a_dropped_wait_is_not_stranded;
    fair SemaphoreBackend:
        permit_goes_to_the_longest_waiter;
    everyone WeightedSemaphoreBackend:
        many_permits_are_taken_and_given_back_together
        dropped_large_request_lets_the_small_ones_pass;
    fair WeightedSemaphoreBackend:
        large_request_is_not_overtaken_by_small_ones;
    everyone EventBackend:
        set_followed_by_clear_releases_those_who_wait
        wait_on_a_set_event_is_over_at_once_until_it_is_cleared
        dropped_wait_takes_nobody_else_with_it
        released_wait_that_is_dropped_releases_nobody_in_its_place;
    everyone ConditionBackend:
        dropped_wait_passes_its_notification_on
        wait_dropped_while_it_takes_the_lock_again_passes_its_notification_on
        everyone_is_woken_on_both_sides;
    everyone BarrierBackend:
        all_parties_leave_together_and_one_of_them_leads
        single_party_never_waits
        arrival_of_a_dropped_wait_counts_as_the_backend_says
        dropped_arrival_lets_nobody_go;
}
