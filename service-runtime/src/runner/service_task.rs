//! The task of one service, from its build to its end, with restarts in between.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::run_state::RunState;
use super::{ConfigurationChange, RestartPolicy, ServiceExit};
use crate::service::host::Host;
use crate::service::{AnyService, Build, Context, Definition, OnError, Phase};
#[cfg(feature = "http")]
use crate::service::{BoxFuture, Health};
use crate::tasks::catch_panic;

/// What a service is told.
pub(super) enum ServiceCommand {
    /// Stop.
    Stop,
    /// Take over a new configuration, and say how it went.
    Reset(ConfigurationChange, oneshot::Sender<anyhow::Result<()>>),
}

/// The task of one service.
pub(super) struct ServiceTask {
    pub(super) definition: Definition,
    pub(super) host: Arc<dyn Host>,
    pub(super) restarts: RestartPolicy,
    pub(super) commands: mpsc::UnboundedReceiver<ServiceCommand>,
    pub(super) started: Option<oneshot::Sender<anyhow::Result<()>>>,
    pub(super) exit_sender: mpsc::UnboundedSender<ServiceExit>,
    pub(super) state: Arc<RunState>,
}

/// How the last run of a service ended.
enum RunOutcome {
    /// By a command, or in a start whose result says so.
    Stopped,
    /// By itself, which the launcher has to learn.
    ServiceExit(ServiceExit),
}

/// How one run of a service ended, with everything of it stopped.
enum RunEnd {
    /// It was told to; how the stop went.
    Stopped(anyhow::Result<()>),
    /// Its work is done.
    Done,
    /// It has failed; for how long it was ready before.
    Failed(anyhow::Error, Duration),
    /// It could not be started.
    NotStarted(anyhow::Error),
}

