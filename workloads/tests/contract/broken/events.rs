//! Events that release too early, too late, or never.

use super::*;

/// An event that is over after one turn of the executor, set or not.
struct Impatient;

impl Library for Impatient {}

impl EventBackend for Impatient {
    type Event = ();

    fn new() {}

    fn set((): &()) {}

    fn clear((): &()) {}

    async fn wait((): &()) {
        yield_now().await;
    }
}

#[test]
fn event_that_releases_without_being_set_is_caught() {
    let law = law_of(event::broadcast::<Impatient>, &defaults("event"));
    assert!(law.as_ref().is_err_and(|law| law.contains("before the event was set")), "{law:?}");
}

#[test]
fn event_that_wakes_a_partner_who_was_not_told_is_caught() {
    let law = law_of(event::ping_pong::<Impatient>, &defaults("event"));
    assert!(law.as_ref().is_err_and(|law| law.contains("before its partner had set its event")), "{law:?}");
}

/// An event that nobody ever waits for, but which gives its waiters a few turns.
struct NoEvent;

impl Library for NoEvent {}

impl EventBackend for NoEvent {
    type Event = AtomicUsize;

    fn new() -> AtomicUsize {
        AtomicUsize::new(0)
    }

    fn set(_turns: &AtomicUsize) {}

    fn clear(_turns: &AtomicUsize) {}

    /// Every other wait is over at once, so that it cannot be a pulse that has let go of it.
    async fn wait(turns: &AtomicUsize) {
        if turns.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            tokio::task::yield_now().await;
        }
    }
}

#[test]
fn event_that_lets_go_between_two_pulses_is_caught() {
    let law = law_of(event::pulse::<NoEvent>, &defaults("event"));
    assert!(law.as_ref().is_err_and(|law| law.contains("without the event being set")), "{law:?}");
}

/// The event that everyone writes first: whoever was woken looks at the flag again, and sleeps on if it was cleared.
struct LooksAgain;

impl Library for LooksAgain {}

impl EventBackend for LooksAgain {
    type Event = (AtomicBool, Notify);

    fn new() -> (AtomicBool, Notify) {
        (AtomicBool::new(false), Notify::new())
    }

    fn set((flag, notify): &(AtomicBool, Notify)) {
        flag.store(true, Ordering::Release);
        notify.notify_waiters();
    }

    fn clear((flag, _): &(AtomicBool, Notify)) {
        flag.store(false, Ordering::Release);
    }

    async fn wait((flag, notify): &(AtomicBool, Notify)) {
        loop {
            let notified = notify.notified();
            if flag.load(Ordering::Acquire) {
                return;
            }
            notified.await;
        }
    }
}

#[test]
fn event_that_forgets_who_waited_when_it_is_cleared_is_caught() {
    // It releases nobody while the slot lasts, so there are no samples to wait for.
    let params = defaults("event");
    let Run { outcome, .. } =
        run(event::pulse::<LooksAgain>, &params, Pass::Latency, FLAVOURS[0], Until::Milliseconds(4));
    let law = outcome.law;
    assert!(law.as_ref().is_err_and(|law| law.contains("and it was not released")), "{law:?}");
}
