//! What a process that serves is told to do: by signals, and by its supervisor.

use tokio::sync::mpsc;

use crate::os::signal::{Order, Received, Signals};
use crate::settings::ReportFormat;
use crate::status::History;

/// Where orders come from.
#[derive(Debug)]
pub(crate) struct Orders {
    signals: Signals,
    words: mpsc::UnboundedReceiver<Word>,
    /// The supervisor's pid, in a worker.
    supervisor: Option<i32>,
    stops: Stops,
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

/// How often this process was told to stop.
///
/// A service manager signals every process of a service, and then the supervisor signals its
/// workers: those two are one stop, and not the second that makes a process exit at once.
#[derive(Debug, Default)]
struct Stops {
    by_supervisor: u32,
    by_others: u32,
}

/// What one more TERM comes to.
#[derive(Debug, PartialEq, Eq)]
enum Stopping {
    /// It is the first of all.
    Begins,
    /// It is the same stop, told by another.
    GoesOn,
    /// It is the second by hand.
    IsUrgent,
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
            stops: Stops::default(),
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
        self.orphaned || self.stops.by_supervisor + self.stops.by_others > 0
    }

    fn read(&mut self, received: Received) -> Option<Next> {
        let Received { order, pid, sender } = received;
        let name = match order {
            Order::Stop => "SIGTERM",
            Order::Quit => "SIGINT",
            Order::Reload => "SIGHUP",
            Order::Report => "SIGUSR1",
        };
        self.history.signal(name, &sender);
        let (next, what) = match order {
            Order::Stop => {
                let by_supervisor = pid.is_some() && pid == self.supervisor;
                match self.stops.count(by_supervisor) {
                    Stopping::Begins if by_supervisor => {
                        // The supervisor has said so, and who told it.
                        tracing::debug!(sender, "TERM: stops gracefully");
                        return Some(Next::Stop);
                    }
                    Stopping::Begins => (Next::Stop, "TERM: stops gracefully"),
                    Stopping::GoesOn => {
                        tracing::debug!(%sender, "TERM: already stops");
                        return None;
                    }
                    Stopping::IsUrgent => (Next::Quit, "TERM again: exits at once"),
                }
            }
            Order::Quit => (Next::Quit, "INT: exits at once"),
            Order::Reload => (Next::Reload, "HUP: reloads"),
            Order::Report => (Next::Report(Asked::Signal), "USR1: reports"),
        };
        tracing::info!(%sender, "{what}");
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
        }
    }
}

impl Stops {
    /// Counts a TERM, and says what it comes to.
    fn count(&mut self, by_supervisor: bool) -> Stopping {
        let first = self.by_supervisor + self.by_others == 0;
        if by_supervisor {
            self.by_supervisor += 1;
        } else {
            self.by_others += 1;
        }
        match self.by_others {
            _ if first => Stopping::Begins,
            2.. if !by_supervisor => Stopping::IsUrgent,
            _ => Stopping::GoesOn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_manager_and_the_supervisor_are_one_stop() {
        let mut stops = Stops::default();
        assert_eq!(stops.count(false), Stopping::Begins);
        assert_eq!(stops.count(true), Stopping::GoesOn);
        let mut stops = Stops::default();
        assert_eq!(stops.count(true), Stopping::Begins);
        assert_eq!(stops.count(false), Stopping::GoesOn);
    }

    #[test]
    fn a_second_stop_by_hand_is_another() {
        let mut stops = Stops::default();
        assert_eq!(stops.count(false), Stopping::Begins);
        assert_eq!(stops.count(true), Stopping::GoesOn);
        assert_eq!(stops.count(false), Stopping::IsUrgent);
    }
}
