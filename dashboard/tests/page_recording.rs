//! The recording in a real browser: its slider, by key, in light and dark.
//!
//! Needs `chromium` and `chromedriver`, as `page` does.

mod support;

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use dashboard::Builder;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use support::browser::Browser;

fn picture(browser: &Browser, name: &str) {
    let Some(folder) = std::env::var_os("PAGE_SCREENSHOTS").map(std::path::PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).expect("the folder for pictures can be made");
    browser.picture(&folder.join(format!("{name}.png")));
}

/// A log of intervals of ten seconds with so many waits each, as another program may have written it.
fn write_log(folder: &Path, counts: &[u64]) {
    let (mut log, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
    let base = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    let mut head = IntervalLogWriterBuilder::new();
    let mut writer = head.with_base_time(base).begin_log_with(&mut log, &mut serializer).unwrap();
    let length = Duration::from_secs(10);
    for (number, &count) in (0..).zip(counts) {
        let mut histogram = Histogram::<u64>::new_with_bounds(1, 3_600_000_000_000, 2).unwrap();
        histogram.record_n(20_000 * count, count).unwrap();
        for tag in ["wait/mutex/stock", "hold/mutex/stock", "wait/semaphore/of%20two"] {
            writer.write_histogram(&histogram, length * number, length, Tag::new(tag)).unwrap();
        }
    }
    fs::write(folder.join("other.hlog"), log).unwrap();
    fs::write(folder.join("torn.hlog"), "Tag=wait/mutex/stock,0.0").unwrap();
}

#[test]
fn the_slider_goes_through_the_intervals_by_key() {
    let folder = tempfile::tempdir().unwrap();
    write_log(folder.path(), &[1, 20, 300]);
    let (collector, server) = Builder::new().listen("127.0.0.1:0").replay(folder.path()).build().unwrap();
    // As in a server without a program, whose page opens with what it is there for.
    collector.set_enabled(false);
    let page = server.spawn().unwrap();
    let browser = Browser::start();
    browser.look("light", 1440, 900);
    browser.open(page.url());
    browser.until("location.hash === '#/recording'");
    let waits = "document.querySelector('#recording tbody tr td:nth-child(3)')?.textContent";
    browser.until(&format!("{waits} === '321'"));
    browser.until("document.querySelector('#recording .chart.js-plotly-plot') !== null");
    assert_eq!(browser.evaluate("document.querySelector('[data-tab=recording]').hidden"), false);
    let problem = browser.evaluate("document.querySelector('.recording-problems').textContent");
    assert!(problem.as_str().unwrap().contains("torn.hlog: its last line is cut short"), "{problem}");

    // One interval at the end, and by the keys to the first.
    let choose = "(() => { const width = document.getElementById('recording-width'); width.value = '0';
        width.dispatchEvent(new Event('change')); document.getElementById('recording-time').focus(); })()";
    browser.evaluate(choose);
    browser.until(&format!("{waits} === '300'"));
    browser.press("\u{e011}"); // the first
    browser.until(&format!("{waits} === '1'"));
    browser
        .until("document.querySelector('#recording output').textContent.includes('one interval over 10 s')");
    browser.press("\u{e014}"); // an arrow to the right
    browser.until(&format!("{waits} === '20'"));
    assert_eq!(browser.evaluate("document.getElementById('recording-time').value"), "2");
    browser.press("\u{e010}"); // the last
    browser.until(&format!("{waits} === '300'"));
    for theme in ["light", "dark"] {
        for (size, width) in [("wide", 1440), ("narrow", 390)] {
            browser.look(theme, width, 900);
            browser.until("document.documentElement.scrollWidth <= innerWidth");
            picture(&browser, &format!("recording-{theme}-{size}"));
        }
    }
    assert!(browser.complaints().is_empty(), "{:#?}", browser.complaints());
}
