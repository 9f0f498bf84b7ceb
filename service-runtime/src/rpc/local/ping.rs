//! The pings of a worker to itself, which need no slot.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_core::future::BoxFuture;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::connection;
use super::directory::{Directory, Kind};
use super::worker_socket::WorkerSocket;
use crate::rpc::address::Target;
use crate::rpc::frame;
use crate::rpc::message::{Reply, Request};
use crate::rpc::server::Server;
use crate::rpc::transport::OwnAddress;

/// How long the answer of a ping may take to be read.
const PATIENCE: Duration = Duration::from_secs(10);

/// The socket for pings, and that of the server.
#[derive(Debug)]
pub(super) struct OwnSockets {
    socket: WorkerSocket,
    shared: SharedSocket,
}

/// What a worker pings.
#[derive(Debug)]
struct Address {
    path: PathBuf,
    shared: SharedSocket,
    limit: usize,
}

/// The file by which callers find the server.
#[derive(Debug, Clone)]
struct SharedSocket {
    path: PathBuf,
    inode: u64,
}

impl SharedSocket {
    /// Returns an error if callers would find another socket, or none: somebody has removed the file.
    fn check(&self) -> anyhow::Result<()> {
        let shown = self.path.display();
        let found = fs::symlink_metadata(&self.path)
            .with_context(|| format!("callers cannot find `{shown}`"))?;
        ensure!(
            found.ino() == self.inode,
            "`{shown}` is not this program's socket any more"
        );
        Ok(())
    }
}

impl OwnSockets {
    /// Binds the socket for pings; `shared` is the file of the server's.
    pub(super) fn bind(
        directory: &Directory,
        target: &Target,
        server: &str,
        shared: PathBuf,
    ) -> anyhow::Result<Self> {
        let found = fs::symlink_metadata(&shared);
        let found = found.with_context(|| format!("cannot find `{}`", shared.display()))?;
        Ok(Self {
            socket: WorkerSocket::bind_as(Kind::Ping, directory, target, server)?,
            shared: SharedSocket {
                path: shared,
                inode: found.ino(),
            },
        })
    }

    /// Answers pings until the service has stopped.
    pub(super) fn serve(self, server: Arc<Server>) -> impl OwnAddress + 'static {
        let address = Address {
            path: self.socket.path().to_owned(),
            shared: self.shared,
            limit: server.limit,
        };
        let group = server.cx.tasks().clone();
        group.background(format!("rpc pings {}", server.topic()), async move {
            // One after the other: only this worker pings.
            while let Ok((stream, _)) = self.socket.listener.accept().await {
                let _ = timeout(PATIENCE, connection::serve(Arc::clone(&server), stream)).await;
            }
        });
        address
    }
}

impl OwnAddress for Address {
    fn ping(&self) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async {
            self.shared.check()?;
            let shown = self.path.display();
            let stream = UnixStream::connect(&self.path).await;
            let mut stream = stream.with_context(|| format!("cannot connect to `{shown}`"))?;
            let frame = frame::encode(&Request::ping(), self.limit)?;
            frame::write(&mut stream, &frame).await?;
            let answer = frame::read(&mut stream, self.limit).await?;
            Reply::of_ping(&answer)
        })
    }
}
