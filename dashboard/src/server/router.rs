//! The table of routes, and what every route may use.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use axum::extract::{DefaultBodyLimit, State as Shared};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use crate::collector::Collector;
use crate::exporters::pprof;
use crate::exporters::prometheus::{self, Accept, native};
use crate::recording::Recording;
use crate::run::RunFeed;
use crate::snapshot::Snapshot;

use super::access::{self, HostRule};
use super::error::ApiError;
use super::events::{Hub, OpenGuard};
use super::shelf::Shelf;
use super::{alerts, assets, compare, control, events, live, recording, reports, trace};

/// What the routes share. Clones are cheap and mean the same.
#[derive(Clone, Debug)]
pub(crate) struct State {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    collector: Collector,
    feed: RunFeed,
    reports_dir: Option<PathBuf>,
    recording: Option<Recording>,
    hosts: HostRule,
    hub: Hub,
    shelf: Shelf,
    recent: Mutex<Option<(Instant, Arc<Snapshot>)>>,
}

/// How old a snapshot may be for what need not be exact: charts of a primitive are asked for right after an event.
const RECENT: Duration = Duration::from_millis(500);

impl State {
    pub(crate) fn new(
        collector: Collector,
        feed: RunFeed,
        reports_dir: Option<PathBuf>,
        recording: Option<Recording>,
        hosts: HostRule,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                collector,
                feed,
                reports_dir,
                recording,
                hosts,
                hub: Hub::new(),
                shelf: Shelf::default(),
                recent: Mutex::new(None),
            }),
        }
    }

    pub(crate) fn collector(&self) -> &Collector {
        &self.inner.collector
    }

    /// A snapshot that may be half a second old. Taking one walks all rows, and thousands take milliseconds.
    pub(crate) fn recent_snapshot(&self) -> Arc<Snapshot> {
        let kept = self.inner.recent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match kept {
            Some((taken, snapshot)) if taken.elapsed() < RECENT => snapshot,
            _ => self.fresh_snapshot(),
        }
    }

    /// A snapshot of this moment, kept for [`recent_snapshot`](Self::recent_snapshot).
    pub(crate) fn fresh_snapshot(&self) -> Arc<Snapshot> {
        let snapshot = Arc::new(self.inner.collector.snapshot());
        let kept = (Instant::now(), Arc::clone(&snapshot));
        *self.inner.recent.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        snapshot
    }

    /// Who may ask, and change.
    pub(crate) fn hosts(&self) -> &HostRule {
        &self.inner.hosts
    }

    pub(crate) fn feed(&self) -> &RunFeed {
        &self.inner.feed
    }

    pub(crate) fn reports_dir(&self) -> Option<&Path> {
        self.inner.reports_dir.as_deref()
    }

    pub(crate) fn recording(&self) -> Option<&Recording> {
        self.inner.recording.as_ref()
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.inner.hub
    }

    pub(crate) fn shelf(&self) -> &Shelf {
        &self.inner.shelf
    }

    /// As long as the guard lives, event streams go on.
    pub(crate) fn keep_open(&self) -> OpenGuard {
        self.inner.hub.keep_open()
    }
}

/// Every route of the server.
pub(crate) fn router(state: State) -> Router {
    let hosts = state.inner.hosts.clone();
    Router::new()
        .route("/", get(assets::page))
        .route("/assets/{version}/{name}", get(assets::asset))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/metrics", get(metrics))
        .route("/api/v1/snapshot", get(snapshot))
        .route("/api/v1/graph", get(alerts::graph))
        .route("/api/v1/profile", get(profile))
        .route(
            "/api/v1/trace",
            get(trace::get).post(trace::post).layer(DefaultBodyLimit::max(control::BODY_BYTES)),
        )
        .route("/api/v1/events", get(events::stream))
        .route("/api/v1/status", get(live::status))
        .route("/api/v1/run", get(live::run))
        .route("/api/v1/run/overview", get(live::overview))
        .route("/api/v1/run/case", get(live::case))
        .route("/api/v1/run/sweep", get(live::sweep))
        .route(
            "/api/v1/collector",
            get(control::get).post(control::post).layer(DefaultBodyLimit::max(control::BODY_BYTES)),
        )
        .route("/api/v1/primitives/{id}/charts", get(live::primitive_charts))
        .route("/api/v1/recording", get(recording::recording))
        .route("/api/v1/reports", get(reports::list))
        .route("/api/v1/reports/{id}", get(reports::report))
        .route("/api/v1/reports/{id}/view", get(reports::view))
        .route("/api/v1/reports/{id}/overview", get(reports::overview))
        .route("/api/v1/reports/{id}/case", get(reports::case))
        .route("/api/v1/reports/{id}/sweep", get(reports::sweep))
        .route("/api/v1/compare", get(compare::compare))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        // A chart is mostly digits and shrinks to a fifth. The stream of events is left alone, and so is what is
        // compressed already.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(middleware::from_fn_with_state(hosts, access::guard))
        .with_state(state)
}

async fn snapshot(Shared(state): Shared<State>) -> Json<Snapshot> {
    Json(state.collector().snapshot())
}

async fn metrics(Shared(state): Shared<State>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let snapshot = state.collector().snapshot();
    if native::is_preferred(accept) {
        return ([(header::CONTENT_TYPE, native::CONTENT_TYPE)], native::encode(&snapshot)).into_response();
    }
    let (content_type, text) = prometheus::encode(&snapshot, Accept::from_header(accept));
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

async fn profile(Shared(state): Shared<State>) -> Result<impl IntoResponse, ApiError> {
    let snapshot = state.collector().snapshot();
    // A clock before 1970 gives a profile without a date.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let profile = pprof::encode(&snapshot, now).map_err(|error| ApiError::internal(error.to_string()))?;
    let name = "attachment; filename=\"contention.pb.gz\"";
    Ok(([(header::CONTENT_TYPE, pprof::CONTENT_TYPE), (header::CONTENT_DISPOSITION, name)], profile))
}

async fn unknown_path(uri: Uri) -> ApiError {
    ApiError::not_found(
        format!("there is nothing at {}", uri.path()),
        "open / for the page, or /api/v1/snapshot",
    )
}

async fn wrong_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "this route is only read", "ask with GET")
}
