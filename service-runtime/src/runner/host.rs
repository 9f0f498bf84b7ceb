//! What stands behind the context of every service of this process.

use std::any::Any;
use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error_chain::chain;
use crate::listen::{ListenOptions, Listeners};
use crate::service::BoxFuture;
#[cfg(feature = "http")]
use crate::service::host::Exchange;
use crate::service::host::{Host, Identity};
use crate::service::phase::Board;
use crate::settings::configuration::Loaded;
use crate::settings::logging::Logging;

/// The process that runs the services.
pub(crate) struct ProcessHost {
    identity: Identity,
    board: Board,
    outside: Outside,
    logging: Logging,
    graceful: Mutex<Option<Duration>>,
    /// Whether this process is on its way to its end, and not to a restart of its services.
    ends: AtomicBool,
    /// Whether a listener that says nothing has a socket a slot.
    reuse_port: bool,
    #[cfg(feature = "config")]
    snapshots: tokio::sync::watch::Sender<crate::config::Snapshot>,
}

/// Where sockets, turns and status go: nowhere else, or to a supervisor.
pub(crate) enum Outside {
    /// This is the program's only process.
    Alone {
        /// The sockets it listens on.
        listeners: Arc<Mutex<Listeners>>,
        /// Who hears of a status.
        notify: Arc<crate::notify::Notifier>,
    },
    /// This is a worker.
    #[cfg(target_os = "linux")]
    Supervised(crate::worker::supervisor_client::SupervisorClient),
}

impl ProcessHost {
    pub(crate) fn new(
        identity: Identity,
        loaded: &Loaded,
        logging: Logging,
        outside: Outside,
    ) -> Self {
        Self {
            identity,
            board: Board::default(),
            outside,
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

    fn board(&self) -> &Board {
        &self.board
    }

    fn listen(&self, options: ListenOptions) -> BoxFuture<'static, Result<OwnedFd, String>> {
        let options = options.reuse_port_by_default(self.reuse_port);
        match &self.outside {
            Outside::Alone { listeners, notify } => {
                let (listeners, notify) = (Arc::clone(listeners), Arc::clone(notify));
                Box::pin(async move {
                    let mut listeners = listeners.lock().unwrap_or_else(PoisonError::into_inner);
                    let held = listeners
                        .bind(&options, None)
                        .map_err(|error| chain(&error))?;
                    // What the manager has already it takes for the same.
                    #[cfg(target_os = "linux")]
                    crate::upgrade::kept_sockets::store(&notify, held);
                    #[cfg(not(target_os = "linux"))]
                    drop(notify);
                    held.fd()
                        .try_clone_to_owned()
                        .map_err(|error| error.to_string())
                })
            }
            #[cfg(target_os = "linux")]
            Outside::Supervised(link) => link.listen(&options),
        }
    }

    fn status(&self, service: &str, text: &str) {
        match &self.outside {
            Outside::Alone { notify, .. } => notify.status(&format!("{service}: {text}")),
            #[cfg(target_os = "linux")]
            Outside::Supervised(link) => link.status(service, text),
        }
    }

    fn turn(&self, task: &str) -> Option<Box<dyn Any + Send>> {
        match &self.outside {
            Outside::Alone { .. } => Some(Box::new(())),
            #[cfg(target_os = "linux")]
            Outside::Supervised(link) => link.lock(task),
        }
    }

    #[cfg(all(feature = "http", target_os = "linux"))]
    fn program_ends(&self) -> bool {
        match &self.outside {
            Outside::Alone { listeners, notify } => {
                let listeners = listeners.lock().unwrap_or_else(PoisonError::into_inner);
                // A queue that outlives the program stays open for whoever comes next.
                let outlives = |held| crate::upgrade::kept_sockets::outlives(notify, held);
                self.ends.load(Ordering::Acquire) && !listeners.iter().any(outlives)
            }
            Outside::Supervised(link) => link.program_ends(),
        }
    }

    fn stop_limit(&self) -> Option<Duration> {
        let usual = *self.graceful.lock().unwrap_or_else(PoisonError::into_inner);
        match &self.outside {
            Outside::Alone { .. } => usual,
            #[cfg(target_os = "linux")]
            Outside::Supervised(link) => link.counter().stop_limit().unwrap_or(usual),
        }
    }

    fn count_request(&self) {
        match &self.outside {
            Outside::Alone { .. } => {}
            #[cfg(target_os = "linux")]
            Outside::Supervised(link) => link.counter().count(),
        }
    }

    #[cfg(feature = "http")]
    fn exchange(&self, exchange: Exchange) {
        match &self.outside {
            Outside::Alone { .. } => {}
            #[cfg(target_os = "linux")]
            Outside::Supervised(link) => link.counter().exchange(exchange),
        }
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
