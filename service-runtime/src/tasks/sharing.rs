//! Tasks and loops that share one value, most often the service itself.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::{
    Backoff, LoopHandle, Periodic, PeriodicError, SelfPaced, SpawnError, Step, TaskGroup,
    TaskHandle, Timer,
};

/// A group whose tasks and loops are each given a share of one value.
///
/// Made by [`TaskGroup::sharing`]. Its methods are those of [`TaskGroup`], with the value as the one
/// argument of what they run; errors, panics and cancel safety are the same.
#[derive(Debug)]
pub struct Sharing<'a, S> {
    group: &'a TaskGroup,
    value: &'a Arc<S>,
}

impl TaskGroup {
    /// Gives what is started here a share of `value`: of the service itself, with `self: &Arc<Self>`.
    ///
    /// # Examples
    ///
    /// ```
    /// use service_runtime::prelude::*;
    /// use service_runtime::tasks::Timer;
    /// use std::sync::Arc;
    /// use std::time::Duration;
    ///
    /// #[service]
    /// #[derive(Default)]
    /// struct Mirror;
    ///
    /// #[service]
    /// impl Mirror {
    ///     #[start]
    ///     async fn start(self: &Arc<Self>, cx: &Context) -> Result<()> {
    ///         let tasks = cx.tasks().sharing(self);
    ///         let minutely = Timer::every(Duration::from_secs(60));
    ///         tasks.timer("sync", minutely, |this| async move { this.sync().await })?;
    ///         tasks.spawn("greet", |this| async move { this.greet("all").await }).await?;
    ///         Ok(())
    ///     }
    /// }
    ///
    /// impl Mirror {
    ///     async fn sync(&self) -> Result<()> {
    ///         Ok(())
    ///     }
    ///
    ///     async fn greet(&self, _whom: &str) {}
    /// }
    /// # fn main() {}
    /// ```
    pub fn sharing<'a, S>(&'a self, value: &'a Arc<S>) -> Sharing<'a, S> {
        Sharing { group: self, value }
    }
}

impl<S: Send + Sync + 'static> Sharing<'_, S> {
    /// Spawns a task, as [`TaskGroup::spawn`] does.
    ///
    /// # Errors
    ///
    /// Returns what [`TaskGroup::spawn`] does.
    pub async fn spawn<F, Fut>(
        &self,
        name: impl Into<Cow<'static, str>>,
        run: F,
    ) -> Result<TaskHandle<Fut::Output>, SpawnError>
    where
        F: FnOnce(Arc<S>) -> Fut,
        Fut: Future<Output: Send + 'static> + Send + 'static,
    {
        self.group.spawn(name, run(self.share())).await
    }

    /// Spawns a task at once or not at all, as [`TaskGroup::try_spawn`] does.
    ///
    /// # Errors
    ///
    /// Returns what [`TaskGroup::try_spawn`] does.
    pub fn try_spawn<F, Fut>(
        &self,
        name: impl Into<Cow<'static, str>>,
        run: F,
    ) -> Result<TaskHandle<Fut::Output>, SpawnError>
    where
        F: FnOnce(Arc<S>) -> Fut,
        Fut: Future<Output: Send + 'static> + Send + 'static,
    {
        self.group.try_spawn(name, run(self.share()))
    }

