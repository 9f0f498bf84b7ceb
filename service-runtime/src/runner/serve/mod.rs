//! Services in this process, from start to stop: what a ServiceLauncher and a worker have in common.

mod reload_in_place;

use std::sync::Arc;

use tokio::time::sleep_until;

use crate::backoff::Backoff;
use crate::exit::Exit;
use crate::runner::commands::{Command, CommandReceiver, ReportRequest};
use crate::runner::host::ProcessHost;
use crate::runner::watchdog::Watchdog;
use crate::runner::{
    RestartPolicy, RunningServices, ServiceError, ServiceExit, StartError, phases,
};
use crate::service::host::Host;
use crate::settings::Settings;
use crate::settings::configuration::{Configuration, Loaded};
use crate::status::ProcessPart;

/// Is told how the services of this process go, and tells a service manager or a supervisor.
pub(crate) trait LifecycleObserver: Send {
    /// Every service is ready, or a reload has ended.
    fn ready(&mut self);
    /// A reload has begun.
    fn reloading(&mut self);
    /// A stop has begun.
    fn stopping(&mut self);
    /// The services cannot be started.
    fn failed(&mut self, exit: Exit, error: &str);
    /// Every service has come to its end by itself.
    fn done(&mut self) {}
    /// A mutation that was asked for is done, or went wrong.
    fn mutated(&mut self, result: Result<(), String>);
    /// Somebody asked how it goes: this is this process's own part of the answer.
    fn report(&mut self, asked: ReportRequest, part: ProcessPart, loaded: &Loaded);
}

/// A process that serves.
pub(crate) struct Serving<A> {
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) loaded: Loaded,
    pub(crate) host: Arc<ProcessHost>,
    pub(crate) running: RunningServices,
    pub(crate) commands: CommandReceiver,
    pub(crate) watchdog: Watchdog,
    pub(crate) observer: A,
    pub(crate) reload_wanted: bool,
    /// A configuration of the supervisor's that came while another was being taken over.
    pub(crate) mutation: Option<Vec<u8>>,
    /// Whether there is no supervisor, which bounds starts and logs what a mutation changes.
    pub(crate) is_alone: bool,
}

/// How a start went.
pub(super) enum StartOutcome {
    Started,
    Failed(StartError),
    Stop,
    Quit,
}

/// How a stop went.
pub(super) enum StopOutcome {
    Clean,
    WithErrors,
    OutOfTime,
    Quit,
}

impl<A: LifecycleObserver> Serving<A> {
    /// Starts the services, serves until told to stop or until they end, and stops them.
    ///
    /// After a command to exit at once they still run; they are stopped when `self` is dropped.
    pub(crate) async fn serve(&mut self) -> Exit {
        // A supervisor bounds the starts of its workers by itself.
        let start = if self.is_alone {
            self.start_in_time().await
        } else {
            self.start().await
        };
        match start {
            StartOutcome::Started => {}
            StartOutcome::Stop => return self.end(Exit::Done).await,
            StartOutcome::Quit => return Exit::Failed,
            StartOutcome::Failed(error) => {
                let text = error.to_string();
                lines("", &text);
                let exit = Exit::of_start(error.cause());
                self.observer.failed(exit, &text);
                self.end(exit).await;
                return exit;
            }
        }
        self.observer.ready();
        self.run().await
    }

    async fn run(&mut self) -> Exit {
        loop {
            if let Some(bytes) = self.mutation.take() {
                if let Some(exit) = self.mutate(&bytes).await {
                    return exit;
                }
                continue;
            }
            if std::mem::take(&mut self.reload_wanted) {
                if let Some(exit) = self.reload().await {
                    return exit;
                }
                continue;
            }
            tokio::select! {
                next = self.commands.next() => match next {
                    Command::Stop => return self.end(Exit::Done).await,
                    Command::Quit => return Exit::Failed,
                    Command::Reload => self.reload_wanted = true,
                    Command::Report(asked) => {
                        let part = self.running.part().await;
                        answer(&mut self.observer, asked, part, &mut self.commands, &self.loaded);
                    }
                    Command::Mutate(bytes) => {
                        if let Some(exit) = self.mutate(&bytes).await {
                            return exit;
                        }
                    }
                },
                told = self.running.next() => match told {
                    ServiceExit::Failed(service, error) => {
                        tracing::error!(service, "service failed, the program ends: {error:#}");
                        let text = format!("service `{service}` failed: {error:#}");
                        self.observer.failed(Exit::Failed, &text);
                        return self.end(Exit::Failed).await;
                    }
                    ServiceExit::Done | ServiceExit::Ignored if self.running.is_over() => {
                        tracing::info!("every service has ended");
                        let exit = self.end(Exit::Done).await;
                        if exit == Exit::Done {
                            self.observer.done();
                        }
                        return exit;
                    }
                    ServiceExit::Done | ServiceExit::Ignored => {}
                },
            }
        }
    }

