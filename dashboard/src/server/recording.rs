//! A recording, added up over a span of time.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State as Shared};
use axum::http::StatusCode;
use serde::Serialize;

use crate::charts::{self, Chart};
use crate::recording::{Past, PastPrimitive};
use crate::snapshot::PrimitiveSnapshot;

use super::State;
use super::error::ApiError;

const USAGE: &str = "ask as /api/v1/recording?from=SECONDS&to=SECONDS, since 1970, or without either; \
     &primitive=KIND&name=NAME adds the chart of one";

/// Answer of [`recording`].
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    #[serde(flatten)]
    past: Past,
    /// Of the primitive that was asked for, if it is there.
    chart: Option<Chart>,
}

/// What is asked for.
#[derive(Debug, Default, PartialEq)]
struct Wanted {
    from_s: Option<f64>,
    to_s: Option<f64>,
    primitive: String,
    name: String,
}

impl Wanted {
    fn read(parameters: Vec<(String, String)>) -> Result<Self, ApiError> {
        let seconds = |name: &str, text: &str| {
            let number = text.parse().ok().filter(|number: &f64| number.is_finite());
            number.ok_or_else(|| ApiError::bad_request(format!("{name}={text} is no time"), USAGE))
        };
        let mut wanted = Self::default();
        for (name, value) in parameters {
            match &*name {
                "from" => wanted.from_s = Some(seconds(&name, &value)?),
                "to" => wanted.to_s = Some(seconds(&name, &value)?),
                "primitive" => wanted.primitive = value,
                "name" => wanted.name = value,
                _ => return Err(ApiError::bad_request(format!("there is no parameter '{name}'"), USAGE)),
            }
        }
        Ok(wanted)
    }
}

/// `GET /api/v1/recording`.
pub(super) async fn recording(
    Shared(state): Shared<State>,
    parameters: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Answer>, ApiError> {
    let Ok(Query(parameters)) = parameters else {
        return Err(ApiError::bad_request("the query cannot be read", USAGE));
    };
    let wanted = Wanted::read(parameters)?;
    let recording = state.recording().cloned().ok_or_else(|| {
        let next = "start it with dashboard::Builder::record_to or replay, or as bench-harness serve --recording FOLDER";
        ApiError::not_found("this server has no recording", next)
    })?;
    // Files are read where they do not hold up the events.
    let read = move || {
        let past = recording.read(wanted.from_s, wanted.to_s).map_err(|error| {
            let folder = recording.folder().display();
            let what = format!("the folder '{folder}' of the recording cannot be read: {error}");
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, what, "see that it is there and readable")
        })?;
        Ok(answer(past, &wanted))
    };
    let answer = tokio::task::spawn_blocking(read).await;
    answer.map_err(|error| ApiError::internal(error.to_string()))?.map(Json)
}

fn answer(mut past: Past, wanted: &Wanted) -> Answer {
    let is_wanted = |row: &&PastPrimitive| row.primitive == wanted.primitive && row.name == wanted.name;
    let chart = past.primitives.iter().find(is_wanted).map(|row| {
        let (wait_ns, hold_ns) = (row.wait_ns.clone(), row.hold_ns.clone());
        charts::primitive(&PrimitiveSnapshot { wait_ns, hold_ns, ..PrimitiveSnapshot::default() })
    });
    for row in &mut past.primitives {
        // The chart has them; of all primitives they would be most of an answer.
        for distribution in [
            &mut row.wait_ns,
            &mut row.hold_ns,
            &mut row.queued_ns,
            &mut row.wake_ns,
            &mut row.cancelled_wait_ns,
        ] {
            distribution.buckets.clear();
        }
    }
    Answer { past, chart }
}
