//! The codes that a launched program exits with: all of them, in one place.

use std::fmt::Display;
use std::process::ExitCode;

/// How a launch ended, as its exit code tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Stopped as asked, or all work done.
    Done = 0,
    /// A service failed, the stop ran out of time, or it was to be quick.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The command `ctl` has found no running program.
    #[cfg(all(feature = "control", workers))]
    NotRunning = 3,
    /// The command `ctl` may not ask the program.
    #[cfg(all(feature = "control", workers))]
    NotAllowed = 4,
    /// The configuration is wrong; `EX_CONFIG` of sysexits.h, which systemd knows by name.
    Config = 78,
}

impl Exit {
    /// Returns the number.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// Returns the exit that a worker's code stands for.
    pub(crate) fn of_code(code: Option<i32>) -> Self {
        match code {
            Some(2) => Self::Usage,
            Some(78) => Self::Config,
            _ => Self::Failed,
        }
    }

    /// Prints why the program ends before it has a log.
    pub(crate) fn say(self, program: &str, error: impl Display) -> Self {
        use std::io::Write;
        // In one write, so that no line of another thread gets into it. Standard error may be closed;
        // then there is nobody to tell.
        let line = format!("{program}: {error}\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
        self
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

/// An error that is the operator's to mend in the configuration.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WrongConfig(pub(crate) String);

impl Exit {
    /// Returns the exit that the error of a start stands for.
    pub(crate) fn of_start(error: &anyhow::Error) -> Self {
        if error.chain().any(|cause| cause.is::<WrongConfig>()) {
            return Self::Config;
        }
        #[cfg(feature = "config")]
        if error
            .chain()
            .any(|cause| cause.is::<crate::config::ConfigErrors>())
        {
            return Self::Config;
        }
        Self::Failed
    }
}
