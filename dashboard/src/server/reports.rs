//! Stored reports: their list, one of them as it was written, one of them as the page shows it.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use results::store::{Entry, Listing};
use results::{ReadError, Report, Status};
use serde::Serialize;

use crate::view::{self, Case, Overview, RunPage, Sweep, Tally};

use super::State;
use super::error::ApiError;
use super::parts::{CASE, FIGURE, Parameters};

const SEE_LIST: &str = "take an id of /api/v1/reports";

/// Answer of [`list`]: newest first.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct ReportList {
    reports: Vec<ReportLine>,
    /// Files that look like reports and are none.
    problems: Vec<ProblemLine>,
}

#[derive(Clone, Debug, Serialize)]
struct ReportLine {
    id: String,
    started_at: String,
    duration_s: f64,
    status: Status,
    workloads: Vec<String>,
    backends: Vec<String>,
    /// The throughput verdicts, one for each case and backend.
    verdicts: Vec<String>,
    /// The same counted: a line for each backend.
    tallies: Vec<Tally>,
}

#[derive(Clone, Debug, Serialize)]
struct ProblemLine {
    file: String,
    error: String,
}

/// `GET /api/v1/reports`.
pub(crate) async fn list(Shared(state): Shared<State>) -> Result<Json<ReportList>, ApiError> {
    let Some(folder) = state.reports_dir().map(PathBuf::from) else {
        return Ok(Json(ReportList::default()));
    };
    let shown = folder.display().to_string();
    let listing = blocking(move || match state.shelf().list(&folder, report_list) {
        // The first run makes the folder.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Arc::default()),
        other => other,
    });
    let list = listing.await?.map_err(|error| {
        let next = "check that it is a folder and may be read";
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{shown} cannot be read: {error}"), next)
    })?;
    Ok(Json(Arc::unwrap_or_clone(list)))
}

/// `GET /api/v1/reports/{id}`: the report as it was written.
pub(crate) async fn report(
    Shared(state): Shared<State>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Report>, ApiError> {
    let entry = find(&state, id_of(id)?).await?;
    Ok(Json(entry.report.clone()))
}

/// `GET /api/v1/reports/{id}/view`: the report as the page shows it, whole.
pub(crate) async fn view(
    Shared(state): Shared<State>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<RunPage>, ApiError> {
    let entry = find(&state, id_of(id)?).await?;
    Ok(Json(blocking(move || RunPage::stored(&entry.report)).await?))
}

/// `GET /api/v1/reports/{id}/overview`: what there is in it, without charts.
pub(crate) async fn overview(
    Shared(state): Shared<State>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Overview>, ApiError> {
    let entry = find(&state, id_of(id)?).await?;
    Ok(Json(blocking(move || Overview::stored(&entry.report)).await?))
}

/// `GET /api/v1/reports/{id}/case?key=KEY`: one case with its charts.
pub(crate) async fn case(
    Shared(state): Shared<State>,
    id: Result<Path<String>, PathRejection>,
    parameters: Parameters,
) -> Result<Json<Case>, ApiError> {
    let (id, key) = (id_of(id)?, CASE.key(parameters)?);
    let entry = find(&state, id).await?;
    let found = blocking(move || CASE.found(&key, view::case(&entry.report, &key))).await?;
    Ok(Json(found?))
}

/// `GET /api/v1/reports/{id}/sweep?key=KEY`: one figure of a sweep.
pub(crate) async fn sweep(
    Shared(state): Shared<State>,
    id: Result<Path<String>, PathRejection>,
    parameters: Parameters,
) -> Result<Json<Sweep>, ApiError> {
    let (id, key) = (id_of(id)?, FIGURE.key(parameters)?);
    let entry = find(&state, id).await?;
    let found = blocking(move || FIGURE.found(&key, view::sweep(&entry.report, &key))).await?;
    Ok(Json(found?))
}

/// Reads a report of the folder.
pub(crate) async fn find(state: &State, id: String) -> Result<Arc<Entry>, ApiError> {
    let Some(folder) = state.reports_dir().map(PathBuf::from) else {
        return Err(ApiError::not_found("this server shows no folder of reports", "start it with one"));
    };
    let (wanted, state) = (id.clone(), state.clone());
    let found = blocking(move || state.shelf().find(&folder, &wanted)).await?;
    found.map_err(|error| match error {
        ReadError::NotFound => ApiError::not_found(format!("there is no report '{id}'"), SEE_LIST),
        other => ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("{id}.json {other}"),
            "run the benchmark again, or remove the file",
        ),
    })
}

fn report_list(listing: &Listing) -> ReportList {
    let problems = listing.problems.iter().map(|problem| ProblemLine {
        file: problem.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        error: problem.error.to_string(),
    });
    ReportList { reports: listing.reports.iter().map(line).collect(), problems: problems.collect() }
}

/// Files are read where they do not hold up the events.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::internal(error.to_string()))
}

fn id_of(id: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    match id {
        Ok(Path(id)) => Ok(id),
        Err(_) => Err(ApiError::bad_request("the id of a report is plain text", SEE_LIST)),
    }
}

fn line(entry: &Entry) -> ReportLine {
    let report = &entry.report;
    ReportLine {
        id: entry.id.clone(),
        started_at: report.run.started_at.clone(),
        duration_s: report.run.duration_s,
        status: report.run.status,
        workloads: distinct(report.cells.iter().map(|cell| cell.workload.as_str())),
        backends: distinct(
            report
                .cells
                .iter()
                .map(|cell| cell.backend.as_str())
                .filter(|name| !results::compare::is_control_arm(name)),
        ),
        verdicts: view::verdict_summary(report),
        tallies: view::tallies(report),
    }
}

/// Each once, in the order of first sight.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for name in names {
        if !seen.iter().any(|known| known == name) {
            seen.push(name.to_owned());
        }
    }
    seen
}
