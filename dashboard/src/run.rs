//! The way a run under way reaches the page: whoever measures publishes, the server shows the latest.
//!
//! It keeps one view, never a queue: a page that comes late or reads slowly sees the newest state, and the
//! one who publishes is never held up by it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What goes on now, for a person: `throughput, round 7 of 20`.
    pub phase: String,
    /// Slots measured.
    pub slots_done: usize,
    /// Slots that the run consists of.
    pub slots_total: usize,
    /// Seconds since the run began.
    pub elapsed_s: f64,
    /// Seconds that it will probably still take; `None` as long as nothing can be said.
    pub remaining_s: Option<f64>,
}

/// A run as it stands at one moment.
#[derive(Clone, Debug)]
pub struct RunView {
    /// What was found until now; its status is [`results::Status::Running`] while the run goes on.
    pub report: Arc<results::Report>,
    /// How far it has come.
    pub progress: Progress,
}

/// Hands the newest [`RunView`] from a run to the server. Clones share the same feed.
#[derive(Clone)]
pub struct RunFeed {
    sender: watch::Sender<Option<RunView>>,
}

impl RunFeed {
    /// A feed to which nothing was published.
    #[must_use]
    pub fn new() -> Self {
        Self { sender: watch::Sender::new(None) }
    }

    /// Replaces the view that the page shows. Never waits, whoever listens.
    pub fn publish(&self, view: RunView) {
        self.sender.send_replace(Some(view));
    }

    /// The newest view, if there was one.
    #[must_use]
    pub fn latest(&self) -> Option<RunView> {
        self.sender.borrow().clone()
    }

    /// Told of every change from now on.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Option<RunView>> {
        self.sender.subscribe()
    }
}

impl Default for RunFeed {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RunFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunFeed").field("published", &self.sender.borrow().is_some()).finish()
    }
}
