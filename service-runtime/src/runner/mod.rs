//! Services that run in this process: started in order, stopped in reverse.
//!
//! Each service is run by one task, see [`service_task`]; this module tells those tasks what to do and
//! learns how they end.

pub(crate) mod build;
pub(crate) mod commands;
pub(crate) mod host;
pub(crate) mod host_backend;
pub(crate) mod main_fn;
pub(crate) mod metrics_listener;
#[cfg(feature = "metrics")]
pub(crate) mod process_metrics;
mod report;
mod run_state;
pub(crate) mod runtime;
pub(crate) mod selection;
pub(crate) mod serve;
mod service_exit;
mod service_task;
pub(crate) mod setup;
pub(crate) mod watchdog;

use std::fmt;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

pub(crate) use self::report::phases;
pub(crate) use self::service_exit::{ConfigurationChange, RestartPolicy, ServiceExit};
use self::service_task::{ServiceCommand, ServiceTask};
use crate::service::host::Host;
use crate::service::{AnyService, Context, Definition, Phase, levels};
use crate::settings::configuration::Loaded;
use crate::tasks::TaskGroup;

/// The services of this process.
pub(crate) struct RunningServices {
    host: Arc<dyn Host>,
    restarts: RestartPolicy,
    handles: Vec<Handle>,
    levels: Vec<Vec<usize>>,
    group: TaskGroup,
    exits: mpsc::UnboundedReceiver<ServiceExit>,
    exit_sender: mpsc::UnboundedSender<ServiceExit>,
}

/// A service that could not be started or stopped, or did not take over a configuration.
#[derive(Debug)]
pub(crate) struct ServiceError {
    pub(crate) service: String,
    pub(crate) error: anyhow::Error,
}

/// Why not every service was started.
#[derive(Debug)]
pub(crate) enum StartError {
    /// This one could not be started.
    NotStarted(ServiceError),
    /// This one was ready, and failed while others were being started.
    Failed(ServiceError),
}

/// One service as its task sees and shows it.
struct Handle {
    definition: Definition,
    commands: Option<mpsc::UnboundedSender<ServiceCommand>>,
    ended: Option<oneshot::Receiver<anyhow::Result<()>>>,
    state: Arc<run_state::RunState>,
}

impl RunningServices {
    /// Checks names and order; nothing runs yet.
    ///
    /// # Errors
    ///
    /// Returns every duplicate name, unknown `after` and cycle, in lines.
    pub(crate) fn new(
        services: Vec<Definition>,
        host: Arc<dyn Host>,
        restarts: RestartPolicy,
    ) -> Result<Self, String> {
        let descriptions: Vec<_> = services
            .iter()
            .map(|service| service.description.clone())
            .collect();
        let levels = levels(&descriptions).map_err(|errors| {
            errors
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        })?;
        let (exit_sender, exits) = mpsc::unbounded_channel();
        let handles = services
            .into_iter()
            .map(|definition| {
                host.states()
                    .set(definition.description.name(), Phase::Waiting);
                Handle {
                    definition,
                    commands: None,
                    ended: None,
                    state: Arc::default(),
                }
            })
            .collect();
        let group = TaskGroup::new("launcher");
        Ok(Self {
            host,
            restarts,
            handles,
            levels,
            group,
            exits,
            exit_sender,
        })
    }

    /// Returns the services for those who only look at them.
    #[cfg(feature = "metrics")]
    pub(crate) fn contexts(&self) -> process_metrics::ServiceContexts {
        let states = self.handles.iter().map(|handle| Arc::clone(&handle.state));
        process_metrics::ServiceContexts(states.collect())
    }

