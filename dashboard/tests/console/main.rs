//! The primitives of `sync` in tokio's console, with its real layer, server and protocol: how to build it stands in `dashboard/README.md`.
//!
//! In a process of its own: the layer has room for 32 callsites of a kind and panics beyond (tokio-rs/console#629), which all that
//! tokio has of them together pass.
#![cfg(tokio_unstable)]

mod console;
mod ours;
