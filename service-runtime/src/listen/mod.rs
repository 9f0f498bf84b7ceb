//! Listening sockets: their addresses, the holder that binds them, the listener that accepts.
//!
//! A socket is bound once, by the process that outlives the workers, and its descriptor is passed
//! on: what waits in the accept queue survives the worker that would have taken it. The holder
//! knows no async runtime and asks no name server; a host name is resolved before it gets there.

mod accept_errors;
mod activation;
mod address;
mod error;
mod listener;
mod listeners;
mod options;
#[cfg(all(feature = "http", workers))]
mod pending_handshakes;
#[cfg(feature = "config")]
mod place;
#[cfg(all(feature = "control", workers))]
mod private_socket;
mod resolve;
mod socket;
mod stream;
mod tcp;
mod unix;

pub use address::{Address, AddressError};
pub use error::{BindError, OptionsError};
pub use listener::Listener;
pub use options::ListenOptions;
pub use resolve::ResolveError;
pub use stream::{Peer, Stream};

pub(crate) use activation::VARIABLES;
pub(crate) use listeners::{Held, Listeners, SocketId};
#[cfg(feature = "config")]
pub(crate) use place::Place;
#[cfg(all(feature = "control", workers))]
pub(crate) use private_socket::PrivateSocket;
