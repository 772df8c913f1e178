//! Alerts as `tracing` events, so that they reach a log without the page.

use crate::snapshot::AlertSnapshot;

/// What became of an alert.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::collector) enum Change {
    Raised(AlertSnapshot),
    Ended(AlertSnapshot),
}

/// Tells of it: at WARN that an alert was raised, at INFO that it ended. The target is `dashboard`.
///
/// The collector takes no events in. Whoever calls this holds no lock of the collector, as other layers of the same stack
/// may ask it for a snapshot when they are told.
pub(in crate::collector) fn tell(change: &Change) {
    match change {
        Change::Raised(alert) => tracing::warn!(
            target: "dashboard",
            kind = alert.kind,
            severity = alert.severity,
            alert = alert.id,
            object = alert.object,
            line = alert.evidence.first().map(|party| party.site.as_str()),
            next = alert.next,
            "{}",
            alert.message
        ),
        Change::Ended(alert) => tracing::info!(
            target: "dashboard",
            kind = alert.kind,
            alert = alert.id,
            object = alert.object,
            "over: {}",
            alert.message
        ),
    }
}
