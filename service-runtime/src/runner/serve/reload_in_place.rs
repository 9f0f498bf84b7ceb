//! Another configuration for services that run in this process: by a restart in place, or by a
//! mutation.

use anyhow::anyhow;
use tokio::time::timeout;

use super::{LifecycleObserver, Serving, StartOutcome, StopOutcome, answer, at, lines, restarts};
use crate::exit::Exit;
use crate::runner::commands::Command;
use crate::runner::{ConfigurationChange, ServiceError, StartError, phases};
use crate::service::host::Host;
use crate::service::{Phase, RestartMethod};
use crate::settings::configuration::Loaded;

impl<A: LifecycleObserver> Serving<A> {
    /// Takes over the configuration of the moment; returns an exit if the process ends over it.
    pub(super) async fn reload(&mut self) -> Option<Exit> {
        tracing::info!("reload begins");
        self.observer.reloading();
        let mut loaded = match self
            .configuration
            .load_anew(Some(&self.loaded))
            .and_then(Loaded::checked)
        {
            Ok(loaded) => loaded,
            Err(error) => {
                lines("reload refused, nothing is changed: ", &error.to_string());
                self.commands.history().reload(format!("refused: {error}"));
                self.observer.ready();
                return None;
            }
        };
        loaded.settings.keep_fixed(self.settings());
        if loaded.settings.restart_method == RestartMethod::Mutate {
            if let (Some(exit), _) = self.take_over(loaded).await {
                return Some(exit);
            }
        } else if let Some(exit) = self.restart(loaded).await {
            return Some(exit);
        }
        self.observer.ready();
        None
    }

    /// Stops all services and starts them again, same pid; with the old configuration if they do
    /// not start with the new one.
    async fn restart(&mut self, loaded: Loaded) -> Option<Exit> {
        let stopped = match self.stop().await {
            StopOutcome::Clean => Exit::Done,
            StopOutcome::WithErrors => Exit::Failed,
            StopOutcome::OutOfTime | StopOutcome::Quit => return Some(Exit::Failed),
        };
        if self.commands.is_stopping() {
            return Some(self.end(stopped).await);
        }
        let old = self.use_configuration(loaded);
        self.host.begin_restart();
        match self.start_in_time().await {
            StartOutcome::Started => {
                self.host.close_unused_sockets();
                tracing::info!("reloaded, services restarted");
                self.commands
                    .history()
                    .reload("reloaded, services restarted");
                return None;
            }
            StartOutcome::Stop => return Some(self.end(Exit::Done).await),
            StartOutcome::Quit => return Some(Exit::Failed),
            StartOutcome::Failed(error) => {
                lines("reload undone: ", &error.to_string());
                self.commands.history().reload(format!("undone: {error}"));
            }
        }
        match self.stop().await {
            StopOutcome::Clean | StopOutcome::WithErrors => {}
            StopOutcome::OutOfTime | StopOutcome::Quit => return Some(Exit::Failed),
        }
        if self.commands.is_stopping() {
            return Some(self.end(Exit::Done).await);
        }
        self.use_configuration(old);
        self.host.begin_restart();
        match self.start_in_time().await {
            StartOutcome::Started => {
                self.host.close_unused_sockets();
                tracing::info!("services restarted with the configuration as it was");
                None
            }
            StartOutcome::Stop => Some(self.end(Exit::Done).await),
            StartOutcome::Quit => Some(Exit::Failed),
            StartOutcome::Failed(error) => {
                lines("nor with the configuration before: ", &error.to_string());
                Some(self.end(Exit::Failed).await)
            }
        }
    }

    /// Starts the services within `start_timeout`: while they start nobody is served.
    pub(super) async fn start_in_time(&mut self) -> StartOutcome {
        let Some(limit) = self.settings().start_timeout else {
            return self.start().await;
        };
        match timeout(limit, self.start()).await {
            Ok(start) => start,
            Err(_) => {
                let starting =
                    |(name, phase): (String, Phase)| (phase == Phase::Starting).then_some(name);
                let service = self.host.states().all().into_iter().find_map(starting);
                StartOutcome::Failed(StartError::NotStarted(ServiceError {
                    service: service.unwrap_or_default(),
                    error: anyhow!("not ready within start_timeout"),
                }))
            }
        }
    }

    /// Takes over what the supervisor sent, and tells it how that went.
    pub(super) async fn mutate(&mut self, bytes: &[u8]) -> Option<Exit> {
        match self.configuration.rebuild(bytes) {
            Ok(loaded) => {
                let (exit, result) = self.take_over(loaded).await;
                self.observer.mutated(result);
                exit
            }
            Err(error) => {
                self.observer.mutated(Err(error.to_string()));
                None
            }
        }
    }

    /// Takes over the mutable options, and lets the services know; returns an exit if the process
    /// is told to end meanwhile, and for the supervisor how it went.
    async fn take_over(&mut self, loaded: Loaded) -> (Option<Exit>, Result<(), String>) {
        let mut mutated = self.loaded.clone();
        let (old, changes) = mutated.mutate(&loaded);
        if let Err(error) = mutated.check() {
            // Each is right as a whole, but not the new mutable options beside the old others.
            let what = "the mutable options do not fit those that stay, nothing is changed: ";
            lines(what, &error.to_string());
            return (None, Err(error.to_string()));
        }
        if self.is_alone {
            changes.log();
        }
        self.loaded = mutated;
        self.host.set_snapshot(&self.loaded);
        self.apply_settings();
        let change = ConfigurationChange::between(&old, &self.loaded);
        let limit = self.settings().graceful_shutdown_timeout;
        let until = limit.map(|limit| tokio::time::Instant::now() + limit);
        let next = {
            let reset = self.running.reset(change);
            tokio::pin!(reset);
            loop {
                tokio::select! {
                    errors = &mut reset => {
                        let mut result = Ok(());
                        for ServiceError { service, error } in errors {
                            tracing::error!(
                                service,
                                "service failed to take over the configuration: {error:#}"
                            );
                            result = Err(format!("service `{service}`: {error:#}"));
                        }
                        tracing::info!("mutated");
                        self.commands.history().reload("mutated");
                        return (None, result);
                    }
                    () = at(until) => break None,
                    next = self.commands.next() => match next {
                        Command::Stop | Command::Quit => break Some(next),
                        // For when this one is in place.
                        Command::Reload => self.reload_wanted = true,
                        Command::Mutate(bytes) => self.mutation = Some(bytes),
                        Command::Report(asked) => {
                            let part = phases(&*self.host);
                            answer(&mut self.observer, asked, part, &mut self.commands, &self.loaded);
                        }
                    },
                }
            }
        };
        match next {
            Some(Command::Stop) => (Some(self.end(Exit::Done).await), Ok(())),
            Some(_) => (Some(Exit::Failed), Ok(())),
            None => {
                tracing::error!("not every service took over the configuration in time");
                for line in self.running.still_running() {
                    tracing::error!("{line}");
                }
                (
                    None,
                    Err("not every service took it over in time".to_owned()),
                )
            }
        }
    }

    /// Makes a configuration that of this process; returns the one before.
    fn use_configuration(&mut self, loaded: Loaded) -> Loaded {
        self.host.set_snapshot(&loaded);
        let old = std::mem::replace(&mut self.loaded, loaded);
        self.apply_settings();
        self.running.rearm(restarts(self.settings()));
        old
    }
}
