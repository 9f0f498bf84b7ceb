//! The phases of a service, to be watched.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

#[cfg(feature = "http")]
use super::{BoxFuture, Health};

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

/// Asks a running service how it goes.
#[cfg(feature = "http")]
pub(crate) type HealthCheck = Arc<dyn Fn() -> BoxFuture<'static, Health> + Send + Sync>;

/// The phases of all services of a process, and how to ask the running ones how they go.
#[derive(Clone, Default)]
pub(crate) struct ServiceStates {
    phases: Arc<Mutex<BTreeMap<String, watch::Sender<Phase>>>>,
    /// What each has last said of itself.
    statuses: Arc<Mutex<BTreeMap<String, String>>>,
    #[cfg(feature = "http")]
    health_checks: Arc<Mutex<BTreeMap<String, HealthCheck>>>,
}

impl ServiceStates {
    /// Sets the phase of a service and wakes who watches it.
    pub(crate) fn set(&self, service: &str, phase: Phase) {
        self.sender(service).send_replace(phase);
    }

    /// Watches the phase of a service; one that was never heard of is waiting.
    pub(crate) fn watch(&self, service: &str) -> watch::Receiver<Phase> {
        self.sender(service).subscribe()
    }

    /// Takes note of what a service says of itself.
    pub(crate) fn set_status(&self, service: &str, text: &str) {
        let mut statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        statuses.insert(service.to_owned(), text.to_owned());
    }

    /// Returns what a service has last said of itself.
    pub(crate) fn status(&self, service: &str) -> Option<String> {
        let statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        statuses.get(service).cloned()
    }

    /// Takes note of how to ask a service that runs, or that it runs no more.
    #[cfg(feature = "http")]
    pub(crate) fn set_health_check(&self, service: &str, check: Option<HealthCheck>) {
        let mut all = self
            .health_checks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match check {
            Some(check) => all.insert(service.to_owned(), check),
            None => all.remove(service),
        };
    }

    /// Returns how to ask a service, if it runs.
    #[cfg(feature = "http")]
    pub(crate) fn health_check(&self, service: &str) -> Option<HealthCheck> {
        let all = self
            .health_checks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
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

impl fmt::Debug for ServiceStates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.all()).finish()
    }
}
