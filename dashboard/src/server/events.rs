//! The stream of events: the snapshot as unnamed events, the run under way as events named `run`, and as events
//! named `progress` where nothing but its progress is new. Who asks with `?run=overview` is sent the run without its
//! charts, as events named `overview`: the charts of a sweep are more than a stream should carry every second.
//!
//! A frame is made once and shared by all who listen. Nobody listens: nothing is made. Each listener sees
//! the newest frame, never a backlog, so a slow one costs no memory. Their number is limited.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use results::Report;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::run::RunView;
use crate::view::{Overview, RunPage};

use super::State;
use super::error::ApiError;

/// Time between two snapshots.
const SNAPSHOT_INTERVAL: Duration = Duration::from_secs(1);

/// Least time between two views of a run: drawing faster than one sees costs the run, not the viewer.
const RUN_INTERVAL: Duration = Duration::from_millis(400);

/// Silence after which a comment keeps proxies from closing the stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Streams open at once; a browser needs one for each tab that shows the page.
const LISTENERS_LIMIT: usize = 64;

/// Where frames are published and listeners find them.
#[derive(Debug)]
pub(crate) struct Hub {
    snapshot: watch::Sender<Option<Bytes>>,
    run: watch::Sender<Option<Bytes>>,
    overview: watch::Sender<Option<Bytes>>,
    progress: watch::Sender<Option<Bytes>>,
    /// How many futures serve; streams end when the last is gone.
    open: watch::Sender<usize>,
    listeners: Arc<AtomicUsize>,
    joined: Arc<Notify>,
}

impl Hub {
    pub(crate) fn new() -> Self {
        Self {
            snapshot: watch::Sender::new(None),
            run: watch::Sender::new(None),
            overview: watch::Sender::new(None),
            progress: watch::Sender::new(None),
            open: watch::Sender::new(0),
            listeners: Arc::new(AtomicUsize::new(0)),
            joined: Arc::new(Notify::new()),
        }
    }

    pub(crate) fn keep_open(&self) -> OpenGuard {
        self.open.send_modify(|count| *count += 1);
        OpenGuard { open: self.open.clone() }
    }

    /// Counts a listener in, unless there are too many.
    fn join(&self, wanted: RunEvents) -> Option<Listener> {
        // Ordering: Relaxed; the count guards no other memory, and the notification below orders itself.
        let counted = self.listeners.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
            (count < LISTENERS_LIMIT).then_some(count + 1)
        });
        counted.ok()?;
        let mut snapshot = self.snapshot.subscribe();
        let mut run = match wanted {
            RunEvents::Whole => self.run.subscribe(),
            RunEvents::Overview => self.overview.subscribe(),
        };
        let mut progress = self.progress.subscribe();
        snapshot.mark_changed();
        run.mark_changed();
        progress.mark_changed();
        self.joined.notify_one();
        Some(Listener {
            snapshot,
            run,
            progress,
            open: self.open.subscribe(),
            _seat: Seat { listeners: Arc::clone(&self.listeners) },
        })
    }

    /// Waits until somebody listens; frames made for earlier listeners are forgotten then.
    async fn listened(&self) {
        while self.listeners.load(Ordering::Relaxed) == 0 {
            self.snapshot.send_replace(None);
            self.run.send_replace(None);
            self.overview.send_replace(None);
            self.progress.send_replace(None);
            self.joined.notified().await;
        }
    }
}

/// Keeps event streams open; see [`State::keep_open`].
#[derive(Debug)]
pub(crate) struct OpenGuard {
    open: watch::Sender<usize>,
}

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.open.send_modify(|count| *count -= 1);
    }
}

/// A listener's place among the counted ones.
#[derive(Debug)]
struct Seat {
    listeners: Arc<AtomicUsize>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How much of a run a listener is sent.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RunEvents {
    /// With all cases and charts.
    #[default]
    Whole,
    /// Without charts.
    Overview,
}

/// The query of [`stream`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    #[serde(default)]
    run: RunEvents,
}

struct Listener {
    snapshot: watch::Receiver<Option<Bytes>>,
    run: watch::Receiver<Option<Bytes>>,
    progress: watch::Receiver<Option<Bytes>>,
    open: watch::Receiver<usize>,
    _seat: Seat,
}

impl Listener {
    /// The next frame; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let frame = tokio::select! {
                // The snapshot goes first: it is what a plain reader of the stream expects.
                biased;
                gone = self.open.wait_for(|count| *count == 0) => {
                    drop(gone);
                    return None;
                }
                Ok(()) = self.snapshot.changed() => self.snapshot.borrow_and_update().clone(),
                Ok(()) = self.run.changed() => self.run.borrow_and_update().clone(),
                Ok(()) = self.progress.changed() => self.progress.borrow_and_update().clone(),
                () = sleep(KEEP_ALIVE) => Some(Bytes::from_static(b": still here\n\n")),
            };
            if frame.is_some() {
                return frame;
            }
        }
    }
}

