//! A headless Chromium behind a chromedriver of its own, spoken to in plain WebDriver: JSON over HTTP.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::request;

/// How long a script may wait for what it waits for, in milliseconds.
const SCRIPT_TIMEOUT_MS: u32 = 45_000;

/// A chromedriver on a free port; ended when dropped.
struct Driver {
    process: Child,
    address: SocketAddr,
}

impl Driver {
    fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed (Debian: chromium-driver)");
        let output = BufReader::new(process.stdout.take().expect("its output is piped"));
        let port =
            output.lines().map_while(Result::ok).find_map(|line| port_in(&line)).expect("it says its port");
        Self { process, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let headers = [("host", "127.0.0.1"), ("content-type", "application/json")];
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let answer = request(self.address, method, path, &headers, body.as_bytes());
        assert_eq!(answer.status, 200, "{method} {path} {body}: {}", answer.text());
        answer.json()["value"].clone()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `ChromeDriver was started successfully on port 33445.`
fn port_in(line: &str) -> Option<u16> {
    line.strip_suffix('.')?.rsplit_once("successfully on port ")?.1.parse().ok()
}

/// A browser with one window and a profile of its own.
pub(crate) struct Browser {
    session: String,
    driver: Driver,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub(crate) fn start() -> Self {
        let driver = Driver::start();
        let profile = tempfile::tempdir().expect("a folder for the profile can be made");
        let args = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-quic",
            "--hide-scrollbars",
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": args },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": SCRIPT_TIMEOUT_MS },
        } } });
        let started = driver.ask("POST", "/session", &capabilities);
        let session = started["sessionId"].as_str().expect("a session has an id").to_owned();
        Self { session, driver, _profile: profile }
    }

    pub(crate) fn open(&self, url: &str) {
        self.command("url", &json!({ "url": url }));
    }

    /// Light or dark as the system would say, and the size of the window.
    pub(crate) fn look(&self, theme: &str, width: u32, height: u32) {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
        self.devtools("Emulation.setEmulatedMedia", &media);
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// What the expression gives in the page.
    pub(crate) fn evaluate(&self, expression: &str) -> Value {
        self.command("execute/sync", &json!({ "script": format!("return ({expression});"), "args": [] }))
    }

    /// Waits, within the page, until the expression gives something true, and gives that.
    pub(crate) fn until(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             const check = () => {{
               let value = null;
               try {{ value = ({expression}); }} catch {{ /* not there yet */ }}
               if (value) done(value); else setTimeout(check, 40);
             }};
             check();"
        );
        self.command("execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Presses a key, by the code that WebDriver has for it.
    pub(crate) fn press(&self, key: &str) {
        let steps = json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": steps });
        self.command("actions", &json!({ "actions": [keyboard] }));
    }

    /// What the console showed since the last call, information left out.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.command("se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().cloned().unwrap_or_default();
        let bad = entries.iter().filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        bad.map(|entry| entry["message"].to_string()).collect()
    }

    /// The whole page, also what one would have to scroll to.
    pub(crate) fn picture(&self, file: &Path) {
        let clip = json!({
            "x": 0, "y": 0, "scale": 1,
            "width": self.evaluate("innerWidth"),
            "height": self.evaluate("document.documentElement.scrollHeight"),
        });
        let parameters = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.devtools("Page.captureScreenshot", &parameters);
        let bytes =
            BASE64.decode(picture["data"].as_str().expect("a picture is base64")).expect("and well formed");
        fs::write(file, bytes).expect("the picture can be written");
    }

    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.command("goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    fn command(&self, command: &str, body: &Value) -> Value {
        self.driver.ask("POST", &format!("/session/{}/{command}", self.session), body)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser; the driver is killed after it. A panic here would hide that of the test.
        let path = format!("/session/{}", self.session);
        let address = self.driver.address;
        let _ = std::panic::catch_unwind(|| request(address, "DELETE", &path, &[("host", "127.0.0.1")], b""));
    }
}
