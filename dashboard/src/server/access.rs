//! Who may ask, and what a browser may do with the answer.
//!
//! The page shows the inside of a program. A web page elsewhere must not read it, neither directly (no CORS
//! header is ever sent) nor by pointing a name of its own at 127.0.0.1 (the host is checked).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;

/// Plotly writes style attributes and elements; nothing else is inline, and nothing comes from elsewhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Which names the server answers to.
#[derive(Clone, Debug)]
pub(crate) struct HostRule {
    loopback_only: bool,
    allowed: Arc<[String]>,
}

impl HostRule {
    /// On a loopback address only loopback names and `allowed` ones; on others every name.
    pub(crate) fn new(bound: SocketAddr, allowed: Vec<String>) -> Self {
        let allowed = allowed.into_iter().map(|host| host.to_ascii_lowercase()).collect();
        Self { loopback_only: bound.ip().is_loopback(), allowed }
    }

    fn permits(&self, host: Option<&str>) -> bool {
        if !self.loopback_only {
            return true;
        }
        let Some(name) = host.and_then(name_of) else { return false };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        is_loopback_name(&name) || self.allowed.contains(&name)
    }
}

/// Refuses foreign hosts and puts the security headers on every answer.
pub(crate) async fn guard(State(rule): State<HostRule>, request: Request, next: Next) -> Response {
    let host = host_asked_for(request.headers(), request.uri());
    let mut response = if rule.permits(host.as_deref()) {
        next.run(request).await
    } else {
        let asked = host.unwrap_or_default();
        ApiError::new(
            StatusCode::FORBIDDEN,
            format!("this server does not answer to the host '{asked}'"),
            "open it as 127.0.0.1 or localhost, or allow the name with dashboard::Builder::allow_host",
        )
        .into_response()
    };
    add_security_headers(response.headers_mut());
    response
}

fn add_security_headers(headers: &mut HeaderMap) {
    let fixed: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What changes is never kept; what never changes has said so itself.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

fn host_asked_for(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    // Two Host headers are a trick; a proxy and we might each believe another one.
    let mut hosts = headers.get_all(header::HOST).iter();
    let first = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().ok()?.to_owned()),
        (None, _) => None,
        (Some(_), Some(_)) => return None,
    };
    first.or_else(|| uri.authority().map(|authority| authority.as_str().to_owned()))
}

/// The name in `name`, `name:port`, `[v6]` or `[v6]:port`.
fn name_of(host: &str) -> Option<&str> {
    if let Some(rest) = host.strip_prefix('[') {
        let (name, after) = rest.split_once(']')?;
        return (after.is_empty() || is_port(after.strip_prefix(':')?)).then_some(name);
    }
    match host.split_once(':') {
        None => Some(host),
        Some((name, port)) => is_port(port).then_some(name),
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_loopback_name(name: &str) -> bool {
    let is_localhost = name == "localhost" || name.ends_with(".localhost");
    is_localhost || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback() -> HostRule {
        HostRule::new("127.0.0.1:7411".parse().unwrap(), vec!["Bench.Example".to_owned()])
    }

    #[test]
    fn a_loopback_server_answers_to_loopback_names() {
        for host in
            ["127.0.0.1:7411", "127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:7411", "[::1]", "a.localhost"]
        {
            assert!(loopback().permits(Some(host)), "{host}");
        }
    }

    #[test]
    fn a_loopback_server_refuses_every_other_name() {
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:7411",
            "192.0.2.1",
            "",
            "[::1",
            "a:b",
        ] {
            assert!(!loopback().permits(Some(host)), "{host}");
        }
        assert!(!loopback().permits(None));
    }

    #[test]
    fn an_allowed_name_is_answered_to_in_any_case() {
        assert!(loopback().permits(Some("bench.example:80")));
    }

    #[test]
    fn a_server_for_others_answers_to_any_name() {
        let rule = HostRule::new("0.0.0.0:7411".parse().unwrap(), Vec::new());
        assert!(rule.permits(Some("bench.internal")));
    }

    #[test]
    fn two_host_headers_count_as_none() {
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, HeaderValue::from_static("localhost"));
        headers.append(header::HOST, HeaderValue::from_static("evil.example"));
        assert_eq!(host_asked_for(&headers, &Uri::from_static("/")), None);
    }
}
