//! How the supervisor's loop is left: at the end of the launch, or as a new worker or control process.

use std::sync::Arc;

use crate::exit::Exit;
use crate::ipc::WorkerSlot;
use crate::listen::Listeners;
use crate::metrics::ArenaClaim;
use crate::os::process::channel::Channel;
use crate::os::process::shared_page::CellRef;
use crate::settings::configuration::Loaded;

/// How the loop is left.
pub(crate) enum Leave {
    /// This process is the supervisor still, and the launch has ended.
    Exit(Exit),
    /// This process is a new worker.
    Worker(Box<SpawnedWorker>),
    /// This process is the control process.
    #[cfg(feature = "control")]
    Control(Box<SpawnedControl>),
}

/// What the control process takes along from the supervisor that it was forked from.
#[cfg(feature = "control")]
pub(crate) struct SpawnedControl {
    pub(crate) channel: Channel,
    /// On which clients wait.
    pub(crate) socket: std::os::fd::OwnedFd,
}

/// What a worker takes along from the supervisor that it was forked from.
pub(crate) struct SpawnedWorker {
    pub(crate) slot: WorkerSlot,
    /// The service that it is to run, if it is for one alone.
    pub(crate) pool: Option<Arc<str>>,
    pub(crate) generation: u64,
    pub(crate) loaded: Loaded,
    pub(crate) channel: Channel,
    pub(crate) cell: CellRef,
    pub(crate) arena: ArenaClaim,
    pub(crate) listeners: Listeners,
}