    /// Starts every service, each when those it needs are ready.
    ///
    /// # Errors
    ///
    /// Returns the first service that could not be started; those before it go on running until
    /// [`stop`](Self::stop).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves services half started; [`stop`](Self::stop) stops those too.
    pub(crate) async fn start(&mut self) -> Result<(), StartError> {
        for index in self.levels.concat() {
            let handle = &mut self.handles[index];
            let service = handle.definition.description.name().to_owned();
            let (commands, receiver) = mpsc::unbounded_channel();
            let (started, is_started) = oneshot::channel();
            let (end, ended) = oneshot::channel();
            let task = ServiceTask {
                definition: handle.definition.clone(),
                host: Arc::clone(&self.host),
                restarts: self.restarts,
                commands: receiver,
                started: Some(started),
                exit_sender: self.exit_sender.clone(),
                state: Arc::clone(&handle.state),
            };
            let spawned = self.group.try_spawn(service.clone(), async move {
                let _ = end.send(task.run().await);
            });
            if let Err(error) = spawned {
                let error = error.into();
                return Err(StartError::NotStarted(ServiceError { service, error }));
            }
            handle.commands = Some(commands);
            handle.ended = Some(ended);
            match unless_one_fails(is_started, &mut self.exits).await? {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    return Err(StartError::NotStarted(ServiceError { service, error }));
                }
                Err(_) => {
                    let error = anyhow::anyhow!("its task ended before it was started");
                    return Err(StartError::NotStarted(ServiceError { service, error }));
                }
            }
        }
        Ok(())
    }

    /// Waits until something becomes of a service.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what is told is told by the call that returns it.
    pub(crate) async fn next(&mut self) -> ServiceExit {
        match self.exits.recv().await {
            Some(exit) => exit,
            // One sender is `self.tell`.
            None => std::future::pending().await,
        }
    }

    /// Returns whether no service runs any more.
    pub(crate) fn is_over(&self) -> bool {
        self.handles.iter().all(|handle| handle.state.is_over())
    }

    /// Stops every service, those first that nothing needs, and waits for them.
    ///
    /// Returns the errors of the stops, each with its service.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future takes no stop back; a second call goes on.
    pub(crate) async fn stop(&mut self) -> Vec<ServiceError> {
        let mut errors = Vec::new();
        for level in self.levels.clone().into_iter().rev() {
            for index in &level {
                if let Some(commands) = &self.handles[*index].commands {
                    let _ = commands.send(ServiceCommand::Stop);
                }
            }
            for index in level {
                let Some(ended) = &mut self.handles[index].ended else {
                    continue;
                };
                let result = ended.await.unwrap_or(Ok(()));
                self.handles[index].ended = None;
                self.handles[index].commands = None;
                if let Err(error) = result {
                    let service = self.handles[index].definition.description.name().to_owned();
                    errors.push(ServiceError { service, error });
                }
            }
        }
        errors
    }

    /// Makes the services startable again after a stop, with new back-off settings.
    pub(crate) fn rearm(&mut self, restarts: RestartPolicy) {
        self.restarts = restarts;
        let (exit_sender, exits) = mpsc::unbounded_channel();
        (self.exit_sender, self.exits) = (exit_sender, exits);
    }

    /// Lets every running service take over a new configuration, in start order.
    ///
    /// Returns the errors, each with its service; the services go on all the same.
    pub(crate) async fn reset(&mut self, change: ConfigurationChange) -> Vec<ServiceError> {
        let mut errors = Vec::new();
        for index in self.levels.concat() {
            let handle = &self.handles[index];
            let Some(commands) = &handle.commands else {
                continue;
            };
            let (done, is_done) = oneshot::channel();
            if commands
                .send(ServiceCommand::Reset(change.clone(), done))
                .is_err()
            {
                continue;
            }
            // A service that ends meanwhile drops its side: it has nothing to take over.
            if let Ok(Err(error)) = is_done.await {
                let service = handle.definition.description.name().to_owned();
                errors.push(ServiceError { service, error });
            }
        }
        errors
    }

    /// Returns how to ask each service that runs.
    pub(crate) fn current(&self) -> Vec<(AnyService, Context)> {
        self.handles
            .iter()
            .filter_map(|handle| handle.state.service())
            .collect()
    }
}

/// Waits for a start; returns an error if meanwhile a service fails that was ready before.
async fn unless_one_fails<T>(
    mut start: oneshot::Receiver<T>,
    exits: &mut mpsc::UnboundedReceiver<ServiceExit>,
) -> Result<Result<T, oneshot::error::RecvError>, StartError> {
    loop {
        tokio::select! {
            biased;
            started = &mut start => return Ok(started),
            // Those that have ended well are missed by nobody: the one that starts is still to end.
            Some(exit) = exits.recv() => if let ServiceExit::Failed(service, error) = exit {
                return Err(StartError::Failed(ServiceError { service, error }));
            },
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(ServiceError { service, error }) => {
                write!(f, "service `{service}` could not be started: {error:#}")
            }
            Self::Failed(ServiceError { service, error }) => {
                write!(
                    f,
                    "service `{service}` failed while others were being started: {error:#}"
                )
            }
        }
    }
}

impl StartError {
    /// Returns the service's own error.
    pub(crate) fn cause(&self) -> &anyhow::Error {
        let (Self::NotStarted(fault) | Self::Failed(fault)) = self;
        &fault.error
    }
}

impl ConfigurationChange {
    /// Tells of a configuration that another has taken the place of.
    pub(crate) fn between(old: &Loaded, new: &Loaded) -> Self {
        #[cfg(not(feature = "config"))]
        let _ = (old, new);
        Self {
            #[cfg(feature = "config")]
            snapshots: (old.snapshot.clone(), new.snapshot.clone()),
        }
    }
}
