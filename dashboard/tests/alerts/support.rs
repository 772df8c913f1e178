//! Tasks polled by hand, under a collector that is the process's listener. There is one of those, so one test runs at a time.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use dashboard::snapshot::{AlertSnapshot, Snapshot};
use dashboard::{Collector, Thresholds};
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

/// A task, told from others by its waker.
pub(crate) struct Task(Waker);

struct Wakes;

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {}
}

impl Task {
    pub(crate) fn new() -> Self {
        Self(Waker::from(Arc::new(Wakes)))
    }

    pub(crate) fn poll<F: Future>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&self.0))
    }

    #[track_caller]
    pub(crate) fn ready<F: Future>(&self, future: F) -> F::Output {
        self.finish(std::pin::pin!(future))
    }

    #[track_caller]
    pub(crate) fn finish<F: Future>(&self, future: Pin<&mut F>) -> F::Output {
        match self.poll(future) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("it has to wait"),
        }
    }

    #[track_caller]
    pub(crate) fn waits<F: Future>(&self, future: Pin<&mut F>) {
        assert!(self.poll(future).is_pending(), "it does not wait");
    }

    /// As a snapshot names it.
    pub(crate) fn number(&self) -> u64 {
        self.0.data().addr() as u64
    }
}

/// No alert at all but what `set` allows.
pub(crate) fn only(set: impl FnOnce(&mut Thresholds)) -> Thresholds {
    let mut thresholds = every(Duration::MAX);
    set(&mut thresholds);
    thresholds
}

/// All alerts at once.
pub(crate) fn every(threshold: Duration) -> Thresholds {
    let mut thresholds = Thresholds::default();
    for each in [
        &mut thresholds.deadlock,
        &mut thresholds.futurelock,
        &mut thresholds.long_wait,
        &mut thresholds.long_hold,
        &mut thresholds.lost_wake_up,
        &mut thresholds.starvation,
    ] {
        *each = threshold;
    }
    thresholds
}

/// Runs with the collector as the process's listener.
pub(crate) fn watched(thresholds: Thresholds, run: impl FnOnce(&Collector)) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let collector = Collector::new();
    collector.set_thresholds(thresholds);
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(collector.listener()));
    tracing::dispatcher::with_default(&dispatch, || run(&collector));
}

/// The only alert that lasts.
#[track_caller]
pub(crate) fn only_alert(snapshot: &Snapshot) -> &AlertSnapshot {
    assert_eq!(snapshot.alerts.len(), 1, "{:#?}", snapshot.alerts);
    &snapshot.alerts[0]
}

/// Roles and tasks of its evidence.
pub(crate) fn parties(alert: &AlertSnapshot) -> Vec<(&str, u64)> {
    alert.evidence.iter().map(|party| (party.role.as_str(), party.task)).collect()
}
