//! The timeline: recorded while somebody wants it, and handed out for trace viewers.

use std::convert::Infallible;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};

use crate::exporters::chrome_trace;

use super::State;
use super::control;
use super::error::ApiError;

/// Answer of [`post`].
#[derive(Debug, Serialize)]
pub(super) struct Recording {
    recording: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    recording: bool,
}

/// `GET /api/v1/trace`: what was recorded, in Chrome's trace event format.
pub(super) async fn get(Shared(state): Shared<State>) -> Result<Response, ApiError> {
    // Sorting tens of thousands of entries must not hold up the events.
    let prepare = move || chrome_trace::pieces(state.collector().timeline());
    let pieces =
        tokio::task::spawn_blocking(prepare).await.map_err(|error| ApiError::internal(error.to_string()))?;
    let body = Body::from_stream(stream::iter(pieces.map(Ok::<_, Infallible>)));
    let name = "attachment; filename=\"sync-trace.json\"";
    let headers = [(header::CONTENT_TYPE, chrome_trace::CONTENT_TYPE), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, body).into_response())
}

/// `POST /api/v1/trace` with `{"recording":true}`: begins anew, or with `false` ends and keeps what there is.
pub(super) async fn post(
    Shared(state): Shared<State>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Recording>, ApiError> {
    state.hosts().check_change(&headers, &uri)?;
    let usage = "send {\"recording\":true} or {\"recording\":false}";
    let Wanted { recording } = control::read(body, usage)?;
    state.collector().set_timeline(recording);
    Ok(Json(Recording { recording: state.collector().has_timeline() }))
}
