//! The example before and after: what it takes to watch a service that uses `tokio::sync`.

const BEFORE: &str = include_str!("../examples/shop_before.rs");
const AFTER: &str = include_str!("../examples/shop.rs");

fn beyond<'t>(these: &'t str, those: &str) -> Vec<&'t str> {
    these.lines().filter(|line| !those.lines().any(|other| other == *line)).map(str::trim).collect()
}

#[test]
fn a_service_is_watched_with_two_lines() {
    assert_eq!(beyond(AFTER, BEFORE), ["use sync::{Mutex, Semaphore};", "dashboard::init()?;"]);
    assert_eq!(beyond(BEFORE, AFTER), ["use tokio::sync::{Mutex, Semaphore};"]);
    assert_eq!(AFTER.lines().count(), BEFORE.lines().count() + 1);
}
