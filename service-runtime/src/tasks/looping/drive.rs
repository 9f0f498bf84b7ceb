//! The one loop behind all timers: wait, run, ask the pace when to run next.

use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use super::pace::{Due, Next, Pace, Run, Woken, later};
use super::{Gate, LoopEnd, LoopError, LoopResult, LoopState, PeriodicOnError, Step};
use crate::tasks::group::Start;
use crate::tasks::{FailureCause, SpawnError, TaskFailure, TaskGroup, TaskHandle, TaskKind};

/// A loop: about to be started, then running.
pub(in crate::tasks) struct Loop<P> {
    pub(in crate::tasks) name: Cow<'static, str>,
    pub(in crate::tasks) kind: TaskKind,
    pub(in crate::tasks) pace: P,
    pub(in crate::tasks) on_error: PeriodicOnError,
    pub(in crate::tasks) timeout: Option<Duration>,
    pub(in crate::tasks) gate: Option<Gate>,
}

/// What a running loop works on.
struct Driver<P> {
    group: TaskGroup,
    state: Arc<LoopState>,
    plan: Loop<P>,
}

impl<P: Pace> Loop<P> {
    /// Starts the loop as a task of `group`.
    pub(in crate::tasks) fn start<R, Fut>(
        self,
        group: &TaskGroup,
        run: R,
    ) -> Result<TaskHandle<LoopResult<<Fut::Output as Step<P::Hint>>::Value>>, SpawnError>
    where
        R: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output: Step<P::Hint, Value: Send + 'static>> + Send + 'static,
    {
        let (driver, start) = self.driver(group);
        group.start(start, None, driver.drive(run))
    }

    /// Starts the loop as a task of `group` whose handle tells nothing of how the loop ended.
    pub(in crate::tasks) fn start_quiet<R, Fut>(
        self,
        group: &TaskGroup,
        run: R,
    ) -> Result<TaskHandle<()>, SpawnError>
    where
        R: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output: Step<P::Hint, Value: Send + 'static>> + Send + 'static,
    {
        let (driver, start) = self.driver(group);
        group.start(start, None, async move {
            let _logged_or_reported = driver.drive(run).await;
        })
    }

    fn driver(self, group: &TaskGroup) -> (Driver<P>, Start) {
        let state = Arc::new(LoopState::new());
        let run = Some(Arc::clone(&state));
        let start = Start {
            name: self.name.clone(),
            kind: self.kind,
            run,
        };
        (
            Driver {
                group: group.clone(),
                state,
                plan: self,
            },
            start,
        )
    }
}

impl<P: Pace> Driver<P> {
    async fn drive<R, Fut, T>(mut self, run: R) -> LoopResult<T>
    where
        R: FnMut() -> Fut,
        Fut: Future<Output: Step<P::Hint, Value = T>>,
    {
        let Some(timeout) = self.plan.timeout else {
            return self.turn(run).await;
        };
        let end = later(Instant::now(), timeout);
        // Boxed, so that loops without a timeout do not grow for those with one.
        let turning = Box::pin(self.turn(run));
        match timeout_at(end, turning).await {
            Ok(result) => result,
            Err(_) => Err(self.timed_out(timeout, None)),
        }
    }

    async fn turn<R, Fut, T>(&mut self, mut run: R) -> LoopResult<T>
    where
        R: FnMut() -> Fut,
        Fut: Future<Output: Step<P::Hint, Value = T>>,
    {
        let first = self.plan.pace.first(Instant::now());
        self.state.waits_until(first);
        let mut sleep = pin!(sleep_until(first));
        loop {
            if wait(&self.state, sleep.as_mut()).await.is_break() {
                return Ok(LoopEnd::Stopped);
            }
            let started = Instant::now();
            match self.plan.pace.woken(started) {
                Woken::Run { missed } => self.state.skips(missed),
                #[cfg(feature = "cron")]
                Woken::Wait(due) => {
                    self.wait_until(sleep.as_mut(), due);
                    continue;
                }
            }
            let mut error = None;
            let mut ended = started;
            let gate = self.plan.gate.as_ref().map(Gate::ask);
            let went = if let Some(None) = gate {
                self.state.is_gated();
                Run::Gated
            } else {
                self.state.begins(started);
                let step = run().await.into_step();
                ended = Instant::now();
                self.state.ends();
                match step {
                    Ok(ControlFlow::Continue(hint)) => Run::Went(hint),
                    Ok(ControlFlow::Break(value)) => return Ok(LoopEnd::Value(value)),
                    Err(failed) => {
                        error = Some(self.failed(failed)?);
                        Run::Failed
                    }
                }
            };
            drop(gate);
            match self.plan.pace.after(started, ended, went) {
                Next::Run(Due {
                    at,
                    missed,
                    outlasted,
                }) => {
                    self.state.skips(missed);
                    if let Some(interval) = outlasted {
                        self.warn_of_a_long_run(ended - started, interval, missed);
                    }
                    self.wait_until(sleep.as_mut(), at);
                }
                Next::TimedOut(after) => return Err(self.timed_out(after, error)),
            }
        }
    }

    fn wait_until(&self, sleep: Pin<&mut Sleep>, due: Instant) {
        self.state.waits_until(due);
        sleep.reset(due);
    }

    /// Does what the policy says; an `Err` ends the loop.
    fn failed(&self, error: anyhow::Error) -> Result<anyhow::Error, LoopError> {
        self.state.fails();
        let (group, task) = (self.group.name(), &*self.plan.name);
        let kind = self.plan.kind;
        match self.plan.on_error {
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
                tracing::warn!(
                    group,
                    task,
                    error = format!("{error:#}"),
                    "a {kind} ends, because a run failed"
                );
                Err(LoopError::Failed(error))
            }
            PeriodicOnError::Fail => match self.report(FailureCause::Failed(error)) {
                FailureCause::Failed(error) => Err(LoopError::Failed(error)),
                _ => unreachable!("the cause is given back as it was"),
            },
        }
    }

    fn timed_out(&self, after: Duration, error: Option<anyhow::Error>) -> LoopError {
        if self.plan.on_error == PeriodicOnError::Fail {
            self.report(FailureCause::TimedOut(after));
        }
        LoopError::TimedOut { after, error }
    }

    fn report(&self, cause: FailureCause) -> FailureCause {
        let (group, task) = (self.group.name().to_owned().into(), self.plan.name.clone());
        let failure = TaskFailure {
            group,
            task,
            kind: self.plan.kind,
            cause,
        };
        self.group.report(&failure);
        failure.cause
    }

    #[cold]
    fn warn_of_a_long_run(&self, took: Duration, interval: Duration, missed: u64) {
        let (group, task) = (self.group.name(), &*self.plan.name);
        tracing::warn!(
            group,
            task,
            ?took,
            ?interval,
            missed,
            "a run outlasted its interval"
        );
    }
}

/// Waits for the run that is due, or for the word to end.
async fn wait(state: &LoopState, mut sleep: Pin<&mut Sleep>) -> ControlFlow<()> {
    poll_fn(|cx| {
        if state.stopped(cx) {
            return Poll::Ready(ControlFlow::Break(()));
        }
        sleep.as_mut().poll(cx).map(ControlFlow::Continue)
    })
    .await
}
