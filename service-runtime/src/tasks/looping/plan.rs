//! What a loop is told once, and what it does about failures.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::turning::Turning;
use super::{Gate, LoopError, LoopHandle, LoopState, Pace, PeriodicOnError, Step};
use crate::tasks::group::{Shared, Start};
use crate::tasks::{FailureCause, SpawnError, TaskFailure, TaskGroup, TaskHandle, TaskKind};

/// What a loop is told once.
pub(in crate::tasks) struct Plan {
    pub(in crate::tasks) group: Arc<Shared>,
    pub(in crate::tasks) name: Cow<'static, str>,
    pub(in crate::tasks) kind: TaskKind,
    pub(in crate::tasks) on_error: PeriodicOnError,
    pub(in crate::tasks) timeout: Option<Duration>,
    pub(in crate::tasks) gate: Option<Gate>,
}

impl Plan {
    /// Starts the loop as a task of its group.
    pub(in crate::tasks) fn start<P, R, Fut, T>(
        self,
        group: &TaskGroup,
        pace: P,
        call: R,
    ) -> Result<LoopHandle<T>, SpawnError>
    where
        P: Pace,
        R: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output: Step<P::Hint, Value = T>> + Send + 'static,
        T: Send + 'static,
    {
        let (start, turning) = self.ready(pace, call);
        group.start(start, turning)
    }

    /// Starts the loop as a task of its group whose handle tells nothing of how the loop ended.
    pub(in crate::tasks) fn start_quiet<P, R, Fut>(
        self,
        group: &TaskGroup,
        pace: P,
        call: R,
    ) -> Result<TaskHandle<()>, SpawnError>
    where
        P: Pace,
        R: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output: Step<P::Hint, Value: Send + 'static>> + Send + 'static,
    {
        let (start, turning) = self.ready(pace, call);
        // How it ended has been logged or reported.
        group.start(start, async move { drop(turning.await) })
    }

    fn ready<P, R, Fut>(self, pace: P, call: R) -> (Start, Turning<P, R, Fut>)
    where
        P: Pace,
    {
        let (name, kind, now) = (self.name.clone(), self.kind, Instant::now());
        let state = Arc::new(LoopState::new(self, now));
        let start = Start {
            name,
            kind,
            run: Some(Arc::clone(&state)),
        };
        (start, Turning::new(state, pace, call, now))
    }

    /// Does with the error of a run what the policy says; an `Err` ends the loop.
    #[cold]
    pub(super) fn failed(&self, error: anyhow::Error) -> Result<anyhow::Error, LoopError> {
        let (group, task, kind) = (&*self.group.name, &*self.name, self.kind);
        match self.on_error {
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
        if self.on_error == PeriodicOnError::Fail {
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
