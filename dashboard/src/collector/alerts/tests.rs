//! The ledger, with findings made by hand.

use super::*;

fn finding(key: u64) -> Finding {
    Finding {
        kind: AlertKind::LongWait,
        key,
        message: String::new(),
        since_ns: 0,
        row: 0,
        object: key,
        evidence: Vec::new(),
    }
}

fn settle(ledger: &mut Ledger, keys: std::ops::Range<u64>, uptime_s: f64) -> Vec<Change> {
    ledger.settle(keys.map(finding).collect(), &Rows::default(), 10, uptime_s)
}

fn snapshot(ledger: &Ledger) -> Snapshot {
    let mut snapshot = crate::collector::Collector::new().snapshot();
    ledger.write(&mut snapshot);
    snapshot
}

#[test]
fn an_alert_is_raised_once_keeps_its_number_and_ends_once() {
    let mut ledger = Ledger::default();
    assert!(matches!(settle(&mut ledger, 1..2, 1.0)[..], [Change::Raised(_)]));
    assert_eq!(settle(&mut ledger, 1..2, 2.0), []);
    let lasts = snapshot(&ledger).alerts;
    assert_eq!((lasts[0].id, lasts[0].since_s, lasts[0].ended_s), (1, 1.0, None));
    let Change::Ended(ended) = settle(&mut ledger, 0..0, 3.0).remove(0) else { panic!("it is over") };
    assert_eq!((ended.id, ended.since_s, ended.ended_s), (1, 1.0, Some(3.0)));
    assert_eq!(snapshot(&ledger).alerts_ended, [ended]);
    // What comes again is another alert.
    settle(&mut ledger, 1..2, 4.0);
    assert_eq!((snapshot(&ledger).alerts[0].id, snapshot(&ledger).alerts_total["long_wait"]), (2, 2));
}

#[test]
fn beyond_the_limit_alerts_are_counted_and_raised_when_there_is_room() {
    let mut ledger = Ledger::default();
    let limit = Snapshot::ALERTS_LIMIT as u64;
    assert_eq!(settle(&mut ledger, 0..limit + 10, 1.0).len(), Snapshot::ALERTS_LIMIT);
    assert_eq!(snapshot(&ledger).alerts_not_listed, 10);
    assert_eq!(settle(&mut ledger, 5..limit + 10, 2.0).len(), 10, "five are over, five more are raised");
    let snapshot = snapshot(&ledger);
    assert_eq!((snapshot.alerts.len(), snapshot.alerts_not_listed), (Snapshot::ALERTS_LIMIT, 5));
    settle(&mut ledger, 0..0, 3.0);
    assert_eq!(self::snapshot(&ledger).alerts_ended.len(), Snapshot::ENDED_LIMIT);
}
