//! What a launcher gives to the services that it runs.

use std::any::Any;
use std::fmt;
use std::os::fd::OwnedFd;
use std::time::Duration;

use super::BoxFuture;
use super::phase::ServiceStates;
use crate::listen::ListenOptions;
use crate::metrics::RequestCounters;

/// The launcher as a service sees it.
pub(crate) trait Host: Send + Sync + fmt::Debug + 'static {
    /// Returns who this process is.
    fn identity(&self) -> &Identity;

    /// Returns the phases of the services of this process.
    fn states(&self) -> &ServiceStates;

    /// Gives a listening socket for an address that needs no look-up.
    ///
    /// The error is the text for the author's log: the address, the errno and who to ask.
    fn listen(&self, options: ListenOptions) -> BoxFuture<'static, Result<OwnedFd, String>>;

    /// Takes note of how a service says it goes.
    fn status(&self, service: &str, text: &str);

    /// Gives the lock of what runs once in the program, or nothing if it is another's.
    fn lock(&self, task: &str) -> Option<Box<dyn Any + Send>>;

    /// Returns how long a stop may take that has begun, or would now; `None` for no limit.
    fn stop_limit(&self) -> Option<Duration>;

    /// Returns whether it is the whole program that stops, and its sockets with it.
    fn program_ends(&self) -> bool;

    /// Returns what counts the requests of this process.
    fn requests(&self) -> &RequestCounters;

    /// Returns the configuration of the moment, and wakes when it changes.
    #[cfg(feature = "config")]
    fn snapshots(&self) -> tokio::sync::watch::Receiver<crate::config::Snapshot>;
}

/// Who a process is among those of its program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The program's name.
    pub(crate) program: String,
    /// The worker's slot; `None` in a process without a supervisor.
    pub(crate) slot: Option<usize>,
    /// The generation of the worker, 1 at first.
    pub(crate) generation: u64,
}
