//! Self-paced timers: each run says how long to wait for the next.

use std::borrow::Cow;
use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::pace::{Next, Pace, Run, later};
use super::{Loop, LoopHandle, Plan, Step};
use crate::tasks::{PeriodicError, TaskGroup, TaskKind};

/// Describes a timer whose runs choose the next interval, counted from the end of the run.
pub type SelfPaced = Loop<ChosenInterval>;

/// The pace of a [`SelfPaced`] timer.
#[derive(Debug, Clone)]
pub struct ChosenInterval {
    max: Duration,
}

impl SelfPaced {
    /// Describes a timer that runs now and then as its runs say, but waits at most `max`.
    ///
    /// After a run that failed it waits `max`.
    pub fn at_most(max: Duration) -> Self {
        Self::of(ChosenInterval { max })
    }
}

impl TaskGroup {
    /// Starts a self-paced timer: `run` returns how long to wait before it is called again.
    ///
    /// # Errors
    ///
    /// Returns [`PeriodicError::Interval`] if the maximum is zero and [`PeriodicError::Spawn`] if the
    /// group has been told to stop.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// use service_runtime::tasks::{LoopEnd, SelfPaced, TaskGroup};
    /// use std::ops::ControlFlow;
    /// use std::time::Duration;
    ///
    /// let group = TaskGroup::new("queue");
    /// let mut jobs = vec![3, 2, 1];
    /// let timer = group.self_paced("drain", SelfPaced::at_most(Duration::from_secs(60)), move || {
    ///     let job = jobs.pop();
    ///     async move {
    ///         match job {
    ///             Some(seconds) => ControlFlow::Continue(Duration::from_secs(seconds)),
    ///             None => ControlFlow::Break("empty"),
    ///         }
    ///     }
    /// })?;
    /// assert_eq!(timer.wait().await??, LoopEnd::Value("empty"));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn self_paced<R, Fut, T>(
        &self,
        name: impl Into<Cow<'static, str>>,
        timer: SelfPaced,
        run: R,
    ) -> Result<LoopHandle<T>, PeriodicError>
    where
        R: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output: Step<Duration, Value = T>> + Send + 'static,
        T: Send + 'static,
    {
        let SelfPaced { pace, options } = timer;
        if pace.max.is_zero() {
            return Err(PeriodicError::Interval);
        }
        let plan = Plan::new(self, name.into(), TaskKind::SelfPaced, options);
        Ok(plan.start(self, pace, run)?)
    }
}

impl Pace for ChosenInterval {
    type Hint = Duration;

    fn first(&mut self, now: Instant) -> Instant {
        now
    }

    fn after(&mut self, _started: Instant, ended: Instant, run: Run<Duration>) -> Next {
        let interval = match run {
            Run::Went(interval) => interval.min(self.max),
            Run::Failed | Run::Gated => self.max,
        };
        Next::at(later(ended, interval))
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;
    use tokio::time::sleep;

    use super::*;
    use crate::tasks::PeriodicOnError;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_run_chooses_the_pause_after_it_up_to_the_maximum() {
        let group = TaskGroup::new("g");
        let (start, (tell, mut told)) = (Instant::now(), unbounded_channel());
        let mut pauses = [1, 2, 600, 0, 3].into_iter();
        let timer = SelfPaced::at_most(60 * SECOND).initial_delay(5 * SECOND);
        let run = move || {
            tell.send(start.elapsed().as_secs()).unwrap();
            let pause = pauses.next().map(|seconds| seconds * SECOND);
            async move {
                sleep(SECOND).await;
                pause.ok_or_else(|| anyhow::anyhow!("no more"))
            }
        };
        let timer = timer.on_error(PeriodicOnError::Stop);
        let end = group
            .self_paced("t", timer, run)
            .unwrap()
            .wait()
            .await
            .unwrap();
        assert!(matches!(end, Err(crate::tasks::LoopError::Failed(_))));
        let mut begun = Vec::new();
        while let Ok(at) = told.try_recv() {
            begun.push(at);
        }
        assert_eq!(begun, [5, 7, 10, 71, 72, 76]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_failed_is_followed_by_the_maximum() {
        let group = TaskGroup::new("g");
        let (start, (tell, mut told)) = (Instant::now(), unbounded_channel());
        let run = move || {
            tell.send(start.elapsed().as_secs()).unwrap();
            async { Err::<Duration, _>(anyhow::anyhow!("refused")) }
        };
        let timer = SelfPaced::at_most(60 * SECOND).timeout(150 * SECOND);
        let end = group
            .self_paced("t", timer, run)
            .unwrap()
            .wait()
            .await
            .unwrap();
        assert!(matches!(end, Err(crate::tasks::LoopError::TimedOut { .. })));
        assert_eq!([told.recv().await, told.recv().await], [Some(0), Some(60)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_without_pauses_lets_others_run() {
        let group = TaskGroup::new("g");
        let timer = group.self_paced("t", SelfPaced::at_most(SECOND), || async { Duration::ZERO });
        tokio::task::yield_now().await;
        timer.unwrap().stop();
        group.stop(true);
        group.wait().await;
    }
}
