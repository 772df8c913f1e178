//! `dashboard::init` takes the process's subscriber and port 7411, so it is alone in its process.

mod support;

use dashboard::{BuildError, InitError};
use std::net::TcpListener;
use support::get;

#[test]
fn one_line_gives_a_program_its_page_and_a_second_one_says_why_not() {
    // The port may be taken by a program of the developer; then the error is what there is to see.
    let free = TcpListener::bind("127.0.0.1:7411").is_ok();
    let first = dashboard::init();
    if !free {
        assert!(matches!(first, Err(InitError::Build(BuildError::Busy { .. }))), "{first:?}");
        return;
    }
    let page = first.unwrap();
    assert_eq!(page.url(), "http://127.0.0.1:7411/");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { drop(sync::Semaphore::new(1).with_name("connections").acquire().await) });
    let snapshot = get("127.0.0.1:7411".parse().unwrap(), "/api/v1/snapshot").json();
    assert_eq!(snapshot["primitives"][0]["name"], "connections");
    assert!(matches!(dashboard::init(), Err(InitError::Build(BuildError::Busy { .. }))));
}
