//! The forms of a log line.

use std::fmt;
use std::str::FromStr;
#[cfg(any(feature = "http", feature = "log"))]
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Says how a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogFormat {
    /// For people: `2026-11-22T14:48:11.123456Z  INFO slot=0 pid=4242 hello: message field=value`.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Set when this process got a subscriber that writes text.
#[cfg(any(feature = "http", feature = "log"))]
static WRITES_TEXT: AtomicBool = AtomicBool::new(false);

/// Tells whether events become lines of text, in which fields are hard to tell from each other; not so
/// with a subscriber of the program's own, which is not known here.
#[cfg(feature = "http")]
pub(crate) fn writes_text() -> bool {
    WRITES_TEXT.load(Relaxed)
}

/// Takes note of how a subscriber writes.
#[cfg(feature = "log")]
pub(crate) fn writes(format: LogFormat) {
    WRITES_TEXT.store(format == LogFormat::Text, Relaxed);
}

/// Why a text is no log format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no log format; write `text` or `json`")]
pub struct LogFormatError(String);

impl FromStr for LogFormat {
    type Err = LogFormatError;

    fn from_str(text: &str) -> Result<Self, LogFormatError> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(LogFormatError(text.to_owned())),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_shown_as_it_is_written() {
        for text in ["text", "json"] {
            assert_eq!(text.parse::<LogFormat>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_unknown_format_is_refused_with_the_known_ones() {
        let error = "xml".parse::<LogFormat>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`xml` is no log format; write `text` or `json`"
        );
    }
}
