//! Who may ask, and what a browser may do with the answer.
//!
//! The page shows the inside of a program. A web page elsewhere must not read it, neither directly (no CORS
//! header is ever sent) nor by pointing a name of its own at 127.0.0.1 (the host is checked). Nor may it change anything: a
//! browser says where a request comes from, and sends JSON to another origin only after asking, which is never answered with a yes.

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
    changes: bool,
}

impl HostRule {
    /// On a loopback address only loopback names and `allowed` ones; on others every name.
    pub(crate) fn new(bound: SocketAddr, allowed: Vec<String>) -> Self {
        let allowed = allowed.into_iter().map(|host| host.to_ascii_lowercase()).collect();
        let loopback_only = bound.ip().is_loopback();
        Self { loopback_only, allowed, changes: loopback_only }
    }

    /// On a loopback address changes are taken anyway; on others only where it was said.
    pub(crate) fn allow_changes(self, allowed: bool) -> Self {
        Self { changes: self.changes || allowed, ..self }
    }

    /// Refuses to change anything for another than the page itself, or a program that is no browser.
    pub(crate) fn check_change(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), ApiError> {
        if !self.changes {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "this server changes nothing, since others than this machine reach it",
                "listen on a loopback address, or say dashboard::Builder::allow_changes",
            ));
        }
        if !is_of_own_page(headers, uri) {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "this request comes from another page",
                "change it on the dashboard's own page, or with a program such as curl",
            ));
        }
        if !is_json(headers) {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body is not said to be JSON",
                "send it with the header content-type: application/json",
            ));
        }
        Ok(())
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

/// What a browser says of where a request comes from; other programs say nothing.
fn is_of_own_page(headers: &HeaderMap, uri: &Uri) -> bool {
    let all = |name: &str, fits: &dyn Fn(&str) -> bool| {
        headers.get_all(name).iter().all(|value| value.to_str().is_ok_and(fits))
    };
    let Some(host) = host_asked_for(headers, uri) else { return false };
    let is_own = |origin: &str| {
        let name = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        name.is_some_and(|name| name.eq_ignore_ascii_case(&host))
    };
    all("sec-fetch-site", &|site| site == "same-origin") && all("origin", &is_own)
}

fn is_json(headers: &HeaderMap) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = said.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
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

    fn asked(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut asked = HeaderMap::new();
        for (name, value) in headers {
            asked.append(*name, HeaderValue::from_static(value));
        }
        asked
    }

    #[test]
    fn only_the_page_itself_and_programs_that_are_no_browser_may_change_something() {
        let allowed = |rule: &HostRule, headers: &[(&'static str, &'static str)]| {
            let json = [("host", "127.0.0.1:7411"), ("content-type", "application/json; charset=utf-8")];
            rule.check_change(&asked(&[&json, headers].concat()), &Uri::from_static("/")).is_ok()
        };
        let rule = loopback();
        assert!(allowed(&rule, &[]));
        let own = ("origin", "http://127.0.0.1:7411");
        assert!(allowed(&rule, &[own, ("sec-fetch-site", "same-origin")]));
        for elsewhere in ["http://127.0.0.1:8080", "http://localhost:7411", "http://evil.example", "null", ""]
        {
            assert!(!allowed(&rule, &[("origin", elsewhere)]), "{elsewhere}");
            assert!(!allowed(&rule, &[own, ("origin", elsewhere)]), "{elsewhere}");
        }
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(!allowed(&rule, &[own, ("sec-fetch-site", site)]), "{site}");
        }
        for kind in ["text/plain", "", "application/x-www-form-urlencoded"] {
            let asked = asked(&[("host", "localhost"), ("content-type", kind)]);
            assert!(rule.check_change(&asked, &Uri::from_static("/")).is_err(), "{kind}");
        }
        let open = HostRule::new("0.0.0.0:7411".parse().unwrap(), Vec::new());
        assert!(!allowed(&open, &[]));
        assert!(allowed(&open.allow_changes(true), &[]));
    }
}