    /// Spawns what others are driven by, as [`TaskGroup::background`] does.
    pub fn background<F, Fut>(&self, name: impl Into<Cow<'static, str>>, run: F)
    where
        F: FnOnce(Arc<S>) -> Fut,
        Fut: Future<Output: Send + 'static> + Send + 'static,
    {
        self.group.background(name, run(self.share()));
    }

    /// Starts a fixed timer, as [`TaskGroup::timer`] does.
    ///
    /// # Errors
    ///
    /// Returns what [`TaskGroup::timer`] does.
    pub fn timer<F, Fut, T>(
        &self,
        name: impl Into<Cow<'static, str>>,
        timer: Timer,
        run: F,
    ) -> Result<LoopHandle<T>, PeriodicError>
    where
        F: FnMut(Arc<S>) -> Fut + Send + 'static,
        Fut: Future<Output: Step<(), Value = T>> + Send + 'static,
        T: Send + 'static,
    {
        self.group.timer(name, timer, self.each(run))
    }

    /// Starts a self-paced timer, as [`TaskGroup::self_paced`] does.
    ///
    /// # Errors
    ///
    /// Returns what [`TaskGroup::self_paced`] does.
    pub fn self_paced<F, Fut, T>(
        &self,
        name: impl Into<Cow<'static, str>>,
        timer: SelfPaced,
        run: F,
    ) -> Result<LoopHandle<T>, PeriodicError>
    where
        F: FnMut(Arc<S>) -> Fut + Send + 'static,
        Fut: Future<Output: Step<Duration, Value = T>> + Send + 'static,
        T: Send + 'static,
    {
        self.group.self_paced(name, timer, self.each(run))
    }

    /// Starts a back-off loop, as [`TaskGroup::backoff`] does.
    ///
    /// # Errors
    ///
    /// Returns what [`TaskGroup::backoff`] does.
    pub fn backoff<F, Fut, T>(
        &self,
        name: impl Into<Cow<'static, str>>,
        backoff: Backoff,
        run: F,
    ) -> Result<LoopHandle<T>, PeriodicError>
    where
        F: FnMut(Arc<S>) -> Fut + Send + 'static,
        Fut: Future<Output: Step<(), Value = T>> + Send + 'static,
        T: Send + 'static,
    {
        self.group.backoff(name, backoff, self.each(run))
    }

    /// Starts a periodic task, as [`TaskGroup::periodic`] does.
    ///
    /// # Errors
    ///
    /// Returns what [`TaskGroup::periodic`] does.
    pub fn periodic<F, Fut>(
        &self,
        name: impl Into<Cow<'static, str>>,
        periodic: Periodic,
        run: F,
    ) -> Result<TaskHandle<()>, PeriodicError>
    where
        F: FnMut(Arc<S>) -> Fut + Send + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.group.periodic(name, periodic, self.each(run))
    }

    fn share(&self) -> Arc<S> {
        Arc::clone(self.value)
    }

    /// Gives each run a share.
    fn each<F, Fut>(&self, mut run: F) -> impl FnMut() -> Fut + Send + use<S, F, Fut>
    where
        F: FnMut(Arc<S>) -> Fut + Send,
    {
        let value = self.share();
        move || run(Arc::clone(&value))
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::tasks::LoopEnd;

    const SECOND: Duration = Duration::from_secs(1);

    /// Counts what has run.
    struct Counter(AtomicU32);

    impl Counter {
        async fn add(&self, more: u32) -> u32 {
            self.0.fetch_add(more, Ordering::SeqCst) + more
        }

        async fn end_at<C>(&self, most: u32, go_on: C) -> ControlFlow<u32, C> {
            match self.add(1).await {
                count if count >= most => ControlFlow::Break(count),
                _ => ControlFlow::Continue(go_on),
            }
        }

        async fn started(self: &Arc<Self>, group: &TaskGroup) -> anyhow::Result<()> {
            let tasks = group.sharing(self);
            let once = tasks.spawn("once", |this| async move { this.add(1).await });
            assert_eq!(once.await?.wait().await?, 1);
            let now = tasks.try_spawn("now", |this| async move { this.add(1).await });
            assert_eq!(now?.wait().await?, 2);
            let timer = tasks.timer("timer", Timer::every(SECOND), |this| async move {
                this.end_at(4, ()).await
            });
            assert_eq!(timer?.wait().await??, LoopEnd::Value(4));
            let paced = SelfPaced::at_most(SECOND);
            let paced = tasks.self_paced("paced", paced, |this| async move {
                this.end_at(6, SECOND).await
            });
            assert_eq!(paced?.wait().await??, LoopEnd::Value(6));
            let backoff = Backoff::starting_at(SECOND);
            let backoff = tasks.backoff("backoff", backoff, |this| async move {
                this.end_at(8, ()).await
            });
            assert_eq!(backoff?.wait().await??, LoopEnd::Value(8));
            let each_second = Periodic::every(SECOND);
            let periodic = tasks.periodic("periodic", each_second, |this| async move {
                this.add(1).await;
                Ok(())
            })?;
            tokio::time::sleep(2 * SECOND + SECOND / 2).await;
            periodic.stop();
            periodic.wait().await?;
            assert_eq!(self.0.load(Ordering::SeqCst), 10);
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_service_starts_has_a_share_of_it_and_gives_it_back() {
        let (group, counter) = (TaskGroup::new("g"), Arc::new(Counter(AtomicU32::new(0))));
        counter.started(&group).await.unwrap();
        group
            .sharing(&counter)
            .background("driver", |this| async move {
                this.add(1).await;
                std::future::pending::<()>().await;
            });
        group.stop(true);
        group.wait().await;
        assert_eq!(Arc::strong_count(&counter), 1);
    }
}
