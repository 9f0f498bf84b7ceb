//! How a service says it goes.

use std::borrow::Cow;
use std::fmt;

/// The answer of a service to the question how it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    status: HealthStatus,
    note: Option<Cow<'static, str>>,
}

/// Whether a service can do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum HealthStatus {
    /// It can.
    Pass,
    /// It can, but somebody should look.
    Warn,
    /// It cannot.
    Fail,
}

impl Health {
    /// Says that all is well.
    pub const fn pass() -> Self {
        Self {
            status: HealthStatus::Pass,
            note: None,
        }
    }

    /// Says that somebody should look, and why.
    pub fn warn(note: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status: HealthStatus::Warn,
            note: Some(note.into()),
        }
    }

    /// Says that the service cannot do its work, and why.
    pub fn fail(note: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status: HealthStatus::Fail,
            note: Some(note.into()),
        }
    }

    /// Returns whether the service can do its work.
    pub fn status(&self) -> HealthStatus {
        self.status
    }

    /// Returns the reason, if one was given.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match self.status {
            HealthStatus::Pass => "pass",
            HealthStatus::Warn => "warn",
            HealthStatus::Fail => "fail",
        };
        f.write_str(status)?;
        self.note().map_or(Ok(()), |note| write!(f, ": {note}"))
    }
}
