//! What stands behind the context of every service of this process.

use std::any::Any;
use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::host_backend::HostBackend;
use crate::listen::ListenOptions;
use crate::metrics::RequestCounters;
use crate::service::BoxFuture;
use crate::service::host::{Host, Identity};
use crate::service::phase::ServiceStates;
use crate::settings::configuration::Loaded;
use crate::settings::logging::Logging;

/// The process that runs the services.
pub(crate) struct ProcessHost {
    identity: Identity,
    states: ServiceStates,
    backend: Arc<dyn HostBackend>,
    logging: Logging,
    graceful: Mutex<Option<Duration>>,
    /// Whether this process is on its way to its end, and not to a restart of its services.
    ends: AtomicBool,
    /// Whether a listener that says nothing has a socket a slot.
    reuse_port: bool,
    #[cfg(feature = "config")]
    snapshots: tokio::sync::watch::Sender<crate::config::Snapshot>,
}

impl ProcessHost {
    pub(crate) fn new(
        identity: Identity,
        loaded: &Loaded,
        logging: Logging,
        backend: Arc<dyn HostBackend>,
    ) -> Self {
        Self {
            identity,
            states: ServiceStates::default(),
            backend,
            logging,
            ends: AtomicBool::new(false),
            graceful: Mutex::new(loaded.settings.graceful_shutdown_timeout),
            reuse_port: loaded.settings.reuse_port,
            #[cfg(feature = "config")]
            snapshots: tokio::sync::watch::Sender::new(loaded.snapshot.clone()),
        }
    }

    /// Makes a configuration the one that services see.
    pub(crate) fn set_snapshot(&self, loaded: &Loaded) {
        #[cfg(feature = "config")]
        self.snapshots.send_replace(loaded.snapshot.clone());
        #[cfg(not(feature = "config"))]
        let _ = loaded;
    }

    /// Begins to note anew which sockets the services use, before they start again.
    pub(crate) fn begin_restart(&self) {
        self.backend.begin_restart();
    }

    /// Closes the sockets of addresses that were given up by a restart.
    pub(crate) fn close_unused_sockets(&self) {
        self.backend.close_unused();
    }

    /// Says that this process is on its way to its end.
    pub(crate) fn end(&self) {
        self.ends.store(true, Ordering::Release);
    }

    /// Changes how long a stop may take that begins from now on.
    pub(crate) fn set_graceful(&self, graceful: Option<Duration>) {
        *self.graceful.lock().unwrap_or_else(PoisonError::into_inner) = graceful;
    }

    /// Changes what this process logs.
    pub(crate) fn set_log_level(&self, level: &str) {
        self.logging.set_level(level);
    }
}

impl Host for ProcessHost {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn states(&self) -> &ServiceStates {
        &self.states
    }

    fn listen(&self, options: ListenOptions) -> BoxFuture<'static, Result<OwnedFd, String>> {
        let options = options.reuse_port_by_default(self.reuse_port);
        self.backend.listen(&options)
    }

    fn status(&self, service: &str, text: &str) {
        self.states.set_status(service, text);
        self.backend.status(service, text);
    }

    fn lock(&self, task: &str) -> Option<Box<dyn Any + Send>> {
        self.backend.lock(task)
    }

    fn program_ends(&self) -> bool {
        self.backend.program_ends(self.ends.load(Ordering::Acquire))
    }

    fn stop_limit(&self) -> Option<Duration> {
        let usual = *self.graceful.lock().unwrap_or_else(PoisonError::into_inner);
        self.backend.stop_limit().unwrap_or(usual)
    }

    fn requests(&self) -> &RequestCounters {
        self.backend.requests()
    }

    #[cfg(feature = "config")]
    fn snapshots(&self) -> tokio::sync::watch::Receiver<crate::config::Snapshot> {
        self.snapshots.subscribe()
    }
}

impl fmt::Debug for ProcessHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessHost")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
