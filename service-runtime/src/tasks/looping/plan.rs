//! What a loop is told once, and what it does about failures.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::{Gate, LoopError, LoopOptions, PeriodicOnError};
use crate::tasks::group::Shared;
use crate::tasks::{FailureCause, TaskFailure, TaskGroup, TaskKind};

/// What a loop is told once.
pub(in crate::tasks) struct Plan {
    pub(in crate::tasks) group: Arc<Shared>,
    pub(in crate::tasks) name: Cow<'static, str>,
    pub(in crate::tasks) kind: TaskKind,
    pub(in crate::tasks) options: LoopOptions,
    pub(in crate::tasks) gate: Option<Gate>,
}

impl Plan {
    /// Plans a loop of a group, without a gate.
    pub(in crate::tasks) fn new(
        group: &TaskGroup,
        name: Cow<'static, str>,
        kind: TaskKind,
        options: LoopOptions,
    ) -> Self {
        Self {
            group: Arc::clone(group.shared()),
            name,
            kind,
            options,
            gate: None,
        }
    }

    /// Does with the error of a run what the policy says; an `Err` ends the loop.
    #[cold]
    pub(super) fn failed(&self, error: anyhow::Error) -> Result<anyhow::Error, LoopError> {
        let (group, task, kind) = (&*self.group.name, &*self.name, self.kind);
        match self.options.on_error {
            PeriodicOnError::Continue => {
                tracing::warn!(
                    group,
                    task,
                    error = format!("{error:#}"),
                    "a run of a {kind} failed"
                );
                Ok(error)
            }
            PeriodicOnError::Stop => {
                let error_text = format!("{error:#}");
                tracing::warn!(
                    group,
                    task,
                    error = error_text,
                    "a {kind} ends: a run failed"
                );
                Err(LoopError::Failed(error))
            }
            PeriodicOnError::Fail => match self.report(FailureCause::Failed(error)) {
                FailureCause::Failed(error) => Err(LoopError::Failed(error)),
                _ => unreachable!("the cause comes back as it was"),
            },
        }
    }

    /// Does with the end of its time what the policy says.
    #[cold]
    pub(super) fn timed_out(&self, after: Duration, error: Option<anyhow::Error>) -> LoopError {
        if self.options.on_error == PeriodicOnError::Fail {
            self.report(FailureCause::TimedOut(after));
        } else {
            let (group, task, kind) = (&*self.group.name, &*self.name, self.kind);
            tracing::warn!(group, task, ?after, "a {kind} ends, because it timed out");
        }
        LoopError::TimedOut { after, error }
    }

    #[cold]
    pub(super) fn warn_of_a_long_run(&self, took: Duration, interval: Duration, missed: u64) {
        let (group, task) = (&*self.group.name, &*self.name);
        tracing::warn!(
            group,
            task,
            ?took,
            ?interval,
            missed,
            "a run outlasted its interval"
        );
    }

    fn report(&self, cause: FailureCause) -> FailureCause {
        let (group, task) = (self.group.name.clone(), self.name.clone());
        let failure = TaskFailure {
            group,
            task,
            kind: self.kind,
            cause,
        };
        self.group.report(&failure);
        failure.cause
    }
}
