//! Alerts and the graph in a real browser: they come, say who takes part, and go.
//!
//! Needs `chromium` and `chromedriver`, as `page` does.

mod support;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use dashboard::{Builder, Thresholds};
use support::browser::Browser;
use sync::Mutex;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

struct Task;

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

fn poll<F: Future>(waker: &Waker, future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

fn picture(browser: &Browser, name: &str) {
    let Some(folder) = std::env::var_os("PAGE_SCREENSHOTS").map(std::path::PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).expect("the folder for pictures can be made");
    browser.picture(&folder.join(format!("{name}.png")));
}

#[test]
fn a_deadlock_is_shown_with_its_ring_for_as_long_as_it_lasts() {
    let mut thresholds = Thresholds::default();
    thresholds.deadlock = Duration::ZERO;
    let builder = Builder::new().listen("127.0.0.1:0").thresholds(thresholds);
    let (collector, server) = builder.build().unwrap();
    tracing_subscriber::registry().with(collector.listener()).init();
    let page = server.spawn().unwrap();
    let browser = Browser::start();
    browser.look("light", 1440, 900);
    browser.open(&format!("{}#/live", page.url()));

    let (one, two) = (Waker::from(Arc::new(Task)), Waker::from(Arc::new(Task)));
    let (stock, till) = (Mutex::new(()).with_name("stock"), Mutex::new(()).with_name("till"));
    let held = (poll(&one, pin!(stock.lock())), poll(&two, pin!(till.lock())));
    browser.until("document.querySelector('.calm')?.textContent === '✓ No alert since the start.'");
    let mut first = Box::pin(till.lock());
    let mut second = Box::pin(stock.lock());
    assert!(poll(&one, first.as_mut()).is_pending());
    assert!(poll(&two, second.as_mut()).is_pending());

    browser.until("document.querySelector('.alert.critical h3')?.textContent === 'Deadlock'");
    for (what, expected) in [
        (".alert .sign", "✖ critical"),
        (".alert p", "2 tasks wait for each other"),
        (".alert .next", "Next: take these in the same order"),
        (".alert tbody", "mutex “stock”"),
        (".alerts [role=status]", "Deadlock: 2 tasks"),
        (".wait-tree .ring", "as above: a ring"),
    ] {
        let text = browser.evaluate(&format!("document.querySelector('{what}').textContent"));
        assert!(text.as_str().unwrap().contains(expected), "{what}: {text}");
    }
    assert_eq!(browser.evaluate("document.querySelectorAll('.knot svg g').length"), 4);
    assert_eq!(browser.evaluate("document.querySelectorAll('.alert tbody tr').length"), 4);
    // What was folded stays so while time goes on.
    browser.evaluate("document.querySelector('.wait-tree details').open = false");
    let age = browser.evaluate("document.querySelector('.alert .age').textContent");
    browser.until(&format!("document.querySelector('.alert .age').textContent !== {age}"));
    assert_eq!(browser.evaluate("document.querySelector('.wait-tree details').open"), false);
    browser.evaluate("document.querySelector('.wait-tree details').open = true");
    for theme in ["light", "dark"] {
        for (size, width) in [("wide", 1440), ("narrow", 390)] {
            browser.look(theme, width, 900);
            browser.until("document.documentElement.scrollWidth <= innerWidth");
            picture(&browser, &format!("alerts-{theme}-{size}"));
        }
    }

    // The timeline goes on and off by its button, and says which.
    let record = "[...document.querySelectorAll('.level button')].find((button) => button.textContent";
    browser.evaluate(&format!("{record} === '● Record').click()"));
    browser.until(&format!("{record} === '■ Stop recording') !== undefined"));
    assert!(collector.has_timeline());
    drop((first, second, held));
    browser.evaluate(&format!("{record} === '■ Stop recording').click()"));
    browser.until(&format!("{record} === '● Record') !== undefined"));
    assert!(!collector.has_timeline());
    assert!(collector.timeline().entries.len() >= 2, "both holds have ended");

    browser.until("document.querySelector('.calm').textContent === '✓ No alert now; 1 since the start.'");
    browser.until("document.querySelectorAll('.alert').length === 0");
    let over = browser.evaluate("document.querySelector('.alerts-ended li').textContent");
    assert!(over.as_str().unwrap().starts_with("Deadlock, "), "{over}");
    assert!(browser.complaints().is_empty(), "{:#?}", browser.complaints());
}
