//! Where a process with services gets sockets and locks from: itself, or its supervisor.

use std::any::Any;
use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error_chain::chain;
use crate::listen::{ListenOptions, Listeners, SocketId};
use crate::metrics::RequestCounters;
use crate::notify::Notifier;
use crate::os::process::counter_memory::CounterMemory;
use crate::service::BoxFuture;

/// Gives sockets and locks, and takes the status of services.
pub(crate) trait HostBackend: Send + Sync {
    /// Gives a listening socket.
    fn listen(&self, options: &ListenOptions) -> BoxFuture<'static, Result<OwnedFd, String>>;

    /// Gives a listening socket for the process itself, which no restart of its services closes.
    fn listen_for_process(
        &self,
        options: &ListenOptions,
    ) -> BoxFuture<'static, Result<OwnedFd, String>> {
        self.listen(options)
    }

    /// Begins to note anew which sockets are used: the services have stopped and start again.
    fn begin_restart(&self) {}

    /// Closes the sockets that no service has asked for since the last restart began.
    fn close_unused(&self) {}

    /// Takes note of how a service says it goes.
    fn status(&self, service: &str, text: &str);

    /// Gives the lock of what runs once in the program, or nothing if it is another's.
    fn lock(&self, task: &str) -> Option<Box<dyn Any + Send>>;

    /// Returns whether the whole program ends, and its sockets with it; `this_ends` tells of this process.
    fn program_ends(&self, this_ends: bool) -> bool;

    /// Returns how long this process may take to stop, if somebody has said so.
    fn stop_limit(&self) -> Option<Option<Duration>>;

    /// Returns what counts the requests of this process.
    fn requests(&self) -> &RequestCounters;
}

/// Gives both from this process: it is the program's only one.
pub(crate) struct SingleProcess {
    listeners: Arc<Mutex<Listeners>>,
    /// The sockets that the services have asked for.
    used: Arc<Mutex<BTreeSet<SocketId>>>,
    /// Those of the process itself.
    own: Arc<Mutex<BTreeSet<SocketId>>>,
    notifier: Arc<Notifier>,
    requests: RequestCounters,
}

impl SingleProcess {
    pub(crate) fn new(listeners: Arc<Mutex<Listeners>>, notifier: Arc<Notifier>) -> Self {
        Self {
            listeners,
            used: Arc::default(),
            own: Arc::default(),
            notifier,
            requests: RequestCounters::new(CounterMemory::own(), 0),
        }
    }
}

impl SingleProcess {
    /// Gives a listening socket, and notes that it is used.
    fn listen_noted(
        &self,
        options: &ListenOptions,
        used: Arc<Mutex<BTreeSet<SocketId>>>,
    ) -> BoxFuture<'static, Result<OwnedFd, String>> {
        let (listeners, notifier) = (Arc::clone(&self.listeners), Arc::clone(&self.notifier));
        let options = options.clone();
        Box::pin(async move {
            let mut listeners = listeners.lock().unwrap_or_else(PoisonError::into_inner);
            let held = listeners
                .bind(&options, None)
                .map_err(|error| chain(&error))?;
            used.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(held.id());
            // What the manager has already it takes for the same.
            #[cfg(workers)]
            crate::upgrade::kept_sockets::store(&notifier, held);
            #[cfg(not(workers))]
            drop(notifier);
            held.fd()
                .try_clone_to_owned()
                .map_err(|error| error.to_string())
        })
    }
}

impl HostBackend for SingleProcess {
    fn listen(&self, options: &ListenOptions) -> BoxFuture<'static, Result<OwnedFd, String>> {
        self.listen_noted(options, Arc::clone(&self.used))
    }

    fn listen_for_process(
        &self,
        options: &ListenOptions,
    ) -> BoxFuture<'static, Result<OwnedFd, String>> {
        self.listen_noted(options, Arc::clone(&self.own))
    }

    fn begin_restart(&self) {
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn close_unused(&self) {
        let mut listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        for held in listeners.close_bound(|id| !used.contains(&id) && !own.contains(&id)) {
            let address = held.address();
            tracing::info!(%address, "no service listens on this any more: closed");
            #[cfg(workers)]
            if let Some(name) = crate::upgrade::kept_sockets::name(&self.notifier, &held) {
                self.notifier.forget(&name);
            }
        }
    }

    fn status(&self, service: &str, text: &str) {
        self.notifier.status(&format!("{service}: {text}"));
    }

    fn lock(&self, _task: &str) -> Option<Box<dyn Any + Send>> {
        Some(Box::new(()))
    }

    fn program_ends(&self, this_ends: bool) -> bool {
        #[cfg(workers)]
        {
            let listeners = self.listeners.lock();
            let listeners = listeners.unwrap_or_else(PoisonError::into_inner);
            // A queue that outlives the program stays open for whoever comes next.
            let outlives = |held| crate::upgrade::kept_sockets::outlives(&self.notifier, held);
            this_ends && !listeners.iter().any(outlives)
        }
        #[cfg(not(workers))]
        this_ends
    }

    fn stop_limit(&self) -> Option<Option<Duration>> {
        None
    }

    fn requests(&self) -> &RequestCounters {
        &self.requests
    }
}
