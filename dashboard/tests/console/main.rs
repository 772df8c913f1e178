//! Both directions between tokio's instrumentation and ours, with the real tokio: how to build it stands in `dashboard/README.md`.
#![cfg(tokio_unstable)]

mod plain_tokio;
