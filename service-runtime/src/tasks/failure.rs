//! What can go wrong with tasks, as others see it.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use humantime::format_duration;

use crate::tasks::TaskKind;

/// Why a task was not started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The group has been told to stop.
    #[error("cannot start task `{task}`: group `{group}` is stopping")]
    Closed {
        /// The group's name.
        group: Cow<'static, str>,
        /// The task's name.
        task: Cow<'static, str>,
    },
    /// The group runs as many tasks as it may.
    #[error("cannot start task `{task}`: group `{group}` already runs {limit} tasks")]
    Full {
        /// The group's name.
        group: Cow<'static, str>,
        /// The task's name.
        task: Cow<'static, str>,
        /// How many tasks the group may run at a time.
        limit: usize,
    },
}

/// Tells which task failed, and how.
///
/// Passed to the callbacks of [`TaskGroup::on_failure`](crate::tasks::TaskGroup::on_failure).
#[derive(Debug)]
#[non_exhaustive]
pub struct TaskFailure {
    /// The name of the task's group.
    pub group: Cow<'static, str>,
    /// The task's name.
    pub task: Cow<'static, str>,
    /// What sort of task it is.
    pub kind: TaskKind,
    /// How it failed.
    pub cause: FailureCause,
}

/// Says how a task failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum FailureCause {
    /// It panicked with this message.
    Panicked(String),
    /// A run returned this error, and the loop's policy is to fail.
    Failed(anyhow::Error),
    /// The loop used up this time, and its policy is to fail.
    TimedOut(Duration),
}

impl TaskFailure {
    /// Returns the panic's message, or the error with all its causes on one line.
    pub fn message(&self) -> String {
        match &self.cause {
            FailureCause::Panicked(message) => message.clone(),
            FailureCause::Failed(error) => format!("{error:#}"),
            FailureCause::TimedOut(after) => format!("timed out after {}", format_duration(*after)),
        }
    }
}

impl fmt::Display for TaskFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            group,
            task,
            kind,
            cause,
        } = self;
        match cause {
            FailureCause::Panicked(message) => {
                write!(f, "{kind} `{task}` of `{group}` panicked: {message}")
            }
            FailureCause::Failed(_) => write!(f, "{kind} `{task}` of `{group}` failed"),
            FailureCause::TimedOut(after) => {
                let after = format_duration(*after);
                write!(f, "{kind} `{task}` of `{group}` timed out after {after}")
            }
        }
    }
}

impl std::error::Error for TaskFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            FailureCause::Panicked(_) | FailureCause::TimedOut(_) => None,
            FailureCause::Failed(error) => Some(error.as_ref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_task_and_group_and_keeps_its_cause() {
        let cause = anyhow::anyhow!("refused").context("cannot dial");
        let failure = TaskFailure {
            group: "greeter".into(),
            task: "greet".into(),
            kind: TaskKind::Periodic,
            cause: FailureCause::Failed(cause),
        };
        assert_eq!(
            failure.to_string(),
            "periodic task `greet` of `greeter` failed"
        );
        assert_eq!(failure.message(), "cannot dial: refused");
        let source = std::error::Error::source(&failure).unwrap();
        assert_eq!(source.to_string(), "cannot dial");
    }
}
