//! An upgrade: a new process of the program takes over from the one that runs.
//!
//! The old supervisor starts the program file anew and sends the new process what it listens on. The
//! new one starts its workers on the same sockets, and says that they are ready or why they never
//! will be. Only then does the old one leave the program to it: it tells the service manager who speaks for
//! the program now, and stops.
//!
//! The two may be of different versions, so what they say is told apart by the number in the
//! variable that names the channel, and words that one of them does not know are ignored.

#[cfg(workers)]
pub(crate) mod kept_sockets;
#[cfg(workers)]
mod predecessor;
#[cfg(workers)]
mod protocol;
pub(crate) mod takeover;

#[cfg(workers)]
pub(crate) use predecessor::{Granted, Predecessor};
#[cfg(workers)]
pub(crate) use protocol::{
    FIRST_VERSION, PassedSocket, SOCKETS_A_MESSAGE, ToPredecessor, ToSuccessor, VARIABLE, VERSION,
};

/// What a predecessor leaves.
#[derive(Debug, Default)]
pub(crate) struct InheritedState {
    /// The locked pid file.
    pub(crate) pid_file: Option<std::os::fd::OwnedFd>,
    /// What all its processes count in.
    pub(crate) metrics: Option<crate::metrics::InheritedMetrics>,
}
