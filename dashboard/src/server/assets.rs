//! The page's files: ours, embedded in the binary, and Plotly's script, which the `plotly` crate carries.
//!
//! Each has the hash of its content in its address, so a browser may keep it for ever, and a new build is
//! seen at once. Names are looked up in a table: no path of the file system is ever made of a request.

use std::io::{self, Read, Write};
use std::sync::{LazyLock, OnceLock};

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::{self, HeaderMap};
use axum::response::{Html, IntoResponse, Response};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::error::ApiError;

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const KEEP_FOR_EVER: &str = "public, max-age=31536000, immutable";
const PLOTLY: &str = "plotly.min.js";

struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static str,
}

macro_rules! asset {
    ($name:literal, $content_type:expr) => {
        Asset {
            name: $name,
            content_type: $content_type,
            content: include_str!(concat!("../assets/", $name)),
        }
    };
}

/// Our own files; one line each.
const ASSETS: &[Asset] = &[
    asset!("style.css", "text/css; charset=utf-8"),
    asset!("alerts.css", "text/css; charset=utf-8"),
    asset!("recording.css", "text/css; charset=utf-8"),
    asset!("icon.svg", "image/svg+xml"),
    asset!("theme.js", JAVASCRIPT),
    asset!("app.js", JAVASCRIPT),
    asset!("chart.js", JAVASCRIPT),
    asset!("dom.js", JAVASCRIPT),
    asset!("format.js", JAVASCRIPT),
    asset!("live.js", JAVASCRIPT),
    asset!("level.js", JAVASCRIPT),
    asset!("lines.js", JAVASCRIPT),
    asset!("alerts.js", JAVASCRIPT),
    asset!("waits_for.js", JAVASCRIPT),
    asset!("trace.js", JAVASCRIPT),
    asset!("run.js", JAVASCRIPT),
    asset!("report.js", JAVASCRIPT),
    asset!("cases.js", JAVASCRIPT),
    asset!("figures.js", JAVASCRIPT),
    asset!("sweep.js", JAVASCRIPT),
    asset!("reports.js", JAVASCRIPT),
    asset!("recording.js", JAVASCRIPT),
    asset!("compare.js", JAVASCRIPT),
];

const SHELL: &str = include_str!("../assets/index.html");

/// Hash over all our files: scripts import each other by relative address, so they change together.
static OWN_VERSION: LazyLock<String> = LazyLock::new(|| {
    version(ASSETS.iter().flat_map(|asset| [asset.name.as_bytes(), asset.content.as_bytes()]))
});

static PLOTLY_VERSION: LazyLock<String> = LazyLock::new(|| version([plotly_script().as_bytes()]));

/// Plotly's script, compressed once, and fast: somebody waits for the page, mostly on the same machine.
static PLOTLY_GZIP: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();

/// The shell with the addresses filled in.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    SHELL
        .replace("{{assets}}", &format!("/assets/{}", *OWN_VERSION))
        .replace("{{plotly}}", &format!("/assets/{}/{PLOTLY}", *PLOTLY_VERSION))
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
});

/// `GET /`.
pub(crate) async fn page() -> Html<&'static str> {
    Html(PAGE.as_str())
}

/// `GET /assets/{version}/{name}`.
pub(crate) async fn asset(
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Ok(Path((version, name))) = path else { return Err(no_such_asset()) };
    if name == PLOTLY && version == *PLOTLY_VERSION {
        return plotly(accepts_gzip(&headers)).await;
    }
    let asset = ASSETS.iter().find(|asset| asset.name == name && version == *OWN_VERSION);
    let asset = asset.ok_or_else(no_such_asset)?;
    let headers = [(header::CONTENT_TYPE, asset.content_type), (header::CACHE_CONTROL, KEEP_FOR_EVER)];
    Ok((headers, asset.content).into_response())
}

fn no_such_asset() -> ApiError {
    ApiError::not_found("there is no such file in this version of the page", "reload the page")
}

async fn plotly(as_gzip: bool) -> Result<Response, ApiError> {
    // Compressing takes a tenth of a second once; the stream of events must not wait for it.
    let body = tokio::task::spawn_blocking(move || {
        let compressed =
            PLOTLY_GZIP.get_or_init(|| gzip(plotly_script().as_bytes()).map_err(|e| e.to_string()));
        let compressed = compressed.as_ref().map_err(Clone::clone)?;
        if as_gzip { Ok(compressed.clone()) } else { gunzip(compressed).map_err(|e| e.to_string()) }
    });
    let body = body.await.map_err(|e| ApiError::internal(e.to_string()))?.map_err(ApiError::internal)?;
    let headers = [
        (header::CONTENT_TYPE, JAVASCRIPT),
        (header::CACHE_CONTROL, KEEP_FOR_EVER),
        (header::VARY, "accept-encoding"),
    ];
    let mut response = (headers, body).into_response();
    if as_gzip {
        response.headers_mut().insert(header::CONTENT_ENCODING, header::HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// The first script of the two that the crate hands out; the other one typesets formulas, of which we have none.
fn plotly_script() -> String {
    let sources = plotly::Plot::offline_js_sources();
    let script = sources.split("</script>").next().unwrap_or_default();
    let start = script.find('>').map_or(0, |tag_end| tag_end + 1);
    script[start..].to_owned()
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let refused = parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0)));
        name.eq_ignore_ascii_case("gzip") && !refused
    })
}

fn gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content)?;
    encoder.finish()
}

fn gunzip(compressed: &[u8]) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    GzDecoder::new(compressed).read_to_end(&mut content)?;
    Ok(content)
}

/// FNV-1a, 64 bits: it tells builds apart, it does not defend against anybody.
fn version<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let bytes = parts.into_iter().flatten();
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_script_is_plotly_and_nothing_else() {
        let script = plotly_script();
        assert!(script.trim_start().starts_with("/**"), "a tag was left at the start");
        assert!(script.trim_end().ends_with("}));"), "the script was cut in the middle");
        assert!(script.contains("window.Plotly = Plotly"));
    }

    #[test]
    fn compressing_loses_nothing() {
        let content = b"waiting waiting waiting".repeat(100);
        let compressed = gzip(&content).unwrap();
        assert!(compressed.len() < content.len());
        assert_eq!(gunzip(&compressed).unwrap(), content);
    }

    #[test]
    fn the_page_has_no_blank_left_and_no_inline_script() {
        let page = PAGE.as_str();
        assert!(!page.contains("{{"), "a placeholder was left");
        for tag in page.split("<script").skip(1) {
            assert!(
                tag.split('>').next().unwrap().contains("src="),
                "the content security policy stops this"
            );
        }
    }

    #[test]
    fn the_page_asks_nobody_else() {
        for asset in ASSETS.iter().filter(|asset| asset.name != "icon.svg") {
            assert!(!asset.content.contains("://"), "{} names another server", asset.name);
        }
        assert!(!SHELL.contains("://"));
    }

    #[test]
    fn gzip_is_sent_only_to_those_who_take_it() {
        let accepts = |value| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            accepts_gzip(&headers)
        };
        assert!(accepts("gzip, deflate, br"));
        assert!(accepts("br;q=1.0, GZIP;q=0.5"));
        assert!(!accepts("gzip;q=0"));
        assert!(!accepts("identity"));
    }
}
