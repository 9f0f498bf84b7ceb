//! What a process that serves is told to do: by signals, and by its supervisor.

use std::time::Instant;

use tokio::sync::mpsc;

use crate::os::signal::{Order, Received, Signals};
use crate::settings::ReportFormat;
use crate::status::History;
use crate::stop_requests::{Requester, StopRequest, StopRequests};

/// Where orders come from.
#[derive(Debug)]
pub(crate) struct Orders {
    signals: Signals,
    words: mpsc::UnboundedReceiver<Word>,
    /// The supervisor's pid, in a worker.
    supervisor: Option<i32>,
    stops: StopRequests,
    /// Since when requests to stop are timed.
    since: Instant,
    orphaned: bool,
    history: History,
}

/// What comes from elsewhere than by a signal.
#[derive(Debug)]
pub(crate) enum Word {
    /// The supervisor sends a configuration to be taken over.
    Mutate(Vec<u8>),
    /// The supervisor wants to know how it goes here.
    Report(Asked),
    /// The supervisor is gone.
    Orphaned,
    /// The channel to the supervisor has failed, and how.
    ChannelFailed(String),
}

/// Something to act on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Stop gracefully.
    Stop,
    /// Stop at once.
    Quit,
    /// Take the configuration of the moment.
    Reload,
    /// Report.
    Report(Asked),
    /// Take over this configuration.
    Mutate(Vec<u8>),
}

/// Who asked for a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
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

impl Orders {
    /// Takes orders from signals and from `words`, under the supervisor of this pid if there is one.
    pub(crate) fn new(
        signals: Signals,
        words: mpsc::UnboundedReceiver<Word>,
        supervisor: Option<i32>,
    ) -> Self {
        Self {
            signals,
            words,
            supervisor,
            stops: StopRequests::new(supervisor.is_some()),
            since: Instant::now(),
            orphaned: false,
            history: History::default(),
        }
    }

    /// Waits for the next order, and logs who gave it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: an order is taken only by the call that returns it.
    pub(crate) async fn next(&mut self) -> Next {
        loop {
            let next = tokio::select! {
                received = self.signals.next() => self.read(received),
                Some(word) = self.words.recv() => Some(self.hear(word)),
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

    fn read(&mut self, received: Received) -> Option<Next> {
        let Received {
            order,
            signal,
            pid,
            sender,
        } = received;
        self.history.signal(signal, &sender);
        let (next, what) = match order {
            Order::Stop => {
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
                        return Some(Next::Stop);
                    }
                    StopRequest::Begins => (Next::Stop, ": stops gracefully"),
                    StopRequest::Repeats => {
                        tracing::debug!(%sender, "{signal}: already stops");
                        return None;
                    }
                    StopRequest::IsUrgent => (Next::Quit, " again: exits at once"),
                }
            }
            Order::Quit => (Next::Quit, ": exits at once"),
            Order::Reload => (Next::Reload, ": reloads"),
            Order::Report => (Next::Report(Asked::Signal), ": reports"),
        };
        let signal = signal.trim_start_matches("SIG");
        tracing::info!(%sender, "{signal}{what}");
        Some(next)
    }

    fn hear(&mut self, word: Word) -> Next {
        match word {
            Word::Mutate(bytes) => Next::Mutate(bytes),
            Word::Report(asked) => Next::Report(asked),
            Word::Orphaned => {
                self.orphaned = true;
                tracing::error!("the supervisor is gone: stops gracefully");
                Next::Stop
            }
            Word::ChannelFailed(error) => {
                self.orphaned = true;
                tracing::error!("the channel to the supervisor failed, stops gracefully: {error}");
                Next::Stop
            }
        }
    }
}
