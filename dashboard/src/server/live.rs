//! What happens now: the run under way, and the charts of one live primitive.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State as Shared};
use serde::Serialize;

use crate::charts::{self, Chart};
use crate::run::RunView;
use crate::view::{self, Case, Overview, RunPage, Sweep};

use super::State;
use super::error::ApiError;
use super::parts::{CASE, FIGURE, Parameters};

/// Answer of [`status`].
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    /// Whether the collector is switched on.
    collector_enabled: bool,
    /// Whether finished waits and holds are recorded.
    timeline: bool,
    /// Whether a run is under way or has ended in this program, so that `/api/v1/run` has something.
    run: bool,
    /// Whether there is a folder with a recording.
    recording: bool,
    /// Whether there is a folder of reports.
    reports: bool,
}

/// `GET /api/v1/status`: what this server has to show.
pub(crate) async fn status(Shared(state): Shared<State>) -> Json<Status> {
    Json(Status {
        collector_enabled: state.collector().is_enabled(),
        timeline: state.collector().has_timeline(),
        run: state.feed().latest().is_some(),
        recording: state.recording().is_some(),
        reports: state.reports_dir().is_some(),
    })
}

/// `GET /api/v1/run`: the run under way or just ended; 404 where none was started.
pub(crate) async fn run(Shared(state): Shared<State>) -> Result<Json<RunPage>, ApiError> {
    Ok(Json(RunPage::live(&latest(&state)?)))
}

/// `GET /api/v1/run/overview`: what there is in it, without charts.
pub(crate) async fn overview(Shared(state): Shared<State>) -> Result<Json<Overview>, ApiError> {
    Ok(Json(Overview::live(&latest(&state)?)))
}

/// `GET /api/v1/run/case?key=KEY`: one case with its charts.
pub(crate) async fn case(
    Shared(state): Shared<State>,
    parameters: Parameters,
) -> Result<Json<Case>, ApiError> {
    let key = CASE.key(parameters)?;
    Ok(Json(CASE.found(&key, view::case(&latest(&state)?.report, &key))?))
}

/// `GET /api/v1/run/sweep?key=KEY`: one figure of a sweep.
pub(crate) async fn sweep(
    Shared(state): Shared<State>,
    parameters: Parameters,
) -> Result<Json<Sweep>, ApiError> {
    let key = FIGURE.key(parameters)?;
    Ok(Json(FIGURE.found(&key, view::sweep(&latest(&state)?.report, &key))?))
}

fn latest(state: &State) -> Result<RunView, ApiError> {
    state.feed().latest().ok_or_else(|| {
        ApiError::not_found(
            "no run was started in this program",
            "start one: bench-harness --workload semaphore",
        )
    })
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
