//! How tasks end.

use std::borrow::Cow;

/// Says how a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskEnd {
    /// Its future ran to its end.
    Completed,
    /// It panicked with this message.
    Panicked(String),
    /// It was cancelled, alone or with its group.
    Cancelled,
}

/// Why a task has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// It panicked.
    #[error("task `{task}` panicked: {message}")]
    Panicked {
        /// The task's name.
        task: Cow<'static, str>,
        /// The panic's message.
        message: String,
    },
    /// It was cancelled, alone or with its group.
    #[error("task `{task}` was cancelled")]
    Cancelled {
        /// The task's name.
        task: Cow<'static, str>,
    },
}

impl TaskEnd {
    pub(super) fn of<T>(ended: &Result<T, TaskError>) -> Self {
        match ended {
            Ok(_) => TaskEnd::Completed,
            Err(TaskError::Panicked { message, .. }) => TaskEnd::Panicked(message.clone()),
            Err(TaskError::Cancelled { .. }) => TaskEnd::Cancelled,
        }
    }
}
