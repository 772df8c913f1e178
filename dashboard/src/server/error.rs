//! What the server says when it cannot answer: a status, what is wrong and what to do next.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// An answer that is none: `{"error": "...", "next": "..."}`.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    error: String,
    next: String,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    next: &'a str,
}

impl ApiError {
    /// With any status.
    pub(crate) fn new(status: StatusCode, error: impl Into<String>, next: impl Into<String>) -> Self {
        Self { status, error: error.into(), next: next.into() }
    }

    /// 404.
    pub(crate) fn not_found(error: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error, next)
    }

    /// 400.
    pub(crate) fn bad_request(error: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, next)
    }

    /// 500, for what should not happen; it is said all the same.
    pub(crate) fn internal(error: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error, "look at the server's log and report it")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(Body { error: &self.error, next: &self.next })).into_response()
    }
}
