//! The sockets of one worker, which live as long as it serves.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use nix::errno::Errno;
use nix::unistd::Pid;
use tokio::net::UnixListener;

use super::directory::{Directory, Kind, remove};
use crate::rpc::address::Target;

/// A socket of this worker: for what is said to all, or for its pings.
///
/// It is the worker's own, not its supervisor's: what was said before a worker began is not for it.
#[derive(Debug)]
pub(super) struct WorkerSocket {
    pub(super) listener: UnixListener,
    path: PathBuf,
}

impl WorkerSocket {
    /// Binds the socket of this process for what is said to all.
    pub(super) fn bind(
        directory: &Directory,
        target: &Target,
        server: &str,
    ) -> anyhow::Result<Self> {
        Self::bind_as(Kind::Worker, directory, target, server)
    }

    /// Binds a socket of this process.
    pub(super) fn bind_as(
        kind: Kind,
        directory: &Directory,
        target: &Target,
        server: &str,
    ) -> anyhow::Result<Self> {
        let path = directory.of_worker(kind, target, server, std::process::id());
        // One of a process that had the same id before.
        remove(&path)?;
        let listener = UnixListener::bind(&path);
        let listener =
            listener.with_context(|| format!("cannot listen on `{}`", path.display()))?;
        Ok(Self { listener, path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what workers have left behind that were killed.
    pub(super) fn remove_dead(directory: &Directory, target: &Target) {
        for kind in [Kind::Worker, Kind::Ping] {
            for path in directory.sockets(target, kind).unwrap_or_default() {
                remove_if_dead(&path);
            }
        }
    }
}

/// Removes the socket of a worker that is dead: its process is gone, and nobody listens.
///
/// Either alone proves nothing. One that is being made refuses too, and the programs of a container have ids of
/// their own.
pub(super) fn remove_if_dead(path: &Path) {
    if !is_dead(path) {
        return;
    }
    match remove(path) {
        Ok(()) => tracing::debug!("removed `{}` of a dead worker", path.display()),
        Err(error) => tracing::warn!("cannot remove `{}`: {error}", path.display()),
    }
}

fn is_dead(path: &Path) -> bool {
    let pid = path.file_stem().and_then(|name| name.to_str());
    let pid = pid.and_then(|name| name.rsplit('.').next());
    let Some(pid) = pid.and_then(|pid| pid.parse().ok()) else {
        return false;
    };
    nix::sys::signal::kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH)
        && UnixStream::connect(path)
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

impl Drop for WorkerSocket {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.path) {
            tracing::warn!("cannot remove `{}`: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn only_the_socket_of_a_dead_worker_is_removed() {
        let folder = std::env::temp_dir().join(format!("rpc-dead-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        // No process has this id: it is above the largest one.
        let dead = folder.join("host.2147483647.worker");
        let listener = UnixListener::bind(&dead).unwrap();
        // It may belong to a container.
        remove_if_dead(&dead);
        assert!(dead.exists());
        drop(listener);
        let young = folder.join(format!("host.{}.worker", std::process::id()));
        drop(UnixListener::bind(&young).unwrap());
        for path in [&dead, &young] {
            remove_if_dead(path);
        }
        assert!(young.exists() && !dead.exists());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
