//! The one line for a program that has no subscriber: collector, subscriber and page at once.

use std::io;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::collector::Collector;

use super::{BuildError, Builder};

/// What [`init`] set up. It may be kept or ignored: the page lives as long as the process.
#[derive(Clone, Debug)]
pub struct Dashboard {
    collector: Collector,
    url: String,
}

impl Dashboard {
    /// The collector behind the page.
    #[must_use]
    pub fn collector(&self) -> &Collector {
        &self.collector
    }

    /// The address of the page.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// Installs a collector as the program's subscriber and shows it on `http://127.0.0.1:7411/`.
///
/// For a program that has no tracing subscriber; others add the collector of a [`Builder`] to theirs.
///
/// # Errors
/// Where the port is busy or a subscriber was installed before. Nothing is installed then.
///
/// # Examples
/// ```no_run
/// dashboard::init()?;
/// # Ok::<(), dashboard::InitError>(())
/// ```
pub fn init() -> Result<Dashboard, InitError> {
    let (collector, server) = Builder::new().build()?;
    tracing_subscriber::registry().with(collector.listener()).try_init()?;
    let handle = server.spawn().map_err(InitError::Spawn)?;
    let url = handle.url().to_owned();
    handle.detach();
    Ok(Dashboard { collector, url })
}

/// Why [`init`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// The page's address could not be bound.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The program has a subscriber already.
    #[error(
        "a tracing subscriber is installed already ({0}): add the collector of dashboard::Builder to it as a layer"
    )]
    Subscriber(#[from] TryInitError),
    /// The page's thread could not be made.
    #[error("the page's thread could not be started: {0}; raise the limit of threads")]
    Spawn(#[source] io::Error),
}
