//! Puts a server together and binds its socket, so that errors and the port are known before it serves.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::PathBuf;

use crate::collector::{Collector, Thresholds};
use crate::recording::{Recorder, Recording, RecordingLimits};
use crate::run::RunFeed;

use super::access::HostRule;
use super::{Server, State};

/// Where the page is, unless told otherwise.
pub(crate) const DEFAULT_LISTEN: &str = "127.0.0.1:7411";

/// Ports that [`Builder::listen_or_next`] tries at most.
const PORTS_TRIED: u16 = 100;

/// Builds a collector and the server that shows it.
///
/// The collector hears nothing before it is part of the program's subscriber: by its
/// [`listener`](Collector::listener), the cheapest way, or by its [`layer`](Collector::layer) where the spans of `sync` shall also reach a
/// log or a trace.
///
/// # Examples
/// ```
/// use tracing_subscriber::prelude::*;
///
/// let (collector, server) = dashboard::Builder::new().listen("127.0.0.1:0").build()?;
/// tracing_subscriber::registry().with(collector.listener()).init();
/// let page = server.spawn()?;
/// println!("open {}", page.url());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is bound before `build`"]
pub struct Builder {
    listen: String,
    try_next: bool,
    reports_dir: Option<PathBuf>,
    run_feed: Option<RunFeed>,
    collector: Option<Collector>,
    allowed_hosts: Vec<String>,
    allow_changes: bool,
    thresholds: Option<Thresholds>,
    timeline: bool,
    record_to: Option<PathBuf>,
    recording_limits: RecordingLimits,
    replay: Option<Recording>,
}

impl Builder {
    /// A server on `127.0.0.1:7411` with a collector of its own and no reports.
    pub fn new() -> Self {
        Self {
            listen: DEFAULT_LISTEN.to_owned(),
            try_next: false,
            reports_dir: None,
            run_feed: None,
            collector: None,
            allowed_hosts: Vec::new(),
            allow_changes: false,
            thresholds: None,
            timeline: false,
            record_to: None,
            recording_limits: RecordingLimits::default(),
            replay: None,
        }
    }

    /// The address to listen on; port 0 lets the system choose. A busy one is an error.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self.try_next = false;
        self
    }

    /// The address to listen on; where it is busy, the ports after it, 100 at most.
    pub fn listen_or_next(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self.try_next = true;
        self
    }

    /// The folder whose reports the page lists. It need not exist yet.
    pub fn reports_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.reports_dir = Some(folder.into());
        self
    }

    /// The feed of a run, for the page's Run tab.
    pub fn run_feed(mut self, feed: RunFeed) -> Self {
        self.run_feed = Some(feed);
        self
    }

    /// A collector that exists already, instead of a new one.
    pub fn collector(mut self, collector: Collector) -> Self {
        self.collector = Some(collector);
        self
    }

    /// A further name under which the page may be asked for, such as that of a proxy in front of it.
    ///
    /// A server on a loopback address answers only to loopback names, so that a web page elsewhere cannot
    /// read it by pointing its own name at 127.0.0.1.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.allowed_hosts.push(host.into());
        self
    }

    /// Lets whoever reaches the server change the collector's [level](crate::Level), though it listens on more than loopback.
    ///
    /// On a loopback address the page and local programs may do so anyway; pages elsewhere never.
    pub fn allow_changes(mut self, allowed: bool) -> Self {
        self.allow_changes = allowed;
        self
    }

    /// From when on something is an alert; as the collector has it otherwise.
    pub fn thresholds(mut self, thresholds: Thresholds) -> Self {
        self.thresholds = Some(thresholds);
        self
    }

    /// Switches the collector's [timeline](Collector::set_timeline) on from the start: finished waits and holds with their times,
    /// at `/api/v1/trace` for trace viewers. Otherwise it is off until somebody switches it on, in code, on the page or by that route.
    pub fn timeline(mut self, on: bool) -> Self {
        self.timeline = on;
        self
    }

    /// Records the durations of each interval into a folder, as HdrHistogram interval logs, for as long as the server lives. The
    /// page shows them with a slider over time. A folder that is missing is made.
    pub fn record_to(mut self, folder: impl Into<PathBuf>) -> Self {
        self.record_to = Some(folder.into());
        self
    }

    /// How often a recording is written, and how much of it is kept.
    pub fn recording_limits(mut self, limits: RecordingLimits) -> Self {
        self.recording_limits = limits;
        self
    }

    /// Shows a recording, or that of a folder, of this program or another, in place of what is recorded now.
    pub fn replay(mut self, recording: impl Into<Recording>) -> Self {
        self.replay = Some(recording.into());
        self
    }

    /// Binds the socket and gives the collector and the server.
    ///
    /// # Errors
    /// Where the address cannot be resolved or bound, or the folder of a recording cannot be written to.
    pub fn build(self) -> Result<(Collector, Server), BuildError> {
        let (listener, local_addr) = bind(&self.listen, self.try_next)?;
        let collector = self.collector.unwrap_or_default();
        self.thresholds.into_iter().for_each(|thresholds| collector.set_thresholds(thresholds));
        if self.timeline {
            collector.set_timeline(true);
        }
        let state = State::new(
            collector.clone(),
            self.run_feed.unwrap_or_default(),
            self.reports_dir,
            self.replay.or_else(|| self.record_to.clone().map(Recording::new)),
            HostRule::new(local_addr, self.allowed_hosts).allow_changes(self.allow_changes),
        );
        let record = |folder: PathBuf| {
            let recorder = Recorder::start(&collector, &folder, self.recording_limits);
            recorder.map_err(|source| BuildError::Recording { folder, source })
        };
        let recorder = self.record_to.map(record).transpose()?;
        Ok((collector, Server { listener, local_addr, state, recorder }))
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a server could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The address says neither an IP address nor a known name, or no port.
    #[error("cannot listen on '{address}': {source}; give an address and a port, such as {DEFAULT_LISTEN}")]
    Address {
        /// As it was given.
        address: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// Something listens there already.
    #[error(
        "{address} is in use: end the program that listens there, or choose another port ({host}:0 takes a free one)"
    )]
    Busy {
        /// As it was given.
        address: String,
        /// Its host.
        host: String,
    },
    /// Neither the port asked for nor any of the following ones is free.
    #[error(
        "{address} and the {tried} ports after it are in use: choose another port ({host}:0 takes a free one)"
    )]
    AllBusy {
        /// As it was given.
        address: String,
        /// Its host.
        host: String,
        /// Further ports tried.
        tried: u16,
    },
    /// The folder cannot be made or written to.
    #[error("cannot record to '{}': {source}; choose a folder that can be written to", folder.display())]
    Recording {
        /// As it was given.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused for another reason.
    #[error("cannot listen on {address}: {source}; choose an address of this machine and a port above 1023")]
    Bind {
        /// As it was given.
        address: String,
        /// What the system said.
        source: io::Error,
    },
}

