//! A part of a report, asked for by its name: `?key=...` on the routes of a case and of a sweep's figure.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;

use super::error::ApiError;

/// Parameters as they came: a name may be unknown, missing or there twice, and each is said.
pub(super) type Parameters = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// Which part, and where its names are listed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    what: &'static str,
    usage: &'static str,
}

/// A case of the report.
pub(super) const CASE: Part =
    Part { what: "case", usage: "take a `key` of `cases` in the report's overview" };

/// A figure of a sweep.
pub(super) const FIGURE: Part =
    Part { what: "figure", usage: "take a `key` of the `figures` of `sweeps` in the report's overview" };

impl Part {
    /// The only parameter.
    pub(super) fn key(self, parameters: Parameters) -> Result<String, ApiError> {
        let Ok(Query(parameters)) = parameters else {
            return Err(ApiError::bad_request("the query cannot be read", self.usage));
        };
        match parameters.as_slice() {
            [(name, key)] if name == "key" => Ok(key.clone()),
            [] => Err(ApiError::bad_request("the parameter 'key' is missing", self.usage)),
            [(name, _)] => Err(ApiError::bad_request(format!("there is no parameter '{name}'"), self.usage)),
            _ => Err(ApiError::bad_request("'key' is the only parameter", self.usage)),
        }
    }

    /// What was found under the key.
    pub(super) fn found<T>(self, key: &str, part: Option<T>) -> Result<T, ApiError> {
        let missing = || ApiError::not_found(format!("the report has no {} '{key}'", self.what), self.usage);
        part.ok_or_else(missing)
    }
}
