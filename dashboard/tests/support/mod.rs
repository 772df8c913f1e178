//! A tiny HTTP client for tests: one request, one connection, nothing hidden.
#![allow(dead_code, reason = "each test file uses its own part")]

#[cfg(feature = "page-test")]
pub(crate) mod browser;
#[cfg(feature = "prometheus-test")]
pub(crate) mod prometheus;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Longer than any answer takes; a test that waits this long fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("the body is text")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// GET with the address as host.
pub(crate) fn get(address: SocketAddr, path: &str) -> Answer {
    request(address, "GET", path, &[("host", &address.to_string())], b"")
}

pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut reader = send(address, method, path, headers, body);
    let (status, headers) = read_head(&mut reader);
    let mut answer = Answer { status, headers, body: Vec::new() };
    answer.body = if answer.header("transfer-encoding") == Some("chunked") {
        read_chunks(&mut reader)
    } else if let Some(length) = answer.header("content-length") {
        let mut body = vec![0; length.parse().expect("a length is a number")];
        reader.read_exact(&mut body).expect("the body is as long as announced");
        body
    } else {
        let mut body = Vec::new();
        reader.read_to_end(&mut body).expect("the body can be read");
        body
    };
    answer
}

/// An open stream of server-sent events.
pub(crate) struct Events {
    reader: BufReader<TcpStream>,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    buffer: String,
}

impl Events {
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::open_at(address, "/api/v1/events")
    }

    pub(crate) fn open_at(address: SocketAddr, path: &str) -> Self {
        let headers = [("host", &*address.to_string()), ("accept-encoding", "gzip")];
        let mut reader = send(address, "GET", path, &headers, b"");
        let (status, headers) = read_head(&mut reader);
        Self { reader, status, headers, buffer: String::new() }
    }

    /// The next event as its name and data, comments left out; `None` where the stream has ended.
    pub(crate) fn next(&mut self) -> Option<(String, String)> {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.buffer = rest;
                if let Some(parsed) = parse_event(&event) {
                    return Some(parsed);
                }
                continue;
            }
            let chunk = read_chunk(&mut self.reader)?;
            self.buffer.push_str(std::str::from_utf8(&chunk).expect("events are text"));
        }
    }
}

fn parse_event(event: &str) -> Option<(String, String)> {
    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    Some((field("event: ").unwrap_or_default(), field("data: ")?))
}

fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("the server reads");
    BufReader::new(stream)
}

fn read_head(reader: &mut impl BufRead) -> (u16, Vec<(String, String)>) {
    let mut line = String::new();
    reader.read_line(&mut line).expect("the server answers");
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("an answer has a status");
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).expect("the head is whole");
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    (status, headers)
}

fn read_chunks(reader: &mut impl BufRead) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(chunk) = read_chunk(reader) {
        body.extend(chunk);
    }
    body
}

/// One chunk; `None` after the last.
fn read_chunk(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut size = String::new();
    if reader.read_line(&mut size).ok()? == 0 {
        return None;
    }
    let size = usize::from_str_radix(size.trim(), 16).ok()?;
    let mut chunk = vec![0; size + 2];
    reader.read_exact(&mut chunk).ok()?;
    chunk.truncate(size);
    (size > 0).then_some(chunk)
}
