//! What a process that serves is told to do: by signals, and by its supervisor.

use std::time::Instant;

use tokio::sync::mpsc;

use crate::os::signal::{Received, SignalAction, Signals};
use crate::settings::ReportFormat;
use crate::status::History;
use crate::stop_requests::{Requester, StopRequest, StopRequests};

/// Receives commands from signals and from the supervisor.
#[derive(Debug)]
pub(crate) struct CommandReceiver {
    signals: Signals,
    worker_commands: mpsc::UnboundedReceiver<WorkerCommand>,
    /// The supervisor's pid, in a worker.
    supervisor: Option<i32>,
    stops: StopRequests,
    /// Since when requests to stop are timed.
    since: Instant,
    orphaned: bool,
    history: History,
}

/// What a worker is told other than by a signal.
#[derive(Debug)]
pub(crate) enum WorkerCommand {
    /// The supervisor sends a configuration to be taken over.
    Mutate(Vec<u8>),
    /// The supervisor wants to know how it goes here.
    Report(ReportRequest),
    /// The supervisor is gone.
    Orphaned,
    /// The channel to the supervisor has failed, and how.
    ChannelFailed(String),
}

/// What this process is to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Stop gracefully.
    Stop,
    /// Stop at once.
    Quit,
    /// Take the configuration of the moment.
    Reload,
    /// Report.
    Report(ReportRequest),
    /// Take over this configuration.
    Mutate(Vec<u8>),
}

/// Who asked for a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportRequest {
    /// Somebody outside, by a signal.
    Signal,
    /// The supervisor, for its own report.
    Supervisor {
        /// The number of the question.
        id: u32,
        /// How the answer is to be written.
        format: ReportFormat,
    },
}

impl CommandReceiver {
    /// Receives commands from signals and from `worker_commands`, under the supervisor of this pid if there is one.
    pub(crate) fn new(
        signals: Signals,
        worker_commands: mpsc::UnboundedReceiver<WorkerCommand>,
        supervisor: Option<i32>,
    ) -> Self {
        Self {
            signals,
            worker_commands,
            supervisor,
            stops: StopRequests::new(supervisor.is_some()),
            since: Instant::now(),
            orphaned: false,
            history: History::default(),
        }
    }

    /// Waits for the next command, and logs who gave it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a command is taken only by the call that returns it.
    pub(crate) async fn next(&mut self) -> Command {
        loop {
            let next = tokio::select! {
                received = self.signals.next() => self.read(received),
                Some(command) = self.worker_commands.recv() => Some(self.receive(command)),
            };
            if let Some(next) = next {
                return next;
            }
        }
    }

    /// Returns what happened lately.
    pub(crate) fn history(&mut self) -> &mut History {
        &mut self.history
    }

    /// Returns whether the supervisor is gone.
    pub(crate) fn is_orphaned(&self) -> bool {
        self.orphaned
    }

    /// Returns whether this process has been told to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.orphaned || self.stops.has_begun()
    }

    fn read(&mut self, received: Received) -> Option<Command> {
        let Received {
            action,
            signal,
            pid,
            sender,
        } = received;
        self.history.signal(signal, &sender);
        let (next, what) = match action {
            SignalAction::Stop => {
                let by_supervisor = pid.is_some() && pid == self.supervisor;
                let requester = if by_supervisor {
                    Requester::Supervisor
                } else {
                    Requester::Other
                };
                match self.stops.count(self.since.elapsed(), requester) {
                    StopRequest::Begins if by_supervisor => {
                        // The supervisor has said so, and who told it.
                        tracing::debug!(sender, "{signal} of the supervisor: stops gracefully");
                        return Some(Command::Stop);
                    }
                    StopRequest::Begins => (Command::Stop, ": stops gracefully"),
                    StopRequest::Repeats => {
                        tracing::debug!(%sender, "{signal}: already stops");
                        return None;
                    }
                    StopRequest::IsUrgent => (Command::Quit, " again: exits at once"),
                }
            }
            SignalAction::Quit => (Command::Quit, ": exits at once"),
            SignalAction::Reload => (Command::Reload, ": reloads"),
            SignalAction::Report => (Command::Report(ReportRequest::Signal), ": reports"),
        };
        let signal = signal.trim_start_matches("SIG");
        tracing::info!(%sender, "{signal}{what}");
        Some(next)
    }

    fn receive(&mut self, command: WorkerCommand) -> Command {
        match command {
            WorkerCommand::Mutate(bytes) => Command::Mutate(bytes),
            WorkerCommand::Report(asked) => Command::Report(asked),
            WorkerCommand::Orphaned => {
                self.orphaned = true;
                tracing::error!("the supervisor is gone: stops gracefully");
                Command::Stop
            }
            WorkerCommand::ChannelFailed(error) => {
                self.orphaned = true;
                tracing::error!("the channel to the supervisor failed, stops gracefully: {error}");
                Command::Stop
            }
        }
    }
}