/// `GET /api/v1/events`, or `?run=overview`.
pub(crate) async fn stream(
    Shared(state): Shared<State>,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Response {
    let Ok(Query(wish)) = wish else {
        let next = "ask /api/v1/events, with ?run=overview for runs without their charts";
        return ApiError::bad_request("the query cannot be read", next).into_response();
    };
    let Some(listener) = state.hub().join(wish.run) else {
        return ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{LISTENERS_LIMIT} event streams are open, which is the limit"),
            "close a tab that shows the page, or ask /api/v1/snapshot",
        )
        .into_response();
    };
    let frames = stream::unfold(listener, |mut listener| async {
        let frame = listener.next().await?;
        Some((Ok::<_, Infallible>(frame), listener))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(frames)).into_response()
}

/// Makes frames as long as somebody listens. Dropped with the server.
pub(crate) async fn publish_forever(state: State) -> Infallible {
    let mut feed = state.feed().subscribe();
    loop {
        state.hub().listened().await;
        feed.mark_changed();
        publish_while_listened(&state, &mut feed).await;
    }
}

async fn publish_while_listened(state: &State, feed: &mut watch::Receiver<Option<RunView>>) {
    let hub = state.hub();
    let mut snapshot_due = Instant::now();
    let mut run_due = Instant::now();
    let mut drawn = Drawn::default();
    while hub.listeners.load(Ordering::Relaxed) > 0 {
        if Instant::now() >= snapshot_due {
            snapshot_due = Instant::now() + SNAPSHOT_INTERVAL;
            publish(&hub.snapshot, None, &*state.fresh_snapshot());
        }
        if Instant::now() >= run_due && feed.has_changed().unwrap_or(false) {
            run_due = Instant::now() + RUN_INTERVAL;
            let view = feed.borrow_and_update().clone();
            if let Some(view) = view {
                publish_run(hub, &view, &mut drawn);
            }
        }
        tokio::select! {
            () = sleep_until(snapshot_due) => {}
            () = next_view(feed, run_due) => {}
            // A newcomer may want the run in the other size than those who are here.
            () = hub.joined.notified() => feed.mark_changed(),
        }
    }
}

/// The reports that the frames were made of.
#[derive(Default)]
struct Drawn {
    whole: Option<Arc<Report>>,
    overview: Option<Arc<Report>>,
}

/// Charts and tables only where the report is a new one: between rounds only the progress moves, and drawing
/// takes time from the run that is measured.
fn publish_run(hub: &Hub, view: &RunView, drawn: &mut Drawn) {
    let whole = publish_once(&hub.run, view, &mut drawn.whole, |to| {
        publish(to, Some("run"), &RunPage::live(view));
    });
    let overview = publish_once(&hub.overview, view, &mut drawn.overview, |to| {
        publish(to, Some("overview"), &Overview::live(view));
    });
    if whole || overview {
        // One who joins now must not be told of the progress before this view.
        hub.progress.send_replace(None);
    } else {
        publish(&hub.progress, Some("progress"), &view.progress);
    }
}

/// Makes a frame where somebody wants it and it is not the last one; says whether it did. Without anybody the last
/// frame is forgotten, lest a newcomer see an old one.
fn publish_once(
    to: &watch::Sender<Option<Bytes>>,
    view: &RunView,
    drawn: &mut Option<Arc<Report>>,
    make: impl FnOnce(&watch::Sender<Option<Bytes>>),
) -> bool {
    if to.receiver_count() == 0 {
        to.send_replace(None);
        *drawn = None;
        return false;
    }
    if drawn.as_ref().is_some_and(|drawn| Arc::ptr_eq(drawn, &view.report)) {
        return false;
    }
    make(to);
    *drawn = Some(Arc::clone(&view.report));
    true
}

/// Ready when there is a view to draw and it is not too soon.
async fn next_view(feed: &mut watch::Receiver<Option<RunView>>, due: Instant) {
    sleep_until(due).await;
    match feed.changed().await {
        // Waiting for it counted it as seen; the one who draws it must still find it new.
        Ok(()) => feed.mark_changed(),
        // The feed is gone: no view will ever come.
        Err(_) => std::future::pending().await,
    }
}

fn publish<T: Serialize>(to: &watch::Sender<Option<Bytes>>, name: Option<&str>, data: &T) {
    // Our own plain data always serialises; were it not so, a missing frame is better than a panic.
    if let Ok(json) = serde_json::to_string(data) {
        to.send_replace(Some(frame(name, &json)));
    }
}

/// One event. JSON has no line break outside its strings, and none inside them unescaped.
fn frame(name: Option<&str>, json: &str) -> Bytes {
    let mut text = String::with_capacity(json.len() + 32);
    if let Some(name) = name {
        text.push_str("event: ");
        text.push_str(name);
        text.push('\n');
    }
    text.push_str("data: ");
    text.push_str(json);
    text.push_str("\n\n");
    Bytes::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unnamed_frame_is_plain_data() {
        assert_eq!(frame(None, "{}"), "data: {}\n\n");
        assert_eq!(frame(Some("run"), "1"), "event: run\ndata: 1\n\n");
    }

    #[test]
    fn listeners_beyond_the_limit_are_refused_until_one_leaves() {
        let hub = Hub::new();
        let mut seated: Vec<_> = (0..LISTENERS_LIMIT).map(|_| hub.join(RunEvents::Overview)).collect();
        assert!(seated.iter().all(Option::is_some));
        assert!(hub.join(RunEvents::Whole).is_none());
        seated.pop();
        assert!(hub.join(RunEvents::Whole).is_some());
    }
}
