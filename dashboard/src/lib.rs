//! Live wait-time histograms of the `sync` primitives: a tracing Layer, a snapshot, a server and its page.
//!
//! | module | for |
//! |---|---|
//! | `collector` | takes the spans in: [`Collector`], a layer for any subscriber |
//! | [`snapshot`] | what the collector saw, as plain data |
//! | [`exporters`] | a snapshot in the formats of others |
//! | [`recording`] | intervals of snapshots as files in a folder, written and read back |
//! | `run` | a benchmark run on its way to the page: [`RunFeed`] |
//! | `charts` | chart specifications: pure functions of a report or a snapshot |
//! | `view` | tables, words and charts of a report, as the page shows them |
//! | `server` | the routes: [`Builder`], [`Server`], and [`init`] for a program without a subscriber |
//!
//! # Examples
//! ```no_run
//! use tracing_subscriber::layer::SubscriberExt;
//! use tracing_subscriber::util::SubscriberInitExt;
//!
//! let (collector, server) = dashboard::Builder::new().listen("127.0.0.1:0").build()?;
//! tracing_subscriber::registry().with(collector.listener()).init();
//! let page = server.spawn()?;
//! println!("open {}", page.url());
//! page.detach();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod charts;
mod collector;
mod run;
mod server;
mod view;

pub mod exporters;
pub mod recording;
pub mod snapshot;

#[cfg(test)]
mod testing;

pub use collector::{
    Collector, Level, Listener, Switch, Thresholds, TokioResources, TokioSwitch, UnknownLevel,
};
pub use run::{Progress, RunFeed, RunView};
pub use server::{BuildError, Builder, Dashboard, InitError, Server, ServerHandle, init};

/// Compiles the example of the workspace's README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
