//! `GET /api/v1/compare?baseline=ID&candidate=ID`: two stored reports side by side.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State as Shared};

use crate::view::ComparePage;

use super::State;
use super::error::ApiError;
use super::reports;

const USAGE: &str = "ask /api/v1/compare?baseline=ID&candidate=ID with ids of /api/v1/reports";

/// Parameters as they came: a name may be unknown, missing or there twice, and each is said.
type Parameters = Vec<(String, String)>;

/// The handler.
pub(crate) async fn compare(
    Shared(state): Shared<State>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Json<ComparePage>, ApiError> {
    let Ok(Query(parameters)) = parameters else {
        return Err(ApiError::bad_request("the query cannot be read", USAGE));
    };
    let (baseline, candidate) = sides(&parameters)?;
    let baseline = reports::find(&state, baseline).await?;
    let candidate = reports::find(&state, candidate).await?;
    Ok(Json(ComparePage::of((&baseline.id, &baseline.report), (&candidate.id, &candidate.report))))
}

fn sides(parameters: &Parameters) -> Result<(String, String), ApiError> {
    if let Some((unknown, _)) = parameters.iter().find(|(name, _)| name != "baseline" && name != "candidate")
    {
        return Err(ApiError::bad_request(format!("there is no parameter '{unknown}'"), USAGE));
    }
    Ok((only(parameters, "baseline")?, only(parameters, "candidate")?))
}

fn only(parameters: &Parameters, wanted: &str) -> Result<String, ApiError> {
    let mut values = parameters.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) if !value.is_empty() => Ok(value.clone()),
        (Some(_), Some(_)) => {
            Err(ApiError::bad_request(format!("the parameter '{wanted}' is there twice"), USAGE))
        }
        _ => Err(ApiError::bad_request(format!("the parameter '{wanted}' is missing"), USAGE)),
    }
}
