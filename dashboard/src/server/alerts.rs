//! Looks for alerts as long as the server serves, and shows who waits for whom.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State as Shared;
use tokio::time::{MissedTickBehavior, interval};

use crate::snapshot::WaitsFor;

use super::State;

/// Time between two looks. What alerts are about lasts longer.
const INTERVAL: Duration = Duration::from_secs(1);

/// Looks now and then, whether somebody watches the page or not. Dropped with the server.
pub(super) async fn check_forever(state: State) -> Infallible {
    let mut ticks = interval(INTERVAL);
    // A server that was held up has nothing to catch up on.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        state.collector().check();
    }
}

/// `GET /api/v1/graph`.
pub(super) async fn graph(Shared(state): Shared<State>) -> Json<WaitsFor> {
    Json(state.collector().waits_for())
}
