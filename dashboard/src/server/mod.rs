//! The server: one page, one JSON interface, one stream of events.
//!
//! It knows the snapshot, the reports and the run feed; it knows nothing of how any of them came about.
//! It may run on a thread and a runtime of its own, so that a stuck application still shows its page.

mod access;
mod alerts;
mod assets;
mod builder;
mod compare;
mod control;
mod error;
mod events;
mod init;
mod live;
mod parts;
mod recording;
mod reports;
mod router;
mod shelf;
mod trace;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

pub use builder::{BuildError, Builder};
pub use init::{Dashboard, InitError, init};
pub(crate) use router::State;

use crate::recording::Recorder;

/// How long blocking work (reading reports) may hold up the end of a spawned server.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// A bound server that does not serve yet: [`run`](Self::run) it, or [`spawn`](Self::spawn) it.
#[derive(Debug)]
#[must_use = "a server answers nothing until it is run or spawned"]
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    state: State,
    /// Ends with the server.
    recorder: Option<Recorder>,
}

impl Server {
    /// The address it is bound to, with the port that the system chose if none was given.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The address of the page, to be opened in a browser.
    ///
    /// An unspecified address (`0.0.0.0`) is shown as loopback, which is where a person can open it.
    #[must_use]
    pub fn url(&self) -> String {
        url_of(self.local_addr)
    }

    /// Serves on the caller's runtime until it is dropped.
    ///
    /// # Cancel safety
    /// Dropping it stops accepting and ends the event streams; requests being answered end with the runtime.
    ///
    /// # Errors
    /// Where the runtime refuses the socket.
    pub async fn run(self) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let _recorder = self.recorder;
        // Event streams watch this: they end when the server's future is dropped.
        let _open = self.state.keep_open();
        let serve = axum::serve(listener, router::router(self.state.clone()));
        tokio::select! {
            served = async { serve.await } => served,
            never = alerts::check_forever(self.state.clone()) => match never {},
            never = events::publish_forever(self.state) => match never {},
        }
    }

    /// Serves on a thread and a current-thread runtime of its own, until the handle is dropped.
    ///
    /// # Errors
    /// Where the thread or its runtime cannot be made.
    pub fn spawn(self) -> io::Result<ServerHandle> {
        let url = self.url();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name("dashboard".to_owned()).spawn(move || {
            let ended = runtime.block_on(async {
                tokio::select! {
                    served = self.run() => served,
                    () = told_to_stop(stopped) => Ok(()),
                }
            });
            runtime.shutdown_timeout(SHUTDOWN_GRACE);
            ended
        })?;
        Ok(ServerHandle { url, stop: Some(stop), thread: Some(thread) })
    }
}

/// A server on its own thread; dropping it ends the server and waits for its thread.
#[derive(Debug)]
#[must_use = "dropping the handle ends the server; call `detach` to let it run as long as the process"]
pub struct ServerHandle {
    url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl ServerHandle {
    /// The address of the page.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lets the server run as long as the process does.
    pub fn detach(mut self) {
        // A sender dropped without a word means "run on", see `told_to_stop`.
        self.stop = None;
        self.thread = None;
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It fails if the server has ended already, and then there is nothing to stop.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic of the server must not become one of the application.
            let _ = thread.join();
        }
    }
}

/// Ready when the handle says so; never where it was detached.
async fn told_to_stop(stopped: oneshot::Receiver<()>) {
    if stopped.await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn url_of(address: SocketAddr) -> String {
    let port = address.port();
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => format!("http://127.0.0.1:{port}/"),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => format!("http://[::1]:{port}/"),
        other => format!("http://{other}/"),
    }
}
