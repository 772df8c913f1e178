//! The page in a real browser: every tab, in light and dark, wide and narrow, with live data of both kinds.
//!
//! Needs `chromium` and `chromedriver`. `PAGE_SCREENSHOTS=folder` keeps pictures of what was seen.

mod support;
#[path = "../src/testing.rs"]
mod testing;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use dashboard::{Builder, Progress, RunFeed, RunView};
use results::{Report, Status};
use serde_json::{Value, json};
use support::browser::Browser;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const WIDE: (&str, u32, u32) = ("wide", 1440, 900);
const NARROW: (&str, u32, u32) = ("narrow", 390, 844);

/// How many charts of the chosen section have drawn lines, once all have; a chart is drawn when it is scrolled to.
const CHARTS_DRAWN: &str = "(() => {
    const charts = [...document.querySelectorAll('main > section:not([hidden]) .chart')];
    const bare = charts.find((chart) => !chart.classList.contains('js-plotly-plot')
        || chart.querySelector('.plot path, .scatterlayer path') === null);
    bare?.scrollIntoView();
    return charts.length > 0 && !bare ? charts.length : null;
})()";

/// Keeps two primitives busy, so that the Live tab has waits, holders and rates.
struct Traffic {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Traffic {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(tokio::task::LocalSet::new().run_until(traffic(until)));
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn traffic(stop: Arc<AtomicBool>) {
    let connections = Arc::new(sync::Semaphore::new(3).with_name("connections"));
    let cache = Arc::new(sync::Mutex::new(0_u64).with_name("cache"));
    let workers: Vec<_> = (0..12)
        .map(|_| {
            let (stop, connections, cache) =
                (Arc::clone(&stop), Arc::clone(&connections), Arc::clone(&cache));
            tokio::task::spawn_local(async move {
                while !stop.load(Ordering::Relaxed) {
                    let permit = connections.acquire().await.expect("nobody closes it");
                    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                    *cache.lock().await += 1;
                    drop(permit);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("no worker panics");
    }
}

fn publish(feed: &RunFeed, rounds: usize) {
    let progress = Progress {
        phase: format!("throughput, round {rounds} of 20"),
        slots_done: rounds * 8,
        slots_total: 160,
        elapsed_s: rounds as f64 * 0.9,
        remaining_s: Some((20 - rounds) as f64 * 0.9),
    };
    feed.publish(RunView { report: Arc::new(testing::report(rounds, Status::Running)), progress });
}

/// Two reports of different machines and a file that is none.
fn write_reports(folder: &Path) {
    let write = |report: &Report| {
        fs::write(folder.join(format!("{}.json", report.run.id)), report.to_json()).unwrap()
    };
    let mut report = testing::report(20, Status::Complete);
    write(&report);
    report.run.id = "20261123T081122Z-semaphore-91c0".to_owned();
    report.run.started_at = "2026-11-23T08:11:22Z".to_owned();
    report.environment.rustc = "rustc 1.96.0".to_owned();
    for cell in report.cells.iter_mut().filter(|cell| cell.backend == "sync") {
        cell.rounds.iter_mut().for_each(|round| round.ops += round.ops / 8);
    }
    write(&report);
    fs::write(folder.join("cut-short.json"), "{\"schema\": \"bench-harness/report/v1\", \"run\"").unwrap();
}

/// Two knobs, two hundred cases, ten backends.
fn large_sweep() -> Report {
    let tasks: Vec<Value> = (1..=20).map(|step| json!(step * step)).collect();
    let permits: Vec<Value> = (1..=10).map(|step| json!(step)).collect();
    testing::sweep(&[("tasks", &tasks), ("permits", &permits)])
}

fn picture(browser: &Browser, name: &str) {
    let Some(folder) = std::env::var_os("PAGE_SCREENSHOTS").map(PathBuf::from) else { return };
    fs::create_dir_all(&folder).expect("the folder for pictures can be made");
    // The bar sticks to where one has scrolled to.
    browser.evaluate("scrollTo(0, 0)");
    browser.picture(&folder.join(format!("{name}.png")));
}

fn assert_quiet(browser: &Browser, moment: &str) {
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "the console complains {moment}: {complaints:#?}");
}

/// Values that the page's chart of this name was drawn with.
fn drawn(chart: &str) -> String {
    format!("document.querySelector('section:not([hidden]) [data-chart={chart}]')._fullData")
}

fn assert_fits(browser: &Browser, name: &str) {
    let overflow = browser.evaluate("document.documentElement.scrollWidth - innerWidth").as_i64().unwrap();
    assert!(overflow <= 0, "{name} is {overflow} px wider than the window");
}

fn look_at_every_tab(browser: &Browser, theme: &str, (size, width, height): (&str, u32, u32)) {
    browser.look(theme, width, height);
    let tabs = [
        ("run", "#/run", CHARTS_DRAWN),
        ("live", "#/live", CHARTS_DRAWN),
        ("reports", "#/reports", "document.querySelectorAll('#reports tbody tr').length === 2"),
        ("report", "#/reports/20261123T081122Z-semaphore-91c0", CHARTS_DRAWN),
        ("compare", "#/compare", CHARTS_DRAWN),
    ];
    for (name, hash, ready) in tabs {
        browser.evaluate(&format!("location.hash = '{hash}'"));
        browser.until(ready);
        // Plotly follows a new width in the next frames.
        browser.until("document.documentElement.scrollWidth <= innerWidth");
        assert_fits(browser, name);
        picture(browser, &format!("{name}-{theme}-{size}"));
        assert_quiet(browser, &format!("on {name}, {theme}, {size}"));
    }
}

#[test]
fn every_tab_draws_live_data_without_a_complaint() {
    let folder = tempfile::tempdir().unwrap();
    write_reports(folder.path());
    let feed = RunFeed::new();
    publish(&feed, 5);
    let builder = Builder::new().listen("127.0.0.1:0").reports_dir(folder.path()).run_feed(feed.clone());
    let (collector, server) = builder.build().unwrap();
    tracing_subscriber::registry().with(collector.layer()).init();
    let page = server.spawn().unwrap();
    let _traffic = Traffic::start();
    let browser = Browser::start();

    browser.look("light", WIDE.1, WIDE.2);
    browser.open(page.url());
    // Without a wish, the page shows the run that is under way.
    browser.until("location.hash === '#/run'");
    browser.until(CHARTS_DRAWN);
    let before = browser.until(&format!(
        "{}[0].y.length === 5 && {}[0].y.join()",
        drawn("throughput"),
        drawn("wait_histogram")
    ));
    publish(&feed, 6);
    let after = browser.until(&format!(
        "{}[0].y.length === 6 && {}[0].y.join()",
        drawn("throughput"),
        drawn("percentiles")
    ));
    assert_ne!(before, after, "the new round is drawn");
    let headline = browser.evaluate("document.querySelector('#run .headline').textContent");
    assert!(headline.as_str().unwrap().starts_with("After 6 of 20 rounds: sync is faster"), "{headline}");

    let painted = "document.querySelector('#run [data-chart=throughput]')._fullData[0].line.color";
    let color = browser.evaluate(painted);
    browser.evaluate("document.getElementById('theme').click()");
    assert_eq!(browser.evaluate("localStorage.getItem('theme')"), "dark");
    browser.until(&format!("{painted} !== {color} && document.documentElement.dataset.theme === 'dark'"));
    // Back to light, which is painted anew; from here on the system's preference holds again.
    browser.evaluate("document.getElementById('theme').click()");
    browser.evaluate("(localStorage.clear(), delete document.documentElement.dataset.theme)");

    for theme in ["light", "dark"] {
        for size in [WIDE, NARROW] {
            look_at_every_tab(&browser, theme, size);
        }
    }
}

#[test]
fn a_sweep_of_two_hundred_cases_opens_with_its_figure() {
    let folder = tempfile::tempdir().unwrap();
    let report = large_sweep();
    assert_eq!(report.cells.len(), 200 * 11, "with the control");
    fs::write(folder.path().join("sweep.json"), report.to_json()).unwrap();
    let (_, server) = Builder::new().listen("127.0.0.1:0").reports_dir(folder.path()).build().unwrap();
    let page = server.spawn().unwrap();
    let browser = Browser::start();
    browser.look("light", WIDE.1, WIDE.2);
    browser.open(&format!("{}#/reports/sweep", page.url()));
    let opened = browser.until(
        "document.querySelector('[data-chart=sweep_ratio]')._fullData.length > 9 && performance.now()",
    );
    println!("the figure was drawn {opened} ms after the page was asked for");
    let drawn_at = |chart: &str| {
        let traces = format!("document.querySelector('[data-chart={chart}]')._fullData");
        format!("({traces}.find((trace) => trace.name === 'sync') ?? {{ x: [] }}).x.length")
    };
    assert_eq!(browser.evaluate(&drawn_at("sweep_ratio")), 20, "a point for each value of tasks");
    let drawn = "document.querySelectorAll('.js-plotly-plot').length";
    assert!(browser.evaluate(drawn).as_u64().unwrap() < 10, "nobody scrolled to the others");
    assert_eq!(browser.evaluate("document.querySelectorAll('.sweep .picker button').length"), 2);

    browser.evaluate("[...document.querySelectorAll('.sweep .picker button')].at(-1).click()");
    browser.until(&format!("{} === 10", drawn_at("sweep_ratio")));
    // A case is chosen with the keyboard too.
    let last = "[...document.querySelectorAll('#reports tr[aria-selected]')].at(-1)";
    browser.evaluate(&format!(
        "({last}.focus(), {last}.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'Enter', bubbles: true }})))"
    ));
    browser
        .until("document.querySelector('#reports .params').textContent.includes('permits 10 · tasks 400')");
    browser.until(CHARTS_DRAWN);
    assert_quiet(&browser, "on a sweep");
    for theme in ["light", "dark"] {
        for (size, width, height) in [WIDE, NARROW] {
            browser.look(theme, width, height);
            browser.until(CHARTS_DRAWN);
            browser.until("document.documentElement.scrollWidth <= innerWidth");
            picture(&browser, &format!("sweep-{theme}-{size}"));
        }
    }
    assert_quiet(&browser, "on a sweep, in all looks");
}
