//! The phases of a service, to be watched.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

#[cfg(feature = "http")]
use super::{AnyService, Context};

/// What a service is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// It waits for its turn to start.
    Waiting,
    /// It is being built and started.
    Starting,
    /// It is started.
    Ready,
    /// It was asked to stop.
    Stopping,
    /// It has stopped as asked, or its work is done.
    Stopped,
    /// It has failed and waits for its next start, if there is one.
    Failed,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        })
    }
}

/// What runs as a service, and its context.
#[cfg(feature = "http")]
pub(crate) type Runs = (AnyService, Context);

/// The phases of all services of a process, and what runs.
#[derive(Clone, Default)]
pub(crate) struct Board {
    phases: Arc<Mutex<BTreeMap<String, watch::Sender<Phase>>>>,
    #[cfg(feature = "http")]
    running: Arc<Mutex<BTreeMap<String, Runs>>>,
}

impl Board {
    /// Sets the phase of a service and wakes who watches it.
    pub(crate) fn set(&self, service: &str, phase: Phase) {
        self.sender(service).send_replace(phase);
    }

    /// Watches the phase of a service; one that was never heard of is waiting.
    pub(crate) fn watch(&self, service: &str) -> watch::Receiver<Phase> {
        self.sender(service).subscribe()
    }

    /// Takes note of what runs as a service, or that nothing does.
    #[cfg(feature = "http")]
    pub(crate) fn runs(&self, service: &str, running: Option<Runs>) {
        let mut all = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match running {
            Some(running) => all.insert(service.to_owned(), running),
            None => all.remove(service),
        };
    }

    /// Returns what runs as a service at the moment.
    #[cfg(feature = "http")]
    pub(crate) fn running(&self, service: &str) -> Option<Runs> {
        let all = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(service).cloned()
    }

    /// Returns every service with its phase, by name.
    pub(crate) fn all(&self) -> Vec<(String, Phase)> {
        let phases = self.phases.lock().unwrap_or_else(PoisonError::into_inner);
        phases
            .iter()
            .map(|(name, phase)| (name.clone(), *phase.borrow()))
            .collect()
    }

    fn sender(&self, service: &str) -> watch::Sender<Phase> {
        let mut services = self.phases.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = services.get(service) {
            return sender.clone();
        }
        let sender = watch::Sender::new(Phase::Waiting);
        services.insert(service.to_owned(), sender.clone());
        sender
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.all()).finish()
    }
}
