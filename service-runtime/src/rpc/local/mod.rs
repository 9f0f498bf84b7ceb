//! Calls over unix sockets of one machine: no server between, no network, no other user.
//!
//! Programs meet in one directory: `<directory>/<exchange>/<topic>` holds a socket for each server of the
//! topic, which its supervisor holds as it holds any listener, and two for each worker: one for what is
//! said to all, and one for its own pings, which need no slot. A call has a connection of its own on the
//! server's socket, so the kernel gives it to a worker that has room, and it waits in the accept queue
//! while none has.
//!
//! Linux tells what became of a request when its server is gone: a connection that was never
//! accepted, or whose bytes nobody read, is *reset*; one whose request was read *ends*. So a caller knows
//! whether its call may have begun, without a message that says so.

mod all;
mod connect;
mod connection;
mod directory;
mod listen;
mod ping;
mod worker_socket;

use std::io;
use std::sync::Arc;

use futures_core::future::BoxFuture;

use self::directory::Directory;
use super::config::RpcConfig;
use super::server::Server;
use super::transport::{Delivery, Outbound, OwnAddress, Transport};

/// The sockets of this machine.
#[derive(Debug)]
pub(super) struct Local {
    directory: Directory,
}

impl Local {
    pub(super) fn of(config: &RpcConfig) -> Self {
        Self {
            directory: Directory::of(config),
        }
    }
}

impl Transport for Local {
    fn deliver<'a>(&'a self, outbound: &'a Outbound) -> BoxFuture<'a, io::Result<Delivery>> {
        Box::pin(connect::deliver(&self.directory, outbound))
    }

    fn deliver_to_all<'a>(
        &'a self,
        outbound: &'a Outbound,
    ) -> BoxFuture<'a, io::Result<Vec<Delivery>>> {
        Box::pin(connect::deliver_to_all(&self.directory, outbound))
    }

    fn serve(&self, server: Arc<Server>) -> BoxFuture<'_, anyhow::Result<Arc<dyn OwnAddress>>> {
        Box::pin(listen::serve(&self.directory, server))
    }
}
