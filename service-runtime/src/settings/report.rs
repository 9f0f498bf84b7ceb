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
    Json,
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
            "json" => Ok(Self::Json),
            _ => Err(ReportFormatError(text.to_owned())),
        }
    }
}

impl fmt::Display for ReportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}
