//! How the program ends: its exit codes, and the one error that means "you typed something wrong".

use std::fmt;

/// The exit codes that other programs may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All done.
    Done,
    /// Something broke: a slot hung, a file could not be written.
    Failed,
    /// The arguments make no sense.
    Usage,
    /// It was measured, but a check says that the figures may not be believed.
    Invalid,
    /// `compare` found a regression.
    Regression,
    /// Ended by Ctrl-C; what was measured was kept.
    Interrupted,
}

impl Exit {
    /// The process's exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Invalid => 3,
            Self::Regression => 99,
            Self::Interrupted => 130,
        }
    }
}

/// The arguments make no sense; the message names the option and its value. Exit code 2.
#[derive(Debug)]
pub(crate) struct Usage(String);

impl Usage {
    /// For `return Err(Usage::error(format!(…)))`.
    pub(crate) fn error(message: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self(message.into()))
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}