fn bind(address: &str, try_next: bool) -> Result<(TcpListener, SocketAddr), BuildError> {
    let first = resolve(address)?;
    // Port 0 is never busy, and a port past 65535 does not exist.
    let further =
        if try_next && first.port() != 0 { (PORTS_TRIED - 1).min(u16::MAX - first.port()) } else { 0 };
    let bind_error = |source| BuildError::Bind { address: address.to_owned(), source };
    for offset in 0..=further {
        let mut candidate = first;
        candidate.set_port(first.port() + offset);
        match TcpListener::bind(candidate) {
            Ok(listener) => {
                listener.set_nonblocking(true).map_err(bind_error)?;
                let local_addr = listener.local_addr().map_err(bind_error)?;
                return Ok((listener, local_addr));
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(bind_error(error)),
        }
    }
    let (address, host) = (address.to_owned(), host_of(first));
    Err(if try_next {
        BuildError::AllBusy { address, host, tried: further }
    } else {
        BuildError::Busy { address, host }
    })
}

fn resolve(address: &str) -> Result<SocketAddr, BuildError> {
    let address_error = |source| BuildError::Address { address: address.to_owned(), source };
    let mut found = address.to_socket_addrs().map_err(address_error)?;
    found.next().ok_or_else(|| address_error(io::Error::other("the name has no address")))
}

fn host_of(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(v4) => v4.ip().to_string(),
        SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken_port() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    #[test]
    fn a_busy_address_is_named_with_the_next_step() {
        let (_held, address) = taken_port();
        let error = bind(&address.to_string(), false).unwrap_err();
        assert!(matches!(error, BuildError::Busy { .. }));
        let message = error.to_string();
        assert!(message.contains(&address.to_string()) && message.contains("127.0.0.1:0"), "{message}");
    }

    #[test]
    fn listen_or_next_takes_a_port_after_a_busy_one() {
        let (_held, address) = taken_port();
        let (_listener, got) = bind(&address.to_string(), true).unwrap();
        assert!(got.port() > address.port());
    }

    #[test]
    fn an_address_without_a_port_is_refused() {
        for address in ["127.0.0.1", "", "127.0.0.1:99999", "not a host:1"] {
            let error = bind(address, false).unwrap_err();
            assert!(matches!(error, BuildError::Address { .. }), "{address}: {error}");
            assert!(error.to_string().contains(DEFAULT_LISTEN));
        }
    }

    #[test]
    fn an_address_of_another_machine_is_refused_without_trying_its_ports() {
        let error = bind("203.0.113.1:7411", true).unwrap_err();
        assert!(matches!(error, BuildError::Bind { .. }), "{error}");
    }
}
