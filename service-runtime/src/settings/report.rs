//! How the report looks, and where it goes.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The settings of the report of SIGUSR1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) format: ReportFormat,
    /// Where each report becomes a file; without it reports go to the log.
    pub(crate) dir: Option<PathBuf>,
}

/// Says how the report of SIGUSR1 is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReportFormat {
    /// For people: sections with a line for each thing.
    #[default]
    Text,
    /// For programs: one JSON object.
    #[cfg(feature = "config")]
    Json,
}

impl ReportFormat {
    /// Returns the format that a supervisor asks its workers for.
    #[cfg(workers)]
    pub(crate) fn of(as_json: bool) -> Self {
        #[cfg(feature = "config")]
        if as_json {
            return Self::Json;
        }
        let _ = as_json;
        Self::Text
    }

    /// Returns whether it is for programs.
    pub(crate) fn is_json(self) -> bool {
        self != Self::Text
    }
}

/// Why a text is no report format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no report format; write `text` or `json`")]
pub struct ReportFormatError(String);

impl FromStr for ReportFormat {
    type Err = ReportFormatError;

    fn from_str(text: &str) -> Result<Self, ReportFormatError> {
        match text {
            "text" => Ok(Self::Text),
            #[cfg(feature = "config")]
            "json" => Ok(Self::Json),
            _ => Err(ReportFormatError(text.to_owned())),
        }
    }
}

impl fmt::Display for ReportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            #[cfg(feature = "config")]
            Self::Json => "json",
        })
    }
}