impl ServiceTask {
    /// Runs the service until its final end; returns how its stop went.
    pub(super) async fn run(mut self) -> anyhow::Result<()> {
        self.state.begin();
        let result = self.run_with_restarts().await;
        self.state.end();
        // Sent only now: who receives it asks at once whether any service still lives.
        match result {
            Ok(RunOutcome::Stopped) => Ok(()),
            Ok(RunOutcome::ServiceExit(exit)) => {
                let _ = self.exit_sender.send(exit);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn run_with_restarts(&mut self) -> anyhow::Result<RunOutcome> {
        let name = self.definition.description.name().to_owned();
        let policy = self.definition.description.policy();
        let mut failed_in_a_row = 0_u64;
        loop {
            let error = match self.one_run(&name).await {
                RunEnd::Stopped(result) => {
                    self.phase(&name, Phase::Stopped);
                    return result.map(|()| RunOutcome::Stopped);
                }
                RunEnd::Done => {
                    self.phase(&name, Phase::Stopped);
                    tracing::info!(service = name, "service is done");
                    return Ok(RunOutcome::ServiceExit(ServiceExit::Done));
                }
                RunEnd::NotStarted(error) if self.started.is_some() => {
                    self.phase(&name, Phase::Failed);
                    if let Some(started) = self.started.take() {
                        let _ = started.send(Err(error));
                    }
                    return Ok(RunOutcome::Stopped);
                }
                RunEnd::NotStarted(error) => error,
                RunEnd::Failed(error, ready_for) => {
                    if ready_for >= self.restarts.healthy_after {
                        failed_in_a_row = 0;
                    }
                    error
                }
            };
            self.phase(&name, Phase::Failed);
            failed_in_a_row += 1;
            let limit = self.restarts.limit;
            match policy {
                OnError::Ignore => {
                    tracing::error!(
                        service = name,
                        "service failed, the others go on: {error:#}"
                    );
                    return Ok(RunOutcome::ServiceExit(ServiceExit::Ignored));
                }
                OnError::Restart if limit == 0 || failed_in_a_row <= limit => {
                    let delay = self.restarts.delay.after(failed_in_a_row);
                    tracing::error!(
                        service = name,
                        failed_in_a_row,
                        "service failed, it is restarted in {}: {error:#}",
                        humantime::format_duration(delay),
                    );
                    if self.stopped_within(delay).await {
                        self.phase(&name, Phase::Stopped);
                        return Ok(RunOutcome::Stopped);
                    }
                }
                OnError::Restart => {
                    let error =
                        error.context(format!("it failed {failed_in_a_row} times in a row"));
                    return Ok(RunOutcome::ServiceExit(ServiceExit::Failed(name, error)));
                }
                OnError::Exit => {
                    return Ok(RunOutcome::ServiceExit(ServiceExit::Failed(name, error)));
                }
            }
        }
    }

    async fn one_run(&mut self, name: &str) -> RunEnd {
        self.phase(name, Phase::Starting);
        let cx = Context::new(name, Arc::clone(&self.host));
        self.state.set(None, Some(&cx));
        let end = self.run_with(name, &cx).await;
        self.state.set(None, None);
        #[cfg(feature = "http")]
        self.host.states().set_health_check(name, None);
        end
    }

    async fn run_with(&mut self, name: &str, cx: &Context) -> RunEnd {
        let begin = begin(self.definition.build.clone(), cx, self.state.is_used());
        let begun = tokio::select! {
            begun = begin => begun,
            () = told_to_stop(&mut self.commands) => {
                self.give_up(cx).await;
                return RunEnd::Stopped(Ok(()));
            }
        };
        let service = match begun {
            Ok(service) => service,
            Err(error) => {
                self.give_up(cx).await;
                return RunEnd::NotStarted(error);
            }
        };
        self.phase(name, Phase::Ready);
        self.state.set(Some(&service), Some(cx));
        #[cfg(feature = "http")]
        self.offer_health_check(name, &service, cx);
        match self.started.take() {
            Some(started) => {
                let _ = started.send(Ok(()));
            }
            // The launcher tells of the first start of all.
            None => tracing::info!(service = name, "service is ready again"),
        }
        self.serve(name, &service, cx).await
    }

    #[cfg(feature = "http")]
    fn offer_health_check(&self, name: &str, service: &AnyService, cx: &Context) {
        let (service, cx) = (service.clone(), cx.clone());
        let check = Arc::new(move || {
            let (service, cx) = (service.clone(), cx.clone());
            Box::pin(async move {
                #[cfg(feature = "cluster")]
                if let Some(trouble) = crate::cluster::lifecycle::trouble(&cx) {
                    return Health::fail(format!("peers do not see this worker: {trouble}"));
                }
                #[cfg(feature = "rpc")]
                if let Some(trouble) = crate::rpc::trouble(&cx) {
                    return trouble;
                }
                service.health(&cx).await
            }) as BoxFuture<'static, Health>
        });
        self.host.states().set_health_check(name, Some(check));
    }

    /// Runs a started service until it ends or is told to, and stops it.
    async fn serve(&mut self, name: &str, service: &AnyService, cx: &Context) -> RunEnd {
        let ready_since = Instant::now();
        let mut wait = std::pin::pin!(caught(service.wait(cx)));
        let ended = loop {
            tokio::select! {
                biased;
                result = cx.ended() => break Some(result),
                result = &mut wait => {
                    let end = if cx.is_stopping() { Ok(()) } else { result };
                    self.phase(name, Phase::Stopping);
                    let stop = stop(name, service, cx, std::future::ready(Ok(())));
                    let ready_for = ready_since.elapsed();
                    return self.end_by_itself(name, cx, stop, end, ready_for).await;
                }
                command = self.commands.recv() => match command {
                    Some(ServiceCommand::Reset(change, done)) => tokio::select! {
                        result = reset(service, cx, &change) => {
                            let _ = done.send(result);
                        }
                        // As at a start, the hook is dropped at its next await.
                        () = told_to_stop(&mut self.commands) => break None,
                    },
                    Some(ServiceCommand::Stop) => break None,
                    // The launcher is gone: the process exits at once.
                    None => return RunEnd::Stopped(Ok(())),
                },
            }
        };
        let ready_for = ready_since.elapsed();
        self.phase(name, Phase::Stopping);
        let stop = stop(name, service, cx, wait);
        match ended {
            // The launcher bounds the stop that it asked for.
            None => {
                let stopped = stop.await;
                // A task that failed while it drained is told with the service.
                let late = cx.late_failure().map_or(Ok(()), Err);
                RunEnd::Stopped(stopped.and(late))
            }
            Some(result) => self.end_by_itself(name, cx, stop, result, ready_for).await,
        }
    }

    /// Stops a service that nobody told to, because it is done or has failed.
    async fn end_by_itself(
        &self,
        name: &str,
        cx: &Context,
        stop: impl Future<Output = anyhow::Result<()>>,
        result: anyhow::Result<()>,
        ready_for: Duration,
    ) -> RunEnd {
        self.bounded(name, cx, stop).await;
        match result {
            Ok(()) => RunEnd::Done,
            Err(error) => RunEnd::Failed(error, ready_for),
        }
    }

    /// Waits for a stop that nobody else bounds; then what is left is aborted.
    async fn bounded(
        &self,
        name: &str,
        cx: &Context,
        stop: impl Future<Output = anyhow::Result<()>>,
    ) {
        let stopped = match self.restarts.stop {
            Some(limit) => timeout(limit, stop).await,
            None => Ok(stop.await),
        };
        match stopped {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(service = name, "service failed to stop: {error:#}"),
            Err(_) => {
                tracing::error!(
                    service = name,
                    "service did not stop in time, its tasks are aborted"
                );
                cx.tasks().stop(false);
            }
        }
    }

    /// Aborts what a start left behind.
    async fn give_up(&self, cx: &Context) {
        cx.tasks().stop(false);
        // An aborted task ends at its next await; one without is left to itself.
        let ended = async {
            cx.tasks().wait().await;
            #[cfg(feature = "cluster")]
            crate::cluster::lifecycle::leave(cx).await;
            cx.tasks().end_background().await;
        };
        let _ = timeout(Duration::from_secs(1), ended).await;
    }

    /// Waits; returns early, with `true`, when told to stop.
    async fn stopped_within(&mut self, delay: Duration) -> bool {
        tokio::select! {
            () = told_to_stop(&mut self.commands) => true,
            () = sleep(delay) => false,
        }
    }

    fn phase(&self, name: &str, phase: Phase) {
        self.host.states().set(name, phase);
    }
}

/// Stops a service: no new work, then the end of all that is in progress, then what cleans up behind it.
///
/// A step that fails keeps none of the others from being done; the first error is returned, and the others
/// are logged.
async fn stop(
    name: &str,
    service: &AnyService,
    cx: &Context,
    wait: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    // Peers hear of it before anything is refused.
    #[cfg(feature = "cluster")]
    crate::cluster::lifecycle::drain(cx).await;
    cx.tasks().stop(true);
    let stopped = caught(service.stop(cx)).await;
    let waited = wait.await;
    cx.tasks().wait().await;
    let cleaned_up = caught(service.stopped(cx)).await;
    #[cfg(feature = "cluster")]
    crate::cluster::lifecycle::leave(cx).await;
    cx.tasks().end_background().await;
    let mut errors = [stopped, waited, cleaned_up]
        .into_iter()
        .filter_map(Result::err);
    let first = errors.next();
    for error in errors {
        tracing::error!(service = name, "service failed to stop: {error:#}");
    }
    first.map_or(Ok(()), Err)
}

/// Builds a service and starts it.
async fn begin(build: Build, cx: &Context, used: bool) -> anyhow::Result<AnyService> {
    let service = match build {
        Build::Value(service) => {
            if used {
                // The same value starts a second time, perhaps with another configuration.
                caught(service.reset(cx)).await?;
            }
            service
        }
        Build::Init(init) => caught(init(cx.clone())).await?,
    };
    #[cfg(feature = "cluster")]
    crate::cluster::lifecycle::register(cx).await?;
    caught(service.start(cx)).await?;
    caught(service.ready(cx)).await?;
    #[cfg(feature = "cluster")]
    crate::cluster::lifecycle::join(cx).await?;
    Ok(service)
}

async fn reset(
    service: &AnyService,
    cx: &Context,
    change: &ConfigurationChange,
) -> anyhow::Result<()> {
    #[cfg(feature = "config")]
    {
        let (old, new) = &change.snapshots;
        cx.changed(old, new)?;
    }
    #[cfg(not(feature = "config"))]
    let ConfigurationChange {} = change;
    caught(service.reset(cx)).await
}

/// Waits for the command to stop; others have no service yet.
async fn told_to_stop(commands: &mut mpsc::UnboundedReceiver<ServiceCommand>) {
    while let Some(command) = commands.recv().await {
        match command {
            ServiceCommand::Stop => return,
            ServiceCommand::Reset(_, done) => drop(done),
        }
    }
}

/// Turns a panic of a service that was written by hand into an error.
async fn caught<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let caught = catch_panic(future).await;
    caught.unwrap_or_else(|message| Err(anyhow!("panicked: {message}")))
}
