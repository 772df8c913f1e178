//! The dashboard beside a run: the collector with its switch, the server, and the feed of the Run page.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use dashboard::recording::Recording;
use dashboard::{Builder, Collector, Progress, RunFeed, RunView, ServerHandle};
use results::Report;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::exit::Usage;

/// Where the dashboard is, unless told otherwise or busy.
const DEFAULT_LISTEN: &str = "127.0.0.1:7411";

/// What of the dashboard is up.
#[derive(Debug, Default)]
pub(crate) struct Live {
    /// Ends the server when dropped.
    server: Option<ServerHandle>,
    feed: RunFeed,
    collector: Option<Collector>,
}

impl Live {
    /// Without a page; the collector exists where an arm is traced, since such an arm is nothing without it.
    ///
    /// # Errors
    /// Where the process has a subscriber already.
    pub(crate) fn without_page(traced: bool) -> anyhow::Result<Self> {
        let collector = if traced { Some(install(Collector::new())?) } else { None };
        Ok(Self { collector, ..Self::default() })
    }

    /// With the page on the given address, else on the default one or the next free port after it.
    ///
    /// # Errors
    /// A [`Usage`] where the address cannot be listened on.
    pub(crate) fn with_page(listen: Option<SocketAddr>, folder: &Path) -> anyhow::Result<Self> {
        Self::with_page_of(Builder::new(), listen, folder)
    }

    /// As [`with_page`](Self::with_page), and with a recording.
    pub(crate) fn with_recording(
        listen: Option<SocketAddr>,
        folder: &Path,
        recording: Recording,
    ) -> anyhow::Result<Self> {
        Self::with_page_of(Builder::new().replay(recording), listen, folder)
    }

    fn with_page_of(builder: Builder, listen: Option<SocketAddr>, folder: &Path) -> anyhow::Result<Self> {
        let feed = RunFeed::new();
        let builder = builder.reports_dir(folder).run_feed(feed.clone());
        let builder = match listen {
            Some(address) => builder.listen(address.to_string()),
            None => builder.listen_or_next(DEFAULT_LISTEN),
        };
        let (collector, server) =
            builder.build().map_err(|error| Usage::error(format!("--listen: {error}")))?;
        let server = server.spawn().context("cannot start the dashboard's thread")?;
        Ok(Self { server: Some(server), feed, collector: Some(install(collector)?) })
    }

    /// Where the page is, if there is one.
    pub(crate) fn url(&self) -> Option<&str> {
        self.server.as_ref().map(ServerHandle::url)
    }

    /// Switches the collector. Switching asks every callsite anew, so it is done only where it changes something.
    pub(crate) fn switch(&self) -> Box<dyn Fn(bool)> {
        let collector = self.collector.clone();
        Box::new(move |on| {
            if let Some(collector) = collector.as_ref().filter(|collector| collector.is_enabled() != on) {
                collector.set_enabled(on);
            }
        })
    }

    /// Shows the run as it stands.
    pub(crate) fn publish(&self, report: Arc<Report>, progress: Progress) {
        self.feed.publish(RunView { report, progress });
    }
}

/// Lets the collector hear of this process's primitives, without spans. It is off until a slot is to be watched.
fn install(collector: Collector) -> anyhow::Result<Collector> {
    collector.set_enabled(false);
    let subscriber = tracing_subscriber::registry().with(collector.listener());
    tracing::subscriber::set_global_default(subscriber).context("another subscriber is installed")?;
    Ok(collector)
}
