//! What can be changed from outside: how much the collector wants to know.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, Uri};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::collector::Level;

use super::State;
use super::error::ApiError;

/// Bytes of a request at most; what can be said is shorter.
pub(crate) const BODY_BYTES: usize = 1_024;

/// Answer of both routes.
#[derive(Debug, Serialize)]
pub(crate) struct Control {
    level: Level,
    /// From little to much.
    levels: [Level; 3],
}

/// What is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    level: String,
}

/// `GET /api/v1/collector`: how much the collector wants to know.
pub(crate) async fn get(Shared(state): Shared<State>) -> Json<Control> {
    Json(control(&state))
}

/// `POST /api/v1/collector` with `{"level":"waits"}`: says how much it shall want to know.
pub(crate) async fn post(
    Shared(state): Shared<State>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Control>, ApiError> {
    state.hosts().check_change(&headers, &uri)?;
    let usage = "send {\"level\":\"off\"}, {\"level\":\"waits\"} or {\"level\":\"calls\"}";
    let Wanted { level } = read(body, usage)?;
    let level = level.parse::<Level>().map_err(|error| ApiError::bad_request(error.to_string(), usage))?;
    state.collector().set_level(level);
    Ok(Json(control(&state)))
}

/// What a body says that asks for a change; `usage` tells how it is asked for.
pub(super) fn read<T: DeserializeOwned>(
    body: Result<Bytes, BytesRejection>,
    usage: &'static str,
) -> Result<T, ApiError> {
    let body = body.map_err(|error| ApiError::new(error.status(), "the body cannot be read", usage))?;
    serde_json::from_slice(&body)
        .map_err(|error| ApiError::bad_request(format!("the body is not what is expected: {error}"), usage))
}

fn control(state: &State) -> Control {
    Control { level: state.collector().level(), levels: Level::ALL }
}
