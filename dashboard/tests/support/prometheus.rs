//! A real Prometheus that scrapes a server, for tests that ask it.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{PATIENCE, get};

/// Ends its process when dropped, and takes its folder along.
pub(crate) struct Prometheus {
    process: Child,
    address: SocketAddr,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Scrapes `target` five times a second.
    pub(crate) fn scraping(target: SocketAddr, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (config, log) = (folder.path().join("prometheus.yml"), folder.path().join("log"));
        let scrape = format!(
            "scrape_configs:\n- job_name: service\n  scrape_interval: 200ms\n  scrape_timeout: 200ms\n  \
             static_configs:\n  - targets: ['{target}']\n"
        );
        fs::write(&config, scrape).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new("prometheus")
            .args(arguments)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .expect("prometheus is installed (Debian: apt-get install prometheus)");
        Self { process, address, log, _folder: folder }
    }

    /// Asks until the series of an answer give what is looked for.
    pub(crate) fn ask<T>(&self, query: &str, look: impl Fn(&[Value]) -> Option<T>) -> T {
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let begun = Instant::now();
        let mut last = String::new();
        while begun.elapsed() < PATIENCE {
            // Before it listens nobody answers.
            if TcpStream::connect(self.address).is_ok() {
                let answer = get(self.address, &format!("/api/v1/query?query={encoded}"));
                last = answer.text();
                assert_ne!(answer.status, 400, "{query}: {last}");
                // While it reads its log it answers with a status and no JSON.
                let found = serde_json::from_str::<Value>(&last).unwrap_or_default();
                let series = found["data"]["result"].as_array().cloned().unwrap_or_default();
                if let Some(seen) = look(&series) {
                    return seen;
                }
            }
            thread::park_timeout(Duration::from_millis(100));
        }
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        panic!("not the wanted answer to {query}: {last}\n{log}");
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
