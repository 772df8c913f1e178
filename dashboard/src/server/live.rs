//! What happens now: the run under way, and the charts of one live primitive.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State as Shared};
use serde::Serialize;

use crate::charts::{self, Chart};
use crate::view::RunPage;

use super::State;
use super::error::ApiError;

/// Answer of [`status`].
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    /// Whether the collector is switched on.
    collector_enabled: bool,
    /// Whether a run is under way or has ended in this program, so that `/api/v1/run` has something.
    run: bool,
    /// Whether there is a folder of reports.
    reports: bool,
}

/// `GET /api/v1/status`: what this server has to show.
pub(crate) async fn status(Shared(state): Shared<State>) -> Json<Status> {
    Json(Status {
        collector_enabled: state.collector().is_enabled(),
        run: state.feed().latest().is_some(),
        reports: state.reports_dir().is_some(),
    })
}

/// `GET /api/v1/run`: the run under way or just ended; 404 where none was started.
pub(crate) async fn run(Shared(state): Shared<State>) -> Result<Json<RunPage>, ApiError> {
    let view = state.feed().latest().ok_or_else(|| {
        ApiError::not_found(
            "no run was started in this program",
            "start one: bench-harness --workload semaphore",
        )
    })?;
    Ok(Json(RunPage::live(&view)))
}

/// Answer of [`primitive_charts`].
#[derive(Debug, Serialize)]
pub(crate) struct PrimitiveCharts {
    durations: Chart,
}

/// `GET /api/v1/primitives/{id}/charts`.
pub(crate) async fn primitive_charts(
    Shared(state): Shared<State>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<Json<PrimitiveCharts>, ApiError> {
    let Ok(Path(id)) = id else {
        return Err(ApiError::bad_request(
            "the id of a primitive is a number",
            "take one of /api/v1/snapshot",
        ));
    };
    let snapshot = state.recent_snapshot();
    let row = snapshot.primitives.iter().find(|row| row.id == id);
    let row = row.ok_or_else(|| {
        ApiError::not_found(format!("there is no primitive {id}"), "take an id of /api/v1/snapshot")
    })?;
    Ok(Json(PrimitiveCharts { durations: charts::primitive(row) }))
}