    pub(super) async fn start(&mut self) -> StartOutcome {
        let start = self.running.start();
        tokio::pin!(start);
        loop {
            tokio::select! {
                started = &mut start => return match started {
                    Ok(()) => StartOutcome::Started,
                    Err(error) => StartOutcome::Failed(error),
                },
                next = self.commands.next() => match next {
                    Command::Stop => return StartOutcome::Stop,
                    Command::Quit => return StartOutcome::Quit,
                    Command::Reload => self.reload_wanted = true,
                    Command::Report(asked) => {
                        let part = phases(&*self.host);
                        answer(&mut self.observer, asked, part, &mut self.commands, &self.loaded);
                    }
                    Command::Mutate(bytes) => self.mutation = Some(bytes),
                },
            }
        }
    }

    /// Stops everything and returns the exit that it comes to.
    pub(super) async fn end(&mut self, exit: Exit) -> Exit {
        self.observer.stopping();
        self.host.end();
        let exit = match self.stop().await {
            StopOutcome::Clean => exit,
            StopOutcome::WithErrors | StopOutcome::OutOfTime | StopOutcome::Quit => Exit::Failed,
        };
        if self.commands.is_orphaned() {
            Exit::Failed
        } else {
            exit
        }
    }

    pub(super) async fn stop(&mut self) -> StopOutcome {
        let limit = self.host.stop_limit();
        let until = limit.map(|limit| tokio::time::Instant::now() + limit);
        let errors = {
            let stop = self.running.stop();
            tokio::pin!(stop);
            loop {
                tokio::select! {
                    errors = &mut stop => break Some(errors),
                    () = at(until) => break None,
                    next = self.commands.next() => match next {
                        Command::Quit => return StopOutcome::Quit,
                        // This is that stop; a restart looks afterwards whether there was one.
                        Command::Stop => {}
                        // For after a restart.
                        Command::Reload => self.reload_wanted = true,
                        Command::Mutate(bytes) => self.mutation = Some(bytes),
                        Command::Report(asked) => {
                        let part = phases(&*self.host);
                        answer(&mut self.observer, asked, part, &mut self.commands, &self.loaded);
                    }
                    }
                }
            }
        };
        let Some(errors) = errors else {
            let limit = humantime::format_duration(limit.unwrap_or_default());
            tracing::error!("the graceful stop did not end within {limit}");
            for line in self.running.still_running() {
                tracing::error!("{line}");
            }
            return StopOutcome::OutOfTime;
        };
        for ServiceError { service, error } in &errors {
            tracing::error!(service, "service failed to stop: {error:#}");
        }
        if errors.is_empty() {
            StopOutcome::Clean
        } else {
            StopOutcome::WithErrors
        }
    }

    pub(super) fn apply_settings(&self) {
        let graceful = self.settings().graceful_shutdown_timeout;
        self.watchdog.set_graceful(graceful);
        self.host.set_graceful(graceful);
        self.host.set_log_level(&self.settings().log_level);
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.loaded.settings
    }
}

/// Gives this process's part of a report to who asked for it.
pub(super) fn answer<A: LifecycleObserver>(
    observer: &mut A,
    asked: ReportRequest,
    part: ProcessPart,
    commands: &mut CommandReceiver,
    loaded: &Loaded,
) {
    let part = ProcessPart {
        history: commands.history().clone(),
        ..part
    };
    observer.report(asked, part, loaded);
}

/// Logs errors, each in a line of its own.
pub(crate) fn lines(what: &str, errors: &str) {
    for error in errors.lines() {
        tracing::error!("{what}{error}");
    }
}

/// Returns how services are restarted under these settings.
pub(crate) fn restarts(settings: &Settings) -> RestartPolicy {
    RestartPolicy {
        delay: Backoff::doubling(settings.respawn_delay, settings.respawn_delay_max),
        healthy_after: settings.healthy_after,
        limit: settings.service_restart_limit,
        stop: settings.graceful_shutdown_timeout,
    }
}

pub(super) async fn at(time: Option<tokio::time::Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
