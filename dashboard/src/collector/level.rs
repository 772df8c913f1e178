//! How much the collector wants to know.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing_core::LevelFilter;

/// How much the collector wants to know: [`Collector::set_level`](super::Collector::set_level).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing: a call of a primitive that nobody else watches costs one relaxed load.
    Off,
    /// Waits alone, as spans at DEBUG do. A call that does not wait is left untouched; holders are not known.
    Waits,
    /// Every call, as spans at TRACE do: acquisitions, holders, holds and who is to blame.
    Calls,
}

impl Level {
    /// All of them, from little to much.
    pub const ALL: [Self; 3] = [Self::Off, Self::Waits, Self::Calls];

    /// Its name in JSON: `off`, `waits` or `calls`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Waits => "waits",
            Self::Calls => "calls",
        }
    }

    /// What it asks `tracing` for.
    pub(super) fn filter(self) -> LevelFilter {
        match self {
            Self::Off => LevelFilter::OFF,
            Self::Waits => LevelFilter::DEBUG,
            Self::Calls => LevelFilter::TRACE,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        let known = Self::ALL.into_iter().find(|level| level.as_str() == text);
        known.ok_or_else(|| UnknownLevel(text.to_owned()))
    }
}

/// A text that names no [`Level`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no level of the collector: say off, waits or calls")]
pub struct UnknownLevel(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_read_as_it_is_written() {
        for level in Level::ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
            assert_eq!(serde_json::to_value(level).unwrap(), level.as_str());
        }
        let error = "loud".parse::<Level>().unwrap_err();
        assert_eq!(error.to_string(), "'loud' is no level of the collector: say off, waits or calls");
    }
}
