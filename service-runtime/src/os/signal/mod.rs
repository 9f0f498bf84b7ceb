//! Signals of a process that runs services, as values.
//!
//! Here and nowhere else a signal becomes a [`SignalAction`]. The supervisor has its own reader, because it
//! has no async runtime: see `process::signalfd`.

mod stream;

pub(crate) use stream::{Received, SignalAction, Signals};
