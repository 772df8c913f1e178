//! Stored reports: their list, one of them as it was written, one of them as the page shows it.

use std::path::PathBuf;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use results::store::{self, Entry, Listing};
use results::{ReadError, Report, Status};
use serde::Serialize;

use crate::view::{self, RunPage};

use super::State;
use super::error::ApiError;

const SEE_LIST: &str = "take an id of /api/v1/reports";

/// Answer of [`list`]: newest first.
#[derive(Debug, Serialize)]
pub(crate) struct ReportList {
    reports: Vec<ReportLine>,
    /// Files that look like reports and are none.
    problems: Vec<ProblemLine>,
}

#[derive(Debug, Serialize)]
struct ReportLine {
    id: String,
    started_at: String,
    duration_s: f64,
    status: Status,
    workloads: Vec<String>,
    backends: Vec<String>,
    /// The throughput verdicts, one for each case and backend.
    verdicts: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ProblemLine {
    file: String,
    error: String,
}

/// `GET /api/v1/reports`.
pub(crate) async fn list(Shared(state): Shared<State>) -> Result<Json<ReportList>, ApiError> {
    let Some(folder) = state.reports_dir().map(PathBuf::from) else {
        return Ok(Json(ReportList { reports: Vec::new(), problems: Vec::new() }));
    };
    let shown = folder.display().to_string();
    let listing = blocking(move || match store::list(&folder) {
        // The first run makes the folder.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Listing::default()),
        other => other,
    });
    let listing = listing.await?.map_err(|error| {
        let next = "check that it is a folder and may be read";
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{shown} cannot be read: {error}"), next)
    })?;
    let reports = listing.reports.iter().map(line).collect();
    let problems = listing.problems.iter().map(|problem| ProblemLine {
        file: problem.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        error: problem.error.to_string(),
    });
    Ok(Json(ReportList { reports, problems: problems.collect() }))
}

/// `GET /api/v1/reports/{id}`: the report as it was written.
pub(crate) async fn report(
    Shared(state): Shared<State>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Report>, ApiError> {
    Ok(Json(find(&state, id_of(id)?).await?.report))
}

/// `GET /api/v1/reports/{id}/view`: the report as the page shows it.
pub(crate) async fn view(
    Shared(state): Shared<State>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<RunPage>, ApiError> {
    let entry = find(&state, id_of(id)?).await?;
    Ok(Json(RunPage::stored(&entry.report)))
}

/// Reads a report of the folder.
pub(crate) async fn find(state: &State, id: String) -> Result<Entry, ApiError> {
    let Some(folder) = state.reports_dir().map(PathBuf::from) else {
        return Err(ApiError::not_found("this server shows no folder of reports", "start it with one"));
    };
    let wanted = id.clone();
    let found = blocking(move || store::find(&folder, &wanted)).await?;
    found.map_err(|error| match error {
        ReadError::NotFound => ApiError::not_found(format!("there is no report '{id}'"), SEE_LIST),
        other => ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("{id}.json {other}"),
            "run the benchmark again, or remove the file",
        ),
    })
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
